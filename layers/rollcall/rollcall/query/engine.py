"""The query engine: exact measures of any selection of records over any period.

Whole UTC days are read from rollups, if there are rollups of the selection. Partial days, and
queries that no rollup can answer, are read from ledger pages. Both are counted into the same
measures. `rollcall.query.planner` decides which is read from where.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from heapq import merge
from itertools import groupby

from rollcall.domain.errors import TooManyRows
from rollcall.domain.measures import OPEN_GROUPS, Group, Measures, Rollup
from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.calendar import MS_PER_DAY, MS_PER_HOUR
from rollcall.domain.time.periods import Period
from rollcall.domain.time.zones import UTC, Zone
from rollcall.query.aggregation import Tallier
from rollcall.query.distinct import DistinctLeads
from rollcall.query.filtering import Selected, select
from rollcall.query.group_planner import (
    AggregationPlan,
    FromPages,
    FromRollups,
    plan_aggregation,
)
from rollcall.query.group_rollups import GroupRollups
from rollcall.query.grouping import GroupBuilder, GroupedRows
from rollcall.query.lookups import ensure_as_of
from rollcall.query.model import Aggregation, Query, Reading, Selection
from rollcall.query.planner import (
    Groups,
    Names,
    Plan,
    breakdowns_of,
    lacking_periods,
    plan_lifetime,
    plan_series,
    plan_tally,
)
from rollcall.query.ports import Ledger, Rollups
from rollcall.query.results import WHOLE, DayTallies, Series, Tally
from rollcall.query.scopes import family_of
from rollcall.query.time_series import SeriesBuilder


class QueryEngine:
    """Answers queries from rollups and ledger pages.

    Every method adds its reads to the meter of `reading`, and raises TooManyRows if the answer
    needs more than `max_rows` ledger rows.
    """

    def __init__(
        self,
        rollups: Rollups,
        ledger: Ledger,
        max_rows: int,
        explain: Callable[[Aggregation, AggregationPlan], None] | None = None,
    ) -> None:
        """`explain` takes each plan of an aggregation before it is read."""
        self._rollups = rollups
        self._ledger = ledger
        self._max_rows = max_rows
        self._explain = explain

    def tally(
        self, reading: Reading, query: Query, groups: Collection[Group], zone: Zone = UTC
    ) -> Tally:
        """Measures of all rows together; `Group.HOUR` counts hours of `zone`."""
        wanted = frozenset(groups)
        tally = self._lifetime(reading, query, wanted, zone)
        if tally is None:
            accumulator = _Accumulator(wanted, zone, is_by_day=False)
            self._count(reading, query, accumulator)
            tally = accumulator.tallies[WHOLE]
        ensure_as_of(self._rollups, reading)
        return tally

    def tally_by_day(self, reading: Reading, query: Query, groups: Collection[Group]) -> DayTallies:
        """Measures by UTC day, and distinct leads if `Group.LEADS` is among the groups."""
        accumulator = _Accumulator(frozenset(groups), UTC, is_by_day=True)
        self._count(reading, query, accumulator)
        ensure_as_of(self._rollups, reading)
        leads = accumulator.leads
        return DayTallies(accumulator.tallies, leads.by_day(), leads.whole)

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
        plan = plan_series(query, granularity, zone, is_timed=is_timed)
        builder.add_known(
            bucket
            for names in plan.reads
            for day, rollups in self._days(reading, query.selection, plan, names)
            for rollup in rollups
            for bucket in _buckets(day, rollup.measures, granularity, is_timed=is_timed)
        )
        for selected in self._scan(reading, query.selection, plan.periods):
            builder.add(selected)
        ensure_as_of(self._rollups, reading)
        return builder.series()

    def aggregate(
        self, reading: Reading, aggregation: Aggregation, *, from_pages: bool = False
    ) -> GroupedRows:
        """The components of each group, and of all rows together.

        With `from_pages`, nothing is read from rollups; the answer is the same. Raises TooManyGroups.
        """
        builder = GroupBuilder(aggregation)
        plan = plan_aggregation(aggregation)
        if from_pages:
            plan = FromPages("pages are asked for")
        if self._explain is not None:
            self._explain(aggregation, plan)
        periods = [aggregation.period]
        if isinstance(plan, FromRollups):
            rollups = GroupRollups(self._rollups, reading, plan)
            periods = rollups.add_to(builder)
        for selected in self._scan(reading, aggregation.selection, periods):
            builder.add(selected)
        ensure_as_of(self._rollups, reading)
        return builder.groups()

    def _count(self, reading: Reading, query: Query, accumulator: _Accumulator) -> None:
        """Count whole days from rollups; partial days, and groups that rollups lack, from pages."""
        groups, selection = accumulator.groups, query.selection
        plan = plan_tally(query, groups, accumulator.zone)
        lacking = self._add_days(reading, selection, plan, accumulator)
        lacking.setdefault(groups, []).extend(plan.periods)
        for of_pages, periods in lacking.items():
            accumulator.add_rows(of_pages, self._scan(reading, selection, periods))

    # -- rollups -----------------------------------------------------------------------------
    def _lifetime(self, reading: Reading, query: Query, groups: Groups, zone: Zone) -> Tally | None:
        """The tally of all time from all-time rollups; None if they cannot answer the query."""
        wanted = plan_lifetime(query, groups, zone)
        if not wanted:
            return None
        epoch = reading.epoch
        found = self._rollups.read(epoch.org_id, epoch.number, wanted, reading.meter)
        breakdowns = breakdowns_of(groups)
        tally = Tally()
        for rollup in found.values():
            if not rollup.spilled.isdisjoint(breakdowns):
                return None
            tally.add_measures(rollup.measures)
        return tally

    def _add_days(
        self, reading: Reading, selection: Selection, plan: Plan, accumulator: _Accumulator
    ) -> dict[Groups, list[Period]]:
        """Count day rollups; returns the groups that some of them lack, and the days to read."""
        lacking: defaultdict[int, set[Group]] = defaultdict(set)
        for names in plan.reads:
            for day, rollups in self._days(reading, selection, plan, names):
                if names is None:
                    lacking[day] |= accumulator.add_breakdowns(day, rollups, plan.breakdowns)
                else:
                    accumulator.add_measures(day, rollups)
                if any(any(rollup.measures.values()) for rollup in rollups):
                    lacking[day] |= plan.never_kept
        return lacking_periods(lacking)

    def _days(
        self, reading: Reading, selection: Selection, plan: Plan, names: Names
    ) -> Iterator[tuple[int, list[Rollup]]]:
        """(day number, the rollups of all scopes) for every stored day, in ascending order."""
        if not plan.days:
            return
        (org_id, epoch), meter = reading.epoch, reading.meter
        family = family_of(selection.record_type)
        by_scope = (
            self._rollups.days(org_id, epoch, family, scope, plan.days, meter, names=names)
            for scope in plan.scopes
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


class _Accumulator:
    """Adds up the measures of one answer, from rollups and from rows."""

    def __init__(self, groups: Groups, zone: Zone, *, is_by_day: bool) -> None:
        self.groups = groups
        self.tallies: defaultdict[int, Tally] = defaultdict(Tally)
        self.leads = DistinctLeads()
        self.zone = zone
        self._is_by_day = is_by_day

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
        tallier = Tallier(groups, self.zone, is_by_day=self._is_by_day)
        for selected in rows:
            tallier.add(selected)
            if Group.LEADS in groups:
                self.leads.add(selected)
        for day, tally in tallier.tallies().items():
            self.tallies[day].add(tally)

    def _tally(self, day: int) -> Tally:
        return self.tallies[day if self._is_by_day else WHOLE]


def _day_of(found: tuple[int, Rollup]) -> int:
    return found[0]


def _buckets(
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
