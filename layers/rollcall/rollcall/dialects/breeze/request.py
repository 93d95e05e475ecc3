"""Parses the body of a Breeze query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NoReturn

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetPydanticSchema,
    PlainValidator,
    ValidationError,
)
from pydantic_core import ErrorDetails, PydanticCustomError, core_schema

from rollcall.dialects.breeze.query_type import (
    CountsType,
    OverTimeType,
    QueryType,
    TotalsType,
)
from rollcall.dialects.breeze.query_types import QUERY_TYPE_OF
from rollcall.domain.errors import BadValues, Issue, MalformedQuery
from rollcall.domain.facts import payload_text
from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.calendar import MS_PER_DAY, MS_PER_HOUR
from rollcall.domain.time.periods import Bounds, parse_end, parse_start
from rollcall.domain.time.zones import UTC, Zone
from rollcall.domain.validation import (
    MAX_PAYLOAD_KEYS,
    PAYLOAD_KEY,
    parse_payload_value,
)
from rollcall.query.components import Component
from rollcall.query.conditions import NOWHERE, Comparison, Condition, equals
from rollcall.query.datasets import DATASETS
from rollcall.query.fields import Op, field_of_key
from rollcall.query.model import Dimension, Selection, TimeBucket
from rollcall.query.reports.breeze import BreezeQuery
from rollcall.wire import AsNumber, Id, message_of

MAX_PAGE: Final = 1_000_000_000
MAX_PAGE_SIZE: Final = 1_000
MAX_HOURLY_DAYS: Final = 400


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


# Two kinds of errors: a query of another shape, or with another JSON type in `query_type` or
# `filters`, is malformed (400); a value that breaks a rule, and all else about the options, is not (422).
_NO_OBJECT: Final = frozenset({"missing", "extra_forbidden", "model_type"})
_OTHER_TYPE: Final = frozenset(
    {"id_type", "number_type", "string_type", "dict_type", "payload_type"}
)
_ABSENT: Final[Any] = None  # the default of an optional field: not validated, so null is refused


def _payload_filters(wanted: Any) -> dict[str, str] | None:
    """Keys and values as stored; None if no payload can match."""
    if not isinstance(wanted, dict):
        raise PydanticCustomError("dict_type", "must be an object")
    if any(isinstance(item, dict | list) for item in wanted.values()):
        raise PydanticCustomError(
            "payload_type", "must have values that are strings, numbers, booleans or null"
        )
    if len(wanted) > MAX_PAYLOAD_KEYS or not all(map(PAYLOAD_KEY.fullmatch, wanted)):
        return None
    try:
        return {key: payload_text(parse_payload_value(item)) for key, item in wanted.items()}
    except ValueError:
        return None


def _zone(value: Any) -> Zone:
    if not isinstance(value, str):
        raise ValueError("must be the name of an IANA time zone")
    return Zone(value)


# On the wire a query type is its name.
_QueryType = Annotated[
    QueryType,
    GetPydanticSchema(
        lambda _source, _handler: core_schema.no_info_after_validator_function(
            QUERY_TYPE_OF.__getitem__, core_schema.literal_schema(list(QUERY_TYPE_OF))
        )
    ),
]
_Bound = Annotated[
    str,
    Field(
        strict=True,
        description="An RFC 3339 instant; a time without an offset, local to `timezone`; or a date,"
        " the whole local day. Inclusive: a bound without a fraction covers its whole second.",
    ),
]
# Infinite is what a number is whose exponent no Decimal holds.
_Duration = Annotated[
    Decimal, Field(ge=0, allow_inf_nan=True, description="Seconds, inclusive."), AsNumber
]
_Sentiment = Annotated[
    Decimal, Field(ge=0, le=1, allow_inf_nan=True, description="Inclusive."), AsNumber
]


class Filters(BaseModel):
    """Conditions that must all hold. Calls without a duration or sentiment match no bound on it."""

    model_config = ConfigDict(extra="forbid")

    template_id: Id = _ABSENT
    merchant_id: Id = _ABSENT
    reseller_id: Id = _ABSENT
    date_from: _Bound = _ABSENT
    date_to: _Bound = _ABSENT
    min_duration: _Duration = _ABSENT
    max_duration: _Duration = _ABSENT
    sentiment_min: _Sentiment = _ABSENT
    sentiment_max: _Sentiment = _ABSENT
    payload_filters: Annotated[
        dict[str, str] | None,
        PlainValidator(
            _payload_filters, json_schema_input_type=dict[str, str | Decimal | bool | None]
        ),
    ] = Field(
        default_factory=dict,
        description="Payload keys and the values that they must have. Values of different types never"
        " match, and a missing key does not match null.",
    )


class QueryBody(BaseModel):
    """A query."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    query_type: _QueryType = Field(description="The type of the query.")
    filters: Filters = Field(default_factory=Filters)
    granularity: Literal["hour", "day", "week", "month"] = Field(
        "day", description="Length of a bucket, for the over-time types."
    )
    page: int = Field(
        1, strict=True, ge=1, le=MAX_PAGE, description="The page of rows to return, from 1."
    )
    page_size: int = Field(50, strict=True, ge=1, le=MAX_PAGE_SIZE, description="Rows per page.")
    timezone: Annotated[Zone | None, PlainValidator(_zone, json_schema_input_type=str)] = Field(
        None,
        description="IANA time zone of buckets, hours and bounds without an offset. A Rollcall"
        " extension.",
        json_schema_extra={"default": UTC.name},
    )


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
        issues += _range_issues(query, start_ms, end_ms)
    issues += _limit_issues(filters)
    if query.query_type.is_about_leads:
        issues += [
            Issue(("filters", name), "does not apply to leads")
            for name in ("min_duration", "max_duration", "sentiment_min", "sentiment_max")
            if getattr(filters, name) is not None
        ]
    if issues:
        raise BadValues(issues)
    bounds = Bounds(start_ms, end_ms)
    return BreezeRequest(
        query.query_type,
        BreezeQuery(*_counted(query), _selection(query, zone), bounds),
        query.page,
        query.page_size,
    )


