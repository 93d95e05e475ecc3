"""Metering: the items and capacity units read for an answer, and its freshness."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ReadMeter:
    """Adds up the reads for one answer; the X-Rollcall headers report them to the client."""

    items: int = 0
    units: float = 0.0
    rows: int = 0  # of ledger pages, matching or not
    used_rollups: bool = False
    used_ledger: bool = False
    as_of_ms: int | None = None

    def count(self, items: int, units: float) -> None:
        """Add one request's items and consumed capacity."""
        self.items += items
        self.units += units

    def add(self, other: ReadMeter) -> None:
        """Add what another thread has counted, which must have ended."""
        self.count(other.items, other.units)
        self.rows += other.rows
        self.used_rollups |= other.used_rollups
        self.used_ledger |= other.used_ledger
        if other.as_of_ms is not None:
            self.saw(other.as_of_ms)

    def saw(self, applied_at_ms: int) -> None:
        """Record when an item that was read was last changed; `as_of_ms` is the latest time."""
        self.as_of_ms = max(self.as_of_ms or 0, applied_at_ms)

    @property
    def source(self) -> str:
        """`rollups`, `ledger` or `mixed`."""
        if self.used_ledger:
            return "mixed" if self.used_rollups else "ledger"
        return "rollups"
