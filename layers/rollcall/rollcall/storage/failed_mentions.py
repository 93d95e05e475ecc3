"""Finds the objects of the failure destination that may hold records of an organisation or a lead."""

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
    """The names of the objects with a record of an organisation, or of one of its leads.

    Every record in which the id of a lead occurs counts as the lead's, and so does every version of
    the given calls, even one from before the call named the lead. An object that cannot be read, or
    whose record names no organisation, is returned too unless it can be ruled out. Raises
    BrokenDestination.
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
    if isinstance(record.get("hook"), str):
        # Its body is not searched, which may name a lead anywhere.
        return record.get("org_id") == org_id
    owner, record_type = _whose(record)
    if owner not in (None, keys.org_prefix(org_id)):
        return False
    if by_lead is None:
        return True
    wanted = by_lead_or_call if record_type in (None, "call") else by_lead
    return any(text in wanted for text in _texts(record))


def _whose(record: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The organisation prefix and the record type in a record's key; (None, None) without a key."""
    try:
        pk = record["dynamodb"]["Keys"][keys.PK]["S"]
        prefix, org_id, record_type, _ = pk.split("#", 3)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None, None
    return f"{prefix}#{org_id}#", record_type


def _sort_key(fact_id: str) -> str:
    return keys.FACT_SK_PREFIX + keys.escape(fact_id)


def _texts(record: Any) -> Iterator[str]:
    """Every string in a record; iterative, because nesting may exceed the recursion limit."""
    left = [record]
    while left:
        match left.pop():
            case str() as text:
                yield text
            case Mapping() as values:
                left.extend(values.values())
            case list() as values:
                left.extend(values)
