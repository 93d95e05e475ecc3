"""Tables in memory: items by partition key and sort key, as they are and as they were."""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from random import Random

from tests.support.emulator import capacity
from tests.support.emulator.items import Attributes, Item, key_of

# A table and a partition key.
Place = tuple[str, str]
Snapshot = Mapping[Place, Mapping[str, Item]]


class Partition:
    """Items of one partition key by sort key."""

    def __init__(self, items: Mapping[str, Item] | None = None) -> None:
        self.items: dict[str, Item] = dict(items or {})
        self._order: list[str] | None = None

    @property
    def order(self) -> list[str]:
        """The sort keys, ascending: by code points, which is the order of their UTF-8 bytes."""
        if self._order is None:
            self._order = sorted(self.items)
        return self._order

    def put(self, sk: str, item: Item) -> None:
        if self._order is not None and sk not in self.items:
            insort(self._order, sk)
        self.items[sk] = item

    def remove(self, sk: str) -> None:
        del self.items[sk]
        if self._order is not None:
            del self._order[bisect_left(self._order, sk)]


_EMPTY = Partition()


class Tables:
    """Tables that are there as soon as an item is put into them.

    `on_write` is called with every write: the table, the item before and after (None: absent).
    """

    __slots__ = ("_before", "_lag", "_partitions", "on_write")

    def __init__(self) -> None:
        self.on_write: Callable[[str, Attributes | None, Attributes | None], None] | None = None
        self._partitions: dict[Place, Partition] = {}
        self._before: Snapshot = {}
        self._lag: Random | None = None

    # -- items -------------------------------------------------------------------------------
    def put(self, table: str, attributes: Attributes) -> None:
        self.store(table, key_of(attributes), Item.of(attributes))

    def put_text(self, table: str, text: str) -> None:
        """Put an item that is given as the JSON text of its attributes."""
        attributes = json.loads(text)
        self.store(table, key_of(attributes), Item(text, capacity.item_bytes(attributes)))

    def store(self, table: str, key: tuple[str, str], item: Item | None) -> None:
        """Put an item at its key, or with None remove the one that is there."""
        pk, sk = key
        before = self.find(table, key)
        if item is not None:
            self._partitions.setdefault((table, pk), Partition()).put(sk, item)
        elif before is not None:
            self._partitions[table, pk].remove(sk)
        else:
            return
        if self.on_write is not None:
            self.on_write(
                table, before.attributes if before else None, item.attributes if item else None
            )

    def find(self, table: str, key: tuple[str, str]) -> Item | None:
        return self._partitions.get((table, key[0]), _EMPTY).items.get(key[1])

    def item(self, table: str, pk: str, sk: str) -> Attributes:
        """The attributes of one item. Raises KeyError where there is none."""
        return self._partitions[table, pk].items[sk].attributes

    def all_items(self, table: str) -> Iterator[Attributes]:
        """The attributes of all items: a partition's together, in the order of their first writes."""
        for place in self._places(table):
            yield from (item.attributes for item in self._partitions[place].items.values())

    # -- everything at once ------------------------------------------------------------------
    def snapshot(self, table: str | None = None) -> dict[Place, dict[str, Item]]:
        """What is stored now, in all tables or in one."""
        return {place: dict(self._partitions[place].items) for place in self._places(table)}

    def restore(self, snapshot: Snapshot, table: str | None = None) -> None:
        """Put back what was stored, as a restored backup does: `on_write` is not called."""
        for place in self._places(table):
            del self._partitions[place]
        for place, items in snapshot.items():
            self._partitions[place] = Partition(items)

    def clear(self) -> None:
        self._partitions.clear()
        self.catch_up()

    def _places(self, table: str | None) -> list[Place]:
        return [place for place in self._partitions if table in (None, place[0])]

    # -- reads that are not consistent -------------------------------------------------------
    def lag_behind(self, random: Random) -> None:
        """From now on let reads that are not consistent find some items as they are at this moment.

        Each such read draws again, for every item.
        """
        self._before = self.snapshot()
        self._lag = random

    def catch_up(self) -> None:
        """From now on let every read find what is stored."""
        self._before, self._lag = {}, None

    @property
    def is_lagging(self) -> bool:
        """Whether reads that are not consistent may find items as they were before."""
        return self._lag is not None

    def partition(self, table: str, pk: str, *, is_consistent: bool) -> Partition:
        """A partition as a read finds it."""
        now = self._partitions.get((table, pk), _EMPTY)
        if self._lag is None or is_consistent:
            return now
        before = self._before.get((table, pk), {})
        found = {
            sk: (before if self._lag.randint(0, 1) else now.items).get(sk)
            for sk in now.items | dict(before)
        }
        return Partition({sk: item for sk, item in found.items() if item is not None})

    def partitions(self, table: str, *, is_consistent: bool) -> Iterator[Partition]:
        """Every partition of a table as a read finds it."""
        for name, pk in self._places(table):
            yield self.partition(name, pk, is_consistent=is_consistent)
