"""One schedule: everything that happens out of one seed, and what was found wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from rollcall.maintenance.audits import FACT_DAMAGED, ROW_PHANTOM, Difference
from rollcall.storage import keys
from tests.simulation import workload
from tests.simulation.checker import Checker, Violation, require
from tests.simulation.clients import FUNCTION as INGEST
from tests.simulation.clients import Ledger, send
from tests.simulation.event_source import EventSource, deliver, replay
from tests.simulation.neighbour import MARK, NEIGHBOUR, damage, repair
from tests.simulation.network import Outage
from tests.simulation.operators import compare, merge, rebuild, redrive
from tests.simulation.providers import FUNCTION as HOOKS
from tests.simulation.providers import Provider, stored_hook
from tests.simulation.scenario import as_record, open_epoch
from tests.simulation.scheduler import Task
from tests.simulation.stored import FactName
from tests.simulation.world import ANALYTICS, MAX_STEPS, RECORDS, START_MS, NeverAtRest, World
from tests.support.emulator.items import Attributes
from tests.support.hook_events import START_MS as CALLS_BEGIN_MS

MIN_WRITES = 20
# Their latest events are 10 minutes after their first, and no delivery may be from the future.
_HOOKS_BEGIN_MS = CALLS_BEGIN_MS + 600_000


@dataclass
class Report:
    """What one schedule did, and the violation that ended it, if any."""

    seed: int
    violation: str = ""
    trace_hash: str = ""
    writes: int = 0
    shards: int = 0
    deliveries: int = 0
    redeliveries: int = 0
    splits: int = 0
    checks: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def is_complete(self) -> bool:
        """Whether the schedule did what every schedule must."""
        return (
            self.writes >= MIN_WRITES
            and self.shards >= 2
            and self.redeliveries >= 1
            and self.faults.total() >= 1
            and self.splits >= 1
        )


class Schedule:
    """One seed's deployment, clients, faults and operators."""

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)
        # Drawn apart, so that the schedules without hooks are what their seeds always were.
        self.hooking = Random(f"hooks {seed}")
        self.has_hooks = self.hooking.random() < 0.2
        self.merging = Random(f"merging {seed}")
        self.has_merging = self.merging.random() < 0.5
        self.rewriting = Random(f"rewriting {seed}")
        self.has_rewriting = self.has_merging and self.rewriting.random() < 0.4
        self.dividing = Random(f"dividing {seed}")
        # Every row a page of its own and every record an invocation: they meet in the rollups.
        self.is_crowded = random.random() < 0.08
        shards = random.choice((2, 2, 3))
        page_target_bytes = 1 if self.is_crowded else random.choice((700, 1_000))
        if self.has_merging:
            page_target_bytes = min(page_target_bytes, self.merging.choice((150, 250)))
        self.world = world = World(
            random,
            shards=shards,
            page_target_bytes=page_target_bytes,
            start_ms=_HOOKS_BEGIN_MS if self.has_hooks else START_MS,
        )
        self.ledger = Ledger()
        self.checker = Checker(world, self.ledger)
        self.invented: list[Difference] = []
        if self.is_crowded or random.random() < 0.5:
            world.open_limit_bytes = random.choice((25, 40, 60))
        world.faults.rates = _rates(random)
        world.faults.budget = random.choice((8, 20, 40))
        world.secrets = [workload.SECRET]
        for org_id, mark in (("alpha#1", "α~a "), ("beta", "β#b ")):
            buckets = 16 if self.is_crowded else random.choice((1, 16))
            world.add_organisation(org_id, buckets, self._ledgers())
            world.marks[org_id] = mark
        # Whom operators and the weather choose from; the neighbour has trouble enough.
        self.org_ids = tuple(world.org_ids)
        self.has_neighbour = random.random() < 0.2
        if self.has_neighbour:
            world.add_organisation(NEIGHBOUR, random.choice((1, 16)), self._ledgers())
            world.marks[NEIGHBOUR] = MARK
        self.source = EventSource(
            world,
            most_records=random.choice((3, 15, 40)),
            most_tries=random.choice((10_000, 10_000, 2)),
        )

    def _ledgers(self) -> int:
        """The number of buckets of an epoch."""
        return self.dividing.choice((1, 1, 2, 3, 16))

    def run(self) -> None:
        """Let everything happen, to the end. Raises Violation."""
        world, random = self.world, self.random
        actors = []
        shares = {"alpha#1": 4, "beta": 2} | ({NEIGHBOUR: 3} if self.has_neighbour else {})
        for org_id, share in shares.items():
            requests = workload.requests(random, org_id, world.marks[org_id], share)
            clients = random.randint(1, 2)
            for number in range(clients):
                own = requests[number::clients]
                name = f"client {number} of {org_id}"
                actors.append(world.spawn(name, partial(self._send_all, org_id, own)))
        actors.append(world.spawn("direct writer", self._write_directly))
        actors.append(world.spawn("weather", self._break_down))
        actors.append(world.spawn("replayer", self._replay))
        if self.has_neighbour:
            actors.append(world.spawn("vandal", lambda: damage(world, ANALYTICS)))
        if self.is_crowded:
            actors.append(world.spawn("crowd", self._crowd))
        if random.random() < 0.3:
            command = random.choice((self._open_epoch, self._rebuild, self._rebuild))
            actors.append(world.spawn("rebuilding", command))
        if random.random() < 0.15:
            actors.append(world.spawn("comparing", self._compare))
        if random.random() < 0.3:
            actors.append(world.spawn("replica", self._lag_behind))
        if self.has_merging:
            actors.append(world.spawn("merging", self._merge))
        if self.has_rewriting:
            actors.append(world.spawn("rewriting", self._rewrite))
        if self.has_hooks:
            actors.append(world.spawn("hooks", self._report_calls))
        ending = world.spawn("end", lambda: self._end(actors))
        world.run(self.checker.check_running, chance=0.003)
        if ending.error is not None:
            raise ending.error
        self.checker.check_at_rest()
        if world.damage is not None:
            self._repair()
        # What was discarded is missing until it is redriven: nothing is invented about it.
        if not world.given_up:
            require(not self.invented, "I2", "reported without drift:", self.invented)

    def _repair(self) -> None:
        """The neighbour is damaged to the end; then it comes back, exact."""
        world = self.world
        repairing = world.spawn("repairing", lambda: repair(world))
        world.run(self.checker.check_running, chance=0.003, most_steps=2 * MAX_STEPS)
        if repairing.error is not None:
            raise repairing.error
        self.checker.check_at_rest()
        self.checker.check_redriven()

    def _send_all(self, org_id: str, requests: Sequence[list[Any]]) -> None:
        world, random = self.world, self.random
        for request in requests:
            world.scheduler.pause(random.choice((0, 50, 800)))
            send(world, self.ledger, org_id, request, most_tries=random.choice((1, 30, 30)))

    def _write_directly(self) -> None:
        """An operator with the console: garbage under a fact's key, a fact removed by hand."""
        world, random = self.world, self.random
        world.scheduler.pause(random.choice((0, 1_000, 8_000)))
        pk, sk = keys.fact("beta", "call", "garbage", 1)
        world.planted.add(FactName("beta", "call", "garbage"))
        world.poisoned.add((pk, sk))
        garbage: Attributes = random.choice(
            [
                {"rubbish": {"BOOL": True}},
                {"type": {"S": "call"}, "id": {"S": "other"}},
                {"type": {"S": "call"}, "id": {"S": "garbage"}, "record": {"M": {}}},
            ]
        )
        world.store.put(RECORDS, {"PK": {"S": pk}, "SK": {"S": sk}, **garbage})
        # Through the console too: a client's late second try would bring it back.
        name = FactName("alpha#1", "call", "by hand")
        world.planted.add(name)
        buckets = world.organisation("alpha#1").buckets
        pk, sk = keys.fact("alpha#1", "call", "by hand", buckets)
        started_at = {"N": "1709287200000"}
        item: Attributes = {
            "PK": {"S": pk},
            "SK": {"S": sk},
            "type": {"S": "call"},
            "id": {"S": "by hand"},
            "time_ms": started_at,
            "updated_at_ms": {"N": "1709287200999"},
            "rev": {"N": str(world.now_ms * 1_000)},
            "record": {
                "M": {
                    "started_at_ms": started_at,
                    "status": {"S": "failed"},
                    "answered": {"BOOL": False},
                    "attempt": {"N": "1"},
                }
            },
        }
        world.store.put(RECORDS, item)
        world.scheduler.pause(random.choice((0, 3_000, 30_000)))
        world.removed[name] = (pk, sk)
        asked = {"TableName": RECORDS, "Key": {"PK": item["PK"], "SK": item["SK"]}}
        world.store.answer("DeleteItem", asked)

    def _break_down(self) -> None:
        """Outages of one table, or of one organisation's part of it."""
        world, random = self.world, self.random
        for _ in range(random.choice((0, 0, 1, 1, 2))):
            world.scheduler.pause(random.choice((500, 3_000, 15_000)))
            org = random.choice(("ORG#alpha~-1#", "ORG#beta#", "ORG#"))
            if org != "ORG#":
                org += random.choice(("E0#", "", "E0#ROLLUP#"))
            seconds = random.choice((2, 12, 20))
            code = random.choice(("throttle", "broken"))
            world.outages.append(Outage(org, world.now_ms + seconds * 1_000, code))

    def _report_calls(self) -> None:
        """Providers deliver the events of calls, and an operator replays what was kept meanwhile."""
        world, random = self.world, self.hooking
        providers = []
        for org_id in random.sample(self.org_ids, random.choice((1, 1, 2))):
            hook = stored_hook(world, org_id, random)
            providers.append(Provider(world, self.ledger, hook, random))
        for _ in range(random.choice((1, 2, 3))):
            random.choice(providers).begin_call()
            world.scheduler.pause(random.choice((0, 0, 2_000)))
            if random.random() < 0.3:
                seconds = random.choice((20, 60))
                world.outages.append(Outage("hooks/", world.now_ms + seconds * 1_000, "broken"))
            if random.random() < 0.3:
                world.scheduler.pause(random.choice((5_000, 30_000)))
                redrive(world, "hooks/")
        for provider in providers:
            for task in provider.tasks:  # an event that comes again is one task more
                self._join(task)

    def _replay(self) -> None:
        """Old batches after newer ones, some of them many times at once."""
        world, random = self.world, self.random
        for _ in range(random.choice((1, 2, 2))):
            world.scheduler.pause(random.choice((1_000, 3_000, 10_000)))
            self._replay_some(random.choice((1, 1, 2, 2, 9)))

    def _replay_some(self, times: int) -> None:
        random = self.random
        filled = [shard for shard in self.world.stream.shards if shard.records]
        if filled:
            shard = random.choice(filled)
            # Old ones, or those that another invocation has in hand just now.
            in_hand = min(self.source.positions[shard.number], len(shard.records) - 1)
            start = random.choice((in_hand, random.randint(0, in_hand)))
            end = min(start + random.choice((2, 5, 12)), len(shard.records))
            replay(self.world, shard, start, end, times)

    def _crowd(self) -> None:
        """Many new calls, each delivered by an invocation of its own, all at once."""
        world, random = self.world, self.random
        for number in range(2):
            world.scheduler.pause(random.choice((500, 3_000)))
            calls = workload.crowd(random, world.marks["alpha#1"], 8, number * 8)
            before = [len(shard.records) for shard in world.stream.shards]
            send(world, self.ledger, "alpha#1", calls, most_tries=30)
            for shard, start in zip(world.stream.shards, before, strict=True):
                for place in range(start, len(shard.records)):
                    replay(world, shard, place, place + 1)

    def _open_epoch(self) -> None:
        """A new epoch beside the live one: written first, then filled with every fact."""
        world, random = self.world, self.random
        world.scheduler.pause(random.choice((500, 4_000, 12_000)))
        org_id = random.choice(self.org_ids)
        open_epoch(world, org_id, buckets=self._ledgers())
        world.scheduler.pause(random.choice((0, 2_000)))
        facts = [
            item
            for item in world.store.all_items(RECORDS)
            if item["PK"]["S"].startswith(keys.org_prefix(org_id))
            and item["SK"]["S"].startswith("FACT#")
            and "rev" in item
        ]
        while facts:
            size = random.choice((3, 20))
            batch, facts = facts[:size], facts[size:]
            self._until_applied([as_record(item) for item in batch])

    def _rebuild(self) -> None:
        """The same, and to its end, by the command."""
        self.world.scheduler.pause(self.random.choice((0, 2_000, 12_000)))
        rebuild(self.world, self.random.choice(self.org_ids), self.dividing.choice((None, 1, 2, 3)))

    def _compare(self) -> None:
        """Facts, pages and rollups are compared while all this goes on, and perhaps repaired."""
        world, random = self.world, self.random
        world.scheduler.pause(random.choice((0, 2_000, 12_000)))
        org_id, is_repairing = random.choice(self.org_ids), random.random() < 0.5
        compare(world, org_id, self._report_drift, is_repairing=is_repairing)

    def _merge(self) -> None:
        """Pages are merged again and again while all this goes on."""
        world, random = self.world, self.merging
        for _ in range(random.choice((4, 12, 24))):
            world.scheduler.pause(random.choice((100, 1_000, 4_000)))
            merge(world, random.choice(self.org_ids))

    def _rewrite(self) -> None:
        """Every second page changes, they are merged with the others, and all change at once.

        A writer that began meanwhile keeps those pages alone: they are older than the segments that it
        finds for the others.
        """
        world, random = self.world, self.rewriting
        org_id = random.choice(self.org_ids)
        mark, calls = world.marks[org_id], range(6)

        def change(numbers: Sequence[int], version: int) -> None:
            records = workload.steady(mark, numbers, version)
            send(world, self.ledger, org_id, records, most_tries=30)
            for _ in range(20):
                world.scheduler.pause(5_000)
                if not self.source.lag:
                    break

        change(calls, 0)
        for version in range(1, 2 * random.choice((2, 3, 4)), 2):
            world.replace_environments()
            change(calls[random.choice((0, 1)) :: 2], version)
            merge(world, org_id)
            change(calls, version + 1)

    def _report_drift(self, difference: Difference) -> None:
        if not difference.name:
            return  # reported before, with its name, by the run that was interrupted
        is_by_hand = (difference.kind == ROW_PHANTOM and "by hand" in difference.name) or (
            difference.kind == FACT_DAMAGED and "garbage" in difference.name
        )
        if not is_by_hand:
            self.invented.append(difference)

    def _lag_behind(self) -> None:
        """Reads that are not consistent find items as they were a while ago."""
        world, random = self.world, self.random
        for _ in range(2):
            world.scheduler.pause(random.choice((0, 1_000, 8_000)))
            world.store.lag_behind(random)
            world.scheduler.pause(random.choice((1_000, 10_000)))
            world.store.catch_up()

    def _until_applied(self, records: list[Any]) -> None:
        world = self.world
        while True:
            task = deliver(world, records)
            world.scheduler.join(task)
            if task.error is None and not task.result["batchItemFailures"]:
                return
            world.scheduler.pause(3_000)

    def _end(self, actors: Sequence[Any]) -> None:
        """When all is said: calm weather, what is missing for a full schedule, and the rest."""
        try:
            for actor in actors:
                self._join(actor)
            self._complete()
            self._settle()
        finally:
            self.source.close()

    def _join(self, actor: Task) -> None:
        self.world.scheduler.join(actor)
        error = repr(actor.error)
        require(actor.error is None, "I5", actor.name, "ended with", error)

    def _settle(self) -> None:
        world = self.world
        # An invocation that timed out long ago may still write.
        while late := [t for t in world.scheduler.tasks if t.function in (INGEST, HOOKS)]:
            world.scheduler.join(late[0])
        world.faults.budget = 0
        world.outages.clear()
        if self.has_hooks:
            redrive(world, "hooks/")
        self.source.close()
        for poller in self.source.pollers:
            self._join(poller)
        if world.given_up:
            # Redriven: everything that was discarded is delivered again, by an operator.
            self._until_applied(list(world.given_up))

    def _complete(self) -> None:
        """Extend the schedule until it did what every schedule must."""
        world, number = self.world, 0
        while (
            world.counts["writes"] < MIN_WRITES
            or world.counts["splits"] < 1
            or sum(bool(shard.records) for shard in world.stream.shards) < 2
        ):
            if self.source.lag:  # pages split when the updater gets there
                world.scheduler.pause(5_000)
                continue
            org_id = self.org_ids[number % 2]
            calls = workload.fat_calls(self.random, world.marks[org_id], 6, number * 6)
            send(world, self.ledger, org_id, calls, most_tries=30)
            number += 1
        while not world.counts["redeliveries"]:
            self._replay_some(1)
            world.scheduler.pause(1_000)
        while not world.faults.fired.total():
            # The next operation is lost, of any actor.
            world.faults.rates, world.faults.budget = {"throttle": 1.0}, 1
            self._replay_some(1)
            world.scheduler.pause(1_000)


