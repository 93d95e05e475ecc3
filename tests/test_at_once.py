"""Reads at once have the organisation and the time limit of the request, and their order is kept."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, get_ident

import pytest

from rollcall.at_once import at_once, begun_at_once
from rollcall.domain.organisations import current_org_id, tenant

EXECUTOR = ThreadPoolExecutor(4)


def test_the_results_are_in_order_and_the_reads_run_at_the_same_time() -> None:
    everyone = Barrier(3, timeout=20)

    def read(number: int) -> tuple[int, str | None]:
        everyone.wait()
        return number, current_org_id()

    with tenant("org"):
        found = at_once(EXECUTOR, [lambda number=number: read(number) for number in range(3)])
    assert found == [(0, "org"), (1, "org"), (2, "org")]


def test_a_single_read_needs_no_other_thread() -> None:
    assert at_once(EXECUTOR, [get_ident]) == [get_ident()]


def test_an_error_is_raised_when_no_read_runs_any_more() -> None:
    ended = []

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        at_once(EXECUTOR, [fail, lambda: ended.append(1)])


def test_streams_begin_at_once_and_go_on_as_they_are_asked() -> None:
    everyone = Barrier(2, timeout=20)
    read: list[int] = []

    def stream(*numbers: int) -> Iterator[int]:
        everyone.wait()
        for number in numbers:
            read.append(number)
            yield number

    one, other = begun_at_once(EXECUTOR, [stream(1, 2), stream()])
    assert read == [1]
    assert (list(one), list(other)) == ([1, 2], [])
    assert list(begun_at_once(EXECUTOR, [iter([5])])[0]) == [5]
