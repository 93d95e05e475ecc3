"""Facts as items: what is written is parsed, and anything else under the key of a fact is damage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from rollcall.api.records.faults import RefusedRecord
from rollcall.domain.errors import CorruptItem
from rollcall.domain.facts import REV_LIMIT, Fact, Outcome, resolve
from rollcall.domain.time.calendar import LAST_MS
from rollcall.storage import keys
from rollcall.storage.fact_items import (
    fact_of_item,
    item_of_fact,
    own_fact,
    stream_fact,
    times_of,
)
from tests.support.builders import full_call
from tests.support.generate import deletions, valid_records
from tests.support.parsing import parsed


@pytest.mark.property
@given(valid_records | deletions)
def test_any_fact_is_parsed_as_it_was_stored(document: Any) -> None:
    try:
        fact = resolve(None, parsed(document), 1_800_000_000_000_000).fact
    except RefusedRecord:
        return
    assert fact is not None
    item = item_of_fact(keys.fact("org#1", fact.type, fact.id, 16), fact)
    assert fact_of_item(item) == fact
    assert own_fact(item) == stream_fact(streamed(item)) == ("org#1", fact)


def test_only_a_fact_that_moved_stores_the_times_that_it_left() -> None:
    item = good_item()
    assert "left_behind" not in item
    fact = replace(fact_of_item(item), left_behind=(1, 2))
    moved = item_of_fact(keys.fact("org", "call", "c#1", 1), fact)
    assert moved == item | {"left_behind": {"L": [{"N": "1"}, {"N": "2"}]}}
    assert fact_of_item(moved) == fact


def test_a_fact_stores_the_revision_of_its_last_move() -> None:
    fact = replace(fact_of_item(good_item()), left_behind=(1,), moved_rev=3)
    moved = item_of_fact(keys.fact("org", "call", "c#1", 1), fact)
    assert moved["moved_rev"] == {"N": "3"}
    assert fact_of_item(moved) == fact
    for rev in (0, fact.rev + 1):
        with pytest.raises(CorruptItem, match="revision of the last move"):
            own_fact({**moved, "moved_rev": {"N": str(rev)}})


def test_the_times_of_an_item_that_is_no_fact_any_more() -> None:
    item = {"time_ms": {"N": "9"}, "left_behind": {"L": [{"N": "3"}, {"N": "5"}]}}
    assert times_of(item) == {3, 5, 9}
    assert times_of({"time_ms": {"N": "9"}}) == {9}
    assert times_of({}) == times_of({"time_ms": {"S": "?"}}) == frozenset()
    assert times_of({**item, "left_behind": {"L": [{"S": "?"}]}}) == frozenset()


@pytest.mark.parametrize(
    "times", [[2, 1], [1, 1], [-1], [LAST_MS + 1], [1.5], list(range(16)), ["here"], "no list"]
)
def test_times_that_no_fact_can_have_left_are_damage(times: Any) -> None:
    good = good_item()
    here = good["time_ms"]
    entries = [here if time == "here" else {"N": str(time)} for time in times]
    with pytest.raises(CorruptItem, match="left"):
        own_fact({**good, "left_behind": {"L": entries}})


def test_a_fact_without_merges_and_moves_costs_what_it_did() -> None:
    """Attribute for attribute, after any versions."""
    record = parsed(full_call("c#1")).record
    versions = [document(1, status="ringing"), document(1), document(2), document(2), document(1)]
    item = merged(*versions)
    assert item.keys() == {
        "PK", "SK", "type", "id", "time_ms", "updated_at_ms", "rev", "record",
    }  # fmt: skip
    assert item["record"] == good_item()["record"]
    assert fact_of_item(item).record == record
    gone = merged(*versions, GONE | {"updated_at": "2026-11-10T10:00:09Z"})
    assert gone.keys() == item.keys() - {"record"} | {"deleted"}


def merged(*documents: Any) -> dict[str, Any]:
    """The item of a call after some writes."""
    fact = None
    for each in documents:
        fact = resolve(fact, parsed(each), 1_800_000_000_000_000).fact or fact
    assert fact is not None
    item = item_of_fact(keys.fact("org", "call", "c#1", 1), fact)
    assert fact_of_item(item) == fact
    return item


def merge(second: int, **fields: Any) -> dict[str, Any]:
    at = f"2026-11-10T10:00:{second:02}Z"
    return {"type": "call", "id": "c#1", "merge": True, "updated_at": at, **fields}


def document(second: int, **fields: Any) -> dict[str, Any]:
    return full_call("c#1", updated_at=f"2026-11-10T10:00:{second:02}Z", **fields)


def test_a_merge_stores_its_key_until_a_newer_document_comes() -> None:
    item = merged(document(1), merge(2, outcome="x", status="ringing"), merge(3, language="de"))
    base, writes = (item["merges"]["M"][name] for name in ("base", "writes"))
    at = parsed(document(1)).updated_at_ms
    assert base["M"].keys() == {"updated_at_ms", "progress", "content"}
    assert [
        {name: value for name, value in write["M"].items() if name != "content"}
        for write in writes["L"]
    ] == [
        {
            "updated_at_ms": {"N": f"{at + 1000}"},
            "progress": {"N": "1"},
            "fields": {"L": [{"S": "outcome"}, {"S": "status"}]},
        },
        {"updated_at_ms": {"N": f"{at + 2000}"}, "fields": {"L": [{"S": "language"}]}},
    ]
    again = merged(document(1), merge(2, outcome="x"), document(4))
    assert again.keys() == good_item().keys()
    assert (
        "base"
        not in merged(merge(1, started_at="2026-11-10T10:00:00Z", status="busy"))["merges"]["M"]
    )


def test_a_fact_that_was_stored_before_there_were_merges_takes_them() -> None:
    """Its key follows from its content."""
    old = good_item()
    stored = fact_of_item(old)
    after = resolve(stored, parsed(merge(1, outcome="merged")), 1_800_000_000_000_000).fact
    assert after is not None
    assert after.record == replace(stored.record, outcome="merged")  # type: ignore[type-var]
    again = resolve(after, parsed(full_call("c#1")), 1_800_000_000_000_000)
    assert again.outcome is Outcome.ACCEPTED


GONE = {"type": "call", "id": "c#1", "deleted": True, "updated_at": "2026-11-10T10:00:02Z"}


def test_a_tombstone_withholds_what_newer_merges_set() -> None:
    item = merged(document(1), merge(3, outcome="x", lead_id=5), GONE)
    assert "record" not in item
    assert item["withheld"] == {
        "M": {"outcome": {"S": "x"}, "lead_id": {"M": {"integer": {"S": "5"}}}}
    }
    assert merged(document(1), merge(3, outcome=None), GONE).keys() >= {"merges", "deleted"}


def _write(**changes: Any) -> dict[str, Any]:
    write = {
        "updated_at_ms": {"N": "9"},
        "content": {"S": "00" * 16},
        "fields": {"L": [{"S": "outcome"}]},
    }
    return {"merges": {"M": {"writes": {"L": [{"M": {**write, **changes}}]}}}}


DAMAGED_MERGES: list[dict[str, Any]] = [
    {"merges": None},
    {"merges": {"M": {}}},
    {"merges": {"M": {"writes": {"L": []}}}},
    {"merges": {"M": {"writes": {"L": [{"S": "x"}]}}}},
    {"withheld": {"M": {"outcome": {"S": "x"}}}},
    _write(fields={"L": [{"S": "colour"}]}),
    _write(fields={"L": [{"N": "5"}]}),
    _write(updated_at_ms={"N": "-1"}),
    _write(updated_at_ms={"N": "8"}),
    _write(content={"S": "00"}),
    _write(content={"S": "?"}),
    _write(progress={"S": "1"}),
    _write(deleted={"BOOL": True}),
    _write() | {"withheld": {"M": {"outcome": {"S": "x"}}}},
    _write() | {"withheld": {"M": {"provider": {"S": "x"}}}},
    _write() | {"withheld": {"M": {"outcome": {"N": "5"}}}},
    _write() | {"withheld": None},
]


@pytest.mark.parametrize("damage", DAMAGED_MERGES)
def test_merges_that_no_fact_can_have_are_damage(damage: dict[str, Any]) -> None:
    good = {**good_item(), "updated_at_ms": {"N": "9"}}
    assert own_fact({**good, **_write()}).fact.merges is not None
    with pytest.raises(CorruptItem):
        own_fact({**good, **damage})


def test_a_fact_under_the_key_of_another_is_damage() -> None:
    other = keys.fact("org", "call", "another", 1)
    with pytest.raises(CorruptItem, match="under the key of another fact"):
        own_fact({**good_item(), **other.attributes()})


def streamed(item: dict[str, Any], event: str = "MODIFY") -> dict[str, Any]:
    return {"eventName": event, "dynamodb": {"SequenceNumber": "1", "NewImage": item}}


def test_a_record_without_fields_stores_no_empty_map() -> None:
    """DynamoDB Local's streams lose empty maps."""
    bare = Fact("space", "s", None, 5, 7, parsed({"type": "space", "id": "s"}).record)
    item = item_of_fact(keys.fact("org", "space", "s", 1), bare)
    assert {"M": {}} not in item.values()
    assert stream_fact(streamed(item)) == ("org", bare)


