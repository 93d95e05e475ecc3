"""One transaction of the exactness rule: pages, and the rollups that change with them.

Pure: it decides what is written on which conditions, and knows the limits of a DynamoDB
transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from rollcall.domain.measures import RollupKey, breakdown_of
from rollcall.ledger.tree import EncodedPage, Page

# DynamoDB: 100 items and 4 MB per transaction, 4 KB per expression, 300 operators per update.
MAX_ITEMS: Final = 100
MAX_BYTES: Final = 3_800_000
MAX_TERMS: Final = 250

OPEN_LIMIT_BYTES: Final = 32 * 1024
_ITEM_OVERHEAD_BYTES: Final = 1_300  # keys of the longest ids
# Conditions are operators too; beyond this many, the whole rollup is replaced.
_MAX_CONDITIONS: Final = 20
# An item of open breakdowns also holds keys, version, applied_at and marks of spilled breakdowns.
_OPEN_OVERHEAD_BYTES: Final = 1_300


@dataclass(frozen=True, slots=True)
class PageWrite:
    """Put a page, if the stored one still has `version_read` (0: if there is none)."""

    record_type: str
    page: EncodedPage
    version_read: int

    @property
    def version(self) -> int:
        """The version that the page gets."""
        return self.version_read + 1

    @property
    def written(self) -> Page:
        """The page as it is stored after the transaction."""
        return Page(self.page.start, self.page.end, self.version, self.page.rows)


@dataclass(frozen=True, slots=True)
class RollupAdd:
    """ADD measures to a rollup, if none of the `unspilled` breakdowns has been spilled.

    All of the `spilled` breakdowns must still be spilled: their counts are not in `delta`, and
    would be lost if the item had been deleted and created again without the marks.

    `gone` are measures that reach zero and are removed, each if its stored count is still the given
    one. `staying` are measures that shrink, each if its stored count is still above the given one:
    if two writers shrink a measure at the same time, the second must notice that it reaches zero.
    """

    key: RollupKey
    delta: Mapping[str, int]
    unspilled: tuple[str, ...] = ()
    spilled: tuple[str, ...] = ()
    gone: Mapping[str, int] = field(default_factory=dict)
    staying: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RollupPut:
    """Replace a rollup, if the stored item still has `version_read` (0: if there is none)."""

    key: RollupKey
    counts: Mapping[str, int]
    spilled: frozenset[str]
    version_read: int


@dataclass(frozen=True, slots=True)
class RollupDelete:
    """Delete a rollup that becomes empty, if it still has `version_read`."""

    key: RollupKey
    version_read: int


RollupWrite: TypeAlias = RollupAdd | RollupPut | RollupDelete


@dataclass(frozen=True, slots=True)
class Transaction:
    """Writes that are made together or not at all."""

    pages: tuple[PageWrite, ...]
    adds: tuple[RollupAdd, ...]
    puts: tuple[RollupPut, ...]
    deletes: tuple[RollupDelete, ...] = ()

    @staticmethod
    def of(pages: Iterable[PageWrite], rollups: Sequence[RollupWrite]) -> Transaction:
        """The transaction of some page writes and some rollup writes."""
        return Transaction(
            tuple(pages),
            tuple(write for write in rollups if isinstance(write, RollupAdd)),
            tuple(write for write in rollups if isinstance(write, RollupPut)),
            tuple(write for write in rollups if isinstance(write, RollupDelete)),
        )

    @property
    def item_count(self) -> int:
        """The number of items that the transaction writes."""
        return len(self.pages) + len(self.adds) + len(self.puts) + len(self.deletes)

    @property
    def fits(self) -> bool:
        """Whether the transaction is within DynamoDB's limits."""
        page_bytes = sum(len(write.page.data) + _ITEM_OVERHEAD_BYTES for write in self.pages)
        open_bytes = OPEN_LIMIT_BYTES * len(self.puts)
        add_bytes = sum(
            _ITEM_OVERHEAD_BYTES + sum(count_bytes(name, 0) for name in add.delta)
            for add in self.adds
        )
        return self.item_count <= MAX_ITEMS and page_bytes + open_bytes + add_bytes <= MAX_BYTES


