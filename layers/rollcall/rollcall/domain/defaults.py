"""The default values of fields, which depend on the other values of a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollcall.domain.records import Record, RecordType


def complete(record_type: RecordType, values: Mapping[str, Any]) -> Record:
    """The record with `values`, by stored name, and the defaults of the fields that are not there.

    `values` must have all required fields.
    """
    defaults = {c.name: c.default for c in record_type.columns if c.is_completed}
    if record_type.name == "call":
        defaults["answered"] = _is_answered(values)
    record: Record = record_type.cls(**{**defaults, **values})
    return record


def defaulted(record_type: RecordType, values: Mapping[str, Any]) -> frozenset[str]:
    """The fields to which `complete` gives their default value."""
    return frozenset(
        column.name
        for column in record_type.columns
        if column.is_completed and column.name not in values
    )


def _is_answered(call: Mapping[str, Any]) -> bool:
    """Whether a person answered a call that does not say so itself."""
    return (
        call["status"] == "completed"
        and call.get("disposition") != "voicemail_left"
        and call.get("duration_seconds") != 0
    )
