"""Parses the body of a Breeze query."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final, NoReturn

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from rollcall.dialects.breeze.query_type import OverTimeType, QueryType
from rollcall.dialects.breeze.query_types import QUERY_TYPE_OF
from rollcall.dialects.validation import message_of
from rollcall.domain.decimals import at_least, at_most
from rollcall.domain.errors import BadValues, Issue, MalformedQuery
from rollcall.domain.facts import payload_text
from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.calendar import MS_PER_DAY, MS_PER_HOUR
from rollcall.domain.time.periods import parse_end, parse_start
from rollcall.domain.time.zones import UTC, Zone
from rollcall.domain.validation import (
    ID_SCHEMA,
    MAX_AMOUNT,
    MAX_PAYLOAD_KEYS,
    PAYLOAD_KEY,
    parse_id,
    parse_payload_value,
)
from rollcall.query.model import Selection
from rollcall.query.reports.breeze import BreezeQuery, ByBucket

MAX_PAGE: Final = 1_000_000_000
MAX_PAGE_SIZE: Final = 1_000
MAX_RANGE_DAYS: Final = 400


@dataclass(frozen=True, slots=True)
class BreezeRequest:
    """A valid request: the query, and the page of its rows to return. `page` counts from 1."""

    query_type: QueryType
    query: BreezeQuery
    page: int
    page_size: int

    @property
    def first_row(self) -> int:
        """The index of the first row of the page, from 0."""
        return (self.page - 1) * self.page_size


# There are two kinds of errors: a JSON value of the wrong type makes the query malformed (400), an
# invalid value of the right type does not (422).
_WRONG_TYPE: Final = "wrong_type"
_MALFORMED: Final = frozenset({_WRONG_TYPE, "missing", "extra_forbidden", "model_type"})


def _wrong_type(rule: str) -> PydanticCustomError:
    return PydanticCustomError(_WRONG_TYPE, "{rule}", {"rule": rule})


def _query_type(value: Any) -> QueryType:
    if not isinstance(value, str) or value not in QUERY_TYPE_OF:
        raise _wrong_type(f"must be one of {', '.join(QUERY_TYPE_OF)}")
    return QUERY_TYPE_OF[value]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _id(value: Any) -> str:
    if not isinstance(value, str) and not _is_number(value):
        raise _wrong_type("must be a string or an integer")
    return parse_id(value)


def _bound(value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong_type("must be a string")
    return value


def _number(most: int | None) -> Callable[[Any], Decimal]:
    def parse(value: Any) -> Decimal:
        if not _is_number(value):
            raise _wrong_type("must be a number")
        number = Decimal(value)
        if number < 0:
            raise ValueError("must be at least 0")
        if most is not None and number > most:
            raise ValueError(f"must be from 0 to {most}")
        return number

    return parse


def _payload_filters(value: Any) -> dict[str, str] | None:
    """Keys and values as stored; None if no payload can match."""
    if not isinstance(value, dict):
        raise _wrong_type("must be an object")
    wanted: dict[str, str] = {}
    is_possible = len(value) <= MAX_PAYLOAD_KEYS
    for key, item in value.items():
        if isinstance(item, dict | list):
            raise _wrong_type("must have values that are strings, numbers, booleans or null")
        try:
            wanted[key] = payload_text(parse_payload_value(item))
        except ValueError:
            is_possible = False
        is_possible = is_possible and PAYLOAD_KEY.fullmatch(key) is not None
    return wanted if is_possible else None


def _integer(most: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError("must be an integer")
        if not 1 <= value <= most:
            raise ValueError(f"must be from 1 to {most}")
        return value

    return parse


def _granularity(value: Any) -> Granularity:
    known = [granularity.value for granularity in Granularity]
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"must be one of {', '.join(known)}")
    return Granularity(value)


def _zone(value: Any) -> Zone:
    if not isinstance(value, str):
        raise ValueError("must be the name of an IANA time zone")
    return Zone(value)


def _schema(description: str, **keywords: Any) -> WithJsonSchema:
    return WithJsonSchema({"description": description, **keywords})


_BOUND_SCHEMA: Final = _schema(
    "An RFC 3339 instant; a time without an offset, local to `timezone`; or a date, the whole local"
    " day. Inclusive: a bound without a fraction covers its whole second.",
    type="string",
)
_DURATION_SCHEMA: Final = _schema("Seconds, inclusive.", type="number", minimum=0)
_SENTIMENT_SCHEMA: Final = _schema("Inclusive.", type="number", minimum=0, maximum=1)

_Id = Annotated[str | None, PlainValidator(_id), WithJsonSchema(ID_SCHEMA)]
_Bound = Annotated[str | None, PlainValidator(_bound), _BOUND_SCHEMA]
_Duration = Annotated[Decimal | None, PlainValidator(_number(None)), _DURATION_SCHEMA]
_Sentiment = Annotated[Decimal | None, PlainValidator(_number(1)), _SENTIMENT_SCHEMA]


class Filters(BaseModel):
    """Conditions that must all hold. Calls without a duration or sentiment match no bound on it."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    template_id: _Id = None
    merchant_id: _Id = None
    reseller_id: _Id = None
    date_from: _Bound = None
    date_to: _Bound = None
    min_duration: _Duration = None
    max_duration: _Duration = None
    sentiment_min: _Sentiment = None
    sentiment_max: _Sentiment = None
    payload_filters: Annotated[
        dict[str, str] | None,
        PlainValidator(_payload_filters),
        _schema(
            "Payload keys and the values that they must have. Values of different types never"
            " match, and a missing key does not match null.",
            type="object",
            additionalProperties={"type": ["string", "number", "boolean", "null"]},
        ),
    ] = Field(default_factory=dict)


