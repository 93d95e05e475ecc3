"""The oracle against examples worked out by hand, and the generators against the oracle."""

import ast
import json
import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import builders, oracle
from tests.support.builders import call, deletion, full_call, lead, task
from tests.support.generate import (
    anything,
    batches,
    deletions,
    mixed_records,
    valid_records,
    without_ties,
)
from tests.support.oracle import InvalidOperation, Oracle, Tie

NOW = oracle.instant("2026-11-21T12:00:00Z", "now")
OLD, NEW, NEWER = "2024-04-01T00:00:00Z", "2024-04-02T00:00:00Z", "2024-04-03T00:00:00Z"


def outcome(model: Oracle, record: object) -> str:
    """accepted, unchanged, stale, or the field that was refused."""
    _, body = model.post([record], NOW)
    assert body is not None
    if body["rejected"]:
        return str(body["rejected"][0]["field"])
    return next(name for name in ("accepted", "unchanged", "stale") if body[name])


def unpod(model: Oracle, space_token: str | None = None) -> dict[str, Any]:
    body = model.unpod(space_token)
    assert body is not None
    return body


def test_the_oracle_shares_no_code_with_rollcall() -> None:
    support = Path(__file__).parents[1] / "support"
    others = [support / f"{name}.py" for name in ("builders", "generate", "queries_of_dialects")]
    modules = [*support.glob("oracle*.py"), *others]
    assert len(modules) > 5
    for module in modules:
        tree = ast.parse(module.read_text())
        imported = {
            name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
            )
        }
        assert not imported & {"rollcall", "rollcall_cli"}


@pytest.mark.parametrize("build", builders.BUILDERS.values(), ids=builders.BUILDERS)
def test_builders_build_valid_records(build: Callable[[], dict[str, Any]]) -> None:
    assert outcome(Oracle(), build()) == "accepted"


def test_a_full_call_has_every_field_of_a_call() -> None:
    assert outcome(Oracle(), full_call()) == "accepted"
    fields = {*oracle.TYPES["call"].required, *oracle.TYPES["call"].optional}
    assert set(full_call()) == fields | {"type", "id", "updated_at"}


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.2349Z", 1_234),
        ("1970-01-01T00:00:01.2Z", 1_200),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:30:00-01:00", 1_800_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("9998-12-31T23:59:59.9999Z", 253_370_764_799_999),
        ("9999-01-01T00:30:00+01:00", 253_370_763_000_000),
    ],
)
def test_instants(text: str, milliseconds: int) -> None:
    assert oracle.instant(text, "time") == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "1969-12-31T23:59:59.999Z",
        "1970-01-01T00:30:00+01:00",
        "9999-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:60Z",
        "2024-01-01T00:00:00",
        "2024-01-01 00:00:00Z",
        "2024-01-01t00:00:00Z",
        "2024-01-01T00:00:00z",
        "2024-01-01T00:00:00Z\x00",
        "2024-01-01T00:00:00Z\n",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+0100",
        "2024-W01",
        "٢٠٢٤-01-01T00:00:00Z",
        1_700_000_000,
        None,
    ],
)
def test_no_instants(text: str) -> None:
    with pytest.raises(InvalidOperation):
        oracle.instant(text, "time")


@pytest.mark.parametrize(
    ("number", "places", "units"),
    [("0.5", 0, 1), ("1.5", 0, 2), ("2.5", 0, 3), ("0.4999", 0, 0), ("0.1995", 3, 200)],
)
def test_rounding_is_half_away_from_zero(number: Any, places: int, units: int) -> None:
    assert oracle.rounded(Decimal(number), places) == units


def test_last_version_wins_in_any_order_of_arrival() -> None:
    model = Oracle()
    assert outcome(model, call(updated_at=NEW, status="failed")) == "accepted"
    assert outcome(model, call(updated_at=OLD, status="busy")) == "stale"
    assert outcome(model, call(updated_at=NEW, status="failed")) == "unchanged"
    assert outcome(model, call(status="failed")) == "unchanged"
    assert outcome(model, call(updated_at=NEWER, status="failed")) == "accepted"
    assert outcome(model, call(updated_at=NEW, status="completed")) == "stale"
    assert unpod(model)["failed_calls"] == 1


def test_equal_versions_go_to_the_deletion_and_otherwise_to_the_hash() -> None:
    model = Oracle()
    outcome(model, call(updated_at=NEW))
    with pytest.raises(Tie):
        outcome(model, call(updated_at=NEW, status="failed"))
    assert model.would_tie(call(updated_at=NEW, status="failed"), NOW)
    assert outcome(model, deletion("call", "call-1", NEW)) == "accepted"
    assert outcome(model, call(updated_at=NEW)) == "stale"
    assert outcome(Oracle(tie=lambda new, old: True), call(updated_at=NEW)) == "accepted"


