"""Finds one record, and whether the figures hold its stored version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from rollcall.domain.errors import CorruptItem
from rollcall.domain.facts import Fact, hash_of_detail
from rollcall.domain.records import RECORD_TYPES
from rollcall.domain.validation import is_id
from rollcall.ledger.writer import row_of
from rollcall.query.lookups import Lookup, ensure_as_of
from rollcall.query.model import Reading
from rollcall.query.ports import Revisions, Rollups

# A detail that changes between the two reads of a version is read again with its fact.
_MOST_READS: Final = 5


class FoundRecord(NamedTuple):
    """A live fact, its detail if it has one, and whether the figures of the epoch hold it yet."""

    fact: Fact
    is_counted: bool
    detail: Mapping[str, Any] | None = None


class FindRecord:
    """Finds live records by type and id."""

    def __init__(self, look_up: Lookup, revisions: Revisions, rollups: Rollups) -> None:
        self._look_up = look_up
        self._revisions = revisions
        self._rollups = rollups

    def __call__(self, reading: Reading, record_type: str, record_id: str) -> FoundRecord | None:
        """The record; None if the organisation has no live one, or nothing can have that name.

        The fact is read before its row: a version that is written in between counts as held.
        Raises UnknownOrganisation, CorruptItem, and Unavailable when the store stays busy.
        """
        if record_type not in RECORD_TYPES or not is_id(record_id):
            return None
        fact, detail = self._read(reading, record_type, record_id)
        if fact is None or fact.record is None:
            return None
        position = row_of(fact).position
        applied = self._revisions.revision(
            reading.epoch, record_type, position, record_id, reading.meter
        )
        ensure_as_of(self._rollups, reading)
        return FoundRecord(fact, applied >= fact.rev, detail)

    def _read(
        self, reading: Reading, record_type: str, record_id: str
    ) -> tuple[Fact | None, dict[str, Any] | None]:
        """A fact and its detail, of one version; what a tombstone withholds is not read."""
        for _ in range(_MOST_READS):
            fact = self._look_up(reading, record_type, [record_id]).get(record_id)
            if fact is None or fact.record is None or hash_of_detail(fact) is None:
                return fact, None
            detail = self._look_up.detail(reading, fact)
            if detail is not None:
                return fact, detail
        raise CorruptItem(f"{record_type} {record_id!r} lacks its detail")
