"""One fault of a record: its field and its message."""

from __future__ import annotations

from unittest.mock import patch

from rollcall.api.records import faults
from rollcall.api.records.documents import DOCUMENTS, parse_record
from rollcall.api.records.faults import RecordFault, RefusedRecord
from rollcall.domain.records import RECORD_TYPES
from rollcall.domain.validation import PAYLOAD_KEY
from tests.support.builders import BUILDERS


def refusal(**fields: object) -> RefusedRecord:
    try:
        parse_record(BUILDERS["call"]("x", **fields))
    except RefusedRecord as refused:
        return refused
    raise AssertionError


def test_the_name_of_no_field_is_cut() -> None:
    names = [c.wire_name for each in RECORD_TYPES.values() for c in each.columns]
    names += [f"payload.{'k' * 64}", *DOCUMENTS]
    assert PAYLOAD_KEY.fullmatch("k" * 64)
    assert [faults.shown(name) for name in names] == names


def test_a_longer_name_is_cut() -> None:
    (fault,) = refusal(**{"x" * 1_000: 1}).faults
    assert fault.field == f"{'x' * 128}…"
    (fault,) = refusal(payload={"y" * 1_000: 1}).faults
    assert fault.field == f"payload.{'y' * 120}…"


def test_the_nearest_name_is_searched_when_the_message_is_read() -> None:
    with patch.object(faults, "nearest") as nearest:
        fault = RecordFault("statu", "is not a known field", ("status", "id"))
        nearest.assert_not_called()
        nearest.return_value = "status"
        assert fault.message == "is not a known field; did you mean status?"


def test_a_refusal_as_text_has_all_faults() -> None:
    assert str(refusal(cost=-1, attempt=0)) == (
        "cost must be at least 0; attempt must be at least 1"
    )


def test_a_key_that_is_not_allowed_is_one_fault_whatever_its_value() -> None:
    assert [fault.field for fault in refusal(payload={"a b": []}, events={"fax": -1}).faults] == [
        "events.fax",
        "payload.a b",
    ]
