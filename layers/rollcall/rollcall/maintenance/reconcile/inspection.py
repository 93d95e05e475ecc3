"""What a survey of stored pages and rollups sees, and how it compares with what should be there.

Pure: nothing here reads or writes, and nothing that is damaged raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from rollcall.domain.contributions import ContributionFunction
from rollcall.domain.measures import Measures, RollupKey, breakdown_of
from rollcall.ledger.page import Row
from rollcall.ledger.transaction import StoredRollup

_POSITION: Final = re.compile(r"[0-9]{15}\.[0-9a-f]{16}")


def is_position(text: str) -> bool:
    """Whether a text is one that `positions.position` gives: every page starts at such a one."""
    return _POSITION.fullmatch(text) is not None


class ForeignItem(NamedTuple):
    """What is listed as a page or rollup under a key that none can have.

    One that is not `is_own` lies outside of the epoch, so it is not for its comparison to remove.
    """

    pk: str
    sk: str
    is_own: bool = True


class Misindexed(NamedTuple):
    """A page or a rollup that GSI1 lists at another place than its key says."""

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
    """A stored page: where it starts, and what it says of itself.

    `fault` says what is wrong with the item. `rows` is None where its bytes or its range are
    damaged; where they are not, it is what is said about them. `end` and `version` are None where
    they cannot be read.
    """

    start: str
    end: str | None
    version: int | None
    rows: list[Row] | None
    fault: str

    def covers(self, position: str) -> bool:
        """Whether a row at `position` belongs here."""
        return self.end is not None and self.start <= position < self.end

    def row(self, fact_id: str) -> Row | None:
        """The row of a fact; None where there is none, or it cannot be read."""
        return next((row for row in self.rows or () if row.id == fact_id), None)


class RollupSeen(NamedTuple):
    """A stored rollup; `stored` is None where it is damaged, `version` where it has none.

    `is_whole` tells whether all is there that an item has beside its measures.
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
    """Add the contributions of live rows to the sums of the rollups that are wanted."""
    for row in rows:
        if row.record is None:
            continue
        for key, measures in contribute(row.id, row.record):
            if is_wanted(key):
                add_measures(sums.setdefault(key, {}), measures)


def add_measures(total: dict[str, int], measures: Measures) -> None:
    """Add measures to a sum of them."""
    for name, amount in measures.items():
        total[name] = total.get(name, 0) + amount


def off_by(expected: Measures, stored: StoredRollup) -> int:
    """By how much a stored rollup differs: the sum of the absolute differences of its measures.

    A breakdown that was spilled is not counted any more: no count of it may be there.
    """
    return sum(abs(is_there - due) for is_there, due in differences(expected, stored).values())


def differences(expected: Measures, stored: StoredRollup) -> dict[str, tuple[int, int]]:
    """The measures that are not as expected: what is stored of each, and what is due."""
    found = {}
    for name in expected.keys() | stored.counts.keys():
        due = 0 if breakdown_of(name) in stored.spilled else expected.get(name, 0)
        is_there = stored.counts.get(name, 0)
        if is_there != due:
            found[name] = (is_there, due)
    return found


def without_zeros(measures: Mapping[str, int]) -> dict[str, int]:
    """The measures that count something."""
    return {name: amount for name, amount in measures.items() if amount}