def test_a_deletion_is_remembered_and_a_newer_record_revives() -> None:
    model = Oracle()
    assert outcome(model, deletion("call", "call-1", NEW)) == "accepted"
    assert outcome(model, deletion("call", "call-1")) == "unchanged"
    assert outcome(model, call(updated_at=OLD)) == "stale"
    assert unpod(model)["total_calls"] == 0
    assert outcome(model, call(updated_at=NEWER)) == "accepted"
    assert unpod(model)["total_calls"] == 1


def test_a_winning_version_moves_and_a_17th_time_is_refused() -> None:
    model = Oracle()

    def at(minute: int) -> str:
        return outcome(model, call(started_at=f"2024-03-05T12:{minute:02}:00Z"))

    assert [at(minute) for minute in (*range(16), 3)] == ["accepted"] * 17
    assert len(model.facts["call", "call-1"].left) == 15
    assert at(16) == "started_at"
    outcome(model, deletion("call", "call-1"))
    assert (at(16), at(15)) == ("started_at", "accepted")


def test_the_further_status_wins_a_tie() -> None:
    model = Oracle()
    assert outcome(model, call(updated_at=NEW, status="ringing")) == "accepted"
    assert not model.would_tie(call(updated_at=NEW), NOW)
    assert outcome(model, call(updated_at=NEW)) == "accepted"
    assert outcome(model, call(updated_at=NEW, status="queued")) == "stale"


def test_content_is_compared_as_it_is_stored() -> None:
    model = Oracle()
    outcome(
        model,
        full_call(
            id=5,
            updated_at=OLD,
            labels=["a", 1],
            duration_seconds=1.5,
            cost=Decimal("0.0000005"),
            sentiment=Decimal("0.1995"),
            attempt=1,
            events={},
            payload={"n": Decimal("1.50")},
        ),
    )
    same = full_call(
        id="5",
        updated_at=OLD,
        labels=["1", "a", 1],
        duration_seconds=2,
        cost=Decimal("0.000001"),
        sentiment=Decimal("0.2"),
        attempt=builders.OMIT,
        answered=builders.OMIT,
        events={"sms_sent": 0},
        payload={"n": Decimal("1.5")},
    )
    assert outcome(model, same) == "unchanged"
    assert outcome(model, {**same, "updated_at": NEW, "payload": {"n": "1.5"}}) == "accepted"


def test_an_id_goes_out_as_it_last_came_in() -> None:
    model = Oracle()
    outcome(model, call(5, updated_at=OLD))
    assert model.sent_id("call", "5") == 5
    assert outcome(model, call("5", updated_at=OLD)) == "unchanged"
    assert model.sent_id("call", "5") == 5
    assert outcome(model, call("5", updated_at=NEW)) == "accepted"
    assert model.sent_id("call", "5") == "5"


def test_ratios_are_rounded_once() -> None:
    assert oracle.ratio(1, 3, 2) == Decimal("0.33")
    assert oracle.ratio(1, 8, 2) == Decimal("0.13")
    assert oracle.ratio(2_675, 1_000, 2) == Decimal("2.68")
    assert oracle.ratio(10**15 * 10_000 + 49, 10**6, 4) == Decimal(10000000000000)
    assert oracle.ratio(5, 0, 2) == 0


def test_answers_name_what_was_refused() -> None:
    status, body = Oracle().post([call(), 5, call(id="x", cost=-1)], NOW)
    assert status == 207
    assert body == {
        "accepted": 1,
        "unchanged": 0,
        "stale": 0,
        "rejected": [
            {"index": 1, "id": None, "field": "record"},
            {"index": 2, "id": "x", "field": "cost"},
        ],
    }
    assert Oracle().post([5], NOW)[0] == 422
    assert Oracle().post([], NOW) == (400, None)
    assert Oracle().post([call()] * 501, NOW) == (400, None)


def test_unpod_by_hand() -> None:
    model = Oracle()
    model.post(
        [
            call("1", space_token="s", duration_seconds=1),
            call("2", space_token="s", duration_seconds=0.4, status="failed"),
            call("3", status="busy", duration_seconds=60),
            call("4", space_token="t"),
            task("1", space_token="s", status="in_progress"),
            task("2", status="hold"),
            deletion("call", "4"),
        ],
        NOW,
    )
    assert model.unpod() == {
        "total_calls": 3,
        "completed_calls": 1,
        "failed_calls": 1,
        "avg_duration_seconds": 20.3,
        "total_tasks": 2,
        "task_status_breakdown": {"pending": 0, "running": 1, "completed": 0, "failed": 0},
    }
    assert unpod(model, "s")["avg_duration_seconds"] == 0.5
    assert unpod(model, "s")["total_tasks"] == 1
    assert model.unpod("t") is None
    assert model.known_spaces() == {"s"}


