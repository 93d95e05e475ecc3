"""Parses the body of a request for campaign analytics."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, WithJsonSchema

from rollcall.domain.errors import MalformedQuery
from rollcall.domain.time.calendar import MS_PER_DAY, parse_instant
from rollcall.domain.time.periods import Period, parse_end, parse_start
from rollcall.domain.validation import parse_instant_text
from rollcall.wire import INSTANT_SCHEMA, message_of

MAX_DAYS: Final = 91


def _instant(value: Any) -> str:
    parse_instant_text(value)
    return str(value)


_Instant = Annotated[
    str,
    PlainValidator(_instant),
    WithJsonSchema(
        {
            **INSTANT_SCHEMA,
            "description": f"{INSTANT_SCHEMA['description']} Inclusive: without a fraction it"
            " covers its whole second.",
        }
    ),
]


class PeriodBody(BaseModel):
    """The range of the analytics, of less than 91 days."""

    model_config = ConfigDict(extra="forbid")

    from_: _Instant = Field(alias="from")
    to: _Instant


def parse_period(body: Any) -> Period:
    """The range in a JSON body. Raises MalformedQuery with the field and the rule."""
    if not isinstance(body, dict):
        raise MalformedQuery("The body must be an object.")
    try:
        bounds = PeriodBody.model_validate(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        raise MalformedQuery(f"{str(problem['loc'][0])[:64]} {message_of(problem)}.") from None
    if parse_instant(bounds.to) - parse_instant(bounds.from_) >= MAX_DAYS * MS_PER_DAY:
        raise MalformedQuery(f"to must be less than {MAX_DAYS} days after from.")
    period = Period(parse_start(bounds.from_, None), parse_end(bounds.to, None))
    if period.start_ms >= period.end_ms:
        raise MalformedQuery("from must not be after to.")
    return period
