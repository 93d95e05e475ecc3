"""The wiring: every service can be made, is what it says, and is made once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.memory_dynamodb import MemoryClient, MemoryDynamoDb

from rollcall import bootstrap
from rollcall.maintenance.rebuild import RebuildTimeouts
from rollcall.retry import MAX_REQUEST_SECONDS
from tests.support.answering import wired

SERVICES = {
    name: make
    for name, make in vars(bootstrap).items()
    if hasattr(make, "cache_clear") and not inspect.signature(make).parameters
    if name not in ("_client", "_quarantine")
}


@pytest.fixture(autouse=True)
def tables() -> Iterator[MemoryClient]:
    client = MemoryClient(MemoryDynamoDb())
    with wired(_client=lambda: client, _quarantine=object):
        yield client


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_made_once_and_is_of_its_declared_type(name: str) -> None:
    make: Callable[[], Any] = SERVICES[name]
    made = make()
    assert make() is made
    # The types that only type checkers import are compared by name.
    declared = inspect.signature(make).return_annotation
    assert type(made).__name__ == declared


def test_every_public_service_is_among_them() -> None:
    """Only what takes arguments is not."""
    functions = {
        name
        for name, value in vars(bootstrap).items()
        if callable(value) and getattr(value, "__module__", "") == bootstrap.__name__
    }
    public = {name for name in functions if not name.startswith("_")}
    assert public - SERVICES.keys() == {"set_read_timeout", "rebuild_timeouts", "redrive"}


def test_a_replay_is_made_once_per_destination(tmp_path: Any) -> None:
    one = bootstrap.redrive(tmp_path.as_uri())
    assert bootstrap.redrive(tmp_path.as_uri()) is one
    assert bootstrap.redrive((tmp_path / "other").as_uri()) is not one
    with pytest.raises(ValueError, match="neither"):
        bootstrap.redrive("nowhere")


def test_a_rebuild_waits_longer_than_any_request_may_take() -> None:
    timeouts = bootstrap.rebuild_timeouts(1_000, 2_000)
    assert isinstance(timeouts, RebuildTimeouts)
    assert (timeouts.grace_ms, timeouts.settle_ms) == (1_000, 2_000)
    assert timeouts.longest_answer_ms >= MAX_REQUEST_SECONDS * 1_000
