"""Groups rows by the values of up to three dimensions, and adds up the components of each group.

Groups are merged as rows arrive, so memory grows with the number of groups and of their distinct
values, not with the number of rows. Everything is exact: sums are kept in two halves, and numbers
that no integer can hold are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from rollcall.domain.errors import MAX_GROUPS, TooManyGroups
from rollcall.ledger.columns import NULL, Indices, Int64s
from rollcall.ledger.page import TIME
from rollcall.query.cells import LOW_BITS, GroupCell
from rollcall.query.coding import DimensionCoder, GroupValue, ValueCoder
from rollcall.query.components import ALL_ROWS, Component, Count, Sum, Values
from rollcall.query.filtering import CHUNK_ROWS, Selected
from rollcall.query.masks import mask_of
from rollcall.query.model import Aggregation
from rollcall.query.values import integers_of

# A dimension has at most MAX_GROUPS values and null.
_BITS: Final = MAX_GROUPS.bit_length()
_CODE: Final = (1 << _BITS) - 1
# Sums are added up in two halves, each of which stays below 2^63 for 2^31 rows.
_LOW: Final = (1 << LOW_BITS) - 1


class GroupBuilder:
    """Adds up the groups of one aggregation, from rows and from rollups.

    Raises TooManyGroups once there are more than `MAX_GROUPS`.
    """

    def __init__(self, aggregation: Aggregation) -> None:
        zone = aggregation.zone
        self._zone = zone
        self._coders = [DimensionCoder(each, zone) for each in aggregation.dimensions]
        components = dict.fromkeys((ALL_ROWS, *aggregation.components))
        self._values = {
            each: ValueCoder(each.field) for each in components if isinstance(each, Values)
        }
        self._slots = _slots_of(components)
        self._groups = _Table(self._slots, self._values)
        # A row is in one group, unless a dimension is a list: then totals are added up apart.
        has_list = any(coder.is_list for coder in self._coders)
        self._whole = _Table(self._slots, self._values) if has_list else self._groups
        self._first_ms: int | None = None
        self._last_ms: int | None = None

    def add(self, selected: Selected) -> None:
        """Add some rows of a page."""
        times = selected.integers(TIME)
        self._saw(int(times.min()), int(times.max()))
        amounts = self._amounts(selected)
        codes = {each: coder.codes(selected) for each, coder in self._values.items()}
        keys, rows = self._keys(selected)
        if rows is None:
            self._groups.add(keys, amounts, codes)
            return
        by_entry = {each: of_row[rows] for each, of_row in codes.items()}
        self._groups.add(keys, amounts[:, rows], by_entry)
        self._whole.add(np.zeros(len(times), dtype=np.int64), amounts, codes)

    def add_rollup(
        self,
        instant_ms: int,
        group: Sequence[GroupValue],
        amounts: Mapping[Component, int],
        values: Mapping[Values, Mapping[int, int]],
    ) -> None:
        """Add components of a group from a rollup. `instant_ms` is the start of what it covers.

        `values` has the number of rows of each integer.
        """
        self._saw(instant_ms, instant_ms)
        key = 0
        for coder, value in zip(self._coders, group, strict=True):
            key = key << _BITS | coder.number(value)
        column = np.zeros((self._slots.width, 1), dtype=np.int64)
        for component, amount in amounts.items():
            self._slots.put(column, component, amount)
        self._groups.add_counted(np.array([key], dtype=np.int64), column)
        for component, counts in values.items():
            self._groups.add_values(component, key, counts)

    def groups(self) -> GroupedRows:
        """Everything that was added."""
        self._groups.consolidate()
        self._whole.consolidate()
        return GroupedRows(self._coders, self._groups, self._whole, self._first_ms, self._last_ms)

    def _saw(self, first_ms: int, last_ms: int) -> None:
        self._first_ms = first_ms if self._first_ms is None else min(self._first_ms, first_ms)
        self._last_ms = last_ms if self._last_ms is None else max(self._last_ms, last_ms)

    def _keys(self, selected: Selected) -> tuple[Int64s, Int64s | None]:
        """(the key of each entry, its row); the rows are None if each has one entry."""
        rows: Int64s | None = None
        entries: Int64s | None = None
        codes = []
        for coder in self._coders:
            if coder.is_list:
                rows, entries = coder.entries(selected)
                codes.append(entries)
            else:
                codes.append(coder.codes(selected))
        keys = np.zeros(selected.count if rows is None else len(rows), dtype=np.int64)
        for of_dimension in codes:
            per_entry = (
                of_dimension if rows is None or of_dimension is entries else of_dimension[rows]
            )
            keys = keys << _BITS | per_entry
        return keys, rows

    def _amounts(self, selected: Selected) -> Int64s:
        amounts = np.zeros((self._slots.width, selected.count), dtype=np.int64)
        for component, slot in self._slots.slot_of.items():
            if isinstance(component, Sum):
                values = integers_of(component.field, selected, self._zone)
                values = np.where(values == NULL, 0, values)
                amounts[slot] = values & _LOW
                amounts[slot + 1] = values >> LOW_BITS
            elif component.where is None:
                amounts[slot] = 1
            else:
                amounts[slot] = mask_of(component.where, selected, self._zone)
        return amounts


class GroupedRows:
    """The groups of an aggregation, in no particular order, and all rows together.

    `first_ms` and `last_ms` are instants in the first and the last bucket that has a row; None if
    there are no rows.
    """

    def __init__(
        self,
        coders: Sequence[DimensionCoder],
        table: _Table,
        whole: _Table,
        first_ms: int | None,
        last_ms: int | None,
    ) -> None:
        self._coders = coders
        self._table = table
        self._whole = whole
        self.first_ms = first_ms
        self.last_ms = last_ms

    def __len__(self) -> int:
        return len(self._table.keys)

    def group(self, index: int) -> tuple[GroupValue, ...]:
        """The values of a group's dimensions."""
        key = int(self._table.keys[index])
        codes = [key >> _BITS * n & _CODE for n in reversed(range(len(self._coders)))]
        return tuple(coder.value(code) for coder, code in zip(self._coders, codes, strict=True))

    def __iter__(self) -> Iterator[tuple[tuple[GroupValue, ...], int]]:
        """(the values of its dimensions, index) of every group."""
        return ((self.group(index), index) for index in range(len(self)))

    def cell(self, index: int) -> GroupCell:
        """The components of one group."""
        return self._table.cell(index)

    def merged(self, indices: Sequence[int]) -> GroupCell:
        """The components of several groups together; no row may be in two of them."""
        return self._table.merged(np.array(indices, dtype=np.intp))

    def whole(self) -> GroupCell:
        """The components of all rows together."""
        return self._whole.merged(np.arange(len(self._whole.keys)))


