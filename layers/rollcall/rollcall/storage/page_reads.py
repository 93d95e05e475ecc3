"""Reads of single pages and segments, whole or some of their columns.

A reader may see one item of a segment before and the other after a write: their versions then differ,
and it reads again. If they differ although no write is in progress, the segment is damaged. Likewise a
transaction that splits or merges pages may be seen in part, so that for a moment no page covers a
position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from rollcall.domain.errors import Conflict, CorruptItem
from rollcall.ledger.page import ID, Rows
from rollcall.ledger.positions import FIRST
from rollcall.ledger.segments import IDENTITIES, Directory
from rollcall.ledger.tree import Page
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import with_retries
from rollcall.storage.conditions import VERSION
from rollcall.storage.page_items import page_of_item
from rollcall.storage.queries import batch_get, consumed_units, page_at
from rollcall.storage.rollups import APPLIED_AT
from rollcall.storage.segment_items import (
    directory_of,
    identities_key,
    is_segment,
    name_of,
    naming,
    page_of_parts,
    projection,
)

# A transaction becomes visible within milliseconds. What so many reads in a row find alike, with
# pauses between them, is damaged.
_MOST_ALIKE: Final = 5


# Whether a segment may have a row that matches.
CanMatch: TypeAlias = Callable[[Directory, Rows], bool]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is read of a segment: some columns, or all (None); without identities if no row can match.

    `can_match` excludes a match by the directory of a segment, or by its rows without identities.
    `first` is the position from which rows are taken: of what begins before, ids are read too.
    """

    columns: frozenset[str] | None = None
    can_match: CanMatch = lambda *_: True
    first: str = FIRST

    def columns_of(self, start: str, *, can_match: bool) -> frozenset[str] | None:
        """The columns to read of the segment at a position."""
        if self.columns is None:
            return None
        columns = self.columns if can_match else self.columns - IDENTITIES
        return columns | {ID} if start < self.first else columns

    @property
    def names_identities(self) -> bool:
        """Whether identities are among the columns."""
        return self.columns is None or not self.columns.isdisjoint(IDENTITIES)

    def of_values(self, record_type: str, values: Item) -> Ahead:
        """What the values of a segment tell of it. Raises CorruptItem, which names the segment."""
        directory = directory_of(values)
        columns = frozenset[str]() if self.columns is None else self.columns - IDENTITIES
        page = page_of_parts(record_type, directory, values, None, columns)
        if self.columns is None:
            return Ahead(values, directory, page, can_match=True)
        with naming(values):
            return Ahead(values, directory, page, self.can_match(directory, page.rows))