class QueryBody(BaseModel):
    """A query."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    query_type: Annotated[
        QueryType,
        PlainValidator(_query_type),
        _schema("The type of the query.", type="string", enum=list(QUERY_TYPE_OF)),
    ]
    filters: Filters = Field(default_factory=Filters)
    granularity: Annotated[
        Granularity,
        PlainValidator(_granularity),
        _schema(
            "Length of a bucket, for the over-time types.",
            type="string",
            enum=[g.value for g in Granularity],
            default=Granularity.DAY.value,
        ),
    ] = Granularity.DAY
    page: Annotated[
        int,
        PlainValidator(_integer(MAX_PAGE)),
        _schema(
            "The page of rows to return, from 1.",
            type="integer",
            minimum=1,
            maximum=MAX_PAGE,
            default=1,
        ),
    ] = 1
    page_size: Annotated[
        int,
        PlainValidator(_integer(MAX_PAGE_SIZE)),
        _schema("Rows per page.", type="integer", minimum=1, maximum=MAX_PAGE_SIZE, default=50),
    ] = 50
    timezone: Annotated[
        Zone | None,
        PlainValidator(_zone),
        _schema(
            "IANA time zone of buckets, hours and bounds without an offset. A Rollcall extension.",
            type="string",
            default=UTC.name,
        ),
    ] = None


def parse_query(body: Any) -> BreezeRequest:
    """The request in a JSON body.

    Raises MalformedQuery (400) for a body of the wrong shape, and BadValues (422) for values that
    break a rule. Bounds are checked only if every other value is valid.
    """
    if not isinstance(body, dict):
        raise MalformedQuery("The body must be an object.")
    try:
        query = QueryBody.model_validate(body)
    except ValidationError as error:
        _refuse(error)
    zone = query.timezone or UTC
    filters = query.filters
    issues: list[Issue] = []
    start_ms = _parse_bound(filters, "date_from", parse_start, zone, issues)
    end_ms = _parse_bound(filters, "date_to", parse_end, zone, issues)
    if start_ms is not None and end_ms is not None:
        issues += _range_issues(start_ms, end_ms, has_zone=query.timezone is not None)
    issues += _limit_issues(filters)
    if query.query_type.is_about_leads:
        issues += [
            Issue(("filters", name), "does not apply to leads")
            for name in ("min_duration", "max_duration", "sentiment_min", "sentiment_max")
            if getattr(filters, name) is not None
        ]
    if issues:
        raise BadValues(issues)
    query_type = query.query_type
    measured = (
        ByBucket(query.granularity, query_type.is_timed)
        if isinstance(query_type, OverTimeType)
        else query_type.groups
    )
    return BreezeRequest(
        query_type,
        BreezeQuery(measured, _selection(query), start_ms, end_ms, zone),
        query.page,
        query.page_size,
    )


def _refuse(error: ValidationError) -> NoReturn:
    found = error.errors(include_url=False, include_input=False)
    for problem in found:
        if problem["type"] in _MALFORMED:
            path = ".".join(map(str, problem["loc"]))
            raise MalformedQuery(f"{path[:128]} {message_of(problem)}.") from None
    raise BadValues(
        [Issue(tuple(map(str, problem["loc"])), message_of(problem)) for problem in found]
    ) from None


def _parse_bound(
    filters: Filters,
    name: str,
    parse: Callable[[str, Zone], int],
    zone: Zone,
    issues: list[Issue],
) -> int | None:
    text = getattr(filters, name)
    if text is None:
        return None
    try:
        return parse(text, zone)
    except ValueError as error:
        issues.append(Issue(("filters", name), str(error)))
        return None


def _range_issues(start_ms: int, end_ms: int, *, has_zone: bool) -> Iterator[Issue]:
    # A range of whole local days across the end of summer time is an hour longer.
    max_ms = MAX_RANGE_DAYS * MS_PER_DAY + (MS_PER_HOUR if has_zone else 0)
    if start_ms >= end_ms:
        yield Issue(("filters", "date_from"), "must not be after date_to")
    elif end_ms - start_ms > max_ms:
        yield Issue(
            ("filters", "date_to"), f"must be at most {MAX_RANGE_DAYS} days after date_from"
        )


def _limit_issues(filters: Filters) -> Iterator[Issue]:
    for least, most in (("min_duration", "max_duration"), ("sentiment_min", "sentiment_max")):
        low, high = getattr(filters, least), getattr(filters, most)
        if low is not None and high is not None and low > high:
            yield Issue(("filters", least), f"must not be greater than {most}")


def _selection(query: QueryBody) -> Selection:
    filters = query.filters
    equals = {
        name: value
        for name in ("template_id", "merchant_id", "reseller_id")
        if (value := getattr(filters, name)) is not None
    }
    bounds: Mapping[str, tuple[int, int]] = {
        column: _column_bounds(least, most, places, largest)
        for column, least, most, places, largest in (
            ("duration_seconds", filters.min_duration, filters.max_duration, 0, MAX_AMOUNT),
            ("sentiment_milli", filters.sentiment_min, filters.sentiment_max, 3, 1),
        )
        if least is not None or most is not None
    }
    record_type = "lead" if query.query_type.is_about_leads else "call"
    payload = filters.payload_filters
    return Selection(record_type, equals, bounds, payload or {}, can_match=payload is not None)


def _column_bounds(
    least: Decimal | None, most: Decimal | None, places: int, largest: int
) -> tuple[int, int]:
    """The smallest and the largest stored integer between two bounds, which are not rounded."""
    beyond = Decimal(largest + 1)  # any larger number has the same effect
    low = 0 if least is None else at_least(min(least, beyond), places)
    high = at_most(beyond if most is None else min(most, beyond), places)
    return low, high
