"""Sums and counts by key, in numpy and exact: the tables of groups that rows are added up in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rollcall.domain.errors import MAX_GROUPS, TooManyGroups
from rollcall.ledger.columns import NULL, Indices, Int64s
from rollcall.query.cells import LOW_BITS, GroupCell
from rollcall.query.coding import ValueCoder
from rollcall.query.components import Component, Count, Sum, Values
from rollcall.query.masks import Mask
from rollcall.query.numbering import is_dense

# A table of columns, row by row: its rows are equally long.
Rows: TypeAlias = list[Int64s]
# Amounts of rows: integers, whether a row is counted, or None where each row counts one.
Amounts: TypeAlias = Int64s | Mask | None

# Sums are added up in two halves, each of which stays below 2^63 for 2^31 rows.
LOW: Final = (1 << LOW_BITS) - 1
_SIDES: Final[tuple[Literal["left", "right"], ...]] = ("left", "right")
# The number of columns, at least, that are merged at once.
MERGED_AT_ONCE: Final = 65_536
# numpy adds up by key in doubles: the sum of as many halves stays below 2^53.
_ADDED_AT_ONCE: Final = 2**20
# Rows of the key and the code of values.
_PAIR: Final = 2
# What follows the greatest packed integer is an integer too.
_MOST_BITS: Final = 62
_NARROW: Final = 2**31
_UNPACKED_AT_ONCE: Final = 65_536


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
        self._values = {each: _Summed(3, key_rows=_PAIR) for each in coders}
        # Where the values of each group begin and end.
        self._spans: dict[Values, list[tuple[int, int]]] = {}

    @property
    def keys(self) -> Int64s:
        """The keys of all groups."""
        return self._sums.rows[0]

    def add(self, keys: Int64s, amounts: Sequence[tuple[int, Amounts]]) -> None:
        """Add rows: the key of each, and their amounts in slots; all other slots are zero."""
        for start in range(0, len(keys), _ADDED_AT_ONCE):
            part = slice(start, start + _ADDED_AT_ONCE)
            found, added = _by_key(keys[part])
            rows = [found, *np.zeros((self._slots.width, len(found)), dtype=np.int64)]
            for slot, of_rows in amounts:
                rows[1 + slot] = added(None if of_rows is None else of_rows[part])
            self.add_groups(rows)

    def add_groups(self, rows: Rows) -> None:
        """Add groups: rows of the key and of each slot, with a column per group."""
        self._sums.add(rows)
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
            codes, numbers = (np.array(list(each)) for each in (counts, counts.values()))
            self._values[component].add([np.full_like(codes, key), codes, numbers])

    def merge(self) -> None:
        """Put everything together that was added."""
        self._sums.merge()
        self._check()
        for component, summed in self._values.items():
            summed.merge()
            starts, ends = (np.searchsorted(summed.rows[0], self.keys, s) for s in _SIDES)
            self._spans[component] = list(zip(starts.tolist(), ends.tolist(), strict=True))

    def integers(self, component: Count | Sum) -> list[int]:
        """A component of every group, in the order of the keys."""
        slot = 1 + self._slots.slot_of[component]
        low: list[int] = self._sums.rows[slot].tolist()
        if not isinstance(component, Sum):
            return low
        high = self._sums.rows[slot + 1].tolist()
        return [(upper << LOW_BITS) + lower for upper, lower in zip(high, low, strict=True)]

    def cell(self, index: int) -> GroupCell:
        """The components of one group."""
        values = {}
        for component, summed in self._values.items():
            start, end = self._spans[component][index]
            values[component] = [row[start:end].astype(np.int64) for row in summed.rows[1:]]
        amounts = [row.item(index) for row in self._sums.rows[1:]]
        return GroupCell(self._slots.slot_of, amounts, values, self._coders)

    def merged(self, indices: Indices) -> GroupCell:
        """The components of some groups together."""
        amounts = [int(row[indices].sum()) for row in self._sums.rows[1:]]
        values = {}
        for component, summed in self._values.items():
            chosen = np.isin(summed.rows[0], self.keys[indices])
            values[component] = _summed([row[chosen] for row in summed.rows[1:]], 1)
        return GroupCell(self._slots.slot_of, amounts, values, self._coders)

    def whole(self) -> GroupCell:
        """The components of all groups together."""
        amounts = [int(row.sum()) for row in self._sums.rows[1:]]
        values = {each: _summed(of.rows[1:], 1) for each, of in self._values.items()}
        return GroupCell(self._slots.slot_of, amounts, values, self._coders)

    def _check(self) -> None:
        if self._is_limited and len(self.keys) > MAX_GROUPS:
            raise TooManyGroups


class _Summed:
    """Columns, of which those with equal keys are added up. The first `key_rows` rows are keys.

    What is added is merged once it is as long as what was merged before: so a column is sorted a
    few times, however many there are. `rows` has what was merged, ascending by the keys.
    """

    def __init__(self, height: int, key_rows: int) -> None:
        self.rows: Rows = [np.empty(0, dtype=np.int64) for _ in range(height)]
        self._key_rows = key_rows
        self._since: list[Rows] = []
        self._waiting = 0

    def add(self, rows: Rows) -> None:
        """Add columns."""
        self._since.append(rows)
        self._waiting += len(rows[0])
        if self._waiting > max(MERGED_AT_ONCE, len(self.rows[0])):
            self.merge()

    def merge(self) -> None:
        """Put everything into `rows`."""
        if self._since:
            # A table may have millions of columns, so each part is freed once it is put together.
            parts = [self.rows, *self._since]
            self.rows = []
            self._since = []
            self._waiting = 0
            self.rows = _joined(parts, self._key_rows)


def _joined(parts: list[Rows], key_rows: int) -> Rows:
    """The columns of all parts, of which those with equal keys are added up; empties the list."""
    packing = _Packing.of(parts) if key_rows == _PAIR else None
    if packing is not None:
        return packing.joined(parts)
    by_row = [list(of_row) for of_row in zip(*parts, strict=True)]
    parts.clear()
    return _summed(list(_concatenated(by_row)), key_rows)


def _concatenated(by_row: list[list[Int64s]]) -> Iterator[Int64s]:
    """Each row from its parts, which are freed before the next."""
    for of_row in by_row:
        yield np.concatenate(of_row)
        of_row.clear()


@dataclass(frozen=True, slots=True)
class _Packing:
    """Puts a key, a code and a count into one integer each, in the order of the keys and the codes.

    Those are sorted in a fraction of the time, in place, and take a third of the memory.
    """

    first: int
    low: int
    code_bits: int
    count_bits: int

    @staticmethod
    def of(parts: Iterable[Rows]) -> _Packing | None:
        """What fits all columns of some parts; None if that is more than an integer has."""
        first, low = (min(_ends(parts, row, np.min)) for row in range(_PAIR))
        last, high, most = (max(_ends(parts, row, np.max)) for row in range(_PAIR + 1))
        code_bits, count_bits = (high - low).bit_length(), most.bit_length()
        if (last - first).bit_length() + code_bits + count_bits > _MOST_BITS:
            return None
        return _Packing(first, low, code_bits, count_bits)

    def joined(self, parts: list[Rows]) -> Rows:
        """The columns of all parts, of which equal pairs are added up; empties the list."""
        packed = np.empty(sum(len(rows[0]) for rows in parts), dtype=np.int64)
        start = 0
        while parts:
            keys, codes, counts = parts.pop()
            of_part = packed[start : start + len(keys)]
            of_part[:] = keys
            of_part -= self.first
            of_part <<= self.code_bits
            of_part += codes
            of_part -= self.low
            of_part <<= self.count_bits
            of_part |= counts
            start += len(keys)
        packed.sort(kind="stable")  # of ascending parts, in a third of the time
        by_row = [list(of_row) for of_row in zip(*self._added(packed), strict=True)]
        del packed
        return [_narrow(row) for row in _concatenated(by_row)]

    def _added(self, packed: Int64s) -> Iterator[Rows]:
        """The columns of ascending integers, with the counts of equal pairs added up, in parts."""
        start = 0
        while start < len(packed):
            last = int(packed[min(start + _UNPACKED_AT_ONCE, len(packed)) - 1])
            after = ((last >> self.count_bits) + 1) << self.count_bits
            end = int(np.searchsorted(packed, after))
            pairs = packed[start:end] >> self.count_bits
            counts = packed[start:end] - (pairs << self.count_bits)
            begins = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1])))
            pairs = pairs[begins]
            keys = pairs >> self.code_bits
            codes = pairs - (keys << self.code_bits)
            rows = [keys + self.first, codes + self.low, np.add.reduceat(counts, begins)]
            yield [_narrow(row) for row in rows]
            start = end


def _ends(parts: Iterable[Rows], row: int, end: Callable[[Int64s], Any]) -> list[int]:
    """The smallest or the largest integer in a row of each part."""
    return [int(end(rows[row])) for rows in parts if len(rows[row])]


def _narrow(values: Int64s) -> Int64s:
    """The integers, in half of the memory if they fit: of pairs there may be millions."""
    narrow: NDArray[Any] = values
    if int(values.min()) > -_NARROW and int(values.max()) < _NARROW:
        narrow = values.astype(np.int32, copy=False)
    return narrow


def _summed(rows: Rows, key_rows: int) -> Rows:
    """Add up the columns whose first `key_rows` rows are equal; ascending by those rows.

    The rows in the list are replaced one by one, so that memory never holds all of them twice.
    """
    if len(rows[0]) < 2:
        return rows
    keys = rows[:key_rows]
    # A constant key has nothing to sort: the totals of a query have one group.
    varying = [row for row in keys if row.min() != row.max()] or [keys[0]]
    order = _order(varying)
    del keys, varying
    begins = np.zeros(len(order), dtype=np.bool_)
    begins[0] = True
    for n in range(key_rows):
        rows[n] = rows[n][order]
        begins[1:] |= rows[n][1:] != rows[n][:-1]
    starts = np.flatnonzero(begins)
    for n, row in enumerate(rows):
        rows[n] = (
            row[starts] if n < key_rows else np.add.reduceat(row[order], starts, dtype=np.int64)
        )
    return rows


def _order(keys: Rows) -> Indices:
    """What sorts columns by one or two rows of keys."""
    first = keys[0]
    if len(keys) == 1:
        return np.argsort(first, kind="stable")
    second = keys[1]
    low, width = int(second.min()), int(second.max()) - int(second.min()) + 1
    start = int(first.min())
    if (int(first.max()) - start + 1) * width >= 2**62:
        return np.lexsort((second, first))
    # One row is sorted in a tenth of the time: what is merged is mostly in order.
    return np.argsort((first - start) * width + (second - low), kind="stable")


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


def _counted_pairs(keys: Int64s, codes: Int64s) -> Rows:
    """Rows of distinct keys and codes in ascending order, and how often each pair occurs."""
    first, low = int(keys.min()), int(codes.min())
    width = int(codes.max()) - low + 1
    if (int(keys.max()) - first + 1) * width >= 2**62:
        return _summed([keys, codes, np.ones_like(keys)], 2)
    pairs, counts = count_by((keys - first) * width + (codes - low))
    return [_narrow(row) for row in (pairs // width + first, pairs % width + low, counts)]


def count_by(keys: Int64s) -> tuple[Int64s, Int64s]:
    """(distinct keys in ascending order, the number of times that each occurs)."""
    low = int(keys.min())
    if not is_dense(int(keys.max()) - low, len(keys)):
        found, counts = np.unique(keys, return_counts=True)
        return found, counts
    counts = np.bincount(keys - low)
    present = np.flatnonzero(counts)
    return present + low, counts[present]
