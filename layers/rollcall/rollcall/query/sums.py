"""Sums and counts by key, in numpy and exact: the tables of groups that rows are added up in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import numpy as np

from rollcall.domain.errors import MAX_GROUPS, TooManyGroups
from rollcall.ledger.columns import NULL, Indices, Int64s
from rollcall.query.cells import LOW_BITS, GroupCell
from rollcall.query.coding import ValueCoder, is_dense
from rollcall.query.components import Component, Count, Sum, Values
from rollcall.query.masks import Mask

# Amounts of rows: integers, whether a row is counted, or None where each row counts one.
Amounts: TypeAlias = Int64s | Mask | None

# Sums are added up in two halves, each of which stays below 2^63 for 2^31 rows.
LOW: Final = (1 << LOW_BITS) - 1
_SIDES: Final[tuple[Literal["left", "right"], ...]] = ("left", "right")
# The number of columns, at least, that are merged at once.
MERGED_AT_ONCE: Final = 65_536
# numpy adds up by key in doubles: the sum of as many halves stays below 2^53.
_ADDED_AT_ONCE: Final = 2**20


class Slots:
    """Where a table has each component: one slot for a count, two for the halves of a sum."""

    def __init__(self, components: Iterable[Component]) -> None:
        self.slot_of: dict[Count | Sum, int] = {}
        self.width = 0
        for component in components:
            if not isinstance(component, Values):
                self.slot_of[component] = self.width
                self.width += 2 if isinstance(component, Sum) else 1

    def column(self, amounts: Mapping[Count | Sum, int]) -> list[int]:
        """The slots of one group; amounts may have any size."""
        column = [0] * self.width
        for component, amount in amounts.items():
            slot = self.slot_of[component]
            if isinstance(component, Sum):
                column[slot], column[slot + 1] = amount & LOW, amount >> LOW_BITS
            else:
                column[slot] = amount
        return column


class Table:
    """Sums and values by key. Keys are distinct and ascending after `merge`.

    Raises TooManyGroups if it is limited and has more than `MAX_GROUPS`.
    """

    def __init__(
        self, slots: Slots, coders: Mapping[Values, ValueCoder], *, is_limited: bool
    ) -> None:
        self._slots = slots
        self._coders = coders
        self._is_limited = is_limited
        # Rows of the key and of each slot; of values, rows of key, code and count.
        self._sums = _Summed(1 + slots.width, key_rows=1)
        self._values = {each: _Summed(3, key_rows=2) for each in coders}
        # Where the values of each group begin and end.
        self._spans: dict[Values, list[tuple[int, int]]] = {}

    @property
    def keys(self) -> Int64s:
        """The keys of all groups."""
        keys: Int64s = self._sums.columns[0]
        return keys

    def add(self, keys: Int64s, amounts: Sequence[tuple[int, Amounts]]) -> None:
        """Add rows: the key of each, and their amounts in slots; all other slots are zero."""
        for start in range(0, len(keys), _ADDED_AT_ONCE):
            part = slice(start, start + _ADDED_AT_ONCE)
            found, added = _by_key(keys[part])
            columns = np.zeros((1 + self._slots.width, len(found)), dtype=np.int64)
            columns[0] = found
            for slot, of_rows in amounts:
                columns[1 + slot] = added(None if of_rows is None else of_rows[part])
            self.add_columns(columns)

    def add_columns(self, columns: Int64s) -> None:
        """Add groups: columns of the key and of each slot."""
        self._sums.add(columns)
        self._check()

    def add_values(self, component: Values, keys: Int64s, codes: Int64s) -> None:
        """Add the codes of values, `NULL` for no value, each with the key of its row."""
        has_value = codes != NULL
        if not has_value.all():
            keys, codes = keys[has_value], codes[has_value]
        if len(codes):
            self._values[component].add(_counted_pairs(keys, codes))

    def add_counted(self, component: Values, key: int, counts: Mapping[int, int]) -> None:
        """Add the codes of one group, with the number of rows of each."""
        if counts:
            columns = np.empty((3, len(counts)), dtype=np.int64)
            columns[0] = key
            columns[1:] = list(counts), list(counts.values())
            self._values[component].add(columns)

    def merge(self) -> None:
        """Put everything together that was added."""
        self._sums.merge()
        self._check()
        for component, summed in self._values.items():
            summed.merge()
            starts, ends = (np.searchsorted(summed.columns[0], self.keys, s) for s in _SIDES)
            self._spans[component] = list(zip(starts.tolist(), ends.tolist(), strict=True))

    def integers(self, component: Count | Sum) -> list[int]:
        """A component of every group, in the order of the keys."""
        slot = 1 + self._slots.slot_of[component]
        low: list[int] = self._sums.columns[slot].tolist()
        if not isinstance(component, Sum):
            return low
        high = self._sums.columns[slot + 1].tolist()
        return [(upper << LOW_BITS) + lower for upper, lower in zip(high, low, strict=True)]

    def cell(self, index: int) -> GroupCell:
        """The components of one group."""
        values = {}
        for component, summed in self._values.items():
            start, end = self._spans[component][index]
            values[component] = summed.columns[1:, start:end]
        amounts = self._sums.columns[1:, index].tolist()
        return GroupCell(self._slots.slot_of, amounts, values, self._coders)

    def merged(self, indices: Indices) -> GroupCell:
        """The components of some groups together."""
        amounts = self._sums.columns[1:, indices].sum(axis=1).tolist()
        values = {}
        for component, summed in self._values.items():
            chosen = np.isin(summed.columns[0], self.keys[indices])
            values[component] = _summed(summed.columns[1:, chosen], 1)
        return GroupCell(self._slots.slot_of, amounts, values, self._coders)

    def whole(self) -> GroupCell:
        """The components of all groups together."""
        amounts = self._sums.columns[1:].sum(axis=1).tolist()
        values = {each: _summed(of.columns[1:], 1) for each, of in self._values.items()}
        return GroupCell(self._slots.slot_of, amounts, values, self._coders)

    def _check(self) -> None:
        if self._is_limited and self._sums.columns.shape[1] > MAX_GROUPS:
            raise TooManyGroups


class _Summed:
    """Columns, of which those with equal keys are added up. The first `key_rows` rows are keys.

    What is added is merged once it is as long as what was merged before: so a column is sorted a
    few times, however many there are.
    """

    def __init__(self, height: int, key_rows: int) -> None:
        self.columns = np.empty((height, 0), dtype=np.int64)
        self._key_rows = key_rows
        self._since: list[Int64s] = []
        self._waiting = 0

    def add(self, columns: Int64s) -> None:
        """Add columns."""
        self._since.append(columns)
        self._waiting += columns.shape[1]
        if self._waiting > max(MERGED_AT_ONCE, self.columns.shape[1]):
            self.merge()

    def merge(self) -> None:
        """Put everything into `columns`, ascending by the keys."""
        if self._since:
            together = np.concatenate((self.columns, *self._since), axis=1)
            self._since.clear()
            self._waiting = 0
            self.columns = _summed(together, self._key_rows)


def _summed(rows: Int64s, key_rows: int) -> Int64s:
    """Add up the columns whose first `key_rows` rows are equal; ascending by those rows."""
    if rows.shape[1] < 2:
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


def _by_key(keys: Int64s) -> tuple[Int64s, Callable[[Amounts], Int64s]]:
    """(distinct keys in ascending order, what adds up amounts of the rows by key).

    Amounts are below 2^32, and rows at most `_ADDED_AT_ONCE`.
    """
    low, high = int(keys.min()), int(keys.max())
    if low == high:
        one = keys[:1]
        return one, lambda of: np.full_like(one, len(keys) if of is None else of.sum())
    if is_dense(high - low, len(keys)):
        places = keys - low
        counts = np.bincount(places)
        present = np.flatnonzero(counts)
        found = present + low
    else:
        found, places, counts = np.unique(keys, return_inverse=True, return_counts=True)
        present = np.arange(len(found))

    def added(amounts: Amounts) -> Int64s:
        sums: Int64s = counts if amounts is None else np.bincount(places, weights=amounts)
        return sums[present].astype(np.int64)

    return found, added


def _counted_pairs(keys: Int64s, codes: Int64s) -> Int64s:
    """Rows of distinct keys and codes in ascending order, and how often each pair occurs."""
    first, low = int(keys.min()), int(codes.min())
    width = int(codes.max()) - low + 1
    if (int(keys.max()) - first + 1) * width >= 2**62:
        return _summed(np.stack((keys, codes, np.ones_like(keys))), 2)
    pairs, counts = count_by((keys - first) * width + (codes - low))
    return np.stack((pairs // width + first, pairs % width + low, counts))


def count_by(keys: Int64s) -> tuple[Int64s, Int64s]:
    """(distinct keys in ascending order, the number of times that each occurs)."""
    low = int(keys.min())
    if not is_dense(int(keys.max()) - low, len(keys)):
        found, counts = np.unique(keys, return_counts=True)
        return found, counts
    counts = np.bincount(keys - low)
    present = np.flatnonzero(counts)
    return present + low, counts[present]
