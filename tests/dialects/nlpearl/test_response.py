"""NLPearl's bodies out of the report of a campaign: every key and every day is there."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.dialects.nlpearl.response import (
    InboundAnalytics,
    OutboundAnalytics,
    error_body,
    inbound_body,
    outbound_body,
)
from rollcall.domain.records import DISPOSITIONS, Label
from rollcall.domain.time.calendar import MS_PER_DAY, day_text
from rollcall.domain.time.periods import Period
from rollcall.query.reports.campaign import CampaignReport
from rollcall.query.results import DayTallies, Tally, total

NAMES = [
    *("calls", "answered", "timed", "seconds", "cost_micros"),
    *(f"d.{disposition}" for disposition in DISPOSITIONS),
    *(f"h{hour:02d}" for hour in range(24)),
]
tallies = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 10**6), max_size=12).map(
    lambda measures: Tally(Counter(measures))
)


def report(days: dict[int, Tally], leads: dict[int, int] | None = None, **labels: Label) -> Any:
    leads = leads or {}
    by_day = DayTallies(days, leads, sum(leads.values()))
    return CampaignReport(by_day, total(days), labels)


@pytest.mark.property
@given(st.dictionaries(st.integers(0, 9), tallies, max_size=5), st.integers(1, MS_PER_DAY))
def test_every_day_that_the_period_touches_is_there(days: dict[int, Tally], length: int) -> None:
    period = Period(MS_PER_DAY - 1, 9 * MS_PER_DAY + length)
    body = outbound_body(report(days), period)
    dates = [f"{day_text(day)}T00:00:00Z" for day in range(10)]
    for name in OutboundAnalytics.__annotations__:
        if name.endswith("TimeLine"):
            rows: Any = body[name]  # type: ignore[literal-required]
            assert [row["date"] for row in rows] == dates, name
    for day, row in enumerate(body["callsStatusTimeLine"]):
        assert row["totalCalls"] == days.get(day, Tally())["calls"]
    whole = body["callsStatusOverview"]
    assert whole["totalCalls"] == sum(tally["calls"] for tally in days.values())
    assert whole["successful"] == sum(tally["d.successful"] for tally in days.values())


@pytest.mark.property
@given(st.dictionaries(st.integers(0, 30), tallies, max_size=6))
def test_hours_of_the_week_add_up_and_begin_on_sunday(days: dict[int, Tally]) -> None:
    rows = inbound_body(report(days), Period(0, 1))["callsByHourDayOfWeeks"]
    expected: Counter[tuple[int, int]] = Counter()
    for day, tally in days.items():
        for hour in range(24):
            expected[(day + 4) % 7, hour] += tally[f"h{hour:02d}"]  # 1970-01-01 was a Thursday
    found = {(row["dayOfWeek"], row["hourOfDay"]): row["count"] for row in rows}
    assert found == {place: count for place, count in expected.items() if count}
    assert list(found) == sorted(found)


def test_an_answer_has_every_published_key_in_order() -> None:
    for make, published in ((inbound_body, InboundAnalytics), (outbound_body, OutboundAnalytics)):
        body = make(report({}), Period(0, 1))
        assert set(body) == set(published.__annotations__)
    assert "callsPickupRateTimeLine" in outbound_body(report({}), Period(0, 1))
    assert "callsPickupRateTimeLine" not in inbound_body(report({}), Period(0, 1))


def test_labels_are_ordered_by_count_name_and_id_and_an_unknown_one_has_its_id_as_name() -> None:
    day = Tally(Counter({"l=a": 2, "l=b": 2, "l=c": 5, "l": 9}))
    registered = {"a": Label("Zebra", color="#fff"), "b": Label("Apple", color="#000")}
    body = inbound_body(report({0: day}, **registered), Period(0, 1))
    assert [(row["id"], row["name"], row["count"]) for row in body["callLabelCount"]] == [
        ("c", "c", 5),
        ("b", "Apple", 2),
        ("a", "Zebra", 2),
    ]
    assert [row["color"] for row in body["callLabelCount"]] == ["#9e9e9e", "#000", "#fff"]


def test_rates_are_zero_without_calls_and_leads_are_not_the_sum_of_days() -> None:
    by_day = DayTallies({}, {0: 2, 1: 2}, 3)
    body = outbound_body(CampaignReport(by_day, Tally(), {}), Period(0, 2 * MS_PER_DAY))
    assert [row["totalLeads"] for row in body["callsStatusTimeLine"]] == [2, 2]
    assert body["callsStatusOverview"]["totalLeads"] == 3
    assert body["callsSuccessRateTimeLine"][0]["successRatePercentage"] == 0
    assert body["callsCostTimeLine"][0]["averageCostPerCall"] == 0


def test_an_error_has_its_text_alone() -> None:
    assert error_body(404, "Campaign not found.") == {"message": "Campaign not found."}
