"""Rollcall's own query language by brute force: `POST /v1/query`, the search and the values.

It keeps every live record, looks at each of them for every query, and groups, counts and sorts in the
most obvious way. Bodies are taken to be valid. It imports nothing of `rollcall`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.query_calendar import (
    TIME_BUCKETS,
    Bucket,
    Span,
    bucket_at,
    buckets,
    compared,
    span_of,
)
from tests.support.query_measures import measure
from tests.support.query_records import Content, Version, winners, written
from tests.support.query_values import (
    DATASETS,
    NULL,
    Row,
    Value,
    all_hold,
    ascending,
    shown,
)

Key = tuple[Value, ...]
NAMED = {
    "space_token": ("space", ["name"]),
    "campaign_id": ("campaign", ["name"]),
    "workspace_id": ("workspace", ["name"]),
    "label": ("label", ["name"]),
    "room_id": ("room", ["display_name", "name"]),
    "booking_page_id": ("booking_page", ["title"]),
}
"""Where the name of a value comes from: the type of record, and the first field that it has."""


@dataclass
class Group:
    """The rows behind one row of an answer, of this period and of the other."""

    key: Key
    rows: list[Row] = field(default_factory=list)
    previous: list[Row] = field(default_factory=list)
    is_others: bool = False


class Query:
    """A body with its defaults, at a time."""

    def __init__(self, body: Mapping[str, Any], now_ms: int) -> None:
        self.body = body
        self.dataset: str = body.get("dataset", "calls")
        self.measures: list[str] = body.get("measures", [])
        self.dimensions: list[str] = body.get("dimensions", [])
        self.zone = ZoneInfo(body.get("timezone", "UTC"))
        self.now_ms = now_ms
        self.span = span_of(dict(body), now_ms, self.zone)
        self.has_comparison = "compare" in body
        self.previous = Span(None, None)
        if self.has_comparison:
            self.previous = compared(self.span, body["compare"], self.zone)
        self.limit: int = body.get("limit", 1_000)

    @property
    def bucket(self) -> str | None:
        """The dimension that is a time bucket."""
        return next((name for name in self.dimensions if name in TIME_BUCKETS), None)

    def matches(self, row: Row, span: Span) -> bool:
        return span.has(row.moment) and all_hold(self.body.get("filters", []), row, self.zone)

    def measured(self, rows: Sequence[Row]) -> Content:
        return {name: measure(self.dataset, name, rows) for name in self.measures}

    def period(self, span: Span) -> Content:
        return {
            "from": None if span.start is None else written(span.start),
            "to": None if span.end is None else written(span.end),
            "timezone": self.zone.key,
        }


class QueryOracle:
    """One organisation's records, as they were sent, and every answer about them.

    `received_ms` is when the records without `updated_at` were received.
    """

    def __init__(self, records: Iterable[Mapping[str, Any]], received_ms: int = 0) -> None:
        self.facts = winners(records, received_ms)

    @cached_property
    def rows(self) -> dict[str, list[Row]]:
        """The live records of each dataset."""
        live = [fact for fact in self.facts.values() if fact.content is not None]
        return {
            name: [Row(fact) for fact in live if fact.type == type]
            for name, type in DATASETS.items()
        }

    def matching(self, query: Query, span: Span) -> list[Row]:
        return [row for row in self.rows[query.dataset] if query.matches(row, span)]

    # ---- POST /v1/query

    def answer(self, body: Mapping[str, Any], now_ms: int, skip: int = 0) -> Content:
        """The body of a 200; `skip` rows were on the pages before.

        `next` is True where there is another page. Numbers are integers or exact decimals.
        """
        query = Query(body, now_ms)
        groups = self.groups(query)
        total = len(groups)
        page = groups[skip : skip + query.limit]
        rest = groups[skip + query.limit :]
        if body.get("others") and rest:
            page.append(others(rest))
            rest = []
        answer: Content = {
            "rows": [row_of(query, group) for group in page],
            "totals": query.measured(self.matching(query, query.span)),
        }
        if query.has_comparison:
            before = self.matching(query, query.previous)
            answer["previous_totals"] = query.measured(before)
        answer["total_rows"] = total
        answer["next"] = True if rest else None
        answer["period"] = query.period(query.span)
        if query.has_comparison:
            answer["previous_period"] = query.period(query.previous)
        return answer

    def all_rows(self, body: Mapping[str, Any], now_ms: int) -> list[Content]:
        """The rows of all pages, in order; without the one of `others`."""
        query = Query(body, now_ms)
        return [row_of(query, group) for group in self.groups(query)]

    def groups(self, query: Query) -> list[Group]:
        """Every row of the answer in its order; those of the comparison alone come last."""
        rows = self.matching(query, query.span)
        found: dict[Key, Group] = {}
        if query.dimensions == [query.bucket]:
            for bucket in all_buckets(query, query.span, rows):
                of_bucket = (Value("bucket", bucket),)
                found[of_bucket] = Group(of_bucket)
        elif not query.dimensions:
            found[()] = Group(())
        for row in rows:
            for key in keys_of(query, row):
                found.setdefault(key, Group(key)).rows.append(row)
        own = len(found)
        if query.has_comparison:
            self.add_previous(query, found)
        groups = list(found.values())
        return [*in_order(query, groups[:own]), *in_order(query, groups[own:])]

    def add_previous(self, query: Query, found: dict[Key, Group]) -> None:
        """Bring the rows of the comparison to their counterparts."""
        before = self.matching(query, query.previous)
        counterparts: dict[Value, Value] = {}
        if query.bucket:
            places = all_buckets(query, query.previous, before)
            here = all_buckets(query, query.span, [])
            for one, other in zip(places, here, strict=False):
                counterparts[Value("bucket", one)] = Value("bucket", other)
        for row in before:
            for key in keys_of(query, row):
                if any(value.kind == "bucket" and value not in counterparts for value in key):
                    continue  # beyond the last bucket of this period
                paired = tuple(counterparts.get(value, value) for value in key)
                found.setdefault(paired, Group(paired)).previous.append(row)

    # ---- POST /v1/calls/search

    def search(self, body: Mapping[str, Any], now_ms: int) -> list[Content]:
        """Every call that is found, in order; those of one instant by the text of their ids."""
        query = Query({**body, "dataset": "calls"}, now_ms)
        found = sorted(self.matching(query, query.span), key=lambda row: row.id)
        newest_first = body.get("order", "newest") == "newest"
        found.sort(key=lambda row: row.moment, reverse=newest_first)
        return [document_of(row.version) for row in found]

    # ---- GET /v1/values/{dimension}

    def values(self, dimension: str, asked: Mapping[str, str], now_ms: int) -> Content:
        """The body of a 200; `asked` are the query parameters as texts."""
        body = {
            name: asked[name] for name in ("dataset", "from", "to", "timezone") if name in asked
        }
        if "from" not in body and "to" not in body:
            body["period"] = "last_90_days"
        query = Query({**body, "dimensions": [dimension]}, now_ms)
        counts: dict[Value, int] = {}
        for row in self.matching(query, query.span):
            for value in row.values(dimension, query.zone):
                counts[value] = counts.get(value, 0) + 1
        part = asked.get("q", "").casefold()
        entries = []
        for value in sorted(counts, key=ascending):
            name = self.name_of(dimension, value)
            if part in written_value(value).casefold() or (name and part in name.casefold()):
                entries.append({"value": shown(value), "name": name, "count": counts[value]})
        entries.sort(key=lambda entry: -entry["count"])
        return {"values": entries[: int(asked.get("limit", "50"))]}

    def name_of(self, dimension: str, value: Value) -> str | None:
        if dimension not in NAMED:
            return None
        type, fields = NAMED[dimension]
        fact = self.facts.get((type, value.value))
        content = fact.content if fact is not None and fact.content is not None else {}
        return next((content[each] for each in fields if content.get(each) is not None), None)


# ------------------------------------------------------------------ rows


def keys_of(query: Query, row: Row) -> list[Key]:
    """The rows of the answer that a row counts in: one, or one for each of its labels."""
    values = [row.values(name, query.zone) or [NULL] for name in query.dimensions]
    return list(product(*values))


def all_buckets(query: Query, span: Span, rows: Sequence[Row]) -> list[Bucket]:
    assert query.bucket is not None
    return buckets(span, [row.moment for row in rows], query.bucket, query.zone)


def row_of(query: Query, group: Group) -> Content:
    row: Content = dict(zip(query.dimensions, map(shown, group.key), strict=True))
    row |= query.measured(group.rows)
    if group.is_others:
        row["others"] = True
    if query.dimensions == [query.bucket]:
        assert query.bucket is not None
        if group.key[0].value == bucket_at(query.now_ms, query.bucket, query.zone):
            row["complete"] = False
    if query.has_comparison:
        row["previous"] = query.measured(group.previous)
    return row


def others(groups: Iterable[Group]) -> Group:
    """One row of many, in which each record counts once."""
    rows: dict[str, Row] = {}
    previous: dict[str, Row] = {}
    for group in groups:
        rows |= {row.id: row for row in group.rows}
        previous |= {row.id: row for row in group.previous}
    return Group((NULL,), list(rows.values()), list(previous.values()), is_others=True)


def in_order(query: Query, groups: list[Group]) -> list[Group]:
    """By what is asked, then by the dimensions ascending; null is last in both directions."""
    order = query.body.get("order") or [default_order(query)]
    ties = [{"by": name, "direction": "asc"} for name in query.dimensions]
    for entry in reversed([*order, *ties]):
        sort(query, groups, entry["by"], descending=entry["direction"] == "desc")
    return groups


def default_order(query: Query) -> Content:
    if query.bucket:
        return {"by": query.bucket, "direction": "asc"}
    return {"by": query.measures[0], "direction": "desc"}


def sort(query: Query, groups: list[Group], by: str, *, descending: bool) -> None:
    """Sort the groups, and leave those that are equal as they are."""

    def key(group: Group) -> Any:
        if by in query.dimensions:
            value = group.key[query.dimensions.index(by)]
            return None if value == NULL else ascending(value)
        return measure(query.dataset, by, group.rows)

    keyed = [(key(group), group) for group in groups]
    with_value = [pair for pair in keyed if pair[0] is not None]
    with_value.sort(key=lambda pair: pair[0], reverse=descending)
    groups[:] = [group for _, group in with_value]
    groups += [group for value, group in keyed if value is None]


# ------------------------------------------------------------------ documents


def document_of(call: Version) -> Content:
    """A call as `POST /v1/records` takes it: every value that was given, and when it was updated."""
    assert call.updated_at is not None
    shown = call.shown
    return {"type": "call", "id": call.sent_id, **shown, "updated_at": written(call.updated_at)}


def written_value(value: Value) -> str:
    if value.kind == "boolean":
        return "true" if value.value else "false"
    return str(value.value)
