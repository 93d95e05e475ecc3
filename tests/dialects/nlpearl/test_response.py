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
from rollcall.domain.records import Label
from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.calendar import MS_PER_DAY, day_text
from rollcall.domain.time.periods import Period
from rollcall.query.components import ALL_ROWS
from rollcall.query.datasets import ANSWERED, HOURS, LABELS, LEADS, TALK_SECONDS, TIMED
from rollcall.query.model import TimeBucket
from rollcall.query.reports.campaign import _COMPONENTS, COST, OF_DISPOSITION, CampaignReport
from tests.support.groups import groups

HOUR = st.integers(0, 23)
AMOUNTS = [ALL_ROWS, ANSWERED, TIMED, TALK_SECONDS, COST, *OF_DISPOSITION.values()]
amounts = st.dictionaries(st.sampled_from(AMOUNTS), st.integers(1, 10**6), max_size=12)


def report(days: dict[int, Any], **labels: Label) -> CampaignReport:
    """The report on days with amounts, and the counts of values of components."""
    parts: Any = ((day, (day,), counts, values) for day, (counts, values) in days.items())
    found = groups(TimeBucket(Granularity.DAY), _COMPONENTS, *parts)
    cells = {day: found.cell(index) for (day,), index in found}
    return CampaignReport(cells, found.whole(), found.merged([]), labels)  # type: ignore[arg-type]


@pytest.mark.property
@given(st.dictionaries(st.integers(0, 9), amounts, max_size=5), st.integers(1, MS_PER_DAY))
def test_every_day_that_the_period_touches_is_there(days: dict[int, Any], length: int) -> None:
    period = Period(MS_PER_DAY - 1, 9 * MS_PER_DAY + length)
    body = outbound_body(report({day: (counts, {}) for day, counts in days.items()}), period)
    dates = [f"{day_text(day)}T00:00:00Z" for day in range(10)]
    for name in OutboundAnalytics.__annotations__:
        if name.endswith("TimeLine"):
            rows: Any = body[name]  # type: ignore[literal-required]
            assert [row["date"] for row in rows] == dates, name
    for day, row in enumerate(body["callsStatusTimeLine"]):
        assert row["totalCalls"] == days.get(day, {}).get(ALL_ROWS, 0)
    whole, successful = body["callsStatusOverview"], OF_DISPOSITION["successful"]
    assert whole["totalCalls"] == sum(counts.get(ALL_ROWS, 0) for counts in days.values())
    assert whole["successful"] == sum(counts.get(successful, 0) for counts in days.values())


@pytest.mark.property
@given(st.dictionaries(st.integers(0, 30), st.dictionaries(HOUR, st.integers(1, 9)), max_size=6))
def test_hours_of_the_week_add_up_and_begin_on_sunday(days: dict[int, dict[int, int]]) -> None:
    of_hours: Any = {day: ({}, {HOURS: hours}) for day, hours in days.items()}
    rows = inbound_body(report(of_hours), Period(0, 1))["callsByHourDayOfWeeks"]
    expected: Counter[tuple[int, int]] = Counter()
    for day, hours in days.items():
        for hour, count in hours.items():
            expected[(day + 4) % 7, hour] += count  # 1970-01-01 was a Thursday
    assert {(row["dayOfWeek"], row["hourOfDay"]): row["count"] for row in rows} == expected
    assert [(row["dayOfWeek"], row["hourOfDay"]) for row in rows] == sorted(expected)


def test_an_answer_has_every_published_key_in_order() -> None:
    for make, published in ((inbound_body, InboundAnalytics), (outbound_body, OutboundAnalytics)):
        body = make(report({}), Period(0, 1))
        assert set(body) == set(published.__annotations__)
    assert "callsPickupRateTimeLine" in outbound_body(report({}), Period(0, 1))
    assert "callsPickupRateTimeLine" not in inbound_body(report({}), Period(0, 1))


def test_labels_are_ordered_by_count_name_and_id_and_an_unknown_one_has_its_id_as_name() -> None:
    day = ({}, {LABELS: {"a": 2, "b": 2, "c": 5}})
    registered = {"a": Label("Zebra", color="#fff"), "b": Label("Apple", color="#000")}
    body = inbound_body(report({0: day}, **registered), Period(0, 1))
    assert [(row["id"], row["name"], row["count"]) for row in body["callLabelCount"]] == [
        ("c", "c", 5),
        ("b", "Apple", 2),
        ("a", "Zebra", 2),
    ]
    assert [row["color"] for row in body["callLabelCount"]] == ["#9e9e9e", "#000", "#fff"]


def test_rates_are_zero_without_calls_and_leads_are_not_the_sum_of_days() -> None:
    days: Any = {0: ({}, {LEADS: {"1": 1, "2": 1}}), 1: ({}, {LEADS: {"2": 1, "3": 5}})}
    body = outbound_body(report(days), Period(0, 2 * MS_PER_DAY))
    assert [row["totalLeads"] for row in body["callsStatusTimeLine"]] == [2, 2]
    assert body["callsStatusOverview"]["totalLeads"] == 3
    assert body["callsSuccessRateTimeLine"][0]["successRatePercentage"] == 0
    assert body["callsCostTimeLine"][0]["averageCostPerCall"] == 0


def test_an_error_has_its_text_alone() -> None:
    assert error_body(404, "Campaign not found.") == {"message": "Campaign not found."}