def test_rollups_by_hand() -> None:
    model = Oracle()
    model.post(
        [
            full_call(labels=[7], space_token=builders.OMIT, campaign_id=5, outcome=builders.OMIT),
            lead(status="FINISHED", converted=True, merchant_id="m"),
        ],
        NOW,
    )
    rollups = model.rollups()
    campaign = ("campaign", "outbound", "5")
    assert {k[2:]: v for k, v in rollups.items() if k[:2] == ("calls", campaign)} == {
        ("2024-03-05", measure): value
        for measure, value in {
            "calls": 1,
            "answered": 1,
            "timed": 1,
            "seconds": 62,
            "cost_micros": 42_500,
            ("status", "completed"): 1,
            ("disposition", "successful"): 1,
            ("sentiment", 3): 1,
            ("hour", 12): 1,
            ("attempt", "2"): 1,
            ("attempt_successes", "2"): 1,
            ("event", "sms_sent"): 1,
            ("outcome", None): 1,
            ("provider", "twilio"): 1,
            ("label", "7"): 1,
        }.items()
    }
    assert rollups["calls", ("merchant", "merchant-1"), "2024-03-05", ("duration", 62)] == 1
    assert rollups["calls", ("org",), "ALL", ("duration", 62)] == 1
    assert rollups["calls", ("org",), "ALL", "calls"] == 1
    assert rollups["leads", ("merchant", "m"), "ALL", "converted"] == 1
    assert rollups["known", campaign, "ALL", "facts"] == 1


def test_workspace_rollups_by_hand() -> None:
    model = Oracle()
    model.post(
        [
            builders.room(),
            builders.recording(duration_seconds=2.5),
            builders.contact(),
            builders.booking_page(),
            builders.contact_event("1", room_id="room-1"),
            builders.contact_event("2", event_type="booking", booking_page_id=3),
            builders.contact_event("3", event_type="other", room_id="room-1"),
        ],
        NOW,
    )
    workspace = ("workspace", "workspace-1")
    measures: dict[Any, int] = {
        "rooms": 1,
        "recordings": 1,
        "seconds": 3,
        "contacts": 1,
        "bookings": 1,
        "room_joins": 1,
        ("event_type", "room_join"): 1,
        ("event_type", "booking"): 1,
        ("event_type", "other"): 1,
        ("room", "room-1"): 1,
        ("page", "3"): 1,
    }
    expected: dict[tuple[Any, ...], int] = {
        ("known", workspace, "ALL", "facts"): 7,
        **{("workspace", workspace, "ALL", name): value for name, value in measures.items()},
        **{
            ("workspace", workspace, "2024-03-05", measure): 1
            for measure in ("bookings", "room_joins", "contacts")
        },
    }
    assert model.rollups() == expected


# ------------------------------------------------------------------ generators


@given(st.one_of(valid_records, deletions))
def test_strategies_make_valid_records(record: dict[str, Any]) -> None:
    assert outcome(Oracle(), record) == "accepted"


@pytest.mark.slow
@given(st.lists(anything, min_size=8, max_size=30))
def test_without_ties_leaves_only_what_the_contract_decides(records: list[Any]) -> None:
    kept = without_ties(records, Oracle(), NOW)
    model = Oracle()
    for record in kept:
        outcome(model, record)


@given(st.lists(anything, min_size=8, max_size=30), st.integers(1, 20))
def test_one_request_or_many_are_the_same(records: list[Any], size: int) -> None:
    records = without_ties(records, Oracle(), NOW)
    together, apart = Oracle(), Oracle()
    together.post(records, NOW)
    for batch in batches(records, size):
        apart.post(batch, NOW)
    assert together.facts == apart.facts
    assert together.rollups() == apart.rollups()


def test_bulk_records_end_the_same_in_any_order() -> None:
    records = mixed_records(seed=1, n=600)
    models = []
    for seed in range(3):
        shuffled = list(records)
        random.Random(seed).shuffle(shuffled)
        model = Oracle()
        for batch in batches(shuffled, 500):
            _, body = model.post(batch, NOW)
            assert body is not None
            assert body["rejected"] == []
        models.append(model)
    assert models[0].rollups() == models[1].rollups() == models[2].rollups()
    alive = sum(fact.content is not None for fact in models[0].facts.values())
    assert 0.85 < alive / len(models[0].facts) < 0.95
    assert set(oracle.TYPES) == {kind for kind, _ in models[0].facts}
    assert json.loads(json.dumps(records)) == records
    assert records == mixed_records(seed=1, n=600)


def test_bulk_versions_have_their_own_updated_at() -> None:
    records = mixed_records(seed=2, n=600)
    times = Counter((r["type"], str(r["id"]), r["updated_at"]) for r in records)
    assert set(times.values()) == {1}
    assert 1_200 <= len(records) <= 1_800
