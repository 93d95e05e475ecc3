"""Groups rows by the values of up to three dimensions, and adds up the components of each group.

Groups are merged as rows arrive, so memory grows with the number of groups and of their distinct
values, not with the number of rows. Everything is exact: sums are kept in two halves, and numbers
that no integer can hold are kept as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np

from rollcall.domain.errors import MAX_GROUPS
from rollcall.domain.time.zones import Zone
from rollcall.ledger.columns import NULL, Int64s
from rollcall.ledger.page import TIME
from rollcall.query.adding import MERGED_AT_ONCE, Amounts
from rollcall.query.cells import LOW_BITS, GroupCell
from rollcall.query.chunks import Chunk, chunks
from rollcall.query.coding import DimensionCoder, GroupValue, ValueCoder
from rollcall.query.components import ALL_ROWS, Component, Count, Sum, Values
from rollcall.query.filtering import Selected
from rollcall.query.masks import Masking, masking
from rollcall.query.model import Aggregation
from rollcall.query.sums import LOW, Slots, Table
from rollcall.query.values import Columns, integers_of

# A key has the numbers of the values of all dimensions, and no sign.
_KEY_BITS = 63


class GroupBuilder:
    """Adds up the groups of one aggregation, from rows and from rollups.

    Raises TooManyGroups once there are more than `MAX_GROUPS`, if the aggregation is limited.
    """

    def __init__(self, aggregation: Aggregation) -> None:
        zone, is_limited = aggregation.zone, aggregation.is_limited
        self._zone = zone
        self._has_buckets = aggregation.granularity is not None
        most = MAX_GROUPS if is_limited else None
        self._coders = [DimensionCoder(each, zone, most) for each in aggregation.dimensions]
        has_list = any(coder.is_list for coder in self._coders)
        self._bits = _KEY_BITS // max(1, len(self._coders))
        components = dict.fromkeys((ALL_ROWS, *aggregation.components))
        self._values = {
            each: ValueCoder(each.field, zone) for each in components if isinstance(each, Values)
        }
        if has_list and any(coder.is_list for coder in self._values.values()):
            raise TypeError("lists have no values by the entries of a list")
        self._maskings = dict(_maskings(components, zone))
        self._slots = Slots(components)
        self._groups = Table(self._slots, self._values, is_limited=is_limited)
        # A row is in one group, unless a dimension is a list: then totals are added up apart.
        self._whole = self._groups
        if has_list:
            self._whole = Table(self._slots, self._values, is_limited=False)
        # Columns of the key and of each slot.
        self._of_rollups: list[list[int]] = []
        self._first_ms: int | None = None
        self._last_ms: int | None = None

    def add_rows(self, pages: Iterable[Selected], only: Collection[Values] | None = None) -> None:
        """Add the rows of some pages: all components, or `only` some values."""
        for chunk in chunks(pages):
            self._add(chunk, only)

    def add_rollup(
        self,
        instant_ms: int,
        group: Sequence[GroupValue],
        amounts: Mapping[Count | Sum, int],
        values: Mapping[Values, Mapping[int | str, int]],
    ) -> None:
        """Add components of a group from a rollup. `instant_ms` is the start of what it covers.

        `values` has the number of rows of each integer or text.
        """
        if self._has_buckets:
            self._saw(instant_ms, instant_ms)
        key = 0
        for coder, value in zip(self._coders, group, strict=True):
            key = key << self._bits | coder.number(value)
        self._of_rollups.append([key, *self._slots.column(amounts)])
        for component, counts in values.items():
            code = self._values[component].code
            coded = {code(value): count for value, count in counts.items()}
            self._groups.add_counted(component, key, coded)
        if len(self._of_rollups) >= MERGED_AT_ONCE:
            self._add_rollups()

    def groups(self) -> GroupedRows:
        """Everything that was added."""
        self._add_rollups()
        self._groups.merge()
        self._whole.merge()
        return GroupedRows(
            self._coders, self._bits, self._groups, self._whole, self._first_ms, self._last_ms
        )

    def _add(self, chunk: Chunk, only: Collection[Values] | None) -> None:
        if self._has_buckets:
            times = chunk.integers(TIME)
            self._saw(int(times.min()), int(times.max()))
        keys, rows = self._keys(chunk)
        for component, coder in self._values.items():
            if only is not None and component not in only:
                continue
            if coder.is_list:
                of_entries, codes = coder.entries(chunk)
                self._groups.add_values(component, keys[of_entries], codes)
                continue
            codes = coder.codes(chunk)
            self._groups.add_values(component, keys, codes if rows is None else codes[rows])
            if rows is not None:
                self._whole.add_values(component, np.zeros_like(codes), codes)
        if only is not None:
            return
        amounts = list(self._amounts(chunk))
        if rows is not None:
            self._whole.add(np.zeros(chunk.count, dtype=np.int64), amounts)
            amounts = [(slot, None if of is None else of[rows]) for slot, of in amounts]
        self._groups.add(keys, amounts)

    def _add_rollups(self) -> None:
        if self._of_rollups:
            self._groups.add_groups(list(np.array(self._of_rollups, dtype=np.int64).T))
            self._of_rollups = []

    def _saw(self, first_ms: int, last_ms: int) -> None:
        self._first_ms = first_ms if self._first_ms is None else min(self._first_ms, first_ms)
        self._last_ms = last_ms if self._last_ms is None else max(self._last_ms, last_ms)

    def _keys(self, columns: Columns) -> tuple[Int64s, Int64s | None]:
        """(the key of each entry, its row); the rows are None if each has one entry."""
        rows: Int64s | None = None
        entries: Int64s | None = None
        codes = []
        for coder in self._coders:
            if coder.is_list:
                rows, entries = coder.entries(columns)
                codes.append(entries)
            else:
                codes.append(coder.codes(columns))
        keys = np.zeros(columns.count if rows is None else len(rows), dtype=np.int64)
        for of_dimension in codes:
            per_entry = (
                of_dimension if rows is None or of_dimension is entries else of_dimension[rows]
            )
            keys = keys << self._bits | per_entry
        return keys, rows

    def _amounts(self, columns: Columns) -> Iterator[tuple[int, Amounts]]:
        """The amounts of the rows in slots."""
        for component, slot in self._slots.slot_of.items():
            if isinstance(component, Sum):
                values = integers_of(component.field, columns, self._zone)
                values = np.where(values == NULL, 0, values)
                yield slot, values & LOW
                if int(values.max()) > LOW:
                    yield slot + 1, values >> LOW_BITS
            elif component in self._maskings:
                yield slot, self._maskings[component](columns)
            else:
                yield slot, None


def _maskings(components: Iterable[Component], zone: Zone) -> Iterator[tuple[Count, Masking]]:
    """Each conditional count, with a function that finds its rows."""
    for component in components:
        if isinstance(component, Count) and component.where is not None:
            yield component, masking(component.where, zone)


class GroupedRows:
    """The groups of an aggregation, in no particular order, and all rows together.

    `first_ms` and `last_ms` are instants in the first and the last time bucket that has a row; None
    if there are no rows, or no buckets.
    """

    def __init__(
        self,
        coders: Sequence[DimensionCoder],
        bits: int,
        table: Table,
        whole: Table,
        first_ms: int | None,
        last_ms: int | None,
    ) -> None:
        self._coders = coders
        self._bits = bits
        self._table = table
        self._whole = whole
        self.first_ms = first_ms
        self.last_ms = last_ms

    def __len__(self) -> int:
        return len(self._table.keys)

    def __iter__(self) -> Iterator[tuple[tuple[GroupValue, ...], int]]:
        """(the values of its dimensions, index) of every group."""
        coders, mask = self._coders, (1 << self._bits) - 1
        shifts = [self._bits * n for n in reversed(range(len(coders)))]
        for index, key in enumerate(self._table.keys.tolist()):
            pairs = zip(coders, shifts, strict=True)
            yield tuple(coder.value(key >> shift & mask) for coder, shift in pairs), index

    def by_value(self, component: Count | Sum = ALL_ROWS) -> dict[GroupValue, int]:
        """A component of each value of the only dimension."""
        (coder,) = self._coders
        values = map(coder.value, self._table.keys.tolist())
        return dict(zip(values, self._table.integers(component), strict=True))

    def buckets(self) -> tuple[int, int] | None:
        """The least and the greatest key of the buckets, the only dimension; None without rows."""
        keys = [int(key or 0) for key in self.by_value()]
        return (min(keys), max(keys)) if keys else None

    def cell(self, index: int) -> GroupCell:
        """The components of one group."""
        return self._table.cell(index)

    def merged(self, indices: Sequence[int]) -> GroupCell:
        """The components of several groups together; no row may be in two of them."""
        return self._table.merged(np.array(indices, dtype=np.intp))

    def whole(self) -> GroupCell:
        """The components of all rows together."""
        return self._whole.whole()
