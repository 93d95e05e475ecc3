"""The declarations of record types: each field once, with all that is derived from it."""

from __future__ import annotations

from dataclasses import fields

import pytest

from rollcall.domain.records import RECORD_TYPES, Format, Kind, RecordType

RECORDS = sorted(RECORD_TYPES.values(), key=lambda each: each.name)
every_type = pytest.mark.parametrize("record_type", RECORDS, ids=lambda each: each.name)


@every_type
def test_the_columns_are_the_fields_of_the_class(record_type: RecordType) -> None:
    assert [column.name for column in record_type.columns] == [
        field.name for field in fields(record_type.cls)
    ]
    wire_names = [column.wire_name for column in record_type.columns]
    assert len(set(wire_names)) == len(wire_names)
    # These belong to the envelope of every record.
    assert not {"type", "id", "updated_at", "deleted"} & set(wire_names)


@every_type
def test_the_unit_of_a_stored_value_is_in_its_name_alone(record_type: RecordType) -> None:
    for column in record_type.columns:
        assert column.name == column.wire_name + column.format.unit
        # Clients send milliseconds under a name that says so.
        if column.format is not Format.MILLISECONDS:
            assert all(not column.wire_name.endswith(f.unit) for f in Format if f.unit)
        assert column.meaning.endswith(".")


@every_type
def test_what_is_required_has_no_default_and_is_sent(record_type: RecordType) -> None:
    for column in record_type.columns:
        if column.is_sent:
            assert column.required
            assert (column.default, column.needs) == (None, None)
        assert not column.required or column.kind in (Kind.INTEGER, Kind.TEXT, Kind.ID, Kind.FLAG)


@every_type
def test_choices_and_needs_are_of_the_type(record_type: RecordType) -> None:
    names = {column.name for column in record_type.columns}
    for column in record_type.columns:
        assert column.needs is None or column.needs in names
        assert set(column.synonyms.values()) <= set(column.choices)
        assert not column.synonyms.keys() & set(column.choices)
        assert bool(column.choices) == (column.format in (Format.CHOICE, Format.COUNTS))


@every_type
def test_the_time_of_a_record_is_its_time_field_which_every_record_has(
    record_type: RecordType,
) -> None:
    required = {column.name: column for column in record_type.columns if column.required}
    record = record_type.cls(**{name: f"value of {name}" for name in required})
    if record_type.time_column is None:
        assert record_type.time_field is None
        assert record_type.time_ms(record) is None
        return
    column = required[record_type.time_column]
    assert column.format is Format.INSTANT
    assert record_type.time_field == column.wire_name
    assert record_type.time_ms(record) == f"value of {column.name}"


@every_type
def test_what_is_left_out_is_empty_and_shared_by_no_two_records(record_type: RecordType) -> None:
    required = {column.name: 0 for column in record_type.columns if column.required}
    one, other = record_type.cls(**required), record_type.cls(**required)
    assert one == other
    for column in record_type.columns:
        if not column.required:
            value = getattr(one, column.name)
            assert not value
            assert (
                value is None
                or isinstance(value, tuple)
                or value is not getattr(other, column.name)
            )
