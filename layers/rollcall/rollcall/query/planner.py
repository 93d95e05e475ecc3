"""The planner: which parts of a query come from which rollups, and which from ledger pages.

Plans are pure. Only the engine knows what is stored: it reads from pages what a day's rollups turn
out to lack (`lacking_periods`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from rollcall.domain import measures as m
from rollcall.domain.measures import ALL, OPEN_GROUPS, Group, RollupKey, Scope, closed_names
from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.periods import EVER, Period, plan, runs
from rollcall.domain.time.zones import Zone
from rollcall.query.model import Query
from rollcall.query.scopes import family_of, scopes_of

Groups: TypeAlias = frozenset[Group]
# The closed measures to read of day rollups; None reads their open breakdowns.
Names: TypeAlias = tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Whole UTC days from the day rollups of all `scopes`, and `periods` from ledger pages.

    `reads` are the items to read of each day. `breakdowns` are the groups among the query's that
    open breakdowns of day rollups have, and `never_kept` those that no day rollup of the scopes
    has: they are read from pages for every day that has a record.
    """

    periods: tuple[Period, ...]
    scopes: tuple[Scope, ...] = ()
    days: range = range(0)
    reads: tuple[Names, ...] = ()
    breakdowns: Groups = frozenset()
    never_kept: Groups = frozenset()


def plan_lifetime(query: Query, groups: Groups, zone: Zone) -> tuple[RollupKey, ...]:
    """The all-time rollups that together answer a query; empty if no such rollups are kept.

    They cannot answer it if one of them has spilled a breakdown of `groups`.
    """
    selection, period = query
    scopes = scopes_of(selection)
    if scopes is None or period != EVER or not _are_hours_of_utc(groups, zone):
        return ()
    family = family_of(selection.record_type)
    if not all(m.has_lifetime(family, scope, groups) for scope in scopes):
        return ()
    return tuple(
        RollupKey(family, scope, ALL, names is None) for scope in scopes for names in _reads(groups)
    )


def plan_tally(query: Query, groups: Groups, zone: Zone) -> Plan:
    """The plan for measures of the groups; `Group.HOUR` counts hours of `zone`."""
    scopes = scopes_of(query.selection)
    if scopes is None or not _are_hours_of_utc(groups, zone):
        return Plan((query.period,))
    days, edges = plan(query.period)
    never_kept = m.never_kept(scopes, groups)
    breakdowns = groups & OPEN_GROUPS.keys() - never_kept
    return Plan(edges, scopes, days, _reads(groups), breakdowns, never_kept)


def plan_series(query: Query, granularity: Granularity, zone: Zone, *, is_timed: bool) -> Plan:
    """The plan for calls by bucket of local time, with their seconds if `is_timed`.

    Rollups have calls by UTC hour, but seconds only by UTC day.
    """
    scopes = scopes_of(query.selection)
    is_hourly = granularity is Granularity.HOUR
    if scopes is None or not zone.is_utc or (is_timed and is_hourly):
        return Plan((query.period,))
    days, edges = plan(query.period)
    names = closed_names([Group.HOUR if is_hourly else Group.DURATION])
    return Plan(edges, scopes, days, (names,))


def lacking_periods(lacking: Mapping[int, set[Group]]) -> dict[Groups, list[Period]]:
    """The periods to read from pages for each set of groups, given what the days lack."""
    days_lacking: defaultdict[Groups, list[int]] = defaultdict(list)
    for day, groups in sorted(lacking.items()):
        if groups:
            days_lacking[frozenset(groups)].append(day)
    return {groups: runs(days) for groups, days in days_lacking.items()}


def breakdowns_of(groups: Groups) -> frozenset[str]:
    """The open breakdowns that the groups are read from."""
    return frozenset(OPEN_GROUPS[group] for group in groups if group in OPEN_GROUPS)


def _are_hours_of_utc(groups: Groups, zone: Zone) -> bool:
    """Whether hours, if they are counted, are hours of UTC, as in rollups."""
    return zone.is_utc or Group.HOUR not in groups


def _reads(groups: Groups) -> tuple[Names, ...]:
    """The items of a rollup that the groups are in: closed measures, open breakdowns, or both."""
    reads: list[Names] = []
    if groups - OPEN_GROUPS.keys():
        reads.append(closed_names(groups))
    if groups & OPEN_GROUPS.keys():
        reads.append(None)
    return tuple(reads)
