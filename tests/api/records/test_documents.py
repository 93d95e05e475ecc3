"""The messages of refused records: each names the rule, and the place in the field's value."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall.api import strict_json
from rollcall.api.records.documents import RefusedRecord, parse_record
from rollcall.api.records.fields import type_of
from rollcall.domain.records import RECORD_TYPES
from tests.support.builders import BUILDERS

REFUSED = {
    '{"cost": -1}': "must be at least 0",
    '{"cost": 1e9999999999999999999}': "must be at most 1000000000",
    '{"cost": "1"}': "must be a number",
    '{"sentiment": 1.001}': "must be at most 1",
    '{"attempt": 0}': "must be at least 1",
    '{"attempt": 1.0}': "must be an integer",
    '{"answered": 1}': "must be true or false",
    '{"provider": null}': "must be a string",
    f'{{"provider": "{"x" * 257}"}}': "must have at most 256 characters",
    '{"direction": ["inbound"]}': "must be 'inbound' or 'outbound'",
    '{"lead_id": 1.5}': "must be a string or an integer",
    '{"lead_id": ""}': "must have 1 to 128 characters",
    '{"started_at": null}': "must be an RFC 3339 instant",
    '{"labels": "a"}': "must be a list",
    '{"labels": ["a", null]}': "entry 1 must be a string or an integer",
    '{"labels": [' + ",".join(['"a"'] * 33) + "]}": "must have at most 32 entries",
    '{"events": []}': "must be an object",
    '{"events": {"sms_sent": -1}}': "'sms_sent' must be at least 0",
    '{"events": {"fax": 1}}': "has the key 'fax', which must be 'take_message', 'sms_sent',"
    " 'call_transferred', 'calendar_booked' or 'email_sent'",
    '{"payload": {"a b": 1}}': "has the key 'a b', which must match [A-Za-z0-9_.-]{1,64}",
    '{"payload": {"a": [1]}}': "'a' must be a string, a number, a boolean or null",
    '{"payload": {"a": 1e101}}': "'a' must be 0 or of a magnitude from 1e-100 to 1e100",
    '{"colour": "red"}': "is not a known field",
}


def refusal(record: Any) -> tuple[str, str]:
    with pytest.raises(RefusedRecord) as refused:
        parse_record(record)
    return refused.value.field, str(refused.value)


@pytest.mark.parametrize("fields", REFUSED)
def test_a_refusal_names_the_field_and_the_rule(fields: str) -> None:
    sent = strict_json.loads(fields.encode())
    [name] = sent
    assert refusal(BUILDERS["call"]("x", **sent)) == (name, REFUSED[fields])


def test_an_event_type_names_its_pattern() -> None:
    record = BUILDERS["contact_event"]("x", event_type="A-1")
    assert refusal(record) == ("event_type", "must match [a-z0-9_]{1,64}")


def test_every_declared_format_has_a_type() -> None:
    for record_type in RECORD_TYPES.values():
        for column in record_type.columns:
            assert type_of(column) is not None
