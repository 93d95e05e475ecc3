"""The shape of the bodies of `POST /v1/query` and `POST /v1/calls/search`.

pydantic checks the JSON types and describes them in JSON Schema. What depends on the dataset, on the
clock or on several fields is checked in `request` and the modules beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetPydanticSchema,
    StringConstraints,
    Tag,
    ValidationError,
)
from pydantic_core import core_schema

from rollcall.dialects.rollcall.queries.faults import Faults
from rollcall.dialects.rollcall.queries.limits import (
    DEFAULT_CALLS,
    DEFAULT_ROWS,
    MAX_CALLS,
    MAX_DIMENSIONS,
    MAX_MEASURES,
    MAX_ROWS,
)
from rollcall.domain.time.named_periods import COMPARISONS, PERIODS
from rollcall.nearest import nearest_first
from rollcall.query.datasets import DATASETS
from rollcall.query.fields import Op
from rollcall.wire import message_of

_ABSENT: Final[Any] = None  # the default of an optional field: not validated, so null is refused

Text = Annotated[str, StringConstraints(strict=True)]


def _one_of(names: Iterable[str]) -> GetPydanticSchema:
    """The schema of a string that is one of some names."""
    return GetPydanticSchema(lambda _source, _handler: core_schema.literal_schema([*names]))


_Dataset = Annotated[str, _one_of(DATASETS)]
_Op = Annotated[str, _one_of(op.value for op in Op)]
_Period = Annotated[str, _one_of(PERIODS)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class PlainCondition(_Body):
    """A field, an operator and a value: a list for `in`, `not_in` and `between`."""

    field: Text
    op: _Op
    value: Any = Field(
        _ABSENT,
        description="A text, a number or a boolean, or a list of them. `is_null` and `not_null` have"
        " no value.",
        json_schema_extra={"type": ["string", "number", "boolean", "array"]},
    )


class AnyCondition(_Body):
    """Holds if one of the conditions holds."""

    any: list[Condition]


class AllCondition(_Body):
    """Holds if all conditions hold."""

    all: list[Condition]


class NotCondition(_Body):
    """Holds if the condition does not."""

    not_: Condition = Field(alias="not")


# The tags are in the places of pydantic's errors, and no field has such a name.
_TAGS: Final = {"any": "<any>", "all": "<all>", "not": "<not>"}
_PLAIN: Final = "<plain>"


def _tag(condition: Any) -> str:
    if isinstance(condition, dict):
        return next((tag for key, tag in _TAGS.items() if key in condition), _PLAIN)
    return _PLAIN


Condition = Annotated[
    Annotated[PlainCondition, Tag(_PLAIN)]
    | Annotated[AnyCondition, Tag(_TAGS["any"])]
    | Annotated[AllCondition, Tag(_TAGS["all"])]
    | Annotated[NotCondition, Tag(_TAGS["not"])],
    Discriminator(_tag),
]


class Between(_Body):
    """The bounds of a period, both inclusive."""

    from_: Text = Field(alias="from")
    to: Text


_Compare = Annotated[
    Annotated[str, _one_of(COMPARISONS), Tag("<name>")] | Annotated[Between, Tag("<between>")],
    Discriminator(lambda sent: "<between>" if isinstance(sent, dict) else "<name>"),
]


class OrderBy(_Body):
    """One key of the order of rows."""

    by: Text = Field(description="A measure or a dimension of the query.")
    direction: Literal["asc", "desc"] = "asc"


class RangeBody(_Body):
    """The records that a query is about."""

    filters: list[Condition] = Field(
        default_factory=list, description="Conditions that must all hold."
    )
    from_: Text = Field(
        _ABSENT,
        alias="from",
        description="An RFC 3339 instant; a time without an offset, local to `timezone`; or a date,"
        " the whole local day. Inclusive; absent: open.",
    )
    to: Text = Field(
        _ABSENT, description="As `from`; a bound without a fraction covers its whole second."
    )
    period: _Period = Field(
        _ABSENT, description="Instead of `from` and `to`: whole local days of `timezone`."
    )
    timezone: Text = Field("UTC", description="IANA time zone of days, hours and buckets.")
    cursor: Text = Field(_ABSENT, description="The `next` of the page before.")


class QueryBody(RangeBody):
    """A query: measures of records by dimensions."""

    dataset: _Dataset = Field("calls", description="The records to query.")
    measures: list[Text] = Field(
        min_length=1, max_length=MAX_MEASURES, description="Names of measures of the dataset."
    )
    dimensions: list[Text] = Field(
        default_factory=list,
        max_length=MAX_DIMENSIONS,
        description="Names of dimensions; at most one of them is a time bucket.",
    )
    compare: _Compare = Field(_ABSENT, description="The period to compare with; needs both bounds.")
    order: list[OrderBy] = Field(
        default_factory=list,
        description="Default: the time bucket ascending, else the first measure descending.",
    )
    limit: Annotated[int, Field(strict=True, ge=1, le=MAX_ROWS)] = Field(
        DEFAULT_ROWS, description="Rows of one page."
    )
    others: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Whether the rows past `limit` become one row."
    )


class SearchBody(RangeBody):
    """A search for calls."""

    order: Literal["newest", "oldest"] = "newest"
    limit: Annotated[int, Field(strict=True, ge=1, le=MAX_CALLS)] = Field(
        DEFAULT_CALLS, description="Calls of one page."
    )


_OF_TAG: Final[Mapping[str, type[BaseModel]]] = {
    "<any>": AnyCondition,
    "<all>": AllCondition,
    "<not>": NotCondition,
}
# Of pydantic's errors, those about a value that has the right type.
_OF_RANGES: Final = frozenset({"too_long", "too_short", "greater_than_equal", "less_than_equal"})


def check_shape(model: type[BaseModel], body: Any, faults: Faults) -> None:
    """Add the faults of a body's shape."""
    try:
        model.model_validate(body)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            path = [part for part in problem["loc"] if not _is_tag(part)]
            message = message_of(problem)
            if problem["type"] in _OF_RANGES:
                faults.out_of_range(path, message)
            elif problem["type"] == "extra_forbidden":
                names = nearest_first(str(path[-1]), _keys_beside(model, body, path[:-1]))
                faults.malformed(path, f"{message}; known are {', '.join(names)}")
            else:
                faults.malformed(path, message)


def _keys_beside(model: type[BaseModel], body: Any, path: Sequence[str | int]) -> list[str]:
    """The keys that an object in a body may have."""
    inside = model
    if path:
        of_key: dict[str, type[BaseModel]] = {"order": OrderBy, "compare": Between}
        inside = of_key.get(str(path[0]), PlainCondition)
        value = body
        for part in path:
            value = value[part]
        if str(path[0]) == "filters":
            inside = _OF_TAG.get(_tag(value), PlainCondition)
    return [field.alias or name for name, field in inside.model_fields.items()]


def _is_tag(part: str | int) -> bool:
    """Whether a part of a place is the name of a type, which is not in the body."""
    return isinstance(part, str) and part.startswith("<")
