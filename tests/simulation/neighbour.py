"""A neighbour: an organisation with a damaged item, in the same shards as organisations without one.

The others must not notice. What the neighbour itself misses must come back once the item is right
again, by each of the ways that the documentation names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulation.operators import compare, rebuild, redrive
from tests.simulation.stored import StoredFact
from tests.support.emulator.items import Attributes

if TYPE_CHECKING:
    from tests.simulation.world import World

NEIGHBOUR = "gamma"
MARK = "γ@c "
_ANALYTICS_PREFIX = f"ORG#{NEIGHBOUR}#E0#"
_MAX_WAITS = 40


@dataclass(frozen=True)
class Damage:
    """One attribute of an item of the analytics table, replaced by hand."""

    table: str
    pk: str
    sk: str
    attribute: str
    before: dict[str, Any]
    after: dict[str, Any]
    start: str = ""
    end: str = ""

    @property
    def is_page_data(self) -> bool:
        return self.attribute == "data"

    def stands_in_the_way_of(self, fact: StoredFact) -> bool:
        """Whether a fact of the neighbour cannot be applied because of it."""
        if not self.is_page_data:
            return True  # a damaged rollup counts many; a wrong `end` leaves a gap for any
        is_of_type = f"#LEDGER#{fact.name.type}#" in self.pk
        return is_of_type and any(self.start <= row.position < self.end for row in fact.rows())


def damage(world: World, table: str) -> None:
    """Damage an item of the neighbour, as soon as there is one of the kind that is drawn."""
    random = world.random
    attribute = random.choice(("data", "data", "end", "calls"))
    for _ in range(_MAX_WAITS):
        world.scheduler.pause(random.choice((1_000, 3_000)))
        items = [
            item
            for item in world.store.all_items(table)
            if item["PK"]["S"].startswith(_ANALYTICS_PREFIX) and attribute in item
        ]
        if not items:
            continue
        item = random.choice(items)
        damaged: Attributes = {
            "data": {"B": b"\x09"},
            "end": {"S": "0"},
            "calls": {"S": "many"},
        }
        after = damaged[attribute]
        world.damage = Damage(
            table,
            item["PK"]["S"],
            item["SK"]["S"],
            attribute,
            item[attribute],
            after,
            item.get("start", {}).get("S", ""),
            item.get("end", {}).get("S", ""),
        )
        world.store.put(table, {**item, attribute: after})
        world.counts["items damaged"] += 1
        return


def repair(world: World) -> None:
    """Bring the neighbour back in one of the documented ways, then replay what was quarantined."""
    assert world.damage is not None
    way = world.random.choice((_restore, _reconcile, _rebuild))
    if world.random.random() < 0.3:
        redrive(world)  # too early: what cannot be applied stays
    way(world, world.damage)
    redrive(world)
    world.damage = None
    world.counts["items repaired"] += 1


def _restore(world: World, damage: Damage) -> None:
    """By hand, out of a backup of the item."""
    for item in world.store.all_items(damage.table):
        if (item["PK"]["S"], item["SK"]["S"]) == (damage.pk, damage.sk):
            # An updater that had read the page before may have written it whole since.
            if item[damage.attribute] == damage.after:
                world.store.put(damage.table, {**item, damage.attribute: damage.before})
            return


def _reconcile(world: World, _damage: Damage) -> None:
    world.scheduler.pause(20_000_000)  # longer than the grace that the comparison gives the stream
    compare(world, NEIGHBOUR, lambda _difference: None, is_repairing=True)


def _rebuild(world: World, _damage: Damage) -> None:
    rebuild(world, NEIGHBOUR)
