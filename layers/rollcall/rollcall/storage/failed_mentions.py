"""Which objects of the failure destination may hold something of an organisation, or of a lead."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from rollcall.domain.errors import CorruptItem
from rollcall.storage import keys
from rollcall.storage.failure_documents import failed_records
from rollcall.usecases.ports import Failures


def mentions(
    failures: Failures, org_id: str, lead_id: str | None, calls: Collection[str]
) -> Iterator[str]:
    """The names of objects with a record of an organisation, or of one of its leads.

    A lead's is any record in which its id occurs, and any version of the given calls: one that was
    written before they named the lead is theirs all the same. One that cannot be read, or whose
    record names no organisation, is named too if it cannot be ruled out. Raises BrokenDestination.
    """
    wanted = None
    if lead_id is not None:
        wanted = {lead_id, *(keys.FACT_SK_PREFIX + keys.escape(each) for each in (lead_id, *calls))}
    for name in failures.names():
        try:
            document = failures.read(name)
            records = failed_records(document).records if document is not None else ()
        except CorruptItem:
            yield name
            continue
        if any(_may_be_of(record, org_id, wanted) for record in records):
            yield name


def _may_be_of(record: Mapping[str, Any], org_id: str, wanted: Collection[str] | None) -> bool:
    owner = _owner(record)
    if owner not in (None, keys.org_prefix(org_id)):
        return False
    return wanted is None or any(text in wanted for text in _texts(record))


def _owner(record: Mapping[str, Any]) -> str | None:
    """The prefix of the organisation that a record's key names; None where it names none."""
    try:
        pk = record["dynamodb"]["Keys"][keys.PK]["S"]
        prefix, org_id, _ = pk.split("#", 2)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return f"{prefix}#{org_id}#"


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
