"""Stored versions of records, and applying them to a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rollcall.api.records.faults import RefusedRecord
from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
from rollcall.domain.errors import RefusedChange
from rollcall.domain.facts import MAX_CLOCK_SKEW_MS, Fact, resolve
from rollcall.ledger.apply import Applier
from rollcall.ledger.writer import fold
from rollcall.retry import Backoff
from tests.support.fakes import MemoryLedger
from tests.support.parsing import parsed

NOW_MS = 1_800_000_000_000
BACKOFF = Backoff(tries=50, sleep=lambda _seconds: None)


def versions_of(records: Sequence[Any]) -> list[Fact]:
    """Every version that ingest would have stored, in the order in which it would."""
    stored: dict[tuple[str, str], Fact] = {}
    versions = []
    for index, record in enumerate(records):
        try:
            change = parsed(record)
        except RefusedRecord:
            continue
        if (change.updated_at_ms or 0) > NOW_MS + MAX_CLOCK_SKEW_MS:
            continue
        key = (change.type, change.id)
        try:
            fact = resolve(stored.get(key), change, NOW_MS * 1000 + index).fact
        except RefusedChange:
            continue
        if fact is not None:
            stored[key] = fact
            versions.append(fact)
    return versions


def apply(store: MemoryLedger, facts: Sequence[Fact], target_bytes: int) -> None:
    rows = fold(facts)
    applier = Applier(
        store, contribution_function(CURRENT_VERSION), target_bytes=target_bytes, backoff=BACKOFF
    )
    applier.apply(rows)
