"""Counts distinct leads exactly, by UTC day and in total; the total is not the sum of the days."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.ledger.columns import Int32s
from rollcall.ledger.page import TIME
from rollcall.query.aggregation import count_by
from rollcall.query.filtering import CHUNK_ROWS, Selected

_LEAD = "lead_id"


class DistinctLeads:
    """Numbers the leads, and keeps the numbers of each day.

    Memory grows with the number of leads, and by four bytes per lead and day with a call.
    """

    def __init__(self) -> None:
        self._number_of: dict[str, int] = {}
        self._seen: dict[int, list[Int32s]] = {}

    def add(self, selected: Selected) -> None:
        """Count the leads of some rows of a page."""
        codes, words = selected.texts(_LEAD)
        width = len(words) + 1
        days = selected.integers(TIME) // MS_PER_DAY
        found = count_by(days * width + codes)[0]
        days, codes_of_days = found // width, found % width
        for day in np.unique(days).tolist():
            numbers = [
                self._number_of.setdefault(words[code - 1], len(self._number_of))
                for code in codes_of_days[days == day].tolist()
                if code
            ]
            if numbers:
                self._see(day, np.array(numbers, dtype=np.int32))

    def _see(self, day: int, numbers: Int32s) -> None:
        seen = self._seen.setdefault(day, [])
        seen.append(numbers)
        # Many small pages repeat the same leads.
        if len(seen) > 1 and sum(map(len, seen[1:])) > max(CHUNK_ROWS, len(seen[0])):
            seen[:] = [np.unique(np.concatenate(seen))]

    @property
    def whole(self) -> int:
        """The number of distinct leads in total."""
        return len(self._number_of)

    def by_day(self) -> Mapping[int, int]:
        """The number of distinct leads of each UTC day, by day number."""
        return {day: len(np.unique(np.concatenate(seen))) for day, seen in self._seen.items()}
