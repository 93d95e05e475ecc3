"""`GET /v1/values/{dimension}`: its parameters and its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from typing_extensions import TypedDict

from rollcall.dialects.rollcall.queries.faults import Faults
from rollcall.dialects.rollcall.queries.names import BUCKETS, dimension_names, dimension_of
from rollcall.dialects.rollcall.queries.ranges import parse_bounds, parse_zone
from rollcall.domain.validation import check_text
from rollcall.nearest import nearest_first
from rollcall.query.datasets import DATASETS, Dataset
from rollcall.query.fields import Field
from rollcall.query.model import Selection
from rollcall.query.reports.values import NamedValue, ValuesQuery

MAX_VALUES_LISTED: Final = 200
DEFAULT_VALUES_LISTED: Final = 50
DEFAULT_PERIOD: Final = "last_90_days"
PARAMETERS: Final = ("dataset", "q", "from", "to", "timezone", "limit")


class Value(TypedDict):
    """One value, and how many records have it."""

    value: str | float | bool
    name: str | None
    """The name of the space, campaign, workspace, label, room or booking page with this id."""
    count: int


class ValuesFound(TypedDict):
    """Values, the most frequent first; null is not among them."""

    values: list[Value]


def parse_values(
    dimension: str, parameters: Mapping[str, Sequence[str]], now_ms: int
) -> ValuesQuery:
    """The query in a path and its query parameters, each with all of its values.

    Raises RefusedQuery with all faults; the pointer of each is `/` and the parameter's name.
    """
    faults = Faults()
    sent = _single(parameters, faults)
    dataset = _dataset(sent, faults)
    field = None if dataset is None else _field(dataset, dimension, faults)
    limit = _limit(sent, faults)
    part = _part(sent, faults)
    zone = parse_zone(sent, faults)
    is_open = "from" not in sent and "to" not in sent
    body = sent | {"period": DEFAULT_PERIOD} if is_open else sent
    bounds = parse_bounds(body, zone, now_ms, faults)
    faults.refuse()
    if dataset is None or field is None or zone is None or bounds is None:
        raise TypeError("a query without faults is complete")
    selection = Selection(dataset.record_type, (), zone)
    return ValuesQuery(dataset, field, selection, bounds, part, limit)


def values_body(values: Sequence[NamedValue]) -> dict[str, Any]:
    """The body of an answer."""
    return {
        "values": [{"value": each.value, "name": each.name, "count": each.count} for each in values]
    }


def _single(parameters: Mapping[str, Sequence[str]], faults: Faults) -> dict[str, str]:
    """The value of each parameter that is known and was sent once."""
    sent = {}
    for name, values in parameters.items():
        if name not in PARAMETERS:
            known = ", ".join(nearest_first(name, PARAMETERS))
            faults.malformed((name[:64],), f"is not a known parameter; known are {known}")
        elif len(values) != 1:
            faults.malformed((name,), "must be sent once")
        else:
            sent[name] = values[0]
    return sent


def _dataset(sent: Mapping[str, str], faults: Faults) -> Dataset | None:
    name = sent.get("dataset", "calls")
    if name not in DATASETS:
        faults.unknown(("dataset",), "a dataset", name, DATASETS)
    return DATASETS.get(name)


def _field(dataset: Dataset, dimension: str, faults: Faults) -> Field | None:
    found = dimension_of(dataset, dimension)
    if isinstance(found, Field):
        return found
    noun = f"a dimension of {dataset.name} with values"
    known = [name for name in dimension_names(dataset) if name not in BUCKETS]
    faults.unknown(("dimension",), noun, dimension, known)
    return None


def _limit(sent: Mapping[str, str], faults: Faults) -> int:
    text = sent.get("limit", str(DEFAULT_VALUES_LISTED))
    if not re.fullmatch(r"-?[0-9]+", text):
        faults.malformed(("limit",), "must be an integer")
    # No number of so many digits is in the range, and Python refuses to parse thousands of them.
    elif len(text) > 9 or not 1 <= int(text) <= MAX_VALUES_LISTED:
        faults.out_of_range(("limit",), f"must be from 1 to {MAX_VALUES_LISTED}")
    else:
        return int(text)
    return DEFAULT_VALUES_LISTED


def _part(sent: Mapping[str, str], faults: Faults) -> str:
    try:
        return check_text(sent.get("q", ""))
    except ValueError as error:
        faults.out_of_range(("q",), str(error))
        return ""
