"""One simulated deployment: tables, stream, functions, clock, and their users.

The product's own handlers run in it, wired to a client in memory. Only one world exists at a time
in a process; `simulating` patches the product once for as many worlds as follow each other.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from botocore.exceptions import ClientError, ReadTimeoutError

from rollcall import bootstrap, telemetry
from rollcall import retry as backoff_module
from rollcall.domain.errors import BrokenDestination
from rollcall.domain.organisations import Organisation
from rollcall.hooks import receive as receive_module
from rollcall.lambdas import stream as stream_module
from rollcall.ledger import rollups as rollups_module
from rollcall.retry import Backoff
from rollcall.settings import settings
from rollcall.storage import keys
from rollcall.storage.accounts import item_of_organisation, organisation_of_item
from tests.simulation.memory import remembering
from tests.simulation.network import Faults, Network, Outage
from tests.simulation.scheduler import Scheduler, Task
from tests.simulation.stream import Stream, StreamRecord
from tests.support.answering import PlainCipher, forget_services, load_handler, wired
from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.failures import MemoryFailures

# The package exports the decorator under the name of its module.
endpoint_module = importlib.import_module("rollcall.api.endpoint")

if TYPE_CHECKING:
    from tests.simulation.neighbour import Damage

RECORDS = settings.records_table
ANALYTICS = settings.analytics_table
# Far more than any schedule takes: one that does not end by then never would.
MAX_STEPS = 20_000
# Mostly fast, sometimes not: what is slow overlaps with much else.
_LATENCIES_MS = (2, 5, 10, 20, 50, 200, 800, 2_000)
START_MS = 1_790_000_000_000
TIMEOUTS_MS = {"ingest_records": 28_000, "receive_hook": 28_000, "update_rollups": 120_000}

_now: World | None = None


class NeverAtRest(AssertionError):
    """Work is tried again without end."""


class World:
    """A deployment. `random` decides everything that is not decided."""

    def __init__(
        self,
        random: Random,
        *,
        shards: int = 2,
        page_target_bytes: int = 900,
        start_ms: int = START_MS,
    ) -> None:
        self.random = random
        self.scheduler = Scheduler(random, start_ms)
        self.store = MemoryDynamoDb(now_ms=lambda: self.now_ms)
        self.store.on_write = self._written
        self.stream = Stream(shards)
        self.faults = Faults(random)
        self.outages: list[Outage] = []
        self.settings = dataclasses.replace(
            settings, page_target_bytes=page_target_bytes, segment_bytes=500, cold_after_hours=0
        )
        self.open_limit_bytes: int | None = None
        self.client = Network(self)
        self.quarantined: list[tuple[StreamRecord, str]] = []
        self.failures = MemoryFailures()
        # What an organisation's analytics suffer from until an operator repairs them.
        self.damage: Damage | None = None
        self.given_up: list[StreamRecord] = []
        self.logged: list[str] = []
        # Requests that the store does not know, and errors that no fault explains.
        self.unexpected: list[str] = []
        self.counts: Counter[str] = Counter()
        self.delivered: set[str] = set()
        self.operations: Counter[str] = Counter()
        self.kills: dict[tuple[str, int], bool] = {}
        # Every version that any fact item ever had, and what was there before garbage or removal.
        self.history: dict[tuple[str, str], list[Any]] = {}
        self.org_ids: list[str] = []
        # What tests did behind the product's back: facts written and removed by hand, garbage.
        self.planted: set[Any] = set()
        self.removed: dict[Any, tuple[str, str]] = {}
        self.poisoned: set[tuple[str, str]] = set()
        # What must be in no item of another organisation, and in no log.
        self.marks: dict[str, str] = {}
        self.secrets: list[str] = []
        self._environments: dict[str, list[Any]] = {}
        self._trace = hashlib.blake2b(digest_size=16)
        global _now  # noqa: PLW0603 - the product is patched to ask for the one world that there is
        _now = self
        forget_services()

    # -- clock ---------------------------------------------------------------------------------
    @property
    def now_ms(self) -> int:
        return self.scheduler.now_ms

    def clock_us(self) -> int:
        """What the clock of the process that asks shows: processes differ a little."""
        task = self.scheduler.current
        skew = task.skew_us if task else 0
        return self.now_ms * 1_000 + self.scheduler.steps % 1_000 + skew

    def sleep(self, seconds: float) -> None:
        self.scheduler.pause(int(seconds * 1_000) + 1)

    # -- who and what there is -----------------------------------------------------------------
    def add_organisation(self, org_id: str, buckets: int = 1, ledgers: int = 1) -> Organisation:
        """A new one: its facts have `buckets` shards, and its first epoch `ledgers` buckets."""
        counts = {0: ledgers} if ledgers > 1 else {}
        organisation = Organisation(
            org_id, org_id[:20], org_id, 1, buckets=buckets, bucket_counts=counts
        )
        key = keys.organisation(org_id)
        self.store.put(RECORDS, item_of_organisation(key, organisation))
        self.org_ids.append(org_id)
        return organisation

    def organisation(self, org_id: str) -> Organisation:
        """As it is stored now."""
        pk, sk = keys.organisation(org_id)
        return organisation_of_item(self.store.item(RECORDS, pk, sk))

    def spawn(self, name: str, run: Callable[[], Any]) -> Task:
        """Start anything that uses the deployment as one more task."""
        return self.scheduler.spawn(name, run)

    def invoke(self, function: str, event: dict[str, Any]) -> Task:
        """Start an invocation of a function, in an execution environment that is free, or new."""
        self.counts[f"invocations of {function}"] += 1
        number = self.counts[f"invocations of {function}"]
        began_ms = self.now_ms

        def remaining_ms() -> int:
            return TIMEOUTS_MS.get(function, 28_000) - (self.now_ms - began_ms)

        def run() -> Any:
            free = self._environments.setdefault(function, [])
            handler = free.pop(self.random.randrange(len(free))) if free else self._start(function)
            try:
                context = SimpleNamespace(
                    aws_request_id=f"{function} {number}",
                    get_remaining_time_in_millis=remaining_ms,
                )
                answer = handler(event, context)
            except Exception as error:
                free.append(handler)  # Lambda uses an environment again after an error
                if function == "update_rollups":  # it reports failures, and raises none
                    self.unexpected.append(f"{function}: {error!r}")
                raise
            free.append(handler)
            return answer

        task = self.spawn(f"{function} {number}", run)
        task.function = function
        task.skew_us = self.random.randint(-200_000, 200_000)
        return task

    def replace_environments(self) -> None:
        """Let the next invocations start in execution environments that remember nothing."""
        self._environments.clear()

    @staticmethod
    def _start(function: str) -> Any:
        forget_services()
        return load_handler(function)

    # -- what happens --------------------------------------------------------------------------
    def operation_begins(self) -> None:
        """Before an attempt at a request: others may go on, and the process may be killed here."""
        self.scheduler.pause(_LATENCIES_MS[self.random.randrange(len(_LATENCIES_MS))])
        task = self.scheduler.current
        function = task.function if task else None
        if function is None:
            return
        number = self.operations[function]
        self.operations[function] += 1
        if self.kills.pop((function, number), False):
            assert task is not None
            self.faults.fired["kill"] += 1
            task.kill()
            self.scheduler.pause()

    def operation_made(self, operation: str) -> None:
        """After a request was carried out."""
        self.counts[operation] += 1

    def trace(self, *what: Any) -> None:
        task = self.scheduler.current
        line = f"{self.now_ms} {task.name if task else '-'} {what}\n"
        self._trace.update(line.encode())

    @property
    def trace_hash(self) -> str:
        """Equal for two runs in which everything happened alike."""
        return self._trace.hexdigest()

    def _written(self, table: str, before: Any, after: Any) -> None:
        image = after or before
        pk, sk = image["PK"]["S"], image["SK"]["S"]
        if table != RECORDS:
            if before is None and "#LEDGER#" in pk and not sk.startswith("0" * 15 + "." + "0" * 16):
                self.counts["splits"] += 1
            is_segment, was_segment = ("segment" in (each or {}) for each in (after, before))
            if "#LEDGER#" in pk and is_segment != was_segment:
                self.counts["segments split" if was_segment else "segments"] += 1
            return
        self.stream.write(before, after, self.now_ms)
        if sk.startswith("FACT#") and after is not None and before != after:
            self.counts["writes"] += 1
            if before is not None and before.get("time_ms", after.get("time_ms")) != after.get(
                "time_ms"
            ):
                self.counts["moves"] += 1
            self.history.setdefault((pk, sk), []).append(after)

    # -- running -------------------------------------------------------------------------------
    def run(
        self,
        moment: Callable[[], None] | None = None,
        chance: float = 0.0,
        most_steps: int = MAX_STEPS,
    ) -> None:
        """Let all tasks run to their ends; `moment` is called between two steps now and then.

        Raises NeverAtRest when there is no end.
        """
        with ExitStack() as stack:
            stack.enter_context(patch.object(bootstrap, "settings", self.settings))
            if self.open_limit_bytes is not None:
                limit = self.open_limit_bytes
                stack.enter_context(patch.object(rollups_module, "BREAKDOWN_LIMIT_BYTES", limit))
            while self.scheduler.step():
                if self.scheduler.steps > most_steps:
                    waiting = ", ".join(task.name for task in self.scheduler.tasks)
                    raise NeverAtRest(f"after {most_steps} steps there are still {waiting}")
                if moment is not None and self.random.random() < chance:
                    moment()

    # -- breaking things that no retry repairs ---------------------------------------------------
    def snapshot_records(self) -> Any:
        """A backup of the records table."""
        return self.store.snapshot(RECORDS)

    def restore_records(self, snapshot: Any) -> None:
        """The records table as it was, with its stream gone: nothing is announced."""
        self.store.restore(snapshot, RECORDS)
        self.history = {
            (pk, sk): [item.attributes]
            for (_, pk), partition in snapshot.items()
            for sk, item in partition.items()
            if sk.startswith("FACT#")
        }
        for shard in self.stream.shards:
            shard.trimmed = len(shard.records)

    def stop_stream(self) -> None:
        """From now on writes leave no record."""
        self.stream.is_on = False

    def drop_stream_records(self, share: float) -> None:
        """From now on this share of the records is lost before a reader has it."""
        self.stream.drops = lambda: self.random.random() < share


class InlineExecutor:
    """Runs what it is given at once, in the order given."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    @staticmethod
    def submit(run: Callable[..., Any], *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(run(*args))
        except Exception as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return future


class _Log:
    """Keeps what is logged, to be searched for what must not be there."""

    def error(self, message: str, extra: Any = None) -> None:
        assert _now is not None
        _now.logged.append(f"{message} {extra}")

    warning = info = error

    def exception(self, message: str, extra: Any = None) -> None:
        self.error(f"{message} {traceback.format_exc()}", extra)


class _Inbox:
    """Keeps deliveries; a request to it fails, is lost or ends its process as one to a table does."""

    @staticmethod
    def keep(name: str, document: bytes) -> None:
        world = _world()
        assert world.scheduler.current is not None
        world.scheduler.current.on_kept()
        world.counts["hook deliveries kept"] += 1
        try:
            world.client.around_object(name, lambda: world.failures.keep(name, document))
        except (ClientError, ReadTimeoutError) as error:
            world.counts["hook deliveries not kept"] += 1
            raise BrokenDestination(str(error)) from error


class _Quarantine:
    @staticmethod
    def put(records: Sequence[Any], reason: str) -> str:
        assert _now is not None
        _now.scheduler.pause(5)
        _now.quarantined += [(record, reason) for record in records]
        _now.counts["quarantined"] += len(records)
        return _now.failures.put(records, reason)


def _world() -> World:
    assert _now is not None
    return _now


@contextmanager
def simulating() -> Iterator[None]:
    """The product, wired to whichever world is there."""
    clock = SimpleNamespace(
        monotonic=lambda: _world().now_ms / 1_000, sleep=lambda s: _world().sleep(s)
    )
    with (
        wired(
            dynamodb=lambda: _world().client,
            _quarantine=_Quarantine,
            _inbox=_Inbox,
            hook_cipher=PlainCipher,
            Backoff=lambda: Backoff(
                sleep=lambda seconds: _world().sleep(seconds),
                jitter=lambda: _world().random.random(),  # noqa: PLW0108 - the world changes
            ),
            now_ms=lambda: _world().clock_us() // 1_000,
            now_us=lambda: _world().clock_us(),
            ThreadPoolExecutor=InlineExecutor,
            time=clock,
        ),
        patch.object(backoff_module, "time", clock),
        patch.object(stream_module, "logger", _Log()),
        patch.object(endpoint_module, "logger", _Log()),
        patch.object(receive_module, "logger", _Log()),
        # No test reads the metrics here, and a line of them takes as long as some requests.
        patch.object(telemetry, "emit", lambda _metrics: None),
        remembering(),
    ):
        yield
