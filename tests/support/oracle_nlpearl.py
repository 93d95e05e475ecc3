"""NLPearl's analytics by brute force: docs/contract.md#nlpearl over the raw calls.

`nlpearl(oracle, route, campaign_id, body)` gives the status and, for 200, the exact body. It looks
at one call after the other and counts; it imports nothing of `rollcall`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from tests.support.oracle import (
    DISPOSITIONS,
    TIMESTAMP,
    InvalidOperation,
    Oracle,
    day_of,
    instant,
    moment,
    ratio,
)

DAY_MS = 86_400_000
ROUTES = {
    "inbound": ("inbound",),
    "outbound": ("outbound",),
    "pearl": ("inbound", "outbound"),
}
COUNTERS = dict(
    zip(
        "needRetry wrongCountryCode needFollowUp voiceMailLeft successful unsuccessful "
        "wrongNumber completed unreachable error".split(),
        DISPOSITIONS,
        strict=True,
    )
)
SENTIMENTS = "negative slightlyNegative neutral slightlyPositive positive".split()
EVENTS = {
    "takeMessageCount": "take_message",
    "smsSentCount": "sms_sent",
    "callTransferredCount": "call_transferred",
    "calendarBookedCount": "calendar_booked",
    "emailSentCount": "email_sent",
}

Content = dict[str, Any]


def nlpearl(oracle: Oracle, route: str, campaign_id: str, body: Any) -> tuple[int, Any]:
    """(200, body), or (400, None) or (404, None)."""
    directions = ROUTES[route]
    if not any((direction, campaign_id) in oracle.known_campaigns() for direction in directions):
        return 404, None
    try:
        first, last = period(body)
    except InvalidOperation:
        return 400, None
    calls = [
        call
        for _, call in oracle.live("call")
        if call["campaign_id"] == campaign_id
        and call["direction"] in directions
        and first <= call["started_at"] <= last
    ]
    return 200, report(oracle, calls, days(first, last), with_pickups=route != "inbound")


def period(body: Any) -> tuple[int, int]:
    """The first and last millisecond asked for. Raises Refused."""
    if not isinstance(body, dict) or body.keys() != {"from", "to"}:
        raise InvalidOperation("body", "from and to")
    from_, to = instant(body["from"], "from"), instant(body["to"], "to")
    written = TIMESTAMP.fullmatch(body["to"])
    assert written is not None
    last = to if written[7] is not None else to + 999
    if from_ > last or to - from_ >= 91 * DAY_MS:
        raise InvalidOperation("to", "from after to, or 91 days or more")
    return from_, last


def days(first: int, last: int) -> list[str]:
    """Every UTC day from one instant to another."""
    begin, end = (date.fromisoformat(day_of(moment)).toordinal() for moment in (first, last))
    return [date.fromordinal(ordinal).isoformat() for ordinal in range(begin, end + 1)]


def report(oracle: Oracle, calls: list[Content], days: list[str], with_pickups: bool) -> Content:
    by_day: dict[str, list[Content]] = {day: [] for day in days}
    for call in calls:
        by_day[day_of(call["started_at"])].append(call)

    def time_line(entry: Any) -> list[Content]:
        return [{"date": f"{day}T00:00:00Z", **entry(own)} for day, own in by_day.items()]

    body = {
        "callsStatusOverview": statuses(calls),
        "callsSentimentOverview": sentiments(calls),
        "callsStatusTimeLine": [
            {**statuses(own), "date": f"{day}T00:00:00Z"} for day, own in by_day.items()
        ],
        "callsAverageTimeLine": time_line(averages),
        "callsCostTimeLine": time_line(costs),
        "callsPickupRateTimeLine": time_line(pickup_rate),
        "callsSuccessRateTimeLine": time_line(success_rate),
        "callLabelCount": labels(oracle, calls),
        "callEventsCounts": {
            name: sum(call["events"].get(event, 0) for call in calls)
            for name, event in EVENTS.items()
        },
        "callsByHourDayOfWeeks": hours_of_week(calls),
    }
    if not with_pickups:
        del body["callsPickupRateTimeLine"]
    return body


def statuses(calls: list[Content]) -> Content:
    dispositions = Counter(call["disposition"] for call in calls)
    leads = {call["lead_id"] for call in calls if call["lead_id"] is not None}
    counts = {name: dispositions[disposition] for name, disposition in COUNTERS.items()}
    return {"totalCalls": len(calls), "totalLeads": len(leads), **counts}


def sentiments(calls: Iterable[Content]) -> Content:
    scores = [call["sentiment"] for call in calls if call["sentiment"] is not None]
    edges = (0, 200, 400, 600, 800, 1001)
    return {
        name: sum(edges[number] <= score < edges[number + 1] for score in scores)
        for number, name in enumerate(SENTIMENTS)
    }


def averages(calls: list[Content]) -> Content:
    seconds = [call["duration_seconds"] for call in calls if call["duration_seconds"] is not None]
    return {"averageCallDuration": ratio(sum(seconds), len(seconds), 2)}


def costs(calls: list[Content]) -> Content:
    micros = sum(call["cost"] or 0 for call in calls)
    return {
        "totalPrice": ratio(micros, 10**6, 4),
        "averageCostPerCall": ratio(micros, 10**6 * len(calls), 4),
    }


def success_rate(calls: list[Content]) -> Content:
    successful = sum(call["disposition"] == "successful" for call in calls)
    return {"successRatePercentage": ratio(100 * successful, len(calls), 2)}


def pickup_rate(calls: list[Content]) -> Content:
    answered = sum(call["answered"] for call in calls)
    return {"pickupRatePercentage": ratio(100 * answered, len(calls), 2)}


def labels(oracle: Oracle, calls: Iterable[Content]) -> list[Content]:
    registered = dict(oracle.live("label"))
    rows = []
    for label, count in Counter(label for call in calls for label in call["labels"]).items():
        known = registered.get(label, {"name": label, "color": "#9e9e9e"})
        rows.append({"id": label, "name": known["name"], "color": known["color"], "count": count})
    return sorted(rows, key=lambda row: (-row["count"], row["name"], row["id"]))


def hours_of_week(calls: Iterable[Content]) -> list[Content]:
    cells = Counter(
        (moment(call["started_at"]).isoweekday() % 7, moment(call["started_at"]).hour)
        for call in calls
    )
    return [
        {"hourOfDay": hour, "dayOfWeek": day, "count": count}
        for (day, hour), count in sorted(cells.items())
    ]