class Slots:
    """Where a table has each component: one slot for a count, two for the halves of a sum."""

    def __init__(self, components: Sequence[Count | Sum]) -> None:
        self.slot_of: dict[Count | Sum, int] = {}
        self.width = 0
        for component in components:
            self.slot_of[component] = self.width
            self.width += 2 if isinstance(component, Sum) else 1

    def put(self, column: Int64s, component: Component, amount: int) -> None:
        """Put an amount of any size into a column."""
        if isinstance(component, Values):
            raise TypeError("values are no amount")
        slot = self.slot_of[component]
        if isinstance(component, Sum):
            column[slot], column[slot + 1] = amount & _LOW, amount >> LOW_BITS
        else:
            column[slot] = amount


def _slots_of(components: Mapping[Component, None]) -> Slots:
    return Slots([each for each in components if not isinstance(each, Values)])


class _Table:
    """Sums and values by key. Keys are distinct and ascending after `consolidate`."""

    def __init__(self, slots: Slots, coders: Mapping[Values, ValueCoder]) -> None:
        self._slots = slots
        self._coders = coders
        # Rows of the key and of each slot; of values, rows of key, code and count.
        self._sums = _Summed(1 + slots.width, key_rows=1)
        self._values = {each: _Summed(3, key_rows=2) for each in coders}
        self._gathered = 0

    @property
    def keys(self) -> Int64s:
        """The keys of all groups."""
        keys: Int64s = self._sums.columns[0]
        return keys

    def add(self, keys: Int64s, amounts: Int64s, codes: Mapping[Values, Int64s]) -> None:
        """Add rows: the amounts of each, and the codes of its values."""
        for component, of_rows in codes.items():
            has_value = of_rows != NULL
            kept = of_rows[has_value]
            self._values[component].add(np.stack((keys[has_value], kept, np.ones_like(kept))))
        self.add_counted(keys, amounts)

    def add_counted(self, keys: Int64s, amounts: Int64s) -> None:
        """Add amounts of groups. Raises TooManyGroups."""
        self._sums.add(np.concatenate((keys[np.newaxis], amounts)))
        self._gathered += len(keys)
        if self._gathered >= CHUNK_ROWS:
            for summed in (self._sums, *self._values.values()):
                summed.reduce()
            self._gathered = 0
            self._check()

    def add_values(self, component: Values, key: int, counts: Mapping[int, int]) -> None:
        """Add the values of one group, with the number of rows of each."""
        if counts:
            codes, numbers = zip(*counts.items(), strict=True)
            columns = np.array([[key] * len(counts), codes, numbers], dtype=np.int64)
            self._values[component].add(columns)

    def consolidate(self) -> None:
        """Merge what was added. Raises TooManyGroups."""
        for summed in (self._sums, *self._values.values()):
            summed.merge()
        self._check()

    def cell(self, index: int) -> GroupCell:
        """The components of one group."""
        key = self.keys[index]
        values = {}
        for component, summed in self._values.items():
            start, end = np.searchsorted(summed.columns[0], [key, key + 1])
            values[component] = summed.columns[1:, start:end]
        amounts = self._sums.columns[1:, index]
        return GroupCell(self._slots.slot_of, amounts, values, self._coders)

    def merged(self, indices: Indices) -> GroupCell:
        """The components of some groups together."""
        amounts = self._sums.columns[1:, indices].sum(axis=1)
        values = {}
        for component, summed in self._values.items():
            chosen = np.isin(summed.columns[0], self.keys[indices])
            values[component] = _summed(summed.columns[1:, chosen], 1)
        return GroupCell(self._slots.slot_of, amounts, values, self._coders)

    def _check(self) -> None:
        if self._sums.columns.shape[1] > MAX_GROUPS:
            raise TooManyGroups