def _rates(random: Random) -> dict[str, float]:
    """The faults of a schedule: a few of each kind, and one or two that dominate."""
    rates = {
        "lost_reply": 0.02,
        "throttle": 0.01,
        "burst": 0.005,
        "conflict": 0.02,
        "in_progress": 0.01,
        "broken_before": 0.01,
        "broken_after": 0.01,
        "unprocessed": 0.01,
        "suspend": 0.015,
        "kill": 0.015,
    }
    heavy = random.choice(
        [
            {},
            {"throttle": 0.1},
            {"throttle": 0.5},
            {"conflict": 0.1},
            {"conflict": 0.4},
            {"conflict": 0.9},
            {"lost_reply": 0.15},
            {"suspend": 0.15},
            {"kill": 0.08},
            {"unprocessed": 0.3, "burst": 0.03},
        ]
    )
    # Chances are taken in order, so the heavy ones go last and leave the others their share.
    return {name: rate for name, rate in rates.items() if name not in heavy} | heavy


def run_schedule(seed: int) -> Report:
    """Run one seed inside of `simulating` and report. A violation is in the report, not raised."""
    schedule = Schedule(seed)
    world = schedule.world
    violation = ""
    try:
        schedule.run()
    except (Violation, NeverAtRest) as error:
        violation = str(error) or type(error).__name__
    return Report(
        seed=seed,
        violation=violation,
        trace_hash=world.trace_hash,
        writes=world.counts["writes"],
        shards=sum(bool(shard.records) for shard in world.stream.shards),
        deliveries=world.counts["deliveries"],
        redeliveries=world.counts["redeliveries"],
        splits=world.counts["splits"],
        checks=schedule.checker.checks,
        faults=world.faults.fired,
        counts=world.counts,
    )