def _counted(query: QueryBody) -> tuple[Dimension | None, tuple[Component, ...]]:
    """The dimension and the components of a query."""
    match query.query_type:
        case CountsType(by=field):
            return field, ()
        case TotalsType(components=components):
            return None, components
        case OverTimeType(components=components):
            return TimeBucket(Granularity(query.granularity)), components


def _refuse(error: ValidationError) -> NoReturn:
    found = error.errors(include_url=False, include_input=False)
    for problem in found:
        if _is_malformed(problem):
            path = ".".join(map(str, problem["loc"]))
            raise MalformedQuery(f"{path[:128]} {message_of(problem)}.") from None
    raise BadValues(
        [Issue(tuple(map(str, problem["loc"])), message_of(problem)) for problem in found]
    ) from None


def _is_malformed(problem: ErrorDetails) -> bool:
    place, type_ = problem["loc"][0], problem["type"]
    return (
        type_ in _NO_OBJECT
        or place == "query_type"
        or (place == "filters" and type_ in _OTHER_TYPE)
    )


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


def _range_issues(query: QueryBody, start_ms: int, end_ms: int) -> Iterator[Issue]:
    if start_ms >= end_ms:
        yield Issue(("filters", "date_from"), "must not be after date_to")
        return
    if not isinstance(query.query_type, OverTimeType) or query.granularity != "hour":
        return
    # A range of whole local days across the end of summer time is an hour longer.
    max_ms = MAX_HOURLY_DAYS * MS_PER_DAY + (0 if query.timezone is None else MS_PER_HOUR)
    if end_ms - start_ms > max_ms:
        yield Issue(
            ("filters", "date_to"),
            f"must be at most {MAX_HOURLY_DAYS} days after date_from with granularity hour",
        )


def _limit_issues(filters: Filters) -> Iterator[Issue]:
    for least, most in (("min_duration", "max_duration"), ("sentiment_min", "sentiment_max")):
        low, high = getattr(filters, least), getattr(filters, most)
        if low is not None and high is not None and low > high:
            yield Issue(("filters", least), f"must not be greater than {most}")


def _selection(query: QueryBody, zone: Zone) -> Selection:
    filters = query.filters
    dataset = DATASETS["leads" if query.query_type.is_about_leads else "calls"]
    fields = dataset.fields
    conditions: list[Condition] = [
        equals(fields[name], value)
        for name in ("template_id", "merchant_id", "reseller_id")
        if (value := getattr(filters, name)) is not None
    ]
    for field, op, name in _BOUNDS:
        bound = getattr(filters, name)
        if bound is not None:
            # Any number beyond the greatest has the same effect, and may be too large to scale.
            most = Decimal(fields[field].most + 1)
            conditions.append(Comparison(fields[field], op, (min(bound, most),)))
    if filters.payload_filters is None:
        conditions.append(NOWHERE)
    else:
        conditions += [
            Comparison(field_of_key(key), Op.EQ, (text,))
            for key, text in filters.payload_filters.items()
        ]
    if isinstance(query.query_type, OverTimeType) and query.query_type.where is not None:
        conditions.append(query.query_type.where)
    return Selection(dataset.record_type, tuple(conditions), zone)


_BOUNDS: Final = (
    ("duration_seconds", Op.GTE, "min_duration"),
    ("duration_seconds", Op.LTE, "max_duration"),
    ("sentiment", Op.GTE, "sentiment_min"),
    ("sentiment", Op.LTE, "sentiment_max"),
)