def good_item() -> dict[str, Any]:
    record = parsed(full_call("c#1")).record
    assert record is not None
    fact = Fact("call", "c#1", record.started_at_ms, 5, 7, record)  # type: ignore[attr-defined]
    item = item_of_fact(keys.fact("org", "call", "c#1", 1), fact)
    assert stream_fact(streamed(item)) == ("org", fact)
    assert fact_of_item(item) == fact
    return item


def test_a_removal_brings_no_fact() -> None:
    assert stream_fact({"eventName": "REMOVE", "dynamodb": {"OldImage": good_item()}}) is None


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"eventName": "INSERT"},
        {"eventName": "INSERT", "dynamodb": None},
        {"eventName": "INSERT", "dynamodb": {"NewImage": None}},
        {"eventName": "INSERT", "dynamodb": {"NewImage": "?"}},
        {"eventName": "INSERT", "dynamodb": {"NewImage": {"PK": None, "SK": 5}}},
        {"eventName": "INSERT", "dynamodb": {"NewImage": {"PK": {"S": "ORG#o#call#0#"}}}},
    ],
)
def test_a_stream_record_without_a_fact_is_corrupt(record: dict[str, Any]) -> None:
    with pytest.raises(CorruptItem):
        stream_fact(record)


TOP_LEVEL = ("type", "id", "rev", "updated_at_ms", "record", "time_ms", "PK", "SK")


