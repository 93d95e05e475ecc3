"""Scenarios: a small deployment in which a test says what happens, where a schedule would draw it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from rollcall.domain.contributions import CURRENT_VERSION
from rollcall.storage import keys
from tests.simulation.checker import Checker
from tests.simulation.clients import Ledger, send
from tests.simulation.event_source import EventSource, deliver
from tests.simulation.scheduler import Task
from tests.simulation.world import RECORDS, World

ORG = "alpha#1"
OTHER = "beta"


class Scenario:
    """A world without any fault but those that the test asks for.

    `source` is made by `start_stream`; until then nothing is delivered, as while the stream's
    reader is off.
    """

    def __init__(self, seed: int = 1, page_target_bytes: int = 450, buckets: int = 1) -> None:
        self.world = World(Random(seed), page_target_bytes=page_target_bytes)
        self.world.faults.budget = 0
        self.ledger = Ledger()
        self.checker = Checker(self.world, self.ledger)
        self.source: EventSource | None = None
        for org_id in (ORG, OTHER):
            self.world.add_organisation(org_id, buckets)

    def send(self, records: Sequence[Any], org_id: str = ORG, most_tries: int = 50) -> Task:
        """A client that sends one request."""
        return self.world.spawn(
            f"client {len(self.world.scheduler.tasks)}",
            lambda: send(self.world, self.ledger, org_id, list(records), most_tries),
        )

    def start_stream(self, most_records: int = 10, most_tries: int = 10_000) -> EventSource:
        """Begin to deliver; ends when all is delivered and no writer is left."""
        self.source = source = EventSource(self.world, most_records, most_tries)

        def close() -> None:
            scheduler = self.world.scheduler
            while any(not task.name.startswith(("poller", "close")) for task in scheduler.tasks):
                scheduler.pause(1_000)
            source.close()

        self.world.spawn("close", close)
        return source

    def run(self, **limits: Any) -> None:
        """Run all tasks to their end, and check now and then in between."""
        self.world.run(self.checker.check_running, chance=0.02, **limits)

    def settle(self, records: Sequence[Any], org_id: str = ORG, size: int = 10) -> None:
        """Send records in requests of `size`, deliver everything, and check."""
        for start in range(0, len(records), size):
            self.send(records[start : start + size], org_id)
        self.start_stream(most_records=3)
        self.run()
        self.checker.check_at_rest()

    def list_facts(self, org_id: str = ORG) -> list[dict[str, Any]]:
        """Every fact item of an organisation."""
        return [
            item
            for item in self.world.store.all_items(RECORDS)
            if item["PK"]["S"].startswith(keys.org_prefix(org_id))
            and item["SK"]["S"].startswith("FACT#")
        ]

    def replay_facts(self, org_id: str = ORG, size: int = 20) -> Callable[[], None]:
        """What an operator runs to bring every stored fact through the ordinary path again."""

        def run() -> None:
            facts = self.list_facts(org_id)
            for start in range(0, len(facts), size):
                records = [as_record(item) for item in facts[start : start + size]]
                while True:
                    task = deliver(self.world, records)
                    self.world.scheduler.join(task)
                    if task.error is None and not task.result["batchItemFailures"]:
                        break
                    self.world.scheduler.pause(1_000)

        return run


def as_record(item: dict[str, Any]) -> dict[str, Any]:
    """A fact as the stream would bring it."""
    return {
        "eventID": f"replay {item['PK']['S']} {item['SK']['S']} {item.get('rev')}",
        "eventName": "MODIFY",
        "dynamodb": {
            "Keys": {"PK": item["PK"], "SK": item["SK"]},
            "SequenceNumber": item.get("rev", {"N": "0"})["N"] + item["SK"]["S"],
            "NewImage": item,
        },
    }


def open_epoch(world: World, org_id: str, number: int = 1, buckets: int = 1) -> None:
    """Add an epoch to those that an organisation writes, as the first step of a rebuild does."""
    item = world.store.item(RECORDS, *keys.organisation(org_id))
    written = [*item["written"]["L"], {"N": str(number)}]
    versions = {**item["contributions"]["M"], str(number): {"N": str(CURRENT_VERSION)}}
    changed = {**item, "written": {"L": written}, "contributions": {"M": versions}}
    if buckets > 1:
        counts = {**item.get("bucket_counts", {"M": {}})["M"], str(number): {"N": str(buckets)}}
        changed["bucket_counts"] = {"M": counts}
    world.store.put(RECORDS, changed)
    world.counts["epochs opened"] += 1
