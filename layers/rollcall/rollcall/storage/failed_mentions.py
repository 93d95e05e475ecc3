"""Which objects of the failure destination may hold something of an organisation, or of a lead."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from rollcall.domain.errors import CorruptItem
from rollcall.maintenance.ports import Failures
from rollcall.storage import keys
from rollcall.storage.failure_documents import failed_records


def mentions(
    failures: Failures, org_id: str, lead_id: str | None, calls: Collection[str]
) -> Iterator[str]:
    """The names of objects with a record of an organisation, or of one of its leads.

    A lead's is any record in which its id occurs, and any version of the given calls: one that was
    written before they named the lead is theirs all the same. One that cannot be read, or whose
    record names no organisation, is named too if it cannot be ruled out. Raises BrokenDestination.
    """
    by_lead = None if lead_id is None else {lead_id, _sort_key(lead_id)}
    # Other types may have the same ids as calls.
    by_lead_or_call = (by_lead or set()).union(map(_sort_key, calls))
    for name in failures.names():
        try:
            document = failures.read(name)
            records = failed_records(document).records if document is not None else ()
        except CorruptItem:
            yield name
            continue
        if any(_may_be_of(record, org_id, by_lead, by_lead_or_call) for record in records):
            yield name


def _may_be_of(
    record: Mapping[str, Any], org_id: str, by_lead: set[str] | None, by_lead_or_call: set[str]
) -> bool:
    owner, record_type = _whose(record)
    if owner not in (None, keys.org_prefix(org_id)):
        return False
    if by_lead is None:
        return True
    wanted = by_lead_or_call if record_type in (None, "call") else by_lead
    return any(text in wanted for text in _texts(record))


def _whose(record: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The prefix of the organisation and the type that a record's key names; None for neither."""
    try:
        pk = record["dynamodb"]["Keys"][keys.PK]["S"]
        prefix, org_id, record_type, _ = pk.split("#", 3)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None, None
    return f"{prefix}#{org_id}#", record_type


def _sort_key(fact_id: str) -> str:
    return keys.FACT_SK_PREFIX + keys.escape(fact_id)


def _texts(record: Any) -> Iterator[str]:
    """Every text in a record, which may be nested deeper than calls may be."""
    left = [record]
    while left:
        match left.pop():
            case str() as text:
                yield text
            case Mapping() as values:
                left.extend(values.values())
            case list() as values:
                left.extend(values)
