"""Campaign analytics as NLPearl publishes them: every key is present, and lists are never null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from typing_extensions import TypedDict

from rollcall.domain import measures as m
from rollcall.domain.decimals import Number, divide, percentage
from rollcall.domain.records import DEFAULT_LABEL_COLOR
from rollcall.domain.time.calendar import MS_PER_DAY, day_text
from rollcall.domain.time.periods import Period
from rollcall.query.reports.campaign import CampaignReport
from rollcall.query.results import Tally

Days: TypeAlias = list[tuple[str, Tally, int]]

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
    """(date, measures, distinct leads) of every UTC day that the period touches."""
    first, last = period.start_ms // MS_PER_DAY, (period.end_ms - 1) // MS_PER_DAY
    days, leads = report.by_day.days, report.by_day.leads_of_day
    return [
        (f"{day_text(day)}T00:00:00Z", days.get(day) or Tally(), leads.get(day, 0))
        for day in range(first, last + 1)
    ]


def _overviews(report: CampaignReport, days: Days) -> _Overviews:
    whole = report.whole
    return {
        "callsStatusOverview": _status(whole, report.by_day.leads),
        "callsSentimentOverview": {
            "negative": whole["m0"],
            "slightlyNegative": whole["m1"],
            "neutral": whole["m2"],
            "slightlyPositive": whole["m3"],
            "positive": whole["m4"],
        },
        "callsStatusTimeLine": [
            {**_status(tally, leads), "date": date} for date, tally, leads in days
        ],
        "callsAverageTimeLine": [
            {"date": date, "averageCallDuration": divide(tally["seconds"], tally["timed"], 2)}
            for date, tally, _ in days
        ],
        "callsCostTimeLine": [_cost(date, tally) for date, tally, _ in days],
    }


def _pickup_rates(days: Days) -> _PickupRates:
    return {
        "callsPickupRateTimeLine": [
            {"date": date, "pickupRatePercentage": percentage(tally["answered"], tally["calls"])}
            for date, tally, _ in days
        ]
    }


def _outcomes(report: CampaignReport, days: Days) -> _Outcomes:
    whole = report.whole
    return {
        "callsSuccessRateTimeLine": [
            {
                "date": date,
                "successRatePercentage": percentage(tally["d.successful"], tally["calls"]),
            }
            for date, tally, _ in days
        ],
        "callLabelCount": _labels(report),
        "callEventsCounts": {
            "takeMessageCount": whole["e.take_message"],
            "smsSentCount": whole["e.sms_sent"],
            "callTransferredCount": whole["e.call_transferred"],
            "calendarBookedCount": whole["e.calendar_booked"],
            "emailSentCount": whole["e.email_sent"],
        },
        "callsByHourDayOfWeeks": _hours_of_week(report.by_day.days),
    }


def _status(tally: Tally, leads: int) -> StatusOverview:
    return {
        "totalCalls": tally["calls"],
        "totalLeads": leads,
        "needRetry": tally["d.need_retry"],
        "wrongCountryCode": tally["d.wrong_country_code"],
        "needFollowUp": tally["d.need_follow_up"],
        "voiceMailLeft": tally["d.voicemail_left"],
        "successful": tally["d.successful"],
        "unsuccessful": tally["d.unsuccessful"],
        "wrongNumber": tally["d.wrong_number"],
        "completed": tally["d.completed"],
        "unreachable": tally["d.unreachable"],
        "error": tally["d.error"],
    }


def _cost(date: str, tally: Tally) -> CostOfDay:
    micros, calls = tally["cost_micros"], tally["calls"]
    return {
        "date": date,
        "totalPrice": divide(micros, _MICROS, 4),
        "averageCostPerCall": divide(micros, _MICROS * calls, 4),
    }


def _labels(report: CampaignReport) -> list[LabelCount]:
    """Labels in use; one that is not registered has its id as its name."""
    counts: list[LabelCount] = []
    for label_id, count in report.whole.values(m.LABEL).items():
        if label_id is None:
            continue
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


def _hours_of_week(days: Mapping[int, Tally]) -> list[HourOfWeek]:
    counts: dict[tuple[int, int], int] = {}
    for day, tally in days.items():
        weekday = (day + 4) % 7  # 1970-01-01 was a Thursday
        for hour in range(24):
            count = tally[f"h{hour:02d}"]
            if count:
                counts[weekday, hour] = counts.get((weekday, hour), 0) + count
    return [
        {"hourOfDay": hour, "dayOfWeek": weekday, "count": count}
        for (weekday, hour), count in sorted(counts.items())
    ]
