"""Rows at times that their facts do not know.

A row is written after its fact, and a fact keeps every time that it has left. A row at any other time
therefore is drift: the fact lost a time, or was restored to an earlier state.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from rollcall.domain.facts import MAX_LEFT_BEHIND, Fact
from rollcall.domain.records import RECORD_TYPES
from rollcall.ledger.page import Row
from rollcall.ledger.writer import row_of


def is_known(record_type: str, row: Row, times: Collection[int]) -> bool:
    """Whether a fact with these times can have the row.

    Facts of a type without a time never move, so only a live row of them can be at a wrong time.
    """
    if RECORD_TYPES[record_type].time_column is None:
        return row.time_ms == 0 or row.record is None
    return row.time_ms in times


def replaces(fact: Fact, row: Row) -> bool:
    """Whether applying a fact replaces a row of it."""
    if not fact.has_position:
        return False
    applied = row_of(fact)
    return any(
        each.time_ms == row.time_ms and each.rev > row.rev
        for each in (applied, *applied.left_behind)
    )


def recalled(fact: Fact, row: Row, rev: int) -> Fact | None:
    """The fact with the time of a row that it does not know, at the higher revision `rev`.

    Applying it replaces the row by a tombstone. None if the fact cannot have the time: its type has
    none, or it has left as many as it can.
    """
    if RECORD_TYPES[fact.type].time_column is None:
        return None
    if fact.time_ms is None:
        return replace(fact, time_ms=row.time_ms, rev=rev)
    left_behind = tuple(sorted({*fact.left_behind, row.time_ms}))
    if len(left_behind) > MAX_LEFT_BEHIND:
        return None
    return replace(fact, rev=rev, left_behind=left_behind, moved_rev=None)
