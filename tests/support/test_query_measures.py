"""Every measure of the query oracle, worked out by hand."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.support.builders import call, contact_event, lead, task
from tests.support.oracle import EVENTS
from tests.support.query_measures import CALL_STATISTICS, percentile, rounded
from tests.support.query_oracle import QueryOracle


def totals(records: Any, names: Any, **body: Any) -> Any:
    return QueryOracle(records).answer({"measures": names.split(), **body}, 0)["totals"]


MIXED = [
    call("1", duration_seconds=10, lead_id=5, cost=Decimal("0.1"), disposition="successful"),
    call("2", duration_seconds=5, lead_id="5", latency_ms=100, events={"call_transferred": 2}),
    call("3", status="failed", lead_id="6", sentiment=Decimal("0.25"), events={"sms_sent": 3}),
]


def test_measures_of_calls() -> None:
    names = "calls answered completed failed successful transferred timed scored talk_seconds cost"
    names += " distinct_leads answer_rate success_rate failure_rate cost_per_call avg_duration"
    names += " event.call_transferred event.sms_sent"
    assert totals(MIXED, names) == {
        "calls": 3,
        "answered": 2,
        "completed": 2,
        "failed": 1,
        "successful": 1,
        "transferred": 1,
        "timed": 2,
        "scored": 1,
        "talk_seconds": 15,
        "cost": Decimal("0.1"),
        "distinct_leads": 2,
        "answer_rate": Decimal("66.67"),
        "success_rate": Decimal("33.33"),
        "failure_rate": Decimal("33.33"),
        "cost_per_call": Decimal("0.033333"),
        "avg_duration": Decimal("7.5"),
        "event.call_transferred": 2,
        "event.sms_sent": 3,
    }


def test_measures_of_nothing() -> None:
    zero = "calls answered transferred talk_seconds cost distinct_leads sum.payload.a"
    null = ["avg_sentiment", "cost_per_call", "answer_rate", "success_rate", "failure_rate"]
    null += [*CALL_STATISTICS, "avg.payload.a", "p50.payload.a"]
    assert len(CALL_STATISTICS) == 16
    zeros = [*zero.split(), *(f"event.{name}" for name in EVENTS)]
    assert totals([], " ".join(zeros)) == dict.fromkeys(zeros, 0)
    assert totals([], " ".join(null)) == dict.fromkeys(null)


@pytest.mark.parametrize(
    ("share", "expected"), [(50, 2), (75, 3), (90, 4), (95, 4), (99, 4), (25, 1), (26, 2)]
)
def test_percentiles_by_nearest_rank(share: Any, expected: Any) -> None:
    assert percentile([4, 1, 3, 2], share) == expected


def test_rounding_is_half_away_from_zero() -> None:
    assert rounded(Fraction(1, 8), 2) == Decimal("0.13")
    assert rounded(Fraction(-1, 8), 2) == Decimal("-0.13")
    eighths = [call(n, duration_seconds=int(n == 0)) for n in range(8)]
    assert totals(eighths, "avg_duration") == {"avg_duration": Decimal("0.13")}


def test_measures_of_payload_numbers() -> None:
    values = [Decimal("1E+100"), Decimal("1E-100"), "7", True, None, -3]
    records = [call(n, payload={"a": value}) for n, value in enumerate(values)]
    names = "sum.payload.a min.payload.a max.payload.a p50.payload.a p99.payload.a"
    assert totals(records, names) == {
        "sum.payload.a": Decimal("9" * 99 + "7." + "0" * 99 + "1"),
        "min.payload.a": -3,
        "max.payload.a": Decimal("1E+100"),
        "p50.payload.a": Decimal("1E-100"),
        "p99.payload.a": Decimal("1E+100"),
    }
    thirds = [call(n, payload={"a": value}) for n, value in enumerate((-1, 0, 0))]
    assert totals(thirds, "avg.payload.a") == {"avg.payload.a": Decimal("-0.333333")}


def test_leads_tasks_and_events() -> None:
    leads = [
        lead(1, status="FINISHED", converted=True),
        lead(2, status="RETRY", converted=True),
        lead(3, status="FINISHED"),
    ]
    assert totals(leads, "leads converted conversion_rate", dataset="leads") == {
        "leads": 3,
        "converted": 1,
        "conversion_rate": Decimal("33.33"),
    }
    assert totals([task(1), task(2), lead(1)], "tasks", dataset="tasks") == {"tasks": 2}
    events = [contact_event(1), contact_event(2)]
    assert totals(events, "events", dataset="contact_events") == {"events": 2}