class _Summed:
    """Columns, of which those with equal keys are added up. The first `key_rows` rows are keys.

    Each chunk is reduced by itself, and chunks are merged once they are as long as what was merged
    before: so a column is sorted a few times, however many there are.
    """

    def __init__(self, height: int, key_rows: int) -> None:
        self.columns = np.empty((height, 0), dtype=np.int64)
        self._key_rows = key_rows
        self._chunks: list[Int64s] = []
        self._since: list[Int64s] = []

    def add(self, columns: Int64s) -> None:
        """Add columns to the current chunk."""
        self._since.append(columns)

    def reduce(self) -> None:
        """End the current chunk."""
        if self._since:
            self._chunks.append(_summed(np.concatenate(self._since, axis=1), self._key_rows))
            self._since.clear()
        if sum(chunk.shape[1] for chunk in self._chunks) > max(CHUNK_ROWS, self.columns.shape[1]):
            self.merge()

    def merge(self) -> None:
        """Put everything into `columns`, ascending by the keys."""
        waiting = [*self._chunks, *self._since]
        if waiting:
            self._chunks.clear()
            self._since.clear()
            together = np.concatenate((self.columns, *waiting), axis=1)
            waiting.clear()
            self.columns = _summed(together, self._key_rows)


def _summed(rows: Int64s, key_rows: int) -> Int64s:
    """Add up the columns whose first `key_rows` rows are equal; ascending by those rows."""
    if not rows.shape[1]:
        return rows
    keys = rows[:key_rows]
    # A constant key has nothing to sort: the totals of a query have one group.
    varying = [row for row in keys if row.min() != row.max()] or [keys[0]]
    ordered = rows[:, np.lexsort(varying[::-1])]
    changes = (ordered[:key_rows, 1:] != ordered[:key_rows, :-1]).any(axis=0)
    starts = np.flatnonzero(np.concatenate(([True], changes)))
    summed: Int64s = np.add.reduceat(ordered, starts, axis=1)
    summed[:key_rows] = ordered[:key_rows, starts]
    return summed
