"""Plans of aggregations: what rollups answer, what they cannot, and why."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.periods import EVER, Period
from rollcall.domain.time.zones import UTC, Zone
from rollcall.query.datasets import DATASETS, DURATIONS, HOURS, LEADS
from rollcall.query.group_planner import FromPages, FromRollups, plan_aggregation
from rollcall.query.model import Aggregation, Selection, TimeBucket
from rollcall.query.reports.query import components_of
from tests.support.selections import condition

MS_PER_DAY = 86_400_000
DAYS = Period(0, 3 * MS_PER_DAY)
BERLIN = Zone("Europe/Berlin")


def aggregation(
    *measures: str,
    by: tuple[str, ...] = (),
    where: tuple[tuple[Any, ...], ...] = (),
    period: Period = DAYS,
    zone: Zone = UTC,
    dataset: str = "calls",
    is_mixed: bool = False,
) -> Aggregation:
    found = DATASETS[dataset]
    conditions = tuple(condition(found.record_type, *each) for each in where)
    buckets = {each.value for each in Granularity}
    dimensions = tuple(
        TimeBucket(Granularity(name)) if name in buckets else found.fields[name] for name in by
    )
    needed = components_of(found.measures[name] for name in measures)
    selected = Selection(found.record_type, conditions, zone)
    return Aggregation(selected, period, dimensions, needed, is_mixed=is_mixed)


TIMED = (("duration_seconds", "not_null"),)

ROLLUPS: list[tuple[Aggregation, list[tuple[str, ...]]]] = [
    (aggregation("calls", "avg_duration", "p90_duration", "cost", "answer_rate"), [("ORG",)]),
    (aggregation("calls", "success_rate", "event.sms_sent", by=("month",)), [("ORG",)]),
    (aggregation("calls", by=("hour",)), [("ORG",)]),
    (aggregation("calls", zone=BERLIN), [("ORG",)]),
    (aggregation("calls", by=("outcome", "day")), [("ORG",)]),
    (aggregation("calls", by=("day",), where=(("status", "in", "busy", "failed"),)), [("ORG",)]),
    (aggregation("calls", by=("attempt",)), [("ORG",)]),
    (aggregation("calls", where=(("label", "eq", "x"),)), [("ORG",)]),
    (
        aggregation("calls", "max_duration", where=(("template_id", "in", "a", "b"),)),
        [("TEMPLATE", "a"), ("TEMPLATE", "b")],
    ),
    (
        aggregation("cost", by=("campaign_id",), where=(("campaign_id", "eq", "c"),)),
        [("CAMPAIGN", "inbound", "c"), ("CAMPAIGN", "outbound", "c")],
    ),
    (aggregation("calls", where=(("space_token", "eq", "s"),), period=EVER), [("SPACE", "s")]),
    (aggregation("timed", "talk_seconds", by=("day",), where=TIMED), [("ORG",)]),
    (aggregation("distinct_leads", "cost", by=("day",), is_mixed=True), [("ORG",)]),
    (aggregation("leads", "conversion_rate", dataset="leads", by=("week",)), [("ORG",)]),
    (aggregation("tasks", dataset="tasks", by=("status",)), [("ORG",)]),
]
PAGES = [
    aggregation("distinct_leads"),
    aggregation("avg_sentiment"),
    aggregation("transferred"),
    aggregation("cost", by=("outcome",)),
    aggregation("cost", where=TIMED),
    aggregation("timed", by=("hour",), where=TIMED),
    aggregation("calls", by=("outcome",), where=TIMED),
    aggregation("p50_duration", where=TIMED),
    aggregation("cost", by=("hour",)),
    aggregation("calls", by=("day",), zone=BERLIN),
    aggregation("calls", by=("hour_of_day",), zone=BERLIN),
    aggregation("calls", by=("language",)),
    aggregation("calls", by=("label",)),
    aggregation("calls", by=("outcome", "provider")),
    aggregation("calls", by=("outcome",), where=(("status", "eq", "busy"),)),
    aggregation("calls", where=(("template_id", "eq", "a"), ("merchant_id", "eq", "m"))),
    aggregation("calls", where=(("direction", "eq", "inbound"),)),
    aggregation("calls", where=(("outcome", "ne", "sold"),)),
    aggregation("calls", where=(("duration_seconds", "gt", 5),)),
    aggregation("calls", where=(("label", "in", "x", "y"),)),
    aggregation("p50_duration", where=(("campaign_id", "eq", "c"),)),
    aggregation("p50_latency"),
    aggregation("events", dataset="contact_events"),
]


@pytest.mark.parametrize(("asked", "scopes"), ROLLUPS)
def test_rollups_answer_where_they_can(asked: Aggregation, scopes: list[tuple[str, ...]]) -> None:
    plan = plan_aggregation(asked)
    assert isinstance(plan, FromRollups), plan
    assert sorted(plan.scopes) == scopes
    assert plan.shape.names


@pytest.mark.parametrize("asked", PAGES)
def test_what_rollups_do_not_keep_is_read_from_pages_with_a_reason(asked: Aggregation) -> None:
    plan = plan_aggregation(asked)
    assert isinstance(plan, FromPages)
    assert plan.reason


@pytest.mark.parametrize(("zone", "expected"), [(UTC, FromRollups), (BERLIN, FromPages)])
def test_hours_of_another_zone_are_counted_in_pages(zone: Zone, expected: type) -> None:
    asked = Aggregation(Selection("call", (), zone), DAYS, (), (HOURS,))
    assert isinstance(plan_aggregation(asked), expected)


@given(st.integers(0, 5 * MS_PER_DAY), st.integers(1, 5 * MS_PER_DAY))
def test_days_and_edges_tile_the_period(start_ms: int, length_ms: int) -> None:
    period = Period(start_ms, start_ms + length_ms)
    plan = plan_aggregation(aggregation("calls", period=period))
    assert isinstance(plan, FromRollups)
    days = [Period(day * MS_PER_DAY, (day + 1) * MS_PER_DAY) for day in plan.days]
    parts = sorted([*plan.edges, *days])
    assert (parts[0].start_ms, parts[-1].end_ms) == period
    assert all(before.end_ms == after.start_ms for before, after in pairwise(parts))


def test_all_time_is_one_rollup_per_scope_where_it_is_kept() -> None:
    for asked, is_kept in [
        (aggregation("calls", "cost", period=EVER), True),
        (aggregation("calls", by=("outcome",), period=EVER), True),
        (aggregation("p50_duration", "max_duration", period=EVER), True),
        (aggregation("calls", by=("year",), period=EVER), False),
        (aggregation("calls", where=(("template_id", "eq", "a"),), period=EVER), False),
        (aggregation("calls"), False),
    ]:
        plan = plan_aggregation(asked)
        assert isinstance(plan, FromRollups)
        assert plan.has_lifetime == is_kept


def test_values_that_no_rollup_keeps_are_read_beside_all_else() -> None:
    asked = aggregation("distinct_leads", "cost", "p50_duration", is_mixed=True, period=EVER)
    plan = plan_aggregation(asked)
    assert isinstance(plan, FromRollups)
    assert plan.beside == (LEADS,)
    assert not plan.has_lifetime
    of_campaign = (("campaign_id", "eq", "c"),)
    plan = plan_aggregation(aggregation("calls", "p50_duration", where=of_campaign, is_mixed=True))
    assert isinstance(plan, FromRollups)
    assert plan.beside == (DURATIONS,)


def test_many_measures_read_each_closed_measure_and_breakdown_once() -> None:
    names = ("calls", "answered", "cost", "avg_duration", "min_duration", "max_duration")
    plan = plan_aggregation(aggregation(*names, "p50_duration", "p95_duration", by=("day",)))
    assert isinstance(plan, FromRollups)
    names = plan.shape.names
    assert sorted(names) == ["answered", "calls", "cost_micros", "seconds", "t", "timed"]
