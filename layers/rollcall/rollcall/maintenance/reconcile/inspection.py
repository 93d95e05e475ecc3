"""Stored pages and rollups as an inspection reads them, and their comparison with expected values.

Pure: nothing here reads or writes the store, and damaged items raise no errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from rollcall.domain.contributions import ContributionFunction
from rollcall.domain.measures import Measures, RollupKey, breakdown_of
from rollcall.ledger.page import Row
from rollcall.ledger.rollups import StoredRollup

_POSITION: Final = re.compile(r"[0-9]{15}\.[0-9a-f]{16}")


def is_position(text: str) -> bool:
    """Whether a string is a position (`positions.position`), as the start of every page is."""
    return _POSITION.fullmatch(text) is not None


class ForeignItem(NamedTuple):
    """An item that GSI1 lists as a page or rollup, under a key that neither can have.

    If not `is_own`, its key is outside the epoch, and the comparison must not remove it. If it has a
    version, it is removed only if it still has that.
    """

    pk: str
    sk: str
    is_own: bool = True
    version: int | None = None


class Misindexed(NamedTuple):
    """A page or a rollup whose GSI1 attributes do not match its key."""

    pk: str
    sk: str
    is_page: bool


class PageVersion(NamedTuple):
    """The range and the version of a stored page."""

    start: str
    end: str
    version: int


@dataclass(frozen=True, slots=True)
class SurveyedPage:
    """A stored page or segment, which may be damaged.

    `fault` describes the damage, and is empty if there is none. `rows` is None if the bytes or the
    range are damaged. `end` and `version` are None if they cannot be read.
    """

    start: str
    end: str | None
    version: int | None
    rows: list[Row] | None
    fault: str

    def covers(self, position: str) -> bool:
        """Whether a row at `position` belongs in this page."""
        return self.end is not None and self.start <= position < self.end

    def part_from(self, position: str) -> SurveyedPage:
        """The page with its rows at or after a position."""
        if self.rows is None or position <= self.start:
            return self
        return replace(self, rows=[row for row in self.rows if row.position >= position])

    def row(self, fact_id: str, time_ms: int) -> Row | None:
        """The row of a fact at a time; None if the page does not have it or cannot be read."""
        found = (row for row in self.rows or () if (row.id, row.time_ms) == (fact_id, time_ms))
        return next(found, None)


class RollupSeen(NamedTuple):
    """A stored rollup, which may be damaged.

    `stored` is None if the measures are damaged, and `version` if it cannot be read. `is_whole` is
    whether the other attributes are correct.
    """

    stored: StoredRollup | None
    version: int | None
    is_whole: bool = True


Sums = dict[RollupKey, dict[str, int]]


def add_up(
    rows: Iterable[Row],
    contribute: ContributionFunction,
    is_wanted: Callable[[RollupKey], bool],
    sums: Sums,
) -> None:
    """Add the contributions of live rows to the sums of the wanted rollups."""
    for row in rows:
        if row.record is None:
            continue
        for key, measures in contribute(row.id, row.record):
            if is_wanted(key):
                add_measures(sums.setdefault(key, {}), measures)


def add_measures(total: dict[str, int], measures: Measures) -> None:
    """Add measures to a total."""
    for name, amount in measures.items():
        total[name] = total.get(name, 0) + amount


def off_by(expected: Measures, stored: StoredRollup) -> int:
    """The sum of the absolute differences between expected and stored measures.

    A spilled breakdown must have no stored counts.
    """
    return sum(abs(is_there - due) for is_there, due in differences(expected, stored).values())


def differences(expected: Measures, stored: StoredRollup) -> dict[str, tuple[int, int]]:
    """The stored and the expected value of each measure that differs."""
    found = {}
    measures = stored.measures
    for name in expected.keys() | measures.keys():
        due = 0 if breakdown_of(name) in stored.spilled else expected.get(name, 0)
        is_there = measures.get(name, 0)
        if is_there != due:
            found[name] = (is_there, due)
    return found


def without_zeros(measures: Mapping[str, int]) -> dict[str, int]:
    """The measures that are not zero."""
    return {name: amount for name, amount in measures.items() if amount}
