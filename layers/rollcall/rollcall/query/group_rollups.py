"""Adds rollups to the groups of an aggregation, and finds the days that must be read from pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from typing import NamedTuple

from rollcall.domain.measures import ALL, Rollup, RollupKey, Scope
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.domain.time.periods import Period, runs
from rollcall.query.components import Values
from rollcall.query.group_planner import FromRollups
from rollcall.query.grouping import GroupBuilder
from rollcall.query.model import Reading
from rollcall.query.ports import Rollups

_NOTHING = Rollup({})


class _Found(NamedTuple):
    """One stored item of a day."""

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
        plan, (org_id, epoch) = self._plan, self._reading.epoch
        wanted = {
            RollupKey(plan.family, scope, ALL, is_open): scope
            for scope in plan.scopes
            for is_open in self._kinds()
        }
        by_scope: dict[Scope, Rollup] = {}
        found = self._rollups.read(org_id, epoch, wanted, self._reading.meter)
        for key, rollup in found.items():
            by_scope[wanted[key]] = _joined(by_scope.get(wanted[key], _NOTHING), rollup)
        if any(map(plan.shape.lacks, by_scope.values())):
            return False
        for scope, rollup in by_scope.items():
            self._add(builder, scope, plan.start_ms, rollup)
        return True

    def _add(self, builder: GroupBuilder, scope: Scope, start_ms: int, rollup: Rollup) -> None:
        for part in self._plan.parts(scope, start_ms, rollup):
            builder.add_rollup(*part)

    def _kinds(self) -> list[bool]:
        """Whether open breakdowns, closed measures, or both are read."""
        kinds = [False] if self._plan.shape.closed else []
        return [*kinds, True] if self._plan.shape.reads_open else kinds

    def _days(self) -> Iterator[tuple[int, dict[Scope, Rollup]]]:
        """The rollups of each stored day by scope, days ascending."""
        plan = self._plan
        if not plan.days:
            return
        streams = [
            self._items(scope, is_open=is_open)
            for scope in plan.scopes
            for is_open in self._kinds()
        ]
        for day, items in groupby(merge(*streams, key=_day_of), key=_day_of):
            by_scope: dict[Scope, Rollup] = {}
            for _, scope, rollup in items:
                other = by_scope.get(scope)
                by_scope[scope] = rollup if other is None else _joined(other, rollup)
            yield day, by_scope

    def _items(self, scope: Scope, *, is_open: bool) -> Iterator[_Found]:
        plan, (org_id, epoch) = self._plan, self._reading.epoch
        names = None if is_open else plan.shape.closed
        days = self._rollups.days(
            org_id, epoch, plan.family, scope, plan.days, self._reading.meter, names=names
        )
        for day, rollup in days:
            yield _Found(day, scope, rollup)


def _day_of(found: _Found) -> int:
    return found.day


def _joined(first: Rollup, second: Rollup) -> Rollup:
    """The closed measures and the open breakdowns of one rollup."""
    return Rollup({**first.measures, **second.measures}, first.spilled | second.spilled)
