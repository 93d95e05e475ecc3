"""How often each pair of a key and a code occurs, of which there may be millions.

A pair and its count are put into one integer, unless they do not fit. Such integers take eight bytes a
pair, and are sorted in place, in a fraction of the time that columns take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from rollcall.ledger.columns import Int64s
from rollcall.query.adding import MERGED_AT_ONCE, Rows, added_up, count_by, narrow
from rollcall.query.numbering import is_dense

# One more than the greatest packed integer must fit too.
_MOST_BITS: Final = 62
_AT_ONCE: Final = 65_536
# The rows of a pair, before that of its count.
_KEY_ROWS: Final = 2


class _Range(NamedTuple):
    """The smallest and the largest key, code and count of some pairs.

    A count may be anywhere up to `most`.
    """

    first: int
    last: int
    low: int
    high: int
    least: int
    most: int

    @staticmethod
    def of(rows: Rows) -> _Range:
        keys, codes, counts = rows
        ends = [end for row in (keys, codes, counts) for end in (row.min(), row.max())]
        return _Range(*map(int, ends))

    def joined(self, other: _Range) -> _Range:
        """That of both together, in each of which the pairs are distinct."""
        return _Range(
            min(self.first, other.first),
            max(self.last, other.last),
            min(self.low, other.low),
            max(self.high, other.high),
            min(self.least, other.least),
            self.most + other.most,
        )


class _Packing(NamedTuple):
    """How a key, a code and a count are put into one integer, in the order of the keys and the codes."""

    first: int
    low: int
    code_bits: int
    count_bits: int

    @staticmethod
    def of(range_: _Range) -> _Packing | None:
        """What fits all pairs in a range; None if that is more than an integer has.

        A count below 1, which only a damaged rollup has, does not fit.
        """
        code_bits = (range_.high - range_.low).bit_length()
        count_bits = range_.most.bit_length()
        bits = (range_.last - range_.first).bit_length() + code_bits + count_bits
        if bits > _MOST_BITS or range_.least < 1:
            return None
        return _Packing(range_.first, range_.low, code_bits, count_bits)

    def pack(self, rows: Rows, packed: Int64s) -> None:
        """Write the integers of some pairs."""
        keys, codes, counts = rows
        packed[:] = keys
        packed -= self.first
        packed <<= self.code_bits
        packed += codes
        packed -= self.low
        packed <<= self.count_bits
        packed |= counts

    def unpacked(self, packed: Int64s) -> Rows:
        """The keys, the codes and the counts."""
        pairs = packed >> self.count_bits
        counts = packed - (pairs << self.count_bits)
        keys = pairs >> self.code_bits
        pairs -= keys << self.code_bits
        return [keys + self.first, pairs + self.low, counts]

    def add_up(self, packed: Int64s) -> int:
        """Put pairs that are equal into one integer each, at the start; returns their number."""
        start = end = 0
        while start < len(packed):
            rest = packed[start:]
            last = int(rest[:_AT_ONCE][-1])
            after = ((last >> self.count_bits) + 1) << self.count_bits
            part = rest[: int(np.searchsorted(rest, after))]
            start += len(part)
            pairs = part >> self.count_bits
            counts = part - (pairs << self.count_bits)
            begins = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1])))
            added = pairs[begins] << self.count_bits
            added |= np.add.reduceat(counts, begins)
            packed[end : end + len(added)] = added
            end += len(added)
        return end

    def places(self, packed: Int64s, offsets: Int64s, most: int) -> Int64s:
        """Where the pairs of keys begin, or would begin; `most` is the greatest offset of a key."""
        keys = np.clip(offsets, 0, most + 1) << (self.code_bits + self.count_bits)
        return np.searchsorted(packed, keys)


class Pairs:
    """Counts of pairs; ascending and distinct after `merge`.

    What is added is merged once it is as long as what was merged before: so a pair is sorted a few
    times, however many there are.
    """

    def __init__(self) -> None:
        self._range: _Range | None = None
        self._packing: _Packing | None = None
        self._packed: Int64s = np.empty(0, dtype=np.int64)
        # The columns, once they do not fit into integers.
        self._columns: Rows = []
        self._since: list[Rows] = []
        self._waiting = 0

    def __len__(self) -> int:
        return len(self._columns[0]) if self._columns else len(self._packed)

    def add(self, rows: Rows) -> None:
        """Add columns of keys, codes and counts, with distinct pairs. They must not be empty."""
        self._since.append(rows)
        self._waiting += len(rows[0])
        if self._waiting > max(MERGED_AT_ONCE, len(self)):
            self.merge()

    def merge(self) -> None:
        """Put everything together that was added."""
        if not self._since:
            return
        for rows in self._since:
            added = _Range.of(rows)
            self._range = added if self._range is None else self._range.joined(added)
        assert self._range is not None
        packing = _Packing.of(self._range)
        if packing is None or self._columns:
            self._merge_columns()
        else:
            self._merge_packed(packing)
        self._waiting = 0

    def spans(self, keys: Int64s) -> list[tuple[int, int]]:
        """Where the pairs of each key begin and end."""
        if self._columns:
            of_key = self._columns[0]
            starts = np.searchsorted(of_key, keys)
            ends = np.searchsorted(of_key, keys, side="right")
        elif self._packing is None or self._range is None:
            starts = ends = np.zeros(len(keys), dtype=np.int64)
        else:
            offsets, most = keys - self._range.first, self._range.last - self._range.first
            starts = self._packing.places(self._packed, offsets, most)
            ends = self._packing.places(self._packed, offsets + 1, most)
        return list(zip(starts.tolist(), ends.tolist(), strict=True))

    def values(self, start: int, end: int) -> Rows:
        """The codes and the counts of some pairs."""
        if self._columns or self._packing is None:
            return [row[start:end].astype(np.int64) for row in self._columns[1:]] or _NOTHING
        return self._packing.unpacked(self._packed[start:end])[1:]

    def values_of(self, spans: Iterable[tuple[int, int]]) -> Rows:
        """The distinct codes of the pairs in disjoint spans, ascending, and their counts."""
        edges = np.array(list(spans), dtype=np.int64).reshape(-1, 2)
        steps = np.zeros(len(self) + 1, dtype=np.int8)
        np.add.at(steps, edges[:, 0], 1)
        np.subtract.at(steps, edges[:, 1], 1)
        chosen = np.cumsum(steps[:-1], dtype=np.int8).astype(np.bool_)
        if self._columns or self._packing is None:
            return added_up([row[chosen] for row in self._columns[1:]] or [*_NOTHING], 1)
        return added_up(self._packing.unpacked(self._packed[chosen])[1:], 1)

    def all_values(self) -> Rows:
        """The distinct codes of all pairs, ascending, and their counts."""
        if self._range is None:
            return _NOTHING
        low, high = self._range.low, self._range.high
        if not is_dense(high - low, len(self)):
            parts = [[narrow(row) for row in block] for block in self._blocks()]
            return added_up([np.concatenate(row) for row in zip(*parts, strict=True)], 1)
        totals = np.zeros(high - low + 1, dtype=np.int64)
        for codes, counts in self._blocks():
            np.add.at(totals, codes - low, counts)
        present = np.flatnonzero(totals)
        return [present + low, totals[present]]

    def _blocks(self) -> Iterator[Rows]:
        """The codes and the counts of all pairs, in parts."""
        for start in range(0, len(self), _AT_ONCE):
            yield self.values(start, min(start + _AT_ONCE, len(self)))

    def _merge_packed(self, packing: _Packing) -> None:
        end = len(self._packed)
        self._repack(packing)
        # No view of the integers exists here.
        self._packed.resize(end + self._waiting, refcheck=False)
        while self._since:
            rows = self._since.pop()
            packing.pack(rows, self._packed[end : end + len(rows[0])])
            end += len(rows[0])
        self._packed.sort(kind="stable")  # of ascending parts, in a third of the time
        self._packed.resize(packing.add_up(self._packed), refcheck=False)

    def _repack(self, packing: _Packing) -> None:
        before, self._packing = self._packing, packing
        if before is None or before == packing:
            return
        for start in range(0, len(self._packed), _AT_ONCE):
            part = self._packed[start : start + _AT_ONCE]
            packing.pack(before.unpacked(part), part)

    def _merge_columns(self) -> None:
        parts = [self._columns] if self._columns else []
        if len(self._packed) and self._packing is not None:
            parts.append(self._packing.unpacked(self._packed))
        parts += self._since
        self._since = []
        self._packed, self._packing = np.empty(0, dtype=np.int64), None
        self._columns = added_up(
            [np.concatenate(row) for row in zip(*parts, strict=True)], _KEY_ROWS
        )


_NOTHING: Final[Rows] = [np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)]


def counted_pairs(keys: Int64s, codes: Int64s) -> Rows:
    """Rows of distinct keys and codes in ascending order, and how often each pair occurs."""
    first, low = int(keys.min()), int(codes.min())
    width = int(codes.max()) - low + 1
    if (int(keys.max()) - first + 1) * width >= 2**62:
        return added_up([keys, codes, np.ones_like(keys)], _KEY_ROWS)
    pairs, counts = count_by((keys - first) * width + (codes - low))
    return [narrow(row) for row in (pairs // width + first, pairs % width + low, counts)]
