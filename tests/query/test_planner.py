"""Plans: every instant of a query is counted from rollups or from pages, never from both."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.measures import ALL, OPEN_GROUPS, ORG, Group, RollupKey, closed_names
from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.domain.time.periods import EVER, Period
from rollcall.domain.time.zones import UTC, Zone
from rollcall.query.model import Query, Selection
from rollcall.query.planner import (
    breakdowns_of,
    lacking_periods,
    plan_lifetime,
    plan_series,
    plan_tally,
)
from tests.support.selections import selection

BERLIN = Zone("Europe/Berlin")
ANY = Selection("call")
TEMPLATE = selection(template_id="t")
CAMPAIGN = selection(campaign_id="c", direction="inbound")
NO_ROLLUP = selection(template_id="t", merchant_id="m")
SELECTIONS = st.sampled_from([ANY, TEMPLATE, CAMPAIGN, NO_ROLLUP])
ZONES = st.sampled_from([UTC, BERLIN])
GROUPS = st.sets(st.sampled_from(list(Group)), min_size=1).map(frozenset)
PERIODS = st.tuples(st.integers(0, 5 * MS_PER_DAY), st.integers(1, 5 * MS_PER_DAY)).map(
    lambda drawn: Period(drawn[0], sum(drawn))
)
DAYS = Period(0, 3 * MS_PER_DAY)


def parts(plan):
    """The periods of a plan and its days, in order."""
    days = [Period(day * MS_PER_DAY, (day + 1) * MS_PER_DAY) for day in plan.days]
    return sorted([*plan.periods, *days])


def assert_tiled(plan, period):
    found = parts(plan)
    assert (found[0].start_ms, found[-1].end_ms) == period
    for before, after in pairwise(found):
        assert before.end_ms == after.start_ms
    assert not plan.days or (plan.scopes and plan.reads)


@given(SELECTIONS, PERIODS, GROUPS, ZONES)
def test_a_tally_is_tiled_by_days_and_periods(selected, period, groups, zone):
    plan = plan_tally(Query(selected, period), groups, zone)
    assert_tiled(plan, period)
    if plan.days:
        # Each group is read from one place: closed measures, an open breakdown, or pages.
        closed = groups - OPEN_GROUPS.keys() - plan.never_kept
        assert closed | plan.breakdowns | plan.never_kept == groups
        assert not plan.breakdowns & plan.never_kept
        names = [names for names in plan.reads if names is not None]
        assert not closed or set(closed_names(closed)) <= set(*names)
        assert not plan.breakdowns or None in plan.reads


@given(SELECTIONS, PERIODS, st.sampled_from(list(Granularity)), ZONES, st.booleans())
def test_a_series_is_tiled_by_days_and_periods(selected, period, granularity, zone, is_timed):
    plan = plan_series(Query(selected, period), granularity, zone, is_timed=is_timed)
    assert_tiled(plan, period)


@pytest.mark.parametrize(
    ("selected", "groups", "zone"),
    [
        (NO_ROLLUP, {Group.CALLS}, UTC),
        (selection(between={"duration_seconds": (1, 2)}), {Group.CALLS}, UTC),
        (ANY, {Group.HOUR}, BERLIN),
    ],
)
def test_what_no_rollup_answers_is_read_from_pages(selected, groups, zone):
    plan = plan_tally(Query(selected, DAYS), frozenset(groups), zone)
    assert (plan.periods, plan.reads) == ((DAYS,), ())
    assert plan_lifetime(Query(selected, EVER), frozenset(groups), zone) == ()


def test_measures_without_hours_do_not_depend_on_the_zone():
    groups = frozenset({Group.CALLS, Group.OUTCOME})
    assert plan_tally(Query(ANY, DAYS), groups, BERLIN) == plan_tally(Query(ANY, DAYS), groups, UTC)


def test_groups_that_day_rollups_never_have_are_read_from_pages():
    groups = frozenset({Group.EXTREMES, Group.LEADS, Group.CALLS})
    assert plan_tally(Query(CAMPAIGN, DAYS), groups, UTC).never_kept == {
        Group.EXTREMES,
        Group.LEADS,
    }
    assert plan_tally(Query(TEMPLATE, DAYS), groups, UTC).never_kept == {Group.LEADS}


def test_a_series_of_seconds_by_hour_is_read_from_pages():
    query = Query(ANY, DAYS)
    assert plan_series(query, Granularity.HOUR, UTC, is_timed=True).periods == (DAYS,)
    assert plan_series(query, Granularity.HOUR, UTC, is_timed=False).days == range(3)
    assert plan_series(query, Granularity.DAY, UTC, is_timed=True).days == range(3)


def test_all_time_rollups():
    calls, both = frozenset({Group.CALLS}), frozenset({Group.CALLS, Group.OUTCOME})
    key = RollupKey("calls", ORG, ALL)
    assert plan_lifetime(Query(ANY, EVER), calls, BERLIN) == (key,)
    assert plan_lifetime(Query(ANY, EVER), both, UTC) == (key, key._replace(is_open=True))
    assert plan_lifetime(Query(ANY, DAYS), calls, UTC) == ()
    assert plan_lifetime(Query(TEMPLATE, EVER), calls, UTC) == ()
    assert plan_lifetime(Query(ANY, EVER), frozenset({Group.EXTREMES}), UTC) == ()


def test_adjacent_days_that_lack_the_same_groups_share_a_period():
    lacking = {
        4: {Group.OUTCOME},
        3: {Group.OUTCOME},
        5: set(),
        6: {Group.OUTCOME, Group.LABEL},
        8: {Group.OUTCOME},
    }
    assert lacking_periods(lacking) == {
        frozenset({Group.OUTCOME}): [
            Period(3 * MS_PER_DAY, 5 * MS_PER_DAY),
            Period(8 * MS_PER_DAY, 9 * MS_PER_DAY),
        ],
        frozenset({Group.OUTCOME, Group.LABEL}): [Period(6 * MS_PER_DAY, 7 * MS_PER_DAY)],
    }


def test_breakdowns_of_groups():
    assert breakdowns_of(frozenset({Group.CALLS, Group.OUTCOME, Group.LABEL})) == {"o", "l"}