@dataclass(frozen=True, slots=True)
class StoredRollup:
    """A rollup as read, closed or open; version 0 if it is not stored.

    Versions are never reused, not even by a rollup that is created again after a deletion.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    spilled: frozenset[str] = frozenset()
    version: int = 0

    def after(self, add: RollupAdd) -> StoredRollup:
        """The rollup after an addition."""
        counts = dict(self.counts)
        for name, change in add.delta.items():
            counts[name] = counts.get(name, 0) + change
        for name in add.gone:
            del counts[name]
        return StoredRollup(counts, self.spilled, self.version + 1)


def count_bytes(name: str, count: int) -> int:
    """The bytes of one count in an item: its name, and a number of up to two digits per byte."""
    return len(name.encode()) + 2 + len(str(abs(count))) // 2 + 1


def write_rollup(
    key: RollupKey, delta: Mapping[str, int], stored: StoredRollup
) -> RollupAdd | RollupPut | RollupDelete:
    """The write that adds `delta` to a rollup that was read.

    Counts that reach zero are removed, so that no value stays stored that no row has. A rollup
    without counts is deleted, unless it has marks of spilled breakdowns to keep.
    """
    kept, spilled = _by_spill(delta, stored)
    if key.is_open and not kept:
        return RollupAdd(key, {}, spilled=spilled)
    counts = stored.counts
    gone = _leaving(kept, counts)
    if stored.version and not stored.spilled and _is_emptied(kept, gone, counts):
        return RollupDelete(key, stored.version)
    staying = _shrinking(key, kept, counts)
    is_large = key.is_open and _bytes_after(kept, counts) > OPEN_LIMIT_BYTES - _OPEN_OVERHEAD_BYTES
    if is_large or len(gone) + len(staying) > _MAX_CONDITIONS:
        return put_rollup(key, _sum(counts, kept), stored)
    unspilled = tuple(sorted(set(map(breakdown_of, kept)))) if key.is_open else ()
    added = {name: d for name, d in kept.items() if name not in gone}
    return RollupAdd(key, added, unspilled, spilled, gone, staying)


def _by_spill(
    delta: Mapping[str, int], stored: StoredRollup
) -> tuple[dict[str, int], tuple[str, ...]]:
    """(the part of a delta that is still counted, the spilled breakdowns of the rest)."""
    kept = {name: d for name, d in delta.items() if breakdown_of(name) not in stored.spilled}
    return kept, tuple(sorted(set(map(breakdown_of, delta.keys() - kept.keys()))))


def _leaving(kept: Mapping[str, int], counts: Mapping[str, int]) -> dict[str, int]:
    """The stored counts that reach zero."""
    return {n: counts[n] for n, d in kept.items() if n in counts and counts[n] + d == 0}


def _sum(counts: Mapping[str, int], added: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) + added.get(name, 0) for name in {**counts, **added}}


def _is_emptied(
    kept: Mapping[str, int], gone: Mapping[str, int], counts: Mapping[str, int]
) -> bool:
    """Whether every count reaches zero and none is added."""
    return len(gone) == len(kept) and not any(c for n, c in counts.items() if n not in gone)


def _shrinking(
    key: RollupKey, kept: Mapping[str, int], counts: Mapping[str, int]
) -> dict[str, int]:
    """The counts that shrink and do not reach zero, each with the amount that it shrinks by.

    A closed rollup has no names that a client chose, so one of them is enough: it keeps a second
    writer from emptying the rollup unnoticed.
    """
    shrinking = {n: -d for n, d in kept.items() if d < 0 and counts.get(n, 0) + d > 0}
    if key.is_open or not shrinking:
        return shrinking
    largest = max(shrinking, key=lambda name: (counts[name] - shrinking[name], name))
    return {largest: shrinking[largest]}


def _bytes_after(kept: Mapping[str, int], counts: Mapping[str, int]) -> int:
    """The bytes of the counts of open breakdowns once `kept` is added."""
    added = ((name, d) for name, d in kept.items() if name not in counts)
    return sum(count_bytes(name, count) for name, count in (*counts.items(), *added))


def put_rollup(key: RollupKey, counts: Mapping[str, int], stored: StoredRollup) -> RollupPut:
    """The write that replaces a rollup that was read with exactly `counts`.

    If open breakdowns would exceed their limit, the largest are spilled: each is replaced by a
    permanent mark, and queries read it from the ledger, in full.
    """
    counts = {name: count for name, count in counts.items() if count}
    if not key.is_open:
        return RollupPut(key, counts, stored.spilled, stored.version)
    sizes: dict[str, int] = {}
    for name, count in counts.items():
        breakdown = breakdown_of(name)
        sizes[breakdown] = sizes.get(breakdown, 0) + count_bytes(name, count)
    spilled = set(stored.spilled)
    for breakdown in stored.spilled:
        sizes.pop(breakdown, None)
    while sum(sizes.values()) > OPEN_LIMIT_BYTES - _OPEN_OVERHEAD_BYTES:
        largest = max(sizes, key=lambda breakdown: (sizes[breakdown], breakdown))
        del sizes[largest]
        spilled.add(largest)
    counts = {name: c for name, c in counts.items() if breakdown_of(name) in sizes}
    return RollupPut(key, counts, frozenset(spilled), stored.version)
