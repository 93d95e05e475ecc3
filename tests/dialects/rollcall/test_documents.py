"""A stored record becomes the document that gives it again, with nothing more and nothing less."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.api import strict_json
from rollcall.api.records.documents import parse_record
from rollcall.dialects.rollcall.documents import document_of
from rollcall.domain.decimals import scaled, unscaled
from rollcall.domain.facts import Fact, Outcome, resolve
from rollcall.domain.records import RECORD_TYPES, Kind
from rollcall.storage import keys
from rollcall.storage.fact_items import fact_of_item, item_of_fact
from tests.support.builders import BUILDERS, full_call
from tests.support.generate import RECORDS
from tests.support.parsing import parsed

pytestmark = pytest.mark.property

NOW_US = 1_800_000_000_000_000


def stored(record: dict[str, Any]) -> Fact:
    """The fact that a record becomes, read from an item whose maps are in another order."""
    fact = resolve(None, parsed(record), NOW_US).fact
    assert fact is not None
    item = item_of_fact(keys.fact("org", fact.type, fact.id, 1), fact)
    return fact_of_item(reordered(item))


def reordered(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: reordered(inner) for name, inner in reversed(value.items())}


def is_empty(value: Any) -> bool:
    """No value, no entry, or counts of nothing."""
    if value is None or value == []:
        return True
    return isinstance(value, dict) and not any(value.values())


def check(record: dict[str, Any]) -> None:
    fact = stored(record)
    beside = {name: record[name] for name in ("detail",) if name in record}
    text = strict_json.dumps(document_of(fact) | beside)
    again = parse_record(strict_json.loads(text.encode()))
    assert (again.type, again.id, type(again.id)) == (fact.type, fact.id, type(fact.id))
    assert again.record == fact.record
    assert resolve(fact, again, NOW_US + 1).outcome is Outcome.UNCHANGED
    document = strict_json.loads(text.encode())
    assert document.keys() <= record.keys()
    for column in RECORD_TYPES[fact.type].columns:
        sent = record.get(column.wire_name)
        if column.kind is Kind.ID and sent is not None:
            assert (document[column.wire_name], type(document[column.wire_name])) == (
                sent,
                type(sent),
            )
        if column.kind is Kind.IDS and sent:
            assert set(map(str, document[column.wire_name])) == set(map(str, sent))
            assert set(document[column.wire_name]) <= set(sent)
    lost = record.keys() - document.keys() - {"updated_at"}
    assert all(name == "payload" or is_empty(record[name]) for name in lost)
    assert document.get("payload", {}).keys() == record.get("payload", {}).keys()


@given(record=st.one_of(*RECORDS.values()))
def test_any_record_is_given_again(record: dict[str, Any]) -> None:
    check(record)


@pytest.mark.parametrize("build", [full_call, *BUILDERS.values()], ids=lambda each: each.__name__)
def test_a_record_of_each_type_is_given_again(build: Any) -> None:
    check(build("id"))


def test_every_type_and_every_field_of_a_call_was_tried() -> None:
    assert {*RECORDS} == {*BUILDERS} == {*RECORD_TYPES}
    fields = {column.wire_name for column in RECORD_TYPES["call"].columns}
    assert full_call().keys() == fields | {"type", "id", "updated_at"}


def test_values_are_normalised() -> None:
    record = full_call(
        5,
        started_at="2024-03-05T13:00:00.1239+01:00",
        duration_seconds=Decimal("61.5"),
        sentiment=Decimal("0.7505"),
        cost=Decimal("0.0000015"),
        labels=["b", 7, "a", "7"],
        events={"sms_sent": 0, "email_sent": 2, "take_message": 1},
        payload={"b": Decimal("1200.0"), "a": None, "c": "2"},
        merchant_id=9,
    )
    document = strict_json.loads(strict_json.dumps(document_of(stored(record))).encode())
    assert document == {
        **{name: value for name, value in record.items() if name not in ("updated_at", "detail")},
        "id": 5,
        "started_at": "2024-03-05T12:00:00.123Z",
        "duration_seconds": 62,
        "sentiment": Decimal("0.751"),
        "cost": Decimal("0.000002"),
        "labels": [7, "a", "b"],
        "events": {"take_message": 1, "email_sent": 2},
        "payload": {"a": None, "b": 1200, "c": "2"},
        "merchant_id": 9,
    }
    columns = [column.wire_name for column in RECORD_TYPES["call"].paged]
    assert list(document) == ["type", "id", *columns]
    assert list(document["events"]) == ["take_message", "email_sent"]
    assert list(document["payload"]) == ["a", "b", "c"]


@given(value=st.integers(0, 10**18), places=st.sampled_from([0, 3, 6]))
def test_unscaled_is_the_inverse_of_scaled(value: int, places: int) -> None:
    assert scaled(unscaled(value, places), places) == value
