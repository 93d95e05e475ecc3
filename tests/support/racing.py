"""Reconcile while everything else runs: one seed's deployment, its clients, its faults.

It is like a schedule of the simulation, with operators who compare and repair meanwhile, and with a run
that plants drift, switches epochs or deletes an organisation. Nothing here asserts: the tests do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from rollcall import bootstrap
from rollcall.domain.contributions import CURRENT_VERSION
from rollcall.domain.errors import Conflict, Unavailable
from rollcall.domain.organisations import Organisation
from rollcall.maintenance.audits import Audit, Difference
from rollcall.maintenance.reconcile import rollups as rollups_module
from rollcall.maintenance.reconcile import run as reconcile_module
from rollcall.storage import keys
from tests.simulation import workload
from tests.simulation.checker import Checker
from tests.simulation.clients import Ledger, send
from tests.simulation.event_source import EventSource, deliver, replay
from tests.simulation.network import Outage
from tests.simulation.operators import OPERATOR, compare
from tests.simulation.scenario import as_record
from tests.simulation.scheduler import Task
from tests.simulation.world import ANALYTICS, RECORDS, World
from tests.support.drift import Item
from tests.support.emulator.items import key_of
from tests.support.generate import written
from tests.support.oracle import moment
from tests.support.reconciling import violations_of

ORG, OTHER = "alpha#1", "beta"
# Longer than any record takes: an invocation is suspended for 700 s at most, and tried again.
GRACE_SECONDS = 2_000
_FIRST_MS = 1_709_251_200_000  # 2024-03-01
_UPDATED_MS = _FIRST_MS + 600 * 86_400_000
_RATES: dict[str, float] = {
    "lost_reply": 0.02,
    "throttle": 0.01,
    "burst": 0.004,
    "conflict": 0.02,
    "in_progress": 0.01,
    "broken_before": 0.01,
    "broken_after": 0.01,
    "unprocessed": 0.01,
    "suspend": 0.015,
    "kill": 0.015,
}
_HEAVY: tuple[dict[str, float], ...] = (
    {},
    {},
    {"throttle": 0.2},
    {"conflict": 0.4},
    {"lost_reply": 0.15},
    {"suspend": 0.1},
    {"kill": 0.05},
    {"unprocessed": 0.3},
)


class Race:
    """One seed's deployment, in which tests spawn operators."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.planters: list[Task] = []
        self.random = random = Random(seed)
        self.world = world = World(
            random, shards=random.choice((2, 3)), page_target_bytes=random.choice((1, 450, 800))
        )
        self.ledger = Ledger()
        self.checker = Checker(world, self.ledger)
        if random.random() < 0.5:
            world.open_limit_bytes = random.choice((25, 40, 60))
        heavy = random.choice(_HEAVY)
        world.faults.rates = {n: r for n, r in _RATES.items() if n not in heavy} | heavy
        world.faults.budget = random.choice((0, 10, 30, 60))
        for org_id, mark in ((ORG, "α~a "), (OTHER, "β#b ")):
            world.add_organisation(org_id, buckets=random.choice((1, 3)))
            world.marks[org_id] = mark
        self.source = EventSource(world, most_records=random.choice((1, 4, 10)))
        self.counts = world.counts
        self.audits: list[Audit] = []
        self.reported: list[Difference] = []
        self._resting = 0  # operators who wait for something that is on its way
        self._is_ending = False

    # -- all other tasks -----------------------------------------------------------------------
    def clients(self, records: int) -> None:
        """Those who send records of all types, and go on sending until the operators are done."""
        requests = workload.requests(self.random, ORG, self.world.marks[ORG], records)
        count = self.random.randint(1, 2)
        for number in range(count):
            own = requests[number::count]
            self.world.spawn(f"client {number}", partial(self._send_all, own))

    def _send_all(self, requests: list[list[Any]]) -> None:
        for request in requests:
            send(self.world, self.ledger, ORG, request, most_tries=30)
            self._wait()
        number = 0
        while not self._is_ending:
            number += 1
            (record,) = workload.fat_calls(self.random, self.world.marks[ORG], 1, number % 9)
            record["started_at"] = written(moment(_FIRST_MS + number % 9))
            record["updated_at"] = written(moment(_UPDATED_MS + number))
            send(self.world, self.ledger, ORG, [record], most_tries=30)
            self._wait()

    def _wait(self) -> None:
        pauses = (20_000, 60_000, 200_000) if self._resting else (0, 50, 800, 3_000)
        self.world.scheduler.pause(self.random.choice(pauses))

    def replayer(self) -> Task:
        """Old batches, after newer ones."""

        def run() -> None:
            while not self._is_ending:
                self._wait()
                shard = self.random.choice(self.world.stream.shards)
                if shard.records:
                    start = self.random.randrange(len(shard.records))
                    end = start + self.random.choice((1, 3, 8))
                    replay(self.world, shard, start, end, self.random.choice((1, 1, 2)))
                    self.world.counts["replays"] += 1
                if self.world.counts["replays"] > 20:
                    return

        return self.world.spawn("replayer", run)

    def weather(self) -> Task:
        """An outage of one table, or of a part of it."""

        def run() -> None:
            self.world.scheduler.pause(self.random.choice((3_000, 15_000, 60_000)))
            prefix = self.random.choice(
                ("ORG#alpha~-1#", "ORG#alpha~-1#E0#", "ORG#alpha~-1#E0#ROLLUP#")
            )
            until = self.world.now_ms + self.random.choice((2_000, 6_000, 14_000))
            code = self.random.choice(("throttle", "broken"))
            self.world.outages.append(Outage(prefix, until, code))

        return self.world.spawn("weather", run)

    # -- operators -----------------------------------------------------------------------------
    def operator(self, *, is_repairing: bool, runs: int = 1, after_ms: int = 0) -> Task:
        """An operator who compares, and runs a comparison again that was killed or gave up, to its end."""

        def run() -> None:
            self.world.scheduler.pause(after_ms)
            for _ in range(runs):
                self.compare(is_repairing=is_repairing)

        return self.world.spawn("operator", run)

    def compare(self, *, is_repairing: bool, grace_seconds: float = GRACE_SECONDS) -> Audit | None:
        """The audit of one comparison, however often it is interrupted; None: another took over."""
        try:
            audit = compare(
                self.world,
                ORG,
                self.reported.append,
                is_repairing=is_repairing,
                grace_seconds=grace_seconds,
            )
        except Conflict:
            self.counts["taken over"] += 1
            return None
        except Unavailable:
            return None  # the organisation is being deleted
        self.audits.append(audit)
        self.counts["unsettled"] += audit.unsettled
        return audit

    def sleep(self, seconds: float) -> None:
        is_resting = seconds > 5
        self._resting += is_resting
        try:
            self.world.sleep(seconds)
        finally:
            self._resting -= is_resting

    # -- running -------------------------------------------------------------------------------
    def run(self, *operators: Task, is_checked: bool) -> None:
        """Run until the operators are done, then all other tasks, and until all is delivered."""
        world = self.world
        others = [task for task in world.scheduler.tasks if task.name.startswith("client")]

        def end() -> None:
            for task in operators:
                world.scheduler.join(task)
                if task.error is not None:
                    self._is_ending = True
                    raise task.error
            self._is_ending = True
            for task in others:
                world.scheduler.join(task)
                if task.error is not None:
                    raise task.error
            world.faults.budget = 0
            world.outages.clear()
            for task in [t for t in world.scheduler.tasks if t.function and t.function != OPERATOR]:
                world.scheduler.join(task)
            self.last()
            self.source.close()

        ending = world.spawn("end", end)

        def look() -> None:
            if is_checked:
                self.checker.check_running()
            if ending.is_done and ending.error is not None:
                raise ending.error

        with _sleeping(self):
            world.run(look, chance=0.003, most_steps=400_000)
        if ending.error is not None:
            raise ending.error

    def last(self) -> None:
        """What is done after the last write, before the rest of the stream is delivered."""

    def until_delivered(self, max_ms: int) -> None:
        """Wait until the stream is delivered, but no longer than `max_ms`."""
        until = self.world.now_ms + max_ms
        while self.source.lag and self.world.now_ms < until:
            self.world.scheduler.pause(5_000)

    # -- what is stored ------------------------------------------------------------------------
    @property
    def organisation(self) -> Organisation:
        """As it is stored now."""
        return self.world.organisation(ORG)

    def all(self, table: str) -> list[Item]:
        return list(self.world.store.all_items(table))

    def put(self, table: str, item: Item) -> None:
        """By hand: no stream record tells of it."""
        with self._behind_our_back():
            self.world.store.put(table, item)

    def delete(self, table: str, item: Item) -> None:
        key = {name: item[name] for name in ("PK", "SK")}
        with self._behind_our_back():
            self.world.store.answer("DeleteItem", {"TableName": table, "Key": key})

    @contextmanager
    def _behind_our_back(self) -> Iterator[None]:
        stream = self.world.stream
        was_on, stream.is_on = stream.is_on, False
        try:
            yield
        finally:
            stream.is_on = was_on

    def faults(self) -> list[str]:
        """What a brute-force count from the raw items finds wrong in the live epoch."""
        organisation = self.organisation
        store = SimpleNamespace(all_items=self.all)
        # A planted mark is one way, so breakdowns may be spilled without need.
        world: Any = SimpleNamespace(store=store, open_limit_bytes=1, poisoned=set(), damage=None)
        checker = Checker(world, SimpleNamespace())  # type: ignore[arg-type]
        return violations_of(checker, organisation)

    # -- epochs --------------------------------------------------------------------------------
    def rebuild(self) -> Task:
        """A next epoch: written, filled, read, and the one before it removed."""

        def run() -> None:
            pause = self.world.scheduler.pause
            pause(self.random.choice((500, 10_000, 100_000)))
            organisation = self.organisation
            old, new = organisation.live, organisation.live + 1
            versions = {old: CURRENT_VERSION, new: CURRENT_VERSION}
            self._change(written=(old, new), contributions=versions)
            facts = [i for i in self.all(RECORDS) if self._is_fact(i)]
            while facts:
                batch, facts = facts[:20], facts[20:]
                self._until_applied([as_record(item) for item in batch])
            self._change(live=new)
            self.counts["epochs switched"] += 1
            pause(self.random.choice((60_000, 900_000)))
            self._change(written=(new,), contributions={new: CURRENT_VERSION})
            pause(1_000_000)  # the writers of the old epoch are done
            prefix = keys.epoch_prefix(ORG, old)
            for item in self.all(ANALYTICS):
                if item["PK"]["S"].startswith(prefix):
                    self.delete(ANALYTICS, item)
                    pause(self.random.choice((0, 5)))

        return self.world.spawn("rebuild", run)

    def _change(self, **fields: Any) -> None:
        read = self.organisation
        # Its condition may fail for a lost reply: what counts is what is stored.
        while True:
            changed = dataclasses.replace(read, **fields)
            try:
                bootstrap.directory.__wrapped__().change_epochs(read, changed)
                return
            except (Conflict, Unavailable):
                if self.organisation == changed:
                    return
                self.world.scheduler.pause(500)

    def _is_fact(self, item: Item) -> bool:
        pk, sk = key_of(item)
        return pk.startswith(keys.org_prefix(ORG)) and sk.startswith("FACT#")

    def _until_applied(self, records: list[Any]) -> None:
        while True:
            task = deliver(self.world, records)
            self.world.scheduler.join(task)
            if task.error is None and not task.result["batchItemFailures"]:
                return
            self.world.scheduler.pause(3_000)

    # -- deletion ------------------------------------------------------------------------------
    def deletion(self) -> Task:
        """The organisation is marked, swept, and swept again when no writer can still be at work."""

        def run() -> None:
            pause = self.world.scheduler.pause
            pause(self.random.choice((500, 10_000, 100_000, 2_100_000)))
            found = self.world.store.item(RECORDS, *keys.organisation(ORG))
            item = found | {"deleting": {"BOOL": True}}
            with self._behind_our_back():
                self.world.store.put(RECORDS, item)
            for _ in range(2):
                for table in (RECORDS, ANALYTICS):
                    for stored in self.all(table):
                        if self._is_swept(stored):
                            self.delete(table, stored)
                            pause(self.random.choice((0, 5)))
                pause(1_500_000)

        return self.world.spawn("deletion", run)

    @staticmethod
    def _is_swept(item: Item) -> bool:
        pk, sk = key_of(item)
        return pk.startswith(keys.org_prefix(ORG)) and sk != "ORG"

    def left(self) -> list[Item]:
        """What is stored of the organisation beside its mark."""
        tables = (RECORDS, ANALYTICS)
        return [item for table in tables for item in self.all(table) if self._is_swept(item)]


@contextmanager
def _sleeping(race: Race) -> Iterator[None]:
    with (
        patch.object(bootstrap, "time", SimpleNamespace(sleep=race.sleep)),
        patch.object(reconcile_module, "_SAVE_EVERY_US", race.random.choice((0, 1_000_000))),
        patch.object(rollups_module, "_MAX_KEYS", race.random.choice((3, 40, 5_000))),
    ):
        yield
