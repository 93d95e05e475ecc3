"""The names of the fields of records, and records put together from values that are JSON text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollcall.domain.choices import CALL_EVENTS
from rollcall.domain.records import RECORD_TYPES, Format
from rollcall.nearest import nearest_first

MARKS = ("deleted", "merge")
COMMON = ("type", "id", "updated_at", *MARKS)
GROUPS = ("events", "payload", "detail")
PAYLOAD_KINDS = (":number", ":boolean")
# Those of a detail that one column or value can hold.
DETAIL_PARTS = ("summary", "transcript", "recording_url", "from_number", "to_number")
NOT_UTF_8 = "is not UTF-8; name the encoding with --encoding"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no record: the field (`record` for the whole), the rule, and the column if it has one."""

    field: str
    message: str
    column: str | None = None


def formats_of(record_type: str | None) -> dict[str, Format]:
    """The format of each field, by its wire name, of one record type or of all."""
    chosen = [RECORD_TYPES[record_type]] if record_type in RECORD_TYPES else RECORD_TYPES.values()
    return {column.wire_name: column.format for each in chosen for column in each.columns}


def field_names(record_type: str | None) -> list[str]:
    """The names that columns may have; a key of a payload has any after `payload.`."""
    names = [*COMMON, *formats_of(record_type)]
    return [
        *(name for name in names if name not in GROUPS),
        *(f"events.{event}" for event in CALL_EVENTS if "events" in names),
        *(f"detail.{part}" for part in DETAIL_PARTS if "detail" in names),
    ]


def is_field(name: str, names: Sequence[str]) -> bool:
    """Whether a column's name is one of `names`, or that of a key of a payload."""
    return name in names or (name.startswith("payload.") and len(name) > len("payload."))


def nearest(name: str, names: Sequence[str]) -> str:
    """The three names most like this one, with spaces and hyphens as underscores."""
    return ", ".join(nearest_first(re.sub(r"[\s-]+", "_", name.strip()), names)[:3])


def put(name: str, value: str, fields: dict[str, str], nested: dict[str, dict[str, str]]) -> None:
    """Add a value, which is JSON text, under a name such as status, events.sms_sent or payload.n:number."""
    group, dot, key = name.partition(".")
    if dot and group in GROUPS:
        nested.setdefault(group, {})[without_kind(key)] = value
    else:
        fields[name] = value


def without_kind(key: str) -> str:
    """A payload's key without the kind of its values, which is one of PAYLOAD_KINDS or absent."""
    return key.rpartition(":")[0] if key.endswith(PAYLOAD_KINDS) else key


def joined(values: Mapping[str, str]) -> bytes | tuple[Fault, ...]:
    """A record of values by the names of their fields, each as JSON text."""
    fields: dict[str, str] = {}
    nested: dict[str, dict[str, str]] = {}
    for name, value in values.items():
        put(name, value, fields, nested)
    return document(fields, nested)


def document(
    fields: dict[str, str], nested: dict[str, dict[str, str]]
) -> bytes | tuple[Fault, ...]:
    """A record of values that are JSON text, so that numbers keep their digits."""
    groups = {group: _object(entries) for group, entries in nested.items()}
    try:
        return _object(fields | groups).encode()
    except UnicodeEncodeError:
        return (Fault("record", NOT_UTF_8),)


def _object(entries: dict[str, str]) -> str:
    pairs = (f"{json.dumps(k, ensure_ascii=False)}:{v}" for k, v in entries.items())
    return "{" + ",".join(pairs) + "}"
