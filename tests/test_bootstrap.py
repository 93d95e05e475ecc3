"""The wiring: every service can be made, is what it says, and is made once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rollcall import bootstrap, commands
from rollcall.domain.errors import BrokenDestination
from rollcall.maintenance.rebuild import RebuildTimeouts
from rollcall.retry import MAX_REQUEST_SECONDS
from tests.support.answering import wired
from tests.support.emulator.client import MemoryClient
from tests.support.emulator.dynamodb import MemoryDynamoDb

SERVICES = {
    name: make
    for name, make in (vars(bootstrap) | vars(commands)).items()
    if hasattr(make, "cache_clear") and not inspect.signature(make).parameters
    if name not in ("dynamodb", "_quarantine", "_inbox", "hook_cipher")
}


@pytest.fixture(autouse=True)
def tables() -> Iterator[MemoryClient]:
    client = MemoryClient(MemoryDynamoDb())
    with wired(dynamodb=lambda: client, _quarantine=object, _inbox=object, hook_cipher=object):
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
        for module in (bootstrap, commands)
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", "") == module.__name__
    }
    public = {name for name in functions if not name.startswith("_")}
    assert public - SERVICES.keys() == {"set_read_timeout", "rebuild_timeouts", "redrive"}


def test_a_replay_is_made_once_per_destination(tmp_path: Any) -> None:
    one = commands.redrive(tmp_path.as_uri())
    assert commands.redrive(tmp_path.as_uri()) is one
    assert commands.redrive((tmp_path / "other").as_uri()) is not one
    with pytest.raises(BrokenDestination, match="neither"):
        commands.redrive("nowhere")


def test_a_rebuild_waits_longer_than_any_request_may_take() -> None:
    timeouts = commands.rebuild_timeouts(1_000, 2_000)
    assert isinstance(timeouts, RebuildTimeouts)
    assert (timeouts.grace_ms, timeouts.settle_ms) == (1_000, 2_000)
    assert timeouts.longest_answer_ms >= MAX_REQUEST_SECONDS * 1_000
