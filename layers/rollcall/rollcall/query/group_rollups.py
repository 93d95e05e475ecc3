"""Adds rollups to the groups of an aggregation, and finds the days that must be read from pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from typing import Final, NamedTuple

from rollcall.domain.measures import ALL, Rollup, RollupKey, Scope
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.domain.time.periods import Period, runs
from rollcall.query.components import Values
from rollcall.query.group_planner import FromRollups
from rollcall.query.grouping import GroupBuilder
from rollcall.query.model import Reading
from rollcall.query.ports import Rollups

# The days of all scopes are read in so many requests at once, unless there are more scopes.
_MOST_REQUESTS: Final = 4


class _Found(NamedTuple):
    """One stored rollup of a day."""

    day: int
    scope: Scope
    rollup: Rollup


class Scan(NamedTuple):
    """Periods to read from pages, for all components, or for `only` some values."""

    periods: list[Period]
    only: tuple[Values, ...] | None = None


class GroupRollups:
    """Reads the rollups of one plan."""

    def __init__(self, rollups: Rollups, reading: Reading, plan: FromRollups) -> None:
        self._rollups = rollups
        self._reading = reading
        self._plan = plan

    def add_to(self, builder: GroupBuilder) -> list[Scan]:
        """Add everything that rollups have; returns what must be read from pages."""
        plan = self._plan
        if plan.has_lifetime and self._add_lifetime(builder):
            return []
        lacking, with_rows = [], []
        # Days of one bucket are added up before they are taken apart: (first day, measures).
        totals: dict[tuple[Scope, int | None], tuple[int, defaultdict[str, int]]] = {}
        for day, by_scope in self._days():
            if any(map(plan.shape.lacks, by_scope.values())):
                lacking.append(day)
                continue
            found = by_scope.values()
            if plan.beside and any(rollup.measures.get(plan.shape.rows) for rollup in found):
                with_rows.append(day)
            bucket = plan.bucket_of(day)
            for scope, rollup in by_scope.items():
                _, measures = totals.setdefault((scope, bucket), (day, defaultdict(int)))
                for name, amount in rollup.measures.items():
                    measures[name] += amount
        for (scope, _), (day, measures) in totals.items():
            self._add(builder, scope, day * MS_PER_DAY, Rollup(measures))
        scans = [Scan([*plan.edges, *runs(lacking)])]
        return [*scans, Scan(runs(with_rows), plan.beside)] if plan.beside else scans

    def _add_lifetime(self, builder: GroupBuilder) -> bool:
        """Add all-time rollups; false, and nothing is added, if one lacks something."""
        plan, epoch = self._plan, self._reading.epoch
        wanted = {RollupKey(plan.family, scope, ALL): scope for scope in plan.scopes}
        meter, names = self._reading.meter, plan.shape.names
        found = self._rollups.read(epoch, wanted, meter, names=names)
        if any(map(plan.shape.lacks, found.values())):
            return False
        for key, rollup in found.items():
            self._add(builder, wanted[key], plan.start_ms, rollup)
        return True

    def _add(self, builder: GroupBuilder, scope: Scope, start_ms: int, rollup: Rollup) -> None:
        for part in self._plan.parts(scope, start_ms, rollup):
            builder.add_rollup(*part)

    def _days(self) -> Iterator[tuple[int, dict[Scope, Rollup]]]:
        """The rollups of each stored day by scope, days ascending."""
        if not self._plan.days:
            return
        streams = map(self._items, self._plan.scopes)
        for day, items in groupby(merge(*streams, key=_day_of), key=_day_of):
            yield day, {scope: rollup for _, scope, rollup in items}

    def _items(self, scope: Scope) -> Iterator[_Found]:
        plan, epoch = self._plan, self._reading.epoch
        meter, names = self._reading.meter, plan.shape.names
        requests = _MOST_REQUESTS // len(plan.scopes)
        days = self._rollups.days(
            epoch, plan.family, scope, plan.days, meter, names=names, requests=requests
        )
        for day, rollup in days:
            yield _Found(day, scope, rollup)


def _day_of(found: _Found) -> int:
    return found.day
