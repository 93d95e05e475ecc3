"""Which objects of the failure destination may hold something of an organisation, or of a lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rollcall.domain.errors import CorruptItem
from rollcall.storage import keys
from rollcall.storage.failure_documents import failed_records
from rollcall.usecases.ports import Failures


def mentions(failures: Failures, org_id: str, lead_id: str | None) -> Iterator[str]:
    """The names of objects with a record of an organisation, or with one in which an id occurs.

    One that cannot be read, or whose record names no organisation, is named too if it cannot be
    ruled out. Raises BrokenDestination.
    """
    for name in failures.names():
        try:
            document = failures.read(name)
            records = failed_records(document).records if document is not None else ()
        except CorruptItem:
            yield name
            continue
        if any(_may_be_of(record, org_id, lead_id) for record in records):
            yield name


def _may_be_of(record: Mapping[str, Any], org_id: str, lead_id: str | None) -> bool:
    owner = _owner(record)
    if owner not in (None, keys.org_prefix(org_id)):
        return False
    if lead_id is None:
        return True
    wanted = {lead_id, keys.FACT_SK_PREFIX + keys.escape(lead_id)}
    return any(text in wanted for text in _texts(record))


def _owner(record: Mapping[str, Any]) -> str | None:
    """The prefix of the organisation that a record's key names; None where it names none."""
    try:
        pk = record["dynamodb"]["Keys"][keys.PK]["S"]
        prefix, org_id, _ = pk.split("#", 2)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return f"{prefix}#{org_id}#"


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for inner in value.values():
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
