"""Parses the body of `POST /v1/query`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rollcall.dialects.rollcall.queries.body import QueryBody, check_shape
from rollcall.dialects.rollcall.queries.cursor import Cursor, decode_cursor
from rollcall.dialects.rollcall.queries.faults import Faults
from rollcall.dialects.rollcall.queries.filters import parse_filters
from rollcall.dialects.rollcall.queries.limits import DEFAULT_ROWS
from rollcall.dialects.rollcall.queries.names import (
    BUCKETS,
    dimension_names,
    dimension_of,
    measure_names,
    name_of,
)
from rollcall.dialects.rollcall.queries.ranges import parse_bounds, parse_comparison, parse_zone
from rollcall.domain.errors import Fault, RefusedQuery
from rollcall.query.datasets import DATASETS, Dataset, Measure
from rollcall.query.model import Dimension, Selection, TimeBucket
from rollcall.query.reports.query import Order, RecordQuery


class QueryRequest(NamedTuple):
    """A valid query, its body, and when its first page was read."""

    query: RecordQuery
    body: Mapping[str, Any]
    now_ms: int


def parse_query(body: Any, org_id: str, now_ms: int) -> QueryRequest:
    """The query in a JSON body. Raises RefusedQuery with all faults."""
    if not isinstance(body, Mapping):
        raise RefusedQuery([Fault("", "must be an object", is_malformed=True)])
    faults = Faults()
    check_shape(QueryBody, body, faults)
    cursor = parse_cursor(body, org_id, now_ms, faults)
    zone = parse_zone(body, faults)
    bounds = parse_bounds(body, zone, cursor.now_ms, faults)
    previous = parse_comparison(body, bounds, zone, faults)
    _check_others(body, faults)
    if faults.has("dataset"):
        faults.refuse()
    parser = _Names(DATASETS[body.get("dataset", "calls")], body, faults)
    measures = parser.measures()
    dimensions = parser.dimensions()
    order = parser.order(measures, dimensions)
    filters = body.get("filters", [])
    conditions = parse_filters(filters if isinstance(filters, list) else [], parser.dataset, faults)
    faults.refuse()
    if zone is None or bounds is None:
        raise TypeError("a range without faults has bounds")
    query = RecordQuery(
        parser.dataset,
        tuple(measures),
        tuple(dimensions),
        Selection(parser.dataset.record_type, conditions, zone),
        bounds,
        previous,
        tuple(order),
        int(cursor.place),
        body.get("limit", DEFAULT_ROWS),
        body.get("others", False),
    )
    return QueryRequest(query, body, cursor.now_ms)


def parse_cursor(body: Mapping[str, Any], org_id: str, now_ms: int, faults: Faults) -> Cursor:
    """Where the page begins; at the first row without a cursor, or if it has a fault."""
    first = Cursor(0, now_ms)
    if "cursor" not in body or faults.has("cursor"):
        return first
    try:
        return decode_cursor(body["cursor"], org_id, body)
    except ValueError as error:
        faults.malformed(("cursor",), str(error))
        return first


def _check_others(body: Mapping[str, Any], faults: Faults) -> None:
    if body.get("others") is not True:
        return
    dimensions = body.get("dimensions", [])
    is_one = isinstance(dimensions, list) and len(dimensions) == 1
    if not is_one or dimensions[0] in BUCKETS:
        faults.malformed(("others",), "needs exactly one dimension that is not a time bucket")
    if "cursor" in body:
        faults.malformed(("others",), "must not be given with a cursor")


class _Names:
    """Resolves the names of measures and dimensions. Names that have faults are left out."""

    def __init__(self, dataset: Dataset, body: Mapping[str, Any], faults: Faults) -> None:
        self.dataset = dataset
        self._body = body
        self._faults = faults

    def measures(self) -> list[Measure]:
        """The measures of the query."""
        found: list[Measure] = []
        for n, name in self._texts("measures"):
            measure = self.dataset.measure(name)
            if measure is None:
                noun = f"a measure of {self.dataset.name}"
                self._faults.unknown(("measures", n), noun, name, measure_names(self.dataset))
            elif measure.name in [each.name for each in found]:
                self._faults.malformed(("measures", n), f"names {name} twice")
            else:
                found.append(measure)
        return found

    def dimensions(self) -> list[Dimension]:
        """The dimensions of the query, checked against its measures."""
        measures = [name for _, name in self._texts("measures")]
        found: list[Dimension] = []
        for n, name in self._texts("dimensions"):
            dimension = dimension_of(self.dataset, name)
            place = ("dimensions", n)
            if dimension is None:
                noun = f"a dimension of {self.dataset.name}"
                self._faults.unknown(place, noun, name, dimension_names(self.dataset))
            elif dimension in found:
                self._faults.malformed(place, f"names {name} twice")
            elif name in measures:
                self._faults.malformed(place, f"{name} cannot be both a measure and a dimension")
            elif isinstance(dimension, TimeBucket) and any(
                isinstance(each, TimeBucket) for each in found
            ):
                self._faults.out_of_range(place, "must be the only time bucket")
            else:
                found.append(dimension)
        return found

    def order(self, measures: Sequence[Measure], dimensions: Sequence[Dimension]) -> list[Order]:
        """The keys of the order."""
        order: list[Order] = []
        sent = self._body.get("order", [])
        for n, each in enumerate(sent if isinstance(sent, list) else []):
            if self._faults.has("order", n):
                continue
            by: Measure | int | None = next((m for m in measures if m.name == each["by"]), None)
            if by is None:
                names = [name_of(dimension) for dimension in dimensions]
                by = names.index(each["by"]) if each["by"] in names else None
            if by is None:
                known = [m.name for m in measures] + [name_of(d) for d in dimensions]
                noun = "a measure or dimension of this query"
                self._faults.unknown(("order", n, "by"), noun, each["by"], known)
            else:
                order.append(Order(by, each.get("direction", "asc") == "desc"))
        return order

    def _texts(self, key: str) -> list[tuple[int, str]]:
        """The texts of a list with their places."""
        sent = self._body.get(key, [])
        if not isinstance(sent, list):
            return []
        return [(n, name) for n, name in enumerate(sent) if isinstance(name, str)]