EVERYTHING: Final = Wanted()


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is known of a segment before its turn, from `values`: it is not decoded twice.

    `page` has its wanted columns but identities; those were read if they are wanted, and found.
    """

    values: Item
    directory: Directory
    page: Page
    can_match: bool
    identities: Item | None = None


class Found(NamedTuple):
    """A page or a segment as it was read; of a segment, `item` has the values.

    `can_match` is False if no row of a segment can match.
    """

    page: Page
    applied_at_ms: int
    item: Item
    can_match: bool = True


class PageReads:
    """Pages of all organisations; every request is checked against the current one."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._backoff = backoff

    def last_at(self, ledger: str, position: str, wanted: Wanted, meter: ReadMeter) -> Item | None:
        """The item of the last page that starts at or before a position, read consistently.

        `ledger` is the partition; of a segment, the values that are wanted are read.
        """
        request = page_at(ledger, position) | projection(wanted.columns)
        query = partial(
            self._client.query,
            TableName=self._table,
            ConsistentRead=True,
            ReturnConsumedCapacity="TOTAL",
            **request,
        )
        answer = with_retries(self._backoff, query)
        meter.count(len(answer["Items"]), consumed_units(answer))
        return answer["Items"][0] if answer["Items"] else None

    def covering(
        self,
        record_type: str,
        ledger: str,
        position: str,
        meter: ReadMeter,
        wanted: Wanted = EVERYTHING,
    ) -> Found:
        """The page or segment that covers a position, read consistently.

        Raises CorruptItem when there is none, or it is damaged.
        """

        def read() -> Item | None:
            return self.last_at(ledger, position, wanted, meter)

        attempts = self._backoff.attempts()
        while True:
            found = self.complete(record_type, read(), read, wanted, meter)
            if found is not None and found.page.covers(position):
                return found
            none = f"no ledger page covers {position}"
            if found is None or attempts.number >= _MOST_ALIKE:
                raise CorruptItem(none)
            attempts.failed(Conflict(none))

    def complete(
        self,
        record_type: str,
        item: Item | None,
        again: Callable[[], Item | None],
        wanted: Wanted,
        meter: ReadMeter,
        ahead: Mapping[str, Ahead] = MappingProxyType({}),
    ) -> Found | None:
        """The page of an item; of a segment, with what is wanted.

        `ahead` is what is known of segments, by their start positions.
        `again` reads the item once more, consistently, if the other part of a segment has another
        version; what it finds may begin elsewhere, and None is the answer if it finds nothing.
        Raises CorruptItem when a part is missing or damaged.
        """
        attempts = self._backoff.attempts()
        version: tuple[str, int] | None = None
        alike = 0
        while item is not None:
            if not is_segment(item):
                return Found(page_of_item(record_type, item), av.integer(item, APPLIED_AT), item)
            start = av.text(item, keys.SK)
            known = ahead.get(start)
            if known is None or known.values is not item:
                known = wanted.of_values(record_type, item)
            page, can_match = known.page, known.can_match
            columns = wanted.columns_of(start, can_match=can_match)
            if columns is None or not IDENTITIES.isdisjoint(columns):
                beside = self._beside(item, known.identities, meter)
                if beside is None:
                    read = start, av.integer(item, VERSION)
                    alike = alike + 1 if read == version else 1
                    version = read
                    if alike >= _MOST_ALIKE:
                        raise CorruptItem(f"{name_of(item)} has no identities of its version")
                    attempts.failed(Conflict(f"{name_of(item)} is being written"))
                    item = again()
                    continue
                page = page_of_parts(record_type, known.directory, item, beside, columns)
            return Found(page, av.integer(item, APPLIED_AT), item, can_match)
        return None

    def ahead(
        self, record_type: str, items: Iterable[Item], wanted: Wanted, meter: ReadMeter
    ) -> dict[str, Ahead]:
        """What is known of the segments among items of one ledger, by start position.

        Nothing if no identities are wanted. Those of all segments that can match are read at once,
        eventually consistent. Raises CorruptItem.
        """
        if not wanted.names_identities:
            return {}
        segments = [wanted.of_values(record_type, item) for item in items if is_segment(item)]
        of_segments = [_beside(each.values) for each in segments if each.can_match]
        found = {av.text(item, keys.SK): item for item in self._read(of_segments, meter)}
        return {
            each.page.start: replace(each, identities=found.get(each.page.start))
            for each in segments
        }

    def _beside(self, values: Item, read: Item | None, meter: ReadMeter) -> Item | None:
        """The identities of the version of some values, or None; `read` may be theirs.

        No version is ever used twice at a position, so an old copy with the right version is right,
        and costs half as much.
        """
        if read is not None and read.get(VERSION) == values.get(VERSION):
            return read
        for is_consistent in (True,) if read is not None else (False, True):
            for item in self._read([_beside(values)], meter, is_consistent=is_consistent):
                if item.get(VERSION) == values.get(VERSION):
                    return item
        return None

    def _read(
        self, wanted: Iterable[keys.Key], meter: ReadMeter, *, is_consistent: bool = False
    ) -> list[Item]:
        return batch_get(
            self._client, self._table, wanted, self._backoff, meter, is_consistent=is_consistent
        )


def _beside(values: Item) -> keys.Key:
    """The key of the identities of some values."""
    return identities_key(av.text(values, keys.PK), av.text(values, keys.SK))
