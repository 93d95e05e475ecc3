"""The report of Rollcall's own queries: rows of measures by dimensions, compared and ordered.

docs/contract.md#queries is the contract of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rollcall.domain.errors import MAX_GROUPS, TooManyGroups
from rollcall.domain.time.buckets import (
    Granularity,
    Timeline,
    bucket_of,
    label_of,
)
from rollcall.domain.time.periods import Bounds, Period
from rollcall.query.coding import GroupValue
from rollcall.query.components import Cell, Component
from rollcall.query.conditions import AnyOf, Comparison, Condition
from rollcall.query.datasets import Dataset, Figure, Measure
from rollcall.query.engine import QueryEngine
from rollcall.query.fields import Field, Op, Source
from rollcall.query.grouping import GroupedRows
from rollcall.query.model import Aggregation, Dimension, Reading, Selection, TimeBucket
from rollcall.query.timelines import DataRange, timeline_of
from rollcall.query.values import offset_ms

Figures = tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """One key of the order of rows: a measure, or a dimension by its index."""

    by: Measure | int
    is_descending: bool


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """One query: what it measures, of which rows, and which page of its rows to return.

    Without `order`, rows are in the order of time, or the greatest of the first measure come first.
    With `has_others`, the rows past the limit become one.
    """

    dataset: Dataset
    measures: tuple[Measure, ...]
    dimensions: tuple[Dimension, ...]
    selection: Selection
    bounds: Bounds
    previous: Period | None
    order: tuple[Order, ...]
    first_row: int
    limit: int
    has_others: bool

    def aggregation(
        self, period: Period, dimensions: tuple[Dimension, ...], also: tuple[Condition, ...] = ()
    ) -> Aggregation:
        """What the query reads of a period, with further conditions."""
        selection = self.selection
        narrowed = Selection(selection.record_type, (*selection.conditions, *also), selection.zone)
        return Aggregation(narrowed, period, dimensions, components_of(self.measures))


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its values of the dimensions, its measures, and those of the comparison.

    `is_complete` is false for the bucket that now lies in, and None where that is not reported.
    """

    values: tuple[GroupValue, ...]
    measures: Figures
    previous: Figures | None
    is_others: bool = False
    is_complete: bool | None = None


@dataclass(frozen=True, slots=True)
class QueryReport:
    """One page of the rows of a query, and the measures of all of its records together.

    `next_row` is the index of the first row of the next page; None on the last page.
    """

    rows: list[Row]
    totals: Figures
    previous_totals: Figures | None
    total_rows: int
    next_row: int | None


@dataclass(slots=True)
class _Entry:
    """One row before its measures are computed: its groups now and in the comparison."""

    values: tuple[GroupValue, ...]
    now: int | None
    before: int | None


