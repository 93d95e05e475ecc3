"""The query engine: exact measures of any selection of records over any period.

Whole UTC days are read from rollups, if there are rollups of the selection. Partial days, and
queries that no rollup can answer, are read from ledger pages. Both are counted into the same
measures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from heapq import merge
from itertools import groupby
from typing import TypeAlias

from rollcall.domain import measures as m
from rollcall.domain.errors import TooManyRows
from rollcall.domain.measure_rules import OPEN_GROUPS, closed_names
from rollcall.domain.measures import ALL, Group, Measures, Rollup, RollupKey, Scope
from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.calendar import MS_PER_DAY, MS_PER_HOUR
from rollcall.domain.time.periods import EVER, Period, plan, runs
from rollcall.domain.time.zones import UTC, Zone
from rollcall.query.aggregation import Tallier
from rollcall.query.distinct import DistinctLeads
from rollcall.query.filtering import Selected, select
from rollcall.query.lookups import ensure_as_of
from rollcall.query.model import Query, Reading, Selection
from rollcall.query.ports import Ledger, Rollups
from rollcall.query.results import WHOLE, DayTallies, Series, Tally
from rollcall.query.time_series import SeriesBuilder

Groups: TypeAlias = frozenset[Group]


class QueryEngine:
    """Answers queries from rollups and ledger pages.

    Every method adds its reads to the meter of `reading`, and raises TooManyRows if the answer
    needs more than `max_rows` ledger rows.
    """

    def __init__(self, rollups: Rollups, ledger: Ledger, max_rows: int) -> None:
        self._rollups = rollups
        self._ledger = ledger
        self._max_rows = max_rows

    def tally(
        self, reading: Reading, query: Query, groups: Collection[Group], zone: Zone = UTC
    ) -> Tally:
        """Measures of all rows together; `Group.HOUR` counts hours of `zone`."""
        counting = _Counting(frozenset(groups), zone, is_by_day=False)
        lifetime = self._lifetime(reading, query, counting)
        if lifetime is None:
            self._count(reading, query, counting)
            lifetime = counting.tallies[WHOLE]
        ensure_as_of(self._rollups, reading)
        return lifetime

    def tally_by_day(self, reading: Reading, query: Query, groups: Collection[Group]) -> DayTallies:
        """Measures by UTC day, and distinct leads if `Group.LEADS` is among the groups."""
        counting = _Counting(frozenset(groups), UTC, is_by_day=True)
        self._count(reading, query, counting)
        ensure_as_of(self._rollups, reading)
        return DayTallies(counting.tallies, counting.leads.by_day(), counting.leads.whole)

    def series(
        self,
        reading: Reading,
        query: Query,
        granularity: Granularity,
        zone: Zone,
        *,
        is_timed: bool,
    ) -> Series:
        """Calls by bucket of local time.

        With `is_timed`, only calls with a duration are counted, and their seconds are added up.
        """
        builder = SeriesBuilder(granularity, zone, is_timed=is_timed)
        selection, period = query
        scopes = selection.scopes()
        is_kept = zone.is_utc and not (is_timed and granularity is Granularity.HOUR)
        unanswered: Iterable[Period] = [period]
        if scopes is not None and is_kept:
            days, unanswered = plan(period)
            group = Group.HOUR if granularity is Granularity.HOUR else Group.DURATION
            names = closed_names([group])
            builder.add_known(
                known
                for day, rollups in self._days(reading, selection, scopes, days, names)
                for rollup in rollups
                for known in _known(day, rollup.measures, granularity, is_timed=is_timed)
            )
        for selected in self._scan(reading, selection, unanswered):
            builder.add(selected)
        ensure_as_of(self._rollups, reading)
        return builder.series()

    def _count(self, reading: Reading, query: Query, counting: _Counting) -> None:
        """Count whole days from rollups; partial days, and groups that rollups lack, from pages."""
        selection, period = query
        scopes = selection.scopes()
        if scopes is None or not counting.is_of_utc:
            missing = {counting.groups: [period]}
        else:
            days, edges = plan(period)
            missing = self._add_days(reading, selection, scopes, days, counting)
            missing.setdefault(counting.groups, []).extend(edges)
        for groups, periods in missing.items():
            counting.add_rows(groups, self._scan(reading, selection, periods))

    # -- rollups -----------------------------------------------------------------------------
    def _lifetime(self, reading: Reading, query: Query, counting: _Counting) -> Tally | None:
        """The tally of all time from all-time rollups; None if they cannot answer the query."""
        selection, period = query
        scopes = selection.scopes()
        if scopes is None or period != EVER or not counting.is_of_utc:
            return None
        groups = counting.groups
        if not all(m.has_lifetime(selection.family, scope, groups) for scope in scopes):
            return None
        wanted = [
            RollupKey(selection.family, scope, ALL, is_open)
            for scope in scopes
            for is_open in _siblings(groups)
        ]
        epoch = reading.epoch
        found = self._rollups.read(epoch.org_id, epoch.number, wanted, reading.meter)
        breakdowns = {OPEN_GROUPS[group] for group in groups if group in OPEN_GROUPS}
        tally = Tally()
        for rollup in found.values():
            if not rollup.spilled.isdisjoint(breakdowns):
                return None
            tally.add_measures(rollup.measures)
        return tally

    def _add_days(
        self,
        reading: Reading,
        selection: Selection,
        scopes: Collection[Scope],
        days: range,
        counting: _Counting,
    ) -> dict[Groups, list[Period]]:
        """Count day rollups; returns the groups that some of them lack, and the days to read."""
        lacking: defaultdict[int, set[Group]] = defaultdict(set)
        never_kept = m.never_kept(scopes, counting.groups)
        for is_open in _siblings(counting.groups):
            names = None if is_open else closed_names(counting.groups)
            for day, rollups in self._days(reading, selection, scopes, days, names):
                if is_open:
                    kept = counting.groups & OPEN_GROUPS.keys() - never_kept
                    lacking[day] |= counting.add_breakdowns(day, rollups, kept)
                else:
                    counting.add_measures(day, rollups)
                if any(any(rollup.measures.values()) for rollup in rollups):
                    lacking[day] |= never_kept
        days_lacking: defaultdict[Groups, list[int]] = defaultdict(list)
        for day, groups in sorted(lacking.items()):
            if groups:
                days_lacking[frozenset(groups)].append(day)
        return {groups: runs(found) for groups, found in days_lacking.items()}

    def _days(
        self,
        reading: Reading,
        selection: Selection,
        scopes: Collection[Scope],
        days: range,
        names: Collection[str] | None,
    ) -> Iterator[tuple[int, list[Rollup]]]:
        """(day number, the rollups of all scopes) for every stored day, in ascending order."""
        if not days:
            return
        (org_id, epoch), family = reading.epoch, selection.family
        by_scope = (
            self._rollups.days(org_id, epoch, family, scope, days, reading.meter, names=names)
            for scope in scopes
        )
        ordered = merge(*by_scope, key=_day_of)
        for day, found in groupby(ordered, key=_day_of):
            yield day, [rollup for _, rollup in found]

    # -- the ledger --------------------------------------------------------------------------
    def _scan(
        self, reading: Reading, selection: Selection, periods: Iterable[Period]
    ) -> Iterator[Selected]:
        if not selection.can_match:
            return
        (org_id, epoch), meter = reading.epoch, reading.meter
        for read in self._ledger.pages(org_id, epoch, selection.record_type, periods, meter):
            count, selected = select(read, selection)
            meter.rows += count
            if meter.rows > self._max_rows:
                raise TooManyRows(self._max_rows)
            if count:
                meter.saw(read.applied_at_ms)
            if selected is not None:
                yield selected


class _Counting:
    """The counts of one answer, from rollups and from rows."""

    def __init__(self, groups: Groups, zone: Zone, *, is_by_day: bool) -> None:
        self.groups = groups
        self.tallies: defaultdict[int, Tally] = defaultdict(Tally)
        self.leads = DistinctLeads()
        self._zone = zone
        self._is_by_day = is_by_day

    @property
    def is_of_utc(self) -> bool:
        """Whether hours, if they are counted, are hours of UTC, as in rollups."""
        return self._zone.is_utc or Group.HOUR not in self.groups

    def add_measures(self, day: int, rollups: Iterable[Rollup]) -> None:
        """Add the closed measures of a day."""
        for rollup in rollups:
            self._tally(day).add_measures(rollup.measures)

    def add_breakdowns(self, day: int, rollups: list[Rollup], groups: Groups) -> set[Group]:
        """Add the open breakdowns of a day; returns the groups that one of its rollups spilled."""
        lacking = set()
        for group in groups:
            breakdown = OPEN_GROUPS[group]
            if any(breakdown in rollup.spilled for rollup in rollups):
                lacking.add(group)
                continue
            for rollup in rollups:
                self._tally(day).add_breakdown(breakdown, rollup.measures)
        return lacking

    def add_rows(self, groups: Groups, rows: Iterable[Selected]) -> None:
        """Count some groups in rows of the ledger."""
        tallier = Tallier(groups, self._zone, is_by_day=self._is_by_day)
        for selected in rows:
            tallier.add(selected)
            if Group.LEADS in groups:
                self.leads.add(selected)
        for day, tally in tallier.tallies().items():
            self.tallies[day].add(tally)

    def _tally(self, day: int) -> Tally:
        return self.tallies[day if self._is_by_day else WHOLE]


def _siblings(groups: Groups) -> list[bool]:
    """`is_open` of the rollup items that the groups are in; one value, or both."""
    return sorted({group in OPEN_GROUPS for group in groups})


def _day_of(found: tuple[int, Rollup]) -> int:
    return found[0]


def _known(
    day: int, measures: Measures, granularity: Granularity, *, is_timed: bool
) -> Iterator[tuple[int, int, int]]:
    """(an instant, count, seconds) of each bucket in a day, from the rollup of the day."""
    start_ms = day * MS_PER_DAY
    if granularity is Granularity.HOUR:
        for hour in range(24):
            yield start_ms + hour * MS_PER_HOUR, measures.get(f"h{hour:02d}", 0), 0
    elif is_timed:
        yield start_ms, measures.get("timed", 0), measures.get("seconds", 0)
    else:
        yield start_ms, measures.get("calls", 0), 0
