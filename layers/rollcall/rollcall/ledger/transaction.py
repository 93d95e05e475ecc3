"""One transaction of the exactness rule: pages, and the rollups that change with them.

Pure: says what is to be written under which conditions, and what DynamoDB takes at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rollcall.domain.measures import RollupKey, breakdown_of
from rollcall.ledger.tree import EncodedPage

# DynamoDB: 100 items and 4 MB a transaction, 4 KB an expression, 300 operators an update.
MAX_ITEMS: Final = 100
MAX_BYTES: Final = 3_800_000
MAX_TERMS: Final = 250

OPEN_LIMIT_BYTES: Final = 32 * 1024
_ITEM_OVERHEAD_BYTES: Final = 1_300  # keys of the longest ids
# What an item of open breakdowns holds beside its counts: keys, version, applied_at, marks.
_OPEN_OVERHEAD_BYTES: Final = 1_300


@dataclass(frozen=True, slots=True)
class PageWrite:
    """Put a page, if the stored one still has `version_read` (0: if there is none)."""

    record_type: str
    page: EncodedPage
    version_read: int

    @property
    def version(self) -> int:
        """The version that is written."""
        return self.version_read + 1


@dataclass(frozen=True, slots=True)
class RollupAdd:
    """ADD measures to a rollup, if none of the `unspilled` breakdowns has been spilled."""

    key: RollupKey
    delta: Mapping[str, int]
    unspilled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenPut:
    """Put open breakdowns anew, if the stored item still has `version_read` (0: if none)."""

    key: RollupKey
    counts: Mapping[str, int]
    spilled: frozenset[str]
    version_read: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """Everything that is written at once, or not at all."""

    pages: tuple[PageWrite, ...]
    adds: tuple[RollupAdd, ...]
    puts: tuple[OpenPut, ...]

    @property
    def item_count(self) -> int:
        """How many items the transaction touches."""
        return len(self.pages) + len(self.adds) + len(self.puts)

    @property
    def fits(self) -> bool:
        """Whether DynamoDB takes it as one transaction."""
        page_bytes = sum(len(write.page.data) + _ITEM_OVERHEAD_BYTES for write in self.pages)
        open_bytes = OPEN_LIMIT_BYTES * len(self.puts)
        add_bytes = sum(
            _ITEM_OVERHEAD_BYTES + sum(count_bytes(name, 0) for name in add.delta)
            for add in self.adds
        )
        return self.item_count <= MAX_ITEMS and page_bytes + open_bytes + add_bytes <= MAX_BYTES


@dataclass(frozen=True, slots=True)
class OpenBreakdowns:
    """The open breakdowns of one rollup as read; version 0 where nothing is stored."""

    counts: Mapping[str, int] = field(default_factory=dict)
    spilled: frozenset[str] = frozenset()
    version: int = 0

    def plus(self, delta: Mapping[str, int]) -> OpenBreakdowns:
        """What is stored after an ADD of `delta`."""
        counts = dict(self.counts)
        for name, change in delta.items():
            counts[name] = counts.get(name, 0) + change
        return OpenBreakdowns(counts, self.spilled, self.version + 1)


def count_bytes(name: str, count: int) -> int:
    """What one count takes in an item: its name, and a number of up to two digits a byte."""
    return len(name.encode()) + 2 + len(str(abs(count))) // 2 + 1


def write_open(
    key: RollupKey, delta: Mapping[str, int], stored: OpenBreakdowns
) -> RollupAdd | OpenPut | None:
    """How to bring `delta` into open breakdowns; None when all of it falls to spilled ones.

    A breakdown that would take the item past its limit is spilled: replaced for ever by a mark, so
    that its question is answered from the ledger, whole, instead of from a list cut short.
    """
    kept = {name: d for name, d in delta.items() if breakdown_of(name) not in stored.spilled}
    if not kept:
        return None
    size = sum(count_bytes(name, count) for name, count in stored.counts.items())
    size += sum(count_bytes(name, d) for name, d in kept.items() if name not in stored.counts)
    limit = OPEN_LIMIT_BYTES - _OPEN_OVERHEAD_BYTES
    if size <= limit:
        return RollupAdd(key, kept, tuple(sorted({breakdown_of(name) for name in kept})))

    counts = dict(stored.counts)
    for name, change in kept.items():
        counts[name] = counts.get(name, 0) + change
    # What was counted and is gone again takes room, but answers nothing.
    counts = {name: count for name, count in counts.items() if count}
    sizes: dict[str, int] = {}
    for name, count in counts.items():
        breakdown = breakdown_of(name)
        sizes[breakdown] = sizes.get(breakdown, 0) + count_bytes(name, count)
    spilled = set(stored.spilled)
    while sum(sizes.values()) > limit:
        largest = max(sizes, key=lambda breakdown: (sizes[breakdown], breakdown))
        del sizes[largest]
        spilled.add(largest)
    counts = {name: c for name, c in counts.items() if breakdown_of(name) in sizes}
    return OpenPut(key, counts, frozenset(spilled), stored.version)