class ReportQuery:
    """Runs queries."""

    def __init__(self, engine: QueryEngine, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self.now_ms = now_ms

    def __call__(
        self, reading: Reading, query: RecordQuery, *, from_pages: bool = False
    ) -> QueryReport:
        """One page of rows. With `from_pages`, no rollup is read; the report is the same.

        Raises TooManyRows and TooManyGroups.
        """

        def aggregate(
            period: Period, dimensions: tuple[Dimension, ...], also: tuple[Condition, ...] = ()
        ) -> GroupedRows:
            aggregation = query.aggregation(period, dimensions, also)
            return self._engine.aggregate(reading, aggregation, from_pages=from_pages)

        now = aggregate(query.bounds.period, query.dimensions)
        before = None
        if query.previous is not None:
            before = aggregate(query.previous, query.dimensions)
        rows = _Rows(query, now, before)
        entries = rows.ordered()
        end = query.first_row + query.limit
        page = [rows.row(entry) for entry in entries[query.first_row : end]]
        is_cut = len(entries) > end
        if is_cut and query.has_others:
            page.append(_others(query, rows, entries[end:], aggregate))
        rows.mark_open(page, self.now_ms())
        return QueryReport(
            rows=page,
            totals=rows.figures(now.whole()),
            previous_totals=None if before is None else rows.figures(before.whole()),
            total_rows=len(entries),
            next_row=end if is_cut and not query.has_others else None,
        )


def components_of(measures: Iterable[Measure]) -> tuple[Component, ...]:
    """The components that some measures need, each once."""
    return tuple(dict.fromkeys(component for measure in measures for component in measure.needs))


class _Rows:
    """The rows of one query."""

    def __init__(self, query: RecordQuery, now: GroupedRows, before: GroupedRows | None) -> None:
        self.query = query
        self.now = now
        self.before = before
        self._groups = list(now)
        self._bucket = _bucket_place(query.dimensions)
        self._timeline = self._current_timeline()
        self._nothing = now.merged([])

    def ordered(self) -> list[_Entry]:
        """All rows in order; those that only the comparison has come last."""
        current = self._entries()
        compared = self._compared(current)
        if len(current) + len(compared) > MAX_GROUPS:
            raise TooManyGroups
        return [*self._sorted(current), *self._sorted(compared)]

    def row(self, entry: _Entry) -> Row:
        """One row of the report."""
        values = list(entry.values)
        if self._bucket is not None:
            values[self._bucket] = label_of(self._granularity, int(values[self._bucket] or 0))
        return Row(tuple(values), self.now_figures(entry), self.before_figures(entry))

    def now_figures(self, entry: _Entry) -> Figures:
        """The measures of a row."""
        return self.figures(self._nothing if entry.now is None else self.now.cell(entry.now))

    def before_figures(self, entry: _Entry) -> Figures | None:
        """The measures of a row in the comparison."""
        if self.before is None:
            return None
        before = entry.before
        return self.figures(self._nothing if before is None else self.before.cell(before))

    def figures(self, cell: Cell) -> Figures:
        """The measures of a cell."""
        return tuple(measure.of(cell) for measure in self.query.measures)

    def mark_open(self, page: list[Row], now_ms: int) -> None:
        """Mark the bucket that now lies in, if buckets are the only dimension."""
        if self._bucket is None or len(self.query.dimensions) > 1:
            return
        offset = offset_ms(self.query.selection.zone, now_ms)
        key = int(bucket_of(self._granularity, now_ms + offset, offset))
        label = label_of(self._granularity, key)
        for place, row in enumerate(page):
            if row.values == (label,):
                page[place] = Row(row.values, row.measures, row.previous, is_complete=False)

    @property
    def _granularity(self) -> Granularity:
        dimension = self.query.dimensions[self._bucket or 0]
        if not isinstance(dimension, TimeBucket):
            raise TypeError(  # pragma: no cover - asked only of a query that has one
                "the query has no time bucket"
            )
        return dimension.granularity

    def _index(self, key: int) -> int:
        """The place of a bucket in this period, in the order of time."""
        if self._timeline is None:
            raise TypeError(  # pragma: no cover - rows have buckets of this timeline
                "a period without buckets has no rows"
            )
        return self._timeline.index(key)

    def _current_timeline(self) -> Timeline | None:
        if self._bucket is None:
            return None
        keys = [int(values[self._bucket] or 0) for values, _ in self._groups]
        data = DataRange(
            self.now.first_ms, self.now.last_ms, (min(keys), max(keys)) if keys else None
        )
        zone = self.query.selection.zone
        return timeline_of(self._granularity, zone, self.query.bounds, data)

    def _entries(self) -> list[_Entry]:
        if not self.query.dimensions:
            return [_Entry((), 0 if len(self.now) else None, None)]
        if self._bucket is None or len(self.query.dimensions) > 1:
            return [_Entry(values, index, None) for values, index in self._groups]
        # Every bucket of the range has a row.
        if self._timeline is None:
            return []
        if len(self._timeline) > MAX_GROUPS:
            raise TooManyGroups
        index_of = {values[0]: index for values, index in self._groups}
        buckets = self._timeline.slice(0, len(self._timeline))
        return [_Entry((bucket.key,), index_of.get(bucket.key), None) for bucket in buckets]

    def _compared(self, current: list[_Entry]) -> list[_Entry]:
        """Pair rows with the comparison's; returns the rows that only the comparison has."""
        if self.before is None:
            return []
        by_place = {self._place(entry.values, self._timeline): entry for entry in current}
        earlier = None
        if self._bucket is not None and self.query.previous is not None:
            zone = self.query.selection.zone
            earlier = Timeline(self._granularity, zone, self.query.previous)
        only_before = []
        for values, index in self.before:
            place = self._place(values, earlier)
            entry = by_place.get(place)
            if entry is not None:
                entry.before = index
                continue
            moved = self._in_this_period(values, place)
            if moved is not None:
                only_before.append(_Entry(moved, None, index))
        return only_before

    def _place(
        self, values: tuple[GroupValue, ...], timeline: Timeline | None
    ) -> tuple[tuple[type, GroupValue], ...]:
        """What pairs two rows: the place of the bucket in its period, and the other values.

        Values of different types are never equal, as true and 1 are in Python.
        """
        placed = list(values)
        if self._bucket is not None and timeline is not None:
            placed[self._bucket] = timeline.index(int(values[self._bucket] or 0))
        return tuple((type(value), value) for value in placed)

    def _in_this_period(
        self, values: tuple[GroupValue, ...], place: tuple[tuple[type, GroupValue], ...]
    ) -> tuple[GroupValue, ...] | None:
        """The values of a row of the comparison with the bucket of this period at its place.

        None if this period has no such bucket.
        """
        if self._bucket is None:
            return values
        index = int(place[self._bucket][1] or 0)
        if self._timeline is None or index >= len(self._timeline):
            return None
        moved = list(values)
        moved[self._bucket] = self._timeline.at(index).key
        return tuple(moved)

    def _sorted(self, entries: list[_Entry]) -> list[_Entry]:
        order = self.query.order or self._default_order()
        for place in reversed(range(len(self.query.dimensions))):
            entries = _by(entries, self._values_at(place, entries), is_descending=False)
        for each in reversed(order):
            keys = self._keys(each, entries)
            entries = _by(entries, keys, is_descending=each.is_descending)
        return entries

    def _default_order(self) -> tuple[Order, ...]:
        if self._bucket is not None:
            return (Order(self._bucket, is_descending=False),)
        return (Order(self.query.measures[0], is_descending=True),)

    def _keys(self, order: Order, entries: Sequence[_Entry]) -> list[object]:
        measure = order.by
        if isinstance(measure, int):
            return self._values_at(measure, entries)
        nothing = measure.of(self._nothing)
        return [
            nothing if entry.now is None else measure.of(self.now.cell(entry.now))
            for entry in entries
        ]

    def _values_at(self, place: int, entries: Sequence[_Entry]) -> list[object]:
        if place == self._bucket:
            return [self._index(int(entry.values[place] or 0)) for entry in entries]
        return [_sort_key(entry.values[place]) for entry in entries]


def _bucket_place(dimensions: Sequence[Dimension]) -> int | None:
    places = (n for n, each in enumerate(dimensions) if isinstance(each, TimeBucket))
    return next(places, None)


# Numbers come before texts, and texts before booleans.
_TYPE_ORDER: Final = {str: 1, bool: 2}


def _sort_key(value: GroupValue) -> tuple[int, GroupValue] | None:
    return None if value is None else (_TYPE_ORDER.get(type(value), 0), value)


def _by(entries: list[_Entry], keys: Sequence[object], *, is_descending: bool) -> list[_Entry]:
    """Entries ordered by keys, stably; null is last in both directions."""
    keyed = list(zip(keys, entries, strict=True))
    present = [pair for pair in keyed if pair[0] is not None]
    present.sort(key=_key_of, reverse=is_descending)
    return [entry for _, entry in present] + [entry for key, entry in keyed if key is None]


def _key_of(pair: tuple[Any, _Entry]) -> Any:
    return pair[0]


def _others(
    query: RecordQuery,
    rows: _Rows,
    rest: Sequence[_Entry],
    aggregate: Callable[[Period, tuple[Dimension, ...], tuple[Condition, ...]], GroupedRows],
) -> Row:
    """One row of everything past the limit, in which each record counts once."""
    (dimension,) = query.dimensions
    if isinstance(dimension, Field) and dimension.source is Source.LIST:
        # A record may be in several rows, and in rows before the limit too.
        has_one = (_has_one_of(dimension, [entry.values[0] for entry in rest]),)
        now = aggregate(query.bounds.period, (), has_one).whole()
        previous = None
        if query.previous is not None:
            previous = rows.figures(aggregate(query.previous, (), has_one).whole())
        return Row((None,), rows.figures(now), previous, is_others=True)
    merged = rows.now.merged([entry.now for entry in rest if entry.now is not None])
    before = None
    if rows.before is not None:
        indices = [entry.before for entry in rest if entry.before is not None]
        before = rows.figures(rows.before.merged(indices))
    return Row((None,), rows.figures(merged), before, is_others=True)


def _has_one_of(field: Field, values: Sequence[GroupValue]) -> Condition:
    named = Comparison(field, Op.IN, tuple(value for value in values if isinstance(value, str)))
    if None in values:
        return AnyOf((named, Comparison(field, Op.IS_NULL)))
    return named
