"""Records per second through updaters that work at the same time, on a store with a latency.

The store is in memory, answers each request after 10 ms, and admits one write of an item at a time, as
DynamoDB does; another waits for it. Time is that of a simulated clock, so CPU counts for nothing: each updater
has a machine of its own. The real applier keeps pages and rollups from one batch to the next, as in a
warm function.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from random import Random
from typing import Any

from benchmarks import data, wiring
from benchmarks.report import Report, number
from rollcall.domain.contributions import ContributionFunction
from rollcall.domain.epochs import Bucket, share_of
from rollcall.domain.facts import Fact
from rollcall.domain.organisations import Organisation
from rollcall.ledger.apply import Applier
from rollcall.ledger.warm import WarmWriters
from rollcall.ledger.writer import ApplyFacts
from rollcall.retry import Backoff
from rollcall.storage.pages import PageStore
from tests.simulation.scheduler import Scheduler, Task
from tests.support.emulator.client import MemoryClient
from tests.support.emulator.dynamodb import MemoryDynamoDb

UPDATERS = 16
LATENCY_MS = 10
BATCH = 100
AIM = 12


class OneWriteAtATime(MemoryClient):
    """A store that writes an item for as long as its latency, and lets others wait meanwhile."""

    def __init__(self, store: MemoryDynamoDb, scheduler: Scheduler) -> None:
        super().__init__(store)
        self._scheduler = scheduler
        self._free_at_ms: defaultdict[tuple[str, str], int] = defaultdict(int)

    def send(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        written = [_key(action) for action in asked.get("TransactItems", ())]
        while (free := max(map(self._free_at_ms.__getitem__, written), default=0)) > self._now_ms:
            self._scheduler.pause(free - self._now_ms)
        for key in written:
            self._free_at_ms[key] = self._now_ms + LATENCY_MS
        self._scheduler.pause(LATENCY_MS)
        return super().send(operation, asked)

    @property
    def _now_ms(self) -> int:
        return self._scheduler.now_ms


class Tasks(Executor):
    """Threads of an updater, as tasks of the scheduler."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        task = self._scheduler.spawn("thread", lambda: fn(*args, **kwargs))
        return Joined(self._scheduler, task)


class Joined(Future[Any]):
    """The result of a task, which another waits for in simulated time."""

    def __init__(self, scheduler: Scheduler, task: Task) -> None:
        super().__init__()
        self._scheduler, self._task = scheduler, task

    def result(self, timeout: float | None = None) -> Any:
        self._scheduler.join(self._task)
        if self._task.error is None:
            self.set_result(self._task.result)
        else:
            self.set_exception(self._task.error)
        return super().result(timeout)


def _key(action: dict[str, Any]) -> tuple[str, str]:
    ((_, request),) = action.items()
    key = request.get("Key") or request["Item"]
    return key["PK"]["S"], key["SK"]["S"]


def run(*, is_quick: bool) -> Report:
    report = Report("buckets", engine="a store in memory, with a simulated clock")
    count = UPDATERS * BATCH * (3 if is_quick else 12)
    facts = [version.new for version in data.live(count, 100) if version.old is None]
    table = report.table(
        f"Records a second; about {len(facts) // UPDATERS:,} calls of one organisation for each"
        f" updater, {BATCH} a batch, {LATENCY_MS} ms a request",
        "updaters at once",
        "buckets",
        "records a second",
        "times one updater's",
        "conflicts",
    )
    alone = rate = 0.0
    for updaters, buckets in ((1, 1), (1, UPDATERS), (UPDATERS, 1), (UPDATERS, UPDATERS)):
        theirs = facts[: len(facts) * updaters // UPDATERS]
        rate, conflicts = _rate(theirs, updaters, buckets)
        alone = alone or rate
        table.add(updaters, buckets, f"{rate:,.0f}", number(rate / alone), f"{conflicts:,}")
    times = rate / alone
    report.finding(
        f"{UPDATERS} updaters of {UPDATERS} buckets take {number(times)} times the records of one updater; aim"
        f" ≥ {AIM} times is {'met' if times >= AIM else 'missed'}."
    )
    return report


def _rate(facts: Sequence[Fact], updaters: int, buckets: int) -> tuple[float, int]:
    """(records a second, writes that failed a condition); each updater has shards of its own."""
    scheduler = Scheduler(Random(data.SEED), 1_800_000_000_000)
    client = OneWriteAtATime(MemoryDynamoDb(), scheduler)
    conflicts = 0

    def sleep(seconds: float) -> None:
        nonlocal conflicts
        conflicts += 1
        scheduler.pause(round(seconds * 1_000))

    dice = Random(data.SEED)
    backoff = Backoff(tries=1_000, sleep=sleep, jitter=dice.random)
    counts = {0: buckets} if buckets > 1 else {}
    organisation = Organisation(data.ORG_ID, "acme", "Acme", 0, UPDATERS, bucket_counts=counts)

    def applier(bucket: Bucket, contribute: ContributionFunction) -> Applier:
        store = PageStore(client, wiring.ANALYTICS, bucket, lambda: scheduler.now_ms, backoff)
        return Applier(store, contribute, backoff=backoff)

    def update(own: Sequence[Fact]) -> None:
        apply_facts = ApplyFacts(WarmWriters(applier), Tasks(scheduler))
        for batch in data.batches(own, BATCH):
            apply_facts(organisation, batch)

    shares: dict[int, list[Fact]] = {}
    for fact in facts:
        shares.setdefault(share_of(fact.id, updaters), []).append(fact)
    tasks = [
        scheduler.spawn(f"updater {share}", partial(update, own)) for share, own in shares.items()
    ]
    began_ms = scheduler.now_ms
    while scheduler.step():
        pass
    for task in tasks:
        if task.error is not None:
            raise task.error
    return len(facts) * 1_000 / (scheduler.now_ms - began_ms), conflicts
