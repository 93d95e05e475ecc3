"""The tables of groups that rows are added up in: sums and values by key, exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from rollcall.domain.errors import MAX_GROUPS, TooManyGroups
from rollcall.ledger.columns import NULL, Indices, Int64s
from rollcall.query.adding import MERGED_AT_ONCE, Amounts, Rows, added_up, by_key
from rollcall.query.cells import LOW_BITS, GroupCell
from rollcall.query.coding import ValueCoder
from rollcall.query.components import Component, Count, Sum, Values
from rollcall.query.pairs import Pairs, counted_pairs

# Sums are added up in two halves, each of which stays below 2^63 for 2^31 rows.
LOW: Final = (1 << LOW_BITS) - 1
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
        self._sums = _Sums(1 + slots.width)
        self._values = {each: Pairs() for each in coders}
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
            found, added = by_key(keys[part])
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
            self._values[component].add(counted_pairs(keys, codes))

    def add_counted(self, component: Values, key: int, counts: Mapping[int, int]) -> None:
        """Add the codes of one group, with the number of rows of each."""
        if counts:
            codes, numbers = (np.array(list(each)) for each in (counts, counts.values()))
            self._values[component].add([np.full_like(codes, key), codes, numbers])

    def merge(self) -> None:
        """Put everything together that was added."""
        self._sums.merge()
        self._check()
        for component, pairs in self._values.items():
            pairs.merge()
            self._spans[component] = pairs.spans(self.keys)

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
        values = {each: of.values(*self._spans[each][index]) for each, of in self._values.items()}
        amounts = [row.item(index) for row in self._sums.rows[1:]]
        return GroupCell(self._slots.slot_of, amounts, values, self._coders)

    def merged(self, indices: Indices) -> GroupCell:
        """The components of some groups together."""
        amounts = [int(row[indices].sum()) for row in self._sums.rows[1:]]
        values = {}
        for component, pairs in self._values.items():
            spans = self._spans[component]
            values[component] = pairs.values_of(spans[index] for index in indices.tolist())
        return GroupCell(self._slots.slot_of, amounts, values, self._coders)

    def whole(self) -> GroupCell:
        """The components of all groups together."""
        amounts = [int(row.sum()) for row in self._sums.rows[1:]]
        values = {each: of.all_values() for each, of in self._values.items()}
        return GroupCell(self._slots.slot_of, amounts, values, self._coders)

    def _check(self) -> None:
        if self._is_limited and len(self.keys) > MAX_GROUPS:
            raise TooManyGroups


class _Sums:
    """Columns of a key and of each slot, of which those with equal keys are added up.

    What is added is merged once it is as long as what was merged before: so a column is sorted a
    few times, however many there are. `rows` has what was merged, ascending by the keys.
    """

    def __init__(self, height: int) -> None:
        self.rows: Rows = [np.empty(0, dtype=np.int64) for _ in range(height)]
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
            parts = zip(self.rows, *self._since, strict=True)
            self.rows = added_up([np.concatenate(of_row) for of_row in parts], 1)
            self._since = []
            self._waiting = 0
