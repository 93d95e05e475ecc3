"""A limit on the CPU time of every test that is not marked `slow`.

`ROLLCALL_TEST_CPU_SECONDS` sets it: user and system time of a test's call, with that of the child
processes that it waited for. Without the variable nothing is measured. CPU time, because wall time
on a shared machine says nothing about a test.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

VARIABLE = "ROLLCALL_TEST_CPU_SECONDS"


def cpu_seconds() -> float:
    """CPU time used so far by this process and by its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    limit = os.environ.get(VARIABLE)
    if limit is None or item.get_closest_marker("slow"):
        return (yield)
    before = cpu_seconds()
    result = yield
    used = cpu_seconds() - before
    if used > float(limit):
        pytest.fail(
            f"{used:.1f} s of CPU, over the limit of {limit} s: make it faster, or mark it `slow`",
            pytrace=False,
        )
    return result
