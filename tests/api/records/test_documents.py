"""The faults of refused records: all at once, each with the field and the rule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.api import strict_json
from rollcall.api.records.documents import parse_record
from rollcall.api.records.faults import RefusedRecord
from rollcall.api.records.fields import type_of
from rollcall.domain.records import RECORD_TYPES
from rollcall.domain.time.calendar import format_instant
from tests.support import oracle
from tests.support.builders import BUILDERS, OMIT
from tests.support.parsing import parsed
from tests.support.record_limits import IDENTIFIER, LIMITS, TIME

# The fields of a call that is refused, and the one fault.
REFUSED = {
    '{"cost": -1}': "cost must be at least 0",
    '{"cost": 1e9999999999999999999}': "cost must be at most 1000000000",
    '{"cost": "1"}': "cost must be a number",
    '{"sentiment": 1.001}': "sentiment must be at most 1",
    '{"attempt": 0}': "attempt must be at least 1",
    '{"attempt": 1.0}': "attempt must be an integer",
    '{"answered": 1}': "answered must be true or false",
    '{"provider": null}': "provider must be a string",
    f'{{"provider": "{"x" * 257}"}}': "provider must have at most 256 characters",
    '{"direction": ["inbound"]}': "direction must be 'inbound' or 'outbound'",
    '{"lead_id": 1.5}': "lead_id must be a string or an integer",
    '{"lead_id": ""}': "lead_id must have 1 to 128 characters",
    '{"started_at": null}': "started_at must be an RFC 3339 instant",
    '{"labels": "a"}': "labels must be a list",
    '{"labels": ["a", null]}': "labels entry 1 must be a string or an integer",
    '{"labels": [' + ",".join(['"a"'] * 33) + "]}": "labels must have at most 32 entries",
    '{"events": []}': "events must be an object",
    '{"events": {"sms_sent": -1}}': "events.sms_sent must be at least 0",
    '{"events": {"sms": "x"}}': "events.sms is not a known field; did you mean events.sms_sent?",
    '{"payload": {"a b": 1}}': "payload.a b has a key that does not match [A-Za-z0-9_.-]{1,64}",
    '{"payload": {"city": [1]}}': "payload.city must be a string, a number, a boolean or null",
    '{"payload": {"a": 1e101}}': "payload.a must be 0 or of a magnitude from 1e-100 to 1e100",
    '{"durationseconds": 1}': "durationseconds is not a known field; did you mean duration_seconds?",
    '{"deleted": false}': "deleted must be true or absent",
    '{"direction": null, "campaign_id": "c"}': "direction must be 'inbound' or 'outbound'",
    '{"campaign_id": "c"}': "campaign_id needs direction",
}
NOW_MS = 1_800_000_000_000


def faults(record: Any, now_ms: int | None = None) -> list[str]:
    """The faults of a record, each as its field and its message."""
    with pytest.raises(RefusedRecord) as refused:
        parse_record(record, now_ms)
    return [f"{fault.field} {fault.message}" for fault in refused.value.faults]


@pytest.mark.parametrize("fields", REFUSED)
def test_a_fault_names_the_field_and_the_rule(fields: str) -> None:
    sent = strict_json.loads(fields.encode())
    assert faults(BUILDERS["call"]("x", **sent)) == [REFUSED[fields]]


def test_a_record_is_refused_with_all_its_faults() -> None:
    wrong = {"status": "Completed", "duration_seconds": "67", "disposition": "", "sentiment": 3}
    assert [fault.partition(" ")[0] for fault in faults(BUILDERS["call"]("x", **wrong))] == [
        "status",
        "disposition",
        "duration_seconds",
        "sentiment",
    ]


def test_faults_are_in_the_order_of_the_fields_and_unknown_fields_last() -> None:
    record = {
        "zzz": 1,
        "payload": {**{f"k{number}": number for number in range(33)}, "city": []},
        "labels": [None, *(f"label {number}" for number in range(32))],
        "Aaa": 2,
        "campaign_id": "c",
        "deleted": 1,
        "updated_at": format_instant(NOW_MS + 300_001),
        "type": "call",
    }
    assert [fault.partition(" ")[0] for fault in faults(record, NOW_MS)] == [
        "id",
        "updated_at",
        "deleted",
        "started_at",
        "status",
        "campaign_id",
        *["labels"] * 2,
        "payload",
        "payload.city",
        "zzz",
        "Aaa",
    ]


def test_the_clock_is_only_needed_for_the_future() -> None:
    record = BUILDERS["call"]("x", updated_at=format_instant(NOW_MS + 300_001))
    assert faults(record, NOW_MS) == ["updated_at must not be more than 5 minutes in the future"]
    assert parse_record(record) == parse_record(record, NOW_MS + 1)


def test_a_record_without_a_known_type_is_checked_for_what_every_type_has() -> None:
    assert faults({}) == ["type is required", "id is required"]
    assert faults({"id": 1.5, "updated_at": 1, "status": 5, "type": "calls"}) == [
        f"type must be one of {', '.join(RECORD_TYPES)}",
        "id must be a string or an integer",
        "updated_at must be an RFC 3339 instant",
    ]


def test_a_deletion_has_no_other_field() -> None:
    assert faults({"type": "call", "id": "", "deleted": True, "status": "x", "updatedat": 1}) == [
        "id must have 1 to 128 characters",
        "status must be left out of a deletion",
        "updatedat is not a known field; did you mean updated_at?",
    ]


SEVERAL = st.sampled_from(sorted(LIMITS)).flatmap(
    lambda type: st.tuples(
        st.just(type),
        st.fixed_dictionaries(
            {},
            optional={
                "id": st.sampled_from(IDENTIFIER[1]),
                "updated_at": st.sampled_from(TIME[1]),
                "deleted": st.sampled_from([False, None]),
                "colour": st.just(1),
                **{
                    name: st.sampled_from([*good[:2], *bad, OMIT])
                    for name, (good, bad) in LIMITS[type].items()
                },
            },
        ),
    )
)


@pytest.mark.property
@given(SEVERAL)
def test_the_faults_are_those_of_the_oracle(sample: tuple[str, dict[str, Any]]) -> None:
    type, fields = sample
    record = BUILDERS[type](fields.pop("id", "x"), **fields)
    found: list[str] = []
    try:
        parsed(record)
    except RefusedRecord as refused:
        found = [fault.field for fault in refused.faults]
    expected: list[str] = []
    try:
        oracle.resolve(record, NOW_MS)
    except oracle.InvalidOperation as refused_by_oracle:
        expected = refused_by_oracle.fields
    assert found == expected


def test_an_event_type_names_its_pattern() -> None:
    record = BUILDERS["contact_event"]("x", event_type="A-1")
    assert faults(record) == ["event_type must match [a-z0-9_]{1,64}"]


def test_every_declared_format_has_a_type() -> None:
    for record_type in RECORD_TYPES.values():
        for column in record_type.columns:
            assert type_of(column) is not None
