"""Settings of every run."""

from __future__ import annotations

import functools
import gc
import os
from collections.abc import Generator
from typing import Any

import botocore.session
import pytest
from hypothesis import HealthCheck, settings

from tests.support import spreading
from tests.support.cpu_limit import pytest_runtest_call
from tests.support.engines import client, client_of, endpoint_of, engine_of
from tests.support.representatives import mark_further_cases

__all__ = ["client", "client_of", "endpoint_of", "engine_of", "pytest_runtest_call"]

# Machines are shared and noisy: time decides nothing. A failure prints what replays it.
settings.register_profile(
    "rollcall",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# `make test` and `make test-unit` load this one: fewer examples.
settings.register_profile("fast", settings.get_profile("rollcall"), max_examples=15)
settings.load_profile("rollcall")


# Metrics are lines on stdout; tests of them turn them on.
os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"

# Most tests of stores make a client. Reading botocore's service descriptions takes six times the CPU
# of everything else about that, so all sessions of a process share them.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Let no garbage collection traverse what lives to the end: modules and collected tests.

    Later ones are rarer than Python's default: with it, they were 5 % of the suite's CPU.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        gc.enable()


# ------------------------------------------------------------------ with `-n`, side by side
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Another `--dist` than the one that `-n` implies is left alone."""
    if config.getoption("dist") != "load":
        return None
    return spreading.Spreading(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, Any, None]:
    """Mark before `-m` deselects; sort what is left."""
    mark_further_cases(items)
    yield
    if hasattr(config, "workerinput"):  # this is a worker
        items.sort(key=lambda item: spreading.rank(item.nodeid))
