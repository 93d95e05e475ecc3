"""Measure any selection of calls or leads over any period, exactly, with as few reads as there are.

Whole UTC days come from rollups where rollups hold the selection; the partial days at the ends, and
whatever no rollup can answer, come from the ledger. Both are counted into the same measures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from rollcall.domain import measures as m
from rollcall.domain.buckets import Granularity
from rollcall.domain.calendar import MS_PER_DAY, MS_PER_HOUR
from rollcall.domain.epochs import Epoch
from rollcall.domain.errors import TooManyRows
from rollcall.domain.measures import ALL, OPEN_GROUPS, Group, Measures, Rollup, RollupKey, Scope
from rollcall.domain.metering import ReadMeter
from rollcall.domain.periods import EVER, Period, plan, runs
from rollcall.domain.selection import Selection
from rollcall.domain.series import Series
from rollcall.domain.tally import WHOLE, Tally
from rollcall.domain.zones import UTC, Zone
from rollcall.ledger.selecting import Selected, select
from rollcall.ledger.tallying import Tallier
from rollcall.ledger.timing import Timer
from rollcall.usecases.freshness import ensure_as_of
from rollcall.usecases.ports import Ledger, Rollups

_UTC: Final = Zone(UTC)


class Measure:
    """Answers from rollups and ledger pages.

    Every method adds what it reads to the meter, and raises TooManyRows where an answer needs more
    than `most_rows` ledger rows.
    """

    def __init__(self, rollups: Rollups, ledger: Ledger, most_rows: int) -> None:
        self._rollups = rollups
        self._ledger = ledger
        self._most_rows = most_rows

    def tally(
        self,
        epoch: Epoch,
        selection: Selection,
        period: Period,
        groups: Collection[Group],
        meter: ReadMeter,
        zone: Zone = _UTC,
    ) -> Tally:
        """Measures of all selected rows together; `zone` is whose hours `Group.HOUR` counts."""
        scopes = selection.scopes()
        if scopes is None or (Group.HOUR in groups and not zone.is_utc):
            found = self._scan_tallies(
                epoch, selection, [period], groups, meter, zone, is_by_day=False
            )
        else:
            found = self._lifetime(
                epoch, selection, scopes, period, groups, meter
            ) or self._from_days(epoch, selection, scopes, period, groups, meter, is_by_day=False)
        ensure_as_of(self._rollups, epoch, meter)
        return found.get(WHOLE) or Tally()

    def tally_by_day(
        self,
        epoch: Epoch,
        selection: Selection,
        period: Period,
        groups: Collection[Group],
        meter: ReadMeter,
    ) -> Mapping[int, Tally]:
        """Measures of the selected rows by UTC day number; days without rows may be left out."""
        scopes = selection.scopes()
        if scopes is None:
            tallies = self._scan_tallies(epoch, selection, [period], groups, meter, is_by_day=True)
        else:
            tallies = self._from_days(
                epoch, selection, scopes, period, groups, meter, is_by_day=True
            )
        ensure_as_of(self._rollups, epoch, meter)
        return tallies

    def series(
        self,
        epoch: Epoch,
        selection: Selection,
        period: Period,
        granularity: Granularity,
        zone: Zone,
        meter: ReadMeter,
        *,
        is_timed: bool,
    ) -> Series:
        """Selected calls by bucket of local time.

        With `is_timed` only those that have a duration count, and their seconds are added up.
        """
        timer = Timer(granularity, zone, is_timed=is_timed)
        scopes = selection.scopes()
        is_kept = zone.is_utc and not (is_timed and granularity is Granularity.HOUR)
        unanswered: Iterable[Period] = [period]
        if scopes is not None and is_kept:
            days, unanswered = plan(period)
            for scope in scopes if days else ():
                kept = self._rollups.days(
                    epoch.org_id, epoch.number, selection.family, scope, days, meter, is_open=False
                )
                timer.add_known(
                    known
                    for day, rollup in kept
                    for known in _known(day, rollup.measures, granularity, is_timed=is_timed)
                )
        for selected in self._scan(epoch, selection, unanswered, meter):
            timer.add(selected)
        ensure_as_of(self._rollups, epoch, meter)
        return timer.series()

    # -- rollups -----------------------------------------------------------------------------
    def _lifetime(
        self,
        epoch: Epoch,
        selection: Selection,
        scopes: Collection[Scope],
        period: Period,
        groups: Collection[Group],
        meter: ReadMeter,
    ) -> Mapping[int, Tally] | None:
        """All of time out of rollups of all time; None where those do not have the answer."""
        is_kept = all(m.has_lifetime(selection.family, scope) for scope in scopes)
        is_summed = {Group.EXTREMES, Group.LEADS}.isdisjoint(groups)
        if period != EVER or not is_kept or not is_summed:
            return None
        wanted = [
            RollupKey(selection.family, scope, ALL, is_open)
            for scope in scopes
            for is_open in _siblings(groups)
        ]
        found = self._rollups.read(epoch.org_id, epoch.number, wanted, meter)
        breakdowns = {OPEN_GROUPS[group] for group in groups if group in OPEN_GROUPS}
        tally = Tally()
        for rollup in found.values():
            if not rollup.spilled.isdisjoint(breakdowns):
                return None
            tally.add_measures(rollup.measures)
        return {WHOLE: tally}

    def _from_days(
        self,
        epoch: Epoch,
        selection: Selection,
        scopes: Mapping[Scope, Selection],
        period: Period,
        groups: Collection[Group],
        meter: ReadMeter,
        *,
        is_by_day: bool,
    ) -> Mapping[int, Tally]:
        """Whole days from rollups; their edges, and what no rollup could count, from pages."""
        days, edges = plan(period)
        tallies: defaultdict[int, Tally] = defaultdict(Tally)
        with_calls: set[int] = set()

        def scan(of: Selection, periods: Iterable[Period], groups: Collection[Group]) -> None:
            found = self._scan_tallies(epoch, of, periods, groups, meter, is_by_day=is_by_day)
            for day, tally in found.items():
                tallies[day].add(tally)

        for scope, of_scope in scopes.items() if days else ():
            spilled: defaultdict[Group, list[int]] = defaultdict(list)
            for is_open in _siblings(groups):
                for day, rollup in self._rollups.days(
                    epoch.org_id,
                    epoch.number,
                    selection.family,
                    scope,
                    days,
                    meter,
                    is_open=is_open,
                ):
                    tally = tallies[day if is_by_day else WHOLE]
                    if is_open:
                        for group in _add_breakdowns(tally, rollup, groups):
                            spilled[group].append(day)
                    else:
                        tally.add_measures(rollup.measures)
                        if rollup.measures.get("calls"):
                            with_calls.add(day)
            for group, spilled_days in spilled.items():
                scan(of_scope, runs(spilled_days), [group])
        if Group.LEADS in groups:
            # Distinct leads are no sum. But rollups tell which days have any calls at all.
            scan(selection, runs(sorted(with_calls)), [Group.LEADS])
        scan(selection, edges, groups)
        return tallies

    # -- the ledger --------------------------------------------------------------------------
    def _scan_tallies(
        self,
        epoch: Epoch,
        selection: Selection,
        periods: Iterable[Period],
        groups: Collection[Group],
        meter: ReadMeter,
        zone: Zone = _UTC,
        *,
        is_by_day: bool,
    ) -> Mapping[int, Tally]:
        tallier = Tallier(groups, zone, is_by_day=is_by_day)
        for selected in self._scan(epoch, selection, periods, meter):
            tallier.add(selected)
        return tallier.tallies()

    def _scan(
        self, epoch: Epoch, selection: Selection, periods: Iterable[Period], meter: ReadMeter
    ) -> Iterator[Selected]:
        for period in periods if selection.can_match else ():
            pages = self._ledger.pages(
                epoch.org_id, epoch.number, selection.record_type, period, meter
            )
            for page, clip in pages:
                count, selected = select(page, clip, selection)
                meter.rows += count
                if meter.rows > self._most_rows:
                    raise TooManyRows(self._most_rows)
                if selected is not None:
                    yield selected


def _siblings(groups: Collection[Group]) -> list[bool]:
    """Which of a rollup's two items the groups are in: closed measures, open breakdowns, or both."""
    is_open = {group in OPEN_GROUPS for group in groups}
    return sorted(is_open)


def _add_breakdowns(tally: Tally, rollup: Rollup, groups: Collection[Group]) -> Iterator[Group]:
    """Add the open breakdowns of a rollup; give the groups whose breakdown it gave up counting."""
    for group in groups:
        breakdown = OPEN_GROUPS.get(group)
        if breakdown is None:
            continue
        if breakdown in rollup.spilled:
            yield group
        else:
            tally.add_breakdown(breakdown, rollup.measures)


def _known(
    day: int, measures: Measures, granularity: Granularity, *, is_timed: bool
) -> Iterator[tuple[int, int, int]]:
    """What a day's rollup says of the buckets in it: (an instant in it, count, seconds)."""
    start_ms = day * MS_PER_DAY
    if granularity is Granularity.HOUR:
        for hour in range(24):
            yield start_ms + hour * MS_PER_HOUR, measures.get(f"h{hour:02d}", 0), 0
    elif is_timed:
        yield start_ms, measures.get("timed", 0), measures.get("seconds", 0)
    else:
        yield start_ms, measures.get("calls", 0), 0
