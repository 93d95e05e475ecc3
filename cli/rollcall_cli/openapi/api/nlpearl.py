"""The operations of NLPearl's dialect."""

from __future__ import annotations

from typing import Any

from rollcall.dialects.nlpearl.request import MAX_DAYS, PeriodBody
from rollcall.dialects.nlpearl.response import Error, InboundAnalytics, OutboundAnalytics
from rollcall_cli.openapi.operation import UNAVAILABLE, Answer, Operation, Parameter, path_id

TAG = "NLPearl"
ABOUT = "Query in NLPearl's format."

_RANGE = f"""`from` and `to` are inclusive and less than {MAX_DAYS} days apart. Days and hours are in
UTC, and day 0 is Sunday. A time line has an entry for every day of the range, including days without
calls. Calls are counted by disposition; a lead is counted once, however often it was called."""


def _operation(
    summary: str, description: str, parameter: Parameter, answer: Any, unknown: str
) -> Operation:
    return Operation(
        tag=TAG,
        summary=summary,
        description=f"{description}\n\n{_RANGE}",
        parameters=(parameter,),
        body=PeriodBody,
        answers={
            200: Answer("The measures; every key is always present.", answer),
            400: Answer(
                "The body is malformed, the range is too long or reversed, or it has more calls or"
                " labels than one answer may read.",
                Error,
            ),
            404: Answer(unknown, Error),
            500: Answer("Internal error; `message` has the request's id.", Error),
            503: Answer(UNAVAILABLE, Error),
        },
        is_metered=True,
    )


_INBOUND = _operation(
    "Measures of an inbound campaign",
    "Only inbound calls of this campaign.",
    path_id("inboundId", "The campaign's id."),
    InboundAnalytics,
    "There is no such campaign, or it is outbound.",
)
_OUTBOUND = _operation(
    "Measures of an outbound campaign",
    "Only outbound calls of this campaign.",
    path_id("outboundId", "The campaign's id."),
    OutboundAnalytics,
    "There is no such campaign, or it is inbound.",
)
_PEARL = _operation(
    "Measures of a Pearl",
    "Calls of this campaign in either direction.",
    path_id("pearlId", "The campaign's id."),
    OutboundAnalytics,
    "There is no such campaign in either direction.",
)

OPERATIONS = {
    "get_inbound_analytics": _INBOUND,
    "get_outbound_analytics": _OUTBOUND,
    "get_pearl_analytics": _PEARL,
}
