"""Campaign analytics as NLPearl publishes them: every key is present, and lists are never null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from typing_extensions import TypedDict

from rollcall.domain.choices import DEFAULT_LABEL_COLOR
from rollcall.domain.decimals import Number, divide, percentage
from rollcall.domain.time.calendar import MS_PER_DAY, day_text
from rollcall.domain.time.periods import Period
from rollcall.query.components import ALL_ROWS, Cell
from rollcall.query.datasets import ANSWERED, HOURS, LABELS, LEADS, TALK_SECONDS, TIMED
from rollcall.query.reports.campaign import (
    COST,
    OF_BAND,
    OF_DISPOSITION,
    OF_EVENT,
    CampaignReport,
)

Days: TypeAlias = list[tuple[str, Cell]]

_MICROS: Final = 10**6


class Error(TypedDict):
    """The body of an error."""

    message: str


class StatusOverview(TypedDict):
    """Calls and distinct leads, and calls by disposition."""

    totalCalls: int
    totalLeads: int
    needRetry: int
    wrongCountryCode: int
    needFollowUp: int
    voiceMailLeft: int
    successful: int
    unsuccessful: int
    wrongNumber: int
    completed: int
    unreachable: int
    error: int


class StatusOfDay(StatusOverview):
    """The same for one UTC day."""

    date: str


class SentimentOverview(TypedDict):
    """Calls by band of sentiment."""

    negative: int
    slightlyNegative: int
    neutral: int
    slightlyPositive: int
    positive: int


class AverageTimeOfDay(TypedDict):
    """Seconds, over the calls that have a duration; 0 when there is none."""

    date: str
    averageCallDuration: Number


class CostOfDay(TypedDict):
    """Costs, over all calls of the day."""

    date: str
    totalPrice: Number
    averageCostPerCall: Number


class SuccessRateOfDay(TypedDict):
    """Successful calls, in percent of all calls."""

    date: str
    successRatePercentage: Number


class PickupRateOfDay(TypedDict):
    """Answered calls, in percent of all calls."""

    date: str
    pickupRatePercentage: Number


class LabelCount(TypedDict):
    """Calls that have a label."""

    id: str
    name: str
    color: str
    count: int


class EventsCounts(TypedDict):
    """Totals of the events of calls."""

    takeMessageCount: int
    smsSentCount: int
    callTransferredCount: int
    calendarBookedCount: int
    emailSentCount: int


class HourOfWeek(TypedDict):
    """Calls in one UTC hour of one weekday; 0 is Sunday."""

    hourOfDay: int
    dayOfWeek: int
    count: int


class _Overviews(TypedDict):
    callsStatusOverview: StatusOverview
    callsSentimentOverview: SentimentOverview
    callsStatusTimeLine: list[StatusOfDay]
    callsAverageTimeLine: list[AverageTimeOfDay]
    callsCostTimeLine: list[CostOfDay]


class _PickupRates(TypedDict):
    callsPickupRateTimeLine: list[PickupRateOfDay]


class _Outcomes(TypedDict):
    callsSuccessRateTimeLine: list[SuccessRateOfDay]
    callLabelCount: list[LabelCount]
    callEventsCounts: EventsCounts
    callsByHourDayOfWeeks: list[HourOfWeek]


class InboundAnalytics(_Overviews, _Outcomes):
    """Analytics of an inbound campaign."""


class OutboundAnalytics(_Overviews, _PickupRates, _Outcomes):
    """Analytics of an outbound campaign, or of a Pearl."""


def error_body(_status: int, message: str) -> Error:
    """The body of an error."""
    return {"message": message}


def inbound_body(report: CampaignReport, period: Period) -> InboundAnalytics:
    """The answer for an inbound campaign."""
    days = _touched(report, period)
    return {**_overviews(report, days), **_outcomes(report, days)}


def outbound_body(report: CampaignReport, period: Period) -> OutboundAnalytics:
    """The answer for an outbound campaign, or for a Pearl; keys in the published order."""
    days = _touched(report, period)
    return {**_overviews(report, days), **_pickup_rates(days), **_outcomes(report, days)}


def _touched(report: CampaignReport, period: Period) -> Days:
    """(date, calls) of every UTC day that the period touches."""
    first, last = period.start_ms // MS_PER_DAY, (period.end_ms - 1) // MS_PER_DAY
    return [
        (f"{day_text(day)}T00:00:00Z", report.days.get(day, report.nothing))
        for day in range(first, last + 1)
    ]


def _overviews(report: CampaignReport, days: Days) -> _Overviews:
    bands = {band: report.whole.integer(count) for band, count in OF_BAND.items()}
    return {
        "callsStatusOverview": _status(report.whole),
        "callsSentimentOverview": {
            "negative": bands["negative"],
            "slightlyNegative": bands["slightly_negative"],
            "neutral": bands["neutral"],
            "slightlyPositive": bands["slightly_positive"],
            "positive": bands["positive"],
        },
        "callsStatusTimeLine": [{**_status(calls), "date": date} for date, calls in days],
        "callsAverageTimeLine": [
            {
                "date": date,
                "averageCallDuration": divide(calls.integer(TALK_SECONDS), calls.integer(TIMED), 2),
            }
            for date, calls in days
        ],
        "callsCostTimeLine": [_cost(date, calls) for date, calls in days],
    }


def _pickup_rates(days: Days) -> _PickupRates:
    return {
        "callsPickupRateTimeLine": [
            {
                "date": date,
                "pickupRatePercentage": percentage(
                    calls.integer(ANSWERED), calls.integer(ALL_ROWS)
                ),
            }
            for date, calls in days
        ]
    }


def _outcomes(report: CampaignReport, days: Days) -> _Outcomes:
    events = {event: report.whole.integer(total) for event, total in OF_EVENT.items()}
    return {
        "callsSuccessRateTimeLine": [
            {
                "date": date,
                "successRatePercentage": percentage(
                    calls.integer(OF_DISPOSITION["successful"]), calls.integer(ALL_ROWS)
                ),
            }
            for date, calls in days
        ],
        "callLabelCount": _labels(report),
        "callEventsCounts": {
            "takeMessageCount": events["take_message"],
            "smsSentCount": events["sms_sent"],
            "callTransferredCount": events["call_transferred"],
            "calendarBookedCount": events["calendar_booked"],
            "emailSentCount": events["email_sent"],
        },
        "callsByHourDayOfWeeks": _hours_of_week(report.days),
    }


def _status(calls: Cell) -> StatusOverview:
    found = {value: calls.integer(count) for value, count in OF_DISPOSITION.items()}
    return {
        "totalCalls": calls.integer(ALL_ROWS),
        "totalLeads": calls.values(LEADS).distinct,
        "needRetry": found["need_retry"],
        "wrongCountryCode": found["wrong_country_code"],
        "needFollowUp": found["need_follow_up"],
        "voiceMailLeft": found["voicemail_left"],
        "successful": found["successful"],
        "unsuccessful": found["unsuccessful"],
        "wrongNumber": found["wrong_number"],
        "completed": found["completed"],
        "unreachable": found["unreachable"],
        "error": found["error"],
    }


def _cost(date: str, calls: Cell) -> CostOfDay:
    micros = calls.integer(COST)
    return {
        "date": date,
        "totalPrice": divide(micros, _MICROS, 4),
        "averageCostPerCall": divide(micros, _MICROS * calls.integer(ALL_ROWS), 4),
    }


def _labels(report: CampaignReport) -> list[LabelCount]:
    """Labels in use; one that is not registered has its id as its name."""
    counts: list[LabelCount] = []
    for label_id, count in report.whole.values(LABELS).texts().items():
        label = report.labels.get(label_id)
        counts.append(
            {
                "id": label_id,
                "name": label_id if label is None else label.name,
                "color": DEFAULT_LABEL_COLOR if label is None else label.color,
                "count": count,
            }
        )
    return sorted(counts, key=lambda row: (-row["count"], row["name"], row["id"]))


def _hours_of_week(days: Mapping[int, Cell]) -> list[HourOfWeek]:
    counts: dict[tuple[int, int], int] = {}
    for day, calls in days.items():
        weekday = (day + 4) % 7  # 1970-01-01 was a Thursday
        for hour, count in calls.values(HOURS).integers().items():
            counts[weekday, hour] = counts.get((weekday, hour), 0) + count
    return [
        {"hourOfDay": hour, "dayOfWeek": weekday, "count": count}
        for (weekday, hour), count in sorted(counts.items())
    ]