@pytest.mark.parametrize("name", TOP_LEVEL)
@pytest.mark.parametrize(
    "garbage", [None, {"S": "#"}, {"N": "1e5"}, {"M": {}}, {"BOOL": True}, {"L": []}, {}, 5]
)
def test_garbage_under_a_fact_key_is_corrupt(name: str, garbage: Any) -> None:
    item = {n: v for n, v in good_item().items() if n != name}
    if garbage is not None:
        item[name] = garbage
    with pytest.raises(CorruptItem):
        stream_fact(streamed(item))


OUT_OF_RANGE = [
    ("status", {"S": "COMPLETED"}),
    ("status", {"S": "x" * 257}),
    ("outcome", {"S": "x" * 257}),
    ("space_token", {"S": "x" * 129}),
    ("space_token", {"S": ""}),
    ("space_token", {"S": "a\x00"}),
    ("duration_seconds", {"N": "-1"}),
    ("duration_seconds", {"N": "1000000000000001"}),
    ("duration_seconds", {"N": "1.5"}),
    ("attempt", {"S": "1"}),
    ("answered", {"S": "true"}),
    ("labels", {"L": [{"S": ""}]}),
    ("labels", {"L": [{"S": "a\x1fb"}]}),
    ("labels", {"L": [{"S": "b"}, {"S": "a"}]}),
    ("labels", {"L": [{"S": "a"}, {"S": "a"}]}),
    ("labels", {"L": [{"S": f"{n:03}"} for n in range(33)]}),
    ("events", {"M": {"sms_sent": {"N": "0"}}}),
    ("events", {"M": {"other": {"N": "1"}}}),
    ("payload", {"M": {"k" * 300: {"S": "v"}}}),
    ("payload", {"M": {"a b": {"S": "v"}}}),
    ("payload", {"M": {"k": {"S": "x" * 257}}}),
    ("payload", {"M": {"k": {"N": "NaN"}}}),
    ("payload", {"M": {"k": {"L": []}}}),
    ("payload", {"M": {f"k{n}": {"S": "v"} for n in range(33)}}),
    ("payload", {"M": {"k": {"N": "1E+999999999"}}}),
    ("payload", {"M": {"k": {"S": "\ud800"}}}),
    ("outcome", {"S": "\ud800"}),
    ("space_token", {"S": "\ud800"}),
    ("labels", {"L": [{"S": "\ud800"}]}),
    ("colour", {"S": "red"}),
]


@pytest.mark.parametrize(("field", "garbage"), OUT_OF_RANGE)
def test_garbage_in_a_field_is_corrupt(field: str, garbage: dict[str, Any]) -> None:
    good = good_item()
    item = {**good, "record": {"M": {**good["record"]["M"], field: garbage}}}
    with pytest.raises(CorruptItem):
        stream_fact(streamed(item))


def test_a_time_past_the_calendar_is_corrupt() -> None:
    good = good_item()
    late = {"N": "500000000000000"}
    fields = {**good["record"]["M"], "started_at_ms": late}
    with pytest.raises(CorruptItem):
        stream_fact(streamed({**good, "time_ms": late, "record": {"M": fields}}))


@pytest.mark.parametrize("rev", [0, REV_LIMIT, 2**63 - 1])
def test_a_revision_that_no_deletion_could_outbid_is_corrupt(rev: int) -> None:
    """In a page it would be damage, and the whole page with it."""
    good = good_item()
    with pytest.raises(CorruptItem):
        stream_fact(streamed({**good, "rev": {"N": str(rev)}}))
    fact = stream_fact(streamed({**good, "rev": {"N": str(REV_LIMIT - 1)}}))
    assert fact is not None


@pytest.mark.parametrize("org_id", ["o" * 3_000, "\ud800"])
def test_an_organisation_that_no_key_can_name_is_corrupt(org_id: str) -> None:
    """A failed record may name any; asked for, DynamoDB or the SDK would refuse the request."""
    with pytest.raises(CorruptItem):
        stream_fact(streamed({**good_item(), "PK": {"S": f"ORG#{org_id}#call#0#"}}))
