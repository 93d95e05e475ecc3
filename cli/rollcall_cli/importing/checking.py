"""The faults of a row of which some values cannot be read: those of its other values too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rollcall.api import strict_json
from rollcall.api.records.documents import parse_record
from rollcall.api.records.faults import RefusedRecord
from rollcall.clock import now_ms
from rollcall.mapping.fields import MARKS, Fault, joined


def all_faults(unreadable: Sequence[Fault], values: Mapping[str, str]) -> tuple[Fault, ...]:
    """The faults of unreadable values, and those that the API would find in all others.

    `values` are the others, by the names of their fields, each as JSON text.
    """
    # A value that cannot be read is not missing where another field needs it.
    stand_ins = {fault.field: "null" for fault in unreadable}
    known = {fault.field.partition(":")[0] for fault in unreadable}
    if known & set(MARKS):
        # It may be no full document: which fields are required is unknown, and a merge requires none.
        stand_ins |= {"merge": "true"}
        stand_ins.pop("deleted", None)
        known |= set(MARKS)
    record = joined({**values, **stand_ins})
    if not isinstance(record, bytes):
        return (*unreadable, *record)
    try:
        parse_record(strict_json.loads(record), now_ms())
    except RefusedRecord as refused:
        others = (fault for fault in refused.faults if fault.field not in known)
        return (*unreadable, *(Fault(fault.field, fault.message) for fault in others))
    return tuple(unreadable)
