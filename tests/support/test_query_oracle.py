"""The query oracle against answers worked out by hand from the contract."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.builders import call, campaign, contact_event, deletion, label, lead, room, task
from tests.support.oracle import instant
from tests.support.query_oracle import QueryOracle
from tests.support.query_records import UndecidedTie

NOW = instant("2026-11-28T12:00:00Z", "now")


def answer(
    records: Any, measures: Any = "calls", skip: Any = 0, now: Any = NOW, **body: Any
) -> Any:
    body["measures"] = measures.split()
    return QueryOracle(records, NOW).answer(body, now, skip)


def rows(records: Any, measures: Any = "calls", **body: Any) -> Any:
    return answer(records, measures, **body)["rows"]


def counts(records: Any, dimension: Any, **body: Any) -> Any:
    found = rows(records, dimensions=[dimension], **body)
    return [(row[dimension], row["calls"]) for row in found]


def count(records: Any, *filters: Any) -> Any:
    return answer(records, filters=list(filters))["totals"]["calls"]


def where(field: Any, op: Any, *value: Any) -> Any:
    return {"field": field, "op": op, **({"value": value[0]} if value else {})}


def times(*moments: Any, **fields: Any) -> Any:
    """One call for each time."""
    return [call(f"call {n}", started_at=moment, **fields) for n, moment in enumerate(moments)]


def each(field: Any, *values: Any) -> Any:
    """One call for each value of a field; None leaves it out."""
    return [call(n, **({} if v is None else {field: v})) for n, v in enumerate(values)]


# ------------------------------------------------------------------ records


def test_the_newest_version_counts_and_a_deletion_removes() -> None:
    records = [
        call("a", outcome="new", updated_at="2026-01-02T00:00:00Z"),
        call("a", outcome="old", updated_at="2026-01-01T00:00:00Z"),
        call("b", updated_at="2026-01-01T00:00:00Z"),
        deletion("call", "b", "2026-01-02T00:00:00Z"),
        call("b", updated_at="2026-01-01T12:00:00Z"),
        deletion("call", "c", "2026-01-01T00:00:00Z"),
        call("c", outcome="revived", updated_at="2026-01-01T00:00:00.001Z"),
        call(5, outcome="five", updated_at="2026-01-01T00:00:00Z"),
        call("5", outcome="text", updated_at="2026-01-01T00:00:00.0019Z"),
    ]
    assert counts(records, "outcome") == [("new", 1), ("revived", 1), ("text", 1)]


def test_at_equal_times_a_deletion_wins_then_the_further_status() -> None:
    at = {"updated_at": "2026-01-01T00:00:00Z"}
    further = [call("a", status="busy", **at), call("a", status="ringing", **at)]
    for records in (further, further[::-1]):
        assert counts(records, "status") == [("busy", 1)]
        assert count([deletion("call", "a", at["updated_at"]), *records]) == 0
    with pytest.raises(UndecidedTie):
        QueryOracle([call("a", status="busy", **at), call("a", status="failed", **at)])


def test_a_later_version_moves_the_call() -> None:
    records = [
        call("a", started_at="2026-11-01T00:00:00Z", updated_at="2026-11-01T00:00:00Z"),
        call("a", started_at="2026-11-02T00:00:00Z", updated_at="2026-11-02T00:00:00Z"),
    ]
    assert counts(records, "day") == [("2026-11-02", 1)]


def test_without_updated_at_it_is_received_now_and_after_what_is_stored() -> None:
    late = [call("a", outcome="x", updated_at="2026-11-28T12:03:00Z"), call("a", outcome="y")]
    oracle = QueryOracle([*late, call("a", outcome="y")], NOW)
    assert oracle.search({}, NOW)[0]["updated_at"] == "2026-11-28T12:03:00.001Z"


def test_numbers_are_rounded_as_they_are_stored() -> None:
    records = [
        call(
            "a",
            duration_seconds=Decimal("59.5"),
            sentiment=Decimal("0.1995"),
            cost=Decimal("0.0000005"),
        )
    ]
    (row,) = rows(records, "talk_seconds avg_sentiment cost", dimensions=["sentiment_band"])
    assert row == {
        "sentiment_band": "slightly_negative",
        "talk_seconds": 60,
        "avg_sentiment": Decimal("0.2"),
        "cost": Decimal("0.000001"),
    }


def test_answered_has_a_default() -> None:
    records = [
        call("a"),
        call("b", status="failed"),
        call("c", disposition="voicemail_left"),
        call("d", duration_seconds=0),
        call("e", duration_seconds=Decimal("0.4")),
        call("f", duration_seconds=Decimal("0.5")),
        call("g", status="failed", answered=True),
    ]
    assert count(records, where("answered", "eq", True)) == 3


# ------------------------------------------------------------------ dimensions and order


def test_without_dimensions_there_is_one_row() -> None:
    assert rows([]) == [{"calls": 0}]
    assert rows(each("outcome", "a", "b")) == [{"calls": 2}]
    assert rows([], dimensions=["outcome"]) == rows([], dimensions=["day"]) == []


def test_dimensions_of_other_datasets() -> None:
    tasks = [task(1, status="in_progress"), task(2)]
    found = rows(tasks, "tasks", dataset="tasks", dimensions=["status"])
    assert found == [{"status": "pending", "tasks": 1}, {"status": "running", "tasks": 1}]
    events = [contact_event(1, room_id=5), contact_event(2)]
    found = rows(events, "events", dataset="contact_events", dimensions=["room_id"])
    assert found == [{"room_id": "5", "events": 1}, {"room_id": None, "events": 1}]
    leads = [lead(1, status="FINISHED", converted=True), lead(2, converted=True), lead(3)]
    found = rows(leads, "leads", dataset="leads", dimensions=["converted"])
    assert found == [{"converted": True, "leads": 2}, {"converted": None, "leads": 1}]


def test_a_call_counts_under_each_of_its_labels() -> None:
    records = [call(1, labels=["x", "y"]), call(2, labels=["x"]), call(3), call(4, labels=[7])]
    found = answer(records, dimensions=["label"])
    assert [(row["label"], row["calls"]) for row in found["rows"]] == [
        ("x", 2),
        ("7", 1),
        ("y", 1),
        (None, 1),
    ]
    assert (found["totals"], found["total_rows"]) == ({"calls": 4}, 4)


def test_payload_values_keep_their_type_and_are_ordered_by_it() -> None:
    values = ["a", "1", True, False, 1, Decimal("1.0"), Decimal("-2.5"), None, "Z"]
    records = [call(n, payload={"k": value}) for n, value in enumerate(values)] + [call("none")]
    order = {"by": "payload.k", "direction": "asc"}
    found = counts(records, "payload.k", order=[order])
    expected = [Decimal("-2.5"), 1, "1", "Z", "a", False, True, None]
    assert [value for value, _ in found] == expected
    assert [type(value) for value, _ in found][5:7] == [bool, bool]
    assert dict(found)[None] == 2
    found = counts(records, "payload.k", order=[{**order, "direction": "desc"}])
    assert [value for value, _ in found] == [*expected[:-1][::-1], None]


def test_clock_dimensions_are_local() -> None:
    records = times("2026-11-28T23:30:00Z", "2026-11-29T22:59:59Z", "2026-11-29T23:00:00Z")
    assert counts(records, "day_of_week", timezone="Europe/Berlin") == [(7, 2), (1, 1)]
    assert counts(records, "hour_of_day", timezone="Asia/Kolkata") == [(4, 2), (5, 1)]


def test_every_bucket_is_there_and_the_open_one_is_not_complete() -> None:
    records = times("2026-11-27T10:00:00Z", "2026-11-29T10:00:00Z")
    assert rows(records, dimensions=["day"]) == [
        {"day": "2026-11-27", "calls": 1},
        {"day": "2026-11-28", "calls": 0, "complete": False},
        {"day": "2026-11-29", "calls": 1},
    ]
    two = rows(records, dimensions=["day", "status"])
    assert [row["day"] for row in two] == ["2026-11-27", "2026-11-29"]
    assert all("complete" not in row for row in two)


def test_hours_are_ordered_by_instant() -> None:
    records = times("2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z")
    found = rows(records, dimensions=["hour", "status"], timezone="Europe/Berlin")
    assert [row["hour"] for row in found] == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
    ]


def test_null_is_last_in_both_directions() -> None:
    records = [call(1, outcome="a", duration_seconds=3), call(2, outcome="b"), call(3)]
    for direction, expected in (("asc", ["a", "b", None]), ("desc", ["b", "a", None])):
        order = [{"by": "outcome", "direction": direction}]
        assert [value for value, _ in counts(records, "outcome", order=order)] == expected
        order = [{"by": "max_duration", "direction": direction}]
        found = rows(records, "max_duration", dimensions=["outcome"], order=order)
        assert [row["outcome"] for row in found] == ["a", "b", None]


def test_ties_are_broken_by_the_dimensions() -> None:
    records = each("outcome", "b", "a", None, "\uffff", "😀")
    found = [value for value, _ in counts(records, "outcome")]
    assert found == ["a", "b", "\uffff", "😀", None]


def test_pages() -> None:
    records = each("outcome", "a", "a", "b", "c")
    first = answer(records, dimensions=["outcome"], limit=2)
    assert [row["outcome"] for row in first["rows"]] == ["a", "b"]
    assert (first["total_rows"], first["next"], first["totals"]) == (3, True, {"calls": 4})
    last = answer(records, dimensions=["outcome"], limit=2, skip=2)
    assert [row["outcome"] for row in last["rows"]] == ["c"]
    assert (last["total_rows"], last["next"]) == (3, None)


def test_others_count_each_call_once() -> None:
    records = [call(1, labels=["x", "y", "z"]), call(2, labels=["x"]), call(3)]
    found = answer(records, dimensions=["label"], limit=1, others=True)
    assert found["rows"] == [
        {"label": "x", "calls": 2},
        {"label": None, "calls": 2, "others": True},
    ]
    assert (found["total_rows"], found["next"]) == (4, None)
    assert "others" not in rows(records, dimensions=["label"], limit=4, others=True)[-1]


# ------------------------------------------------------------------ comparison


def test_counterparts_pair_by_the_place_of_their_bucket() -> None:
    records = times("2026-11-26T10:00:00Z", "2026-11-27T10:00:00Z", "2026-11-28T10:00:00Z")
    period = {"from": "2026-11-27", "to": "2026-11-28"}
    found = answer(records, dimensions=["day"], compare="previous_period", **period)
    assert found == {
        "rows": [
            {"day": "2026-11-27", "calls": 1, "previous": {"calls": 0}},
            {"day": "2026-11-28", "calls": 1, "previous": {"calls": 1}, "complete": False},
        ],
        "totals": {"calls": 2},
        "previous_totals": {"calls": 1},
        "total_rows": 2,
        "next": None,
        "period": {
            "from": "2026-11-27T00:00:00.000Z",
            "to": "2026-11-28T23:59:59.999Z",
            "timezone": "UTC",
        },
        "previous_period": {
            "from": "2026-11-25T00:00:00.000Z",
            "to": "2026-11-26T23:59:59.999Z",
            "timezone": "UTC",
        },
    }


def test_buckets_beyond_the_last_are_counted_in_the_totals_alone() -> None:
    records = times("2024-02-01T00:00:00Z", "2024-02-29T00:00:00Z", "2025-02-01T00:00:00Z")
    period = {"from": "2025-02-01", "to": "2025-02-28"}
    compare = {"from": "2024-02-01", "to": "2024-02-29"}
    for dimensions in (["day"], ["day", "status"]):
        found = answer(records, dimensions=dimensions, compare=compare, **period)
        assert found["previous_totals"] == {"calls": 2}
        assert sum(row["previous"]["calls"] for row in found["rows"]) == 1


def test_rows_of_the_comparison_alone_follow_with_this_label() -> None:
    records = [
        call(1, started_at="2026-11-27T10:00:00Z", outcome="a"),
        call(2, started_at="2026-11-28T10:00:00Z", outcome="b", duration_seconds=3),
    ]
    period = {"from": "2026-11-28", "to": "2026-11-28"}
    query = {"dimensions": ["day", "outcome"], "compare": "previous_period", **period}
    assert rows(records, "calls avg_duration", **query) == [
        {
            "day": "2026-11-28",
            "outcome": "b",
            "calls": 1,
            "avg_duration": 3,
            "previous": {"calls": 0, "avg_duration": None},
        },
        {
            "day": "2026-11-28",
            "outcome": "a",
            "calls": 0,
            "avg_duration": None,
            "previous": {"calls": 1, "avg_duration": None},
        },
    ]


def test_others_have_their_own_previous() -> None:
    records = [
        call(1, started_at="2026-11-28T10:00:00Z", outcome="a"),
        call(2, started_at="2026-11-28T10:00:00Z", outcome="a"),
        call(3, started_at="2026-11-28T10:00:00Z", outcome="b"),
        *(call(name, started_at="2026-11-27T10:00:00Z", outcome=name) for name in "abcd"),
    ]
    query = {"dimensions": ["outcome"], "limit": 1, "others": True}
    query |= {"period": "today", "compare": "previous_period"}
    found = answer(
        [*records[:2], *records[3:], call("B", outcome="b", started_at="2026-11-28T10:00:00Z")],
        **query,
    )
    assert found["rows"] == [
        {"outcome": "a", "calls": 2, "previous": {"calls": 1}},
        {"outcome": None, "calls": 1, "previous": {"calls": 3}, "others": True},
    ]
    assert found["total_rows"] == 4


# ------------------------------------------------------------------ search and values


def test_a_search_shows_what_was_given() -> None:
    sent = call(
        5,
        duration_seconds=Decimal("59.5"),
        template_id=7,
        labels=[],
        payload={"k": None, "n": Decimal("1.50")},
        events={},
        detail={"summary": "long"},
        updated_at="2026-11-28T10:00:00+01:00",
    )
    assert QueryOracle([sent]).search({}, NOW) == [
        {
            "type": "call",
            "id": 5,
            "started_at": "2024-03-05T12:00:00.000Z",
            "status": "completed",
            "duration_seconds": 60,
            "template_id": 7,
            "payload": {"k": None, "n": Decimal("1.5")},
            "updated_at": "2026-11-28T09:00:00.000Z",
        }
    ]


def test_a_search_is_in_the_order_of_time() -> None:
    oracle = QueryOracle(
        times("2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z", "2026-11-01T00:00:00Z"), 0
    )
    assert [found["id"][-1] for found in oracle.search({}, NOW)] == ["1", "0", "2"]
    oldest = oracle.search({"order": "oldest", "from": "2026-11-02"}, NOW)
    assert [found["id"][-1] for found in oldest] == ["0", "1"]


def test_values_have_names_and_counts() -> None:
    recent = {"started_at": "2026-11-28T00:00:00Z", "direction": "inbound"}
    records = [
        campaign("c", name="Winter"),
        *(call(n, campaign_id=id, **recent) for n, id in enumerate(["b", "c", "a", "c", None][:4])),
        call("none", **recent),
        call("long ago", campaign_id="old", direction="inbound"),
    ]
    oracle = QueryOracle(records, 0)
    assert oracle.values("campaign_id", {}, NOW) == {
        "values": [
            {"value": "c", "name": "Winter", "count": 2},
            {"value": "a", "name": None, "count": 1},
            {"value": "b", "name": None, "count": 1},
        ]
    }
    assert len(oracle.values("campaign_id", {"limit": "1"}, NOW)["values"]) == 1
    assert [v["value"] for v in oracle.values("campaign_id", {"q": "wINT"}, NOW)["values"]] == ["c"]
    assert oracle.values("campaign_id", {"from": "2024-01-01", "q": "OLD"}, NOW)["values"]


def test_names_of_rooms_and_labels() -> None:
    records = [
        room(1, display_name="Blue"),
        room(2),
        contact_event(1, room_id=1),
        contact_event(2, room_id=2),
        contact_event(3, room_id=3),
        label("x", name="Hot"),
        deletion("label", "y"),
        call(1, labels=["x", "y"]),
    ]
    asked = {"dataset": "contact_events", "from": "2024-01-01"}
    found = QueryOracle(records, 0).values("room_id", asked, NOW)["values"]
    assert [entry["name"] for entry in found] == ["Blue", "blue-room", None]
    found = QueryOracle(records, 0).values("label", {"from": "2024-01-01"}, NOW)["values"]
    assert [entry["name"] for entry in found] == ["Hot", None]
