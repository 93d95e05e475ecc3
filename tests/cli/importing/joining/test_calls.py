"""Legs of maps that exchanges do not have."""

from __future__ import annotations

import json

from rollcall.mapping.conversion import Settings
from rollcall.mapping.maps import Join
from rollcall.mapping.times import zone_named
from rollcall_cli.importing.joining.calls import Calls
from rollcall_cli.importing.joining.legs import Leg

CALLS = Calls(Join(start="s", length="l"), Settings(zone_named("UTC"), "."))


def leg(start: str, length: str, **values: object) -> Leg:
    texts = {name: json.dumps(value) for name, value in {"id": "a", **values}.items()}
    return Leg(texts, (), f"2026-11-20 09:{start}", length, "")


def joined(*legs: Leg) -> dict[str, object]:
    record = CALLS.record(legs)
    assert isinstance(record, bytes)
    return json.loads(record)


def test_the_reason_of_another_leg_is_not_that_of_the_strongest():
    legs = [
        leg("00:00", "5", status="failed", ended_reason="error"),
        leg("00:05", "5", status="completed"),
    ]
    assert joined(*legs) == {"id": "a", "status": "completed"}


def test_parts_of_seconds_count():
    legs = [
        leg("00:00", "5.25", status="completed", duration_seconds=4.5),
        leg("00:05.500", "1m 2s", status="completed", duration_seconds=1),
    ]
    assert joined(*legs)["duration_seconds"] == 66.75
    assert joined(*legs[::-1])["duration_seconds"] == 66.75


def test_a_status_that_ends_no_call_is_the_weakest():
    legs = [leg("00:00", "5", status="ringing"), leg("00:05", "5", status="failed")]
    assert joined(*legs)["status"] == "failed"
