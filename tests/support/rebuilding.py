"""One organisation whose every part is real but the network, the clock, the stream and the gateway.

The rebuild's requests go through a client of their own, so that a test may count them, break off
after any of them, and let anything happen between two.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from rollcall.domain import contributions
from rollcall.domain import measures as m
from rollcall.domain.contributions import ContributionFunction
from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.facts import Fact, Outcome
from rollcall.domain.measures import RollupKey
from rollcall.domain.organisations import Organisation, tenant
from rollcall.domain.records import RECORD_TYPES, Call, Record, Task
from rollcall.ledger.apply import Applier
from rollcall.ledger.writer import ApplyFacts, row_of
from rollcall.maintenance.rebuild import ProgressObserver, Rebuild, RebuildTimeouts
from rollcall.maintenance.rebuilds import RebuildRun
from rollcall.retry import Backoff
from rollcall.storage import keys
from rollcall.storage.accounts import Directory
from rollcall.storage.epochs import EpochContents
from rollcall.storage.facts import FactStore
from rollcall.storage.page_items import page_of_item
from rollcall.storage.pages import PageStore
from rollcall.storage.purge import Purge
from rollcall.storage.rebuilds import RebuildStore
from tests.support.emulator.client import MemoryClient
from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.emulator.limits import Limits
from tests.support.neutral import neutral
from tests.support.oracle import Oracle
from tests.support.parsing import parsed
from tests.support.rollup_items import measures_of

RECORDS = "rollcall-records"
ANALYTICS = "rollcall-analytics"
NOW_MS = 1_800_000_000_000
BACKOFF = Backoff(tries=50, sleep=lambda _seconds: None)
PATIENCE = RebuildTimeouts(
    grace_ms=900_000,
    settle_ms=900_000,
    authorizer_cache_ms=60_000,
    longest_answer_ms=29_000,
    chunk_facts=3,
)
Request = Callable[[], dict[str, Any]]


class Killed(BaseException):
    """The command ended here, as by `kill -9`."""


class Client(MemoryClient):
    """A client beside others: no two give a transaction the same token."""

    _numbers = itertools.count()

    def request(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems":
            asked = {"ClientRequestToken": f"client-{next(self._numbers)}", **asked}
        return super().request(operation, asked)


class World:
    """Tables with an organisation, its updater and its readers.

    `around(operation, send)` runs every request of the rebuild.
    """

    def __init__(
        self,
        *,
        buckets: int = 2,
        page_target_bytes: int = 350,
        answer_bytes: int = 500,
        kind: type[Rebuild] = Rebuild,
        organisation: Organisation | None = None,
    ) -> None:
        self.store = MemoryDynamoDb(Limits(answer_bytes), now_ms=lambda: self.now_ms)
        self.now_ms = NOW_MS
        self.around: Callable[[str, Request], dict[str, Any]] = lambda _operation, send: send()
        self.oracle = Oracle()
        self.damaged: list[tuple[str, str]] = []
        self._target_bytes = page_target_bytes
        self._kind = kind
        self.client = Client(self.store)
        self.directory = Directory(self.client, RECORDS, BACKOFF)
        self.facts = FactStore(self.client, RECORDS, lambda: self.now_ms * 1_000, BACKOFF)
        self.apply_facts = self._applying(self.client)
        self.purge = Purge(self.client, RECORDS, ANALYTICS, BACKOFF)
        self.rebuilds = RebuildStore(self.client, RECORDS, BACKOFF)
        made = organisation or Organisation("org#1", "acme", "Acme", NOW_MS, buckets)
        self.org_id, self.buckets = made.id, made.buckets
        self.directory.create_organisation(made)
        self.rebuild = self.new_rebuild()

    def new_rebuild(self) -> Rebuild:
        """The use case of a command of its own."""

        def around(operation: str, send: Request) -> dict[str, Any]:
            return self.around(operation, send)  # as it is then

        client = Client(self.store, around)
        return self._kind(
            Directory(client, RECORDS, BACKOFF),
            RebuildStore(client, RECORDS, BACKOFF),
            FactStore(client, RECORDS, lambda: self.now_ms * 1_000, BACKOFF),
            self._applying(client),
            EpochContents(client, ANALYTICS, BACKOFF),
            Purge(client, RECORDS, ANALYTICS, BACKOFF),
            lambda: self.now_ms,
            BACKOFF,
        )

    def _applying(self, client: MemoryClient) -> ApplyFacts:
        def writer(bucket: Bucket, contribute: ContributionFunction) -> Applier:
            store = PageStore(client, ANALYTICS, bucket, lambda: self.now_ms, BACKOFF)
            return Applier(store, contribute, target_bytes=self._target_bytes, backoff=BACKOFF)

        return ApplyFacts(writer)

    # -- records -------------------------------------------------------------------------------
    @property
    def organisation(self) -> Organisation:
        found = self.directory.organisation(self.org_id)
        assert found is not None
        return found

    def ingest(self, records: Sequence[Any]) -> list[Fact]:
        """Store records; the facts that are new, as the stream will bring them."""
        self.oracle.post(list(records), self.now_ms)
        brought = []
        for record in records:
            self.now_ms += 1
            change = parsed(record)
            with tenant(self.org_id):
                stored = self.facts.read(self.org_id, self.buckets, [(change.type, change.id)])
                outcome, fact = self.facts.write(
                    self.org_id, self.buckets, stored.get((change.type, change.id)), change
                )
            if outcome is Outcome.ACCEPTED:
                assert fact is not None
                brought.append(fact)
        return brought

    def update(self, facts: Sequence[Fact], seen: Organisation | None = None) -> None:
        """What an invocation of the updater does, with the organisation as it has seen it."""
        self.apply_facts(seen or self.organisation, facts)

    def put(self, records: Sequence[Any]) -> None:
        self.update(self.ingest(records))

    def run_to_its_end(self, rebuild: Rebuild, run: RebuildRun) -> RebuildRun:
        """Go on with a run; waiting lets the clock move on."""
        while not run.is_done:
            run = rebuild.go_on(self.org_id, run, PATIENCE)
            self.now_ms = max(self.now_ms, rebuild.due_ms(run, PATIENCE))
        return run

    # -- the command ---------------------------------------------------------------------------
    def command(
        self,
        observer: ProgressObserver | None = None,
        timeouts: RebuildTimeouts = PATIENCE,
        buckets: int | None = None,
    ) -> RebuildRun:
        """What `rollcall rebuild` does; waiting lets the clock move on."""
        rebuild = self.new_rebuild()
        observer = observer or ProgressObserver(
            found_damaged=lambda *name: self.damaged.append(name)
        )
        run = rebuild.begin(self.org_id, buckets)
        while not run.is_done:
            run = rebuild.go_on(self.org_id, run, timeouts, observer)
            if observer.wants_to_stop():
                break
            self.now_ms = max(self.now_ms, rebuild.due_ms(run, timeouts))
        return run

    # -- what is stored ------------------------------------------------------------------------
    def items(self, epoch: int) -> Iterator[dict[str, Any]]:
        prefix = keys.epoch_prefix(self.org_id, epoch)
        return (i for i in self.store.all_items(ANALYTICS) if i["PK"]["S"].startswith(prefix))

    def epochs(self) -> set[int]:
        """The epochs of which anything is stored."""
        prefix = keys.org_prefix(self.org_id) + "E"
        return {
            int(item["PK"]["S"].removeprefix(prefix).split("#")[0])
            for item in self.store.all_items(ANALYTICS)
        }

    def rollups(self, epoch: int) -> dict[Any, int]:
        """The rollups of an epoch in the oracle's form."""
        found: dict[RollupKey, Counter[str]] = {}
        for item in self.items(epoch):
            key = keys.Key(item["PK"]["S"], item["SK"]["S"])
            if "#LEDGER#" not in key.pk:
                bucket = keys.bucket_of(self.organisation.epoch(epoch), key.pk)
                assert bucket is not None
                found.setdefault(keys.parse_rollup(bucket, key), Counter()).update(
                    measures_of(item)
                )
        return neutral(found.items())

    def measure(self, epoch: int, rollup: RollupKey, name: str) -> int:
        """One measure of one rollup, 0 where there is none."""
        key = keys.rollup(Bucket(Epoch(self.org_id, epoch)), rollup)
        with tenant(self.org_id):
            answer = self.client.get_item(
                TableName=ANALYTICS,
                Key={keys.PK: {"S": key.pk}, keys.SK: {"S": key.sk}},
                ConsistentRead=True,
            )
        return int(answer["Item"][name]["N"]) if "Item" in answer else 0

    def rows(self, epoch: int) -> dict[tuple[str, str, int], tuple[int, Any]]:
        """Revision and record of each row, by type, id and time."""
        found = {}
        for item in self.items(epoch):
            if "#LEDGER#" in item["PK"]["S"]:
                record_type = item["PK"]["S"].removesuffix("#").rpartition("#")[2]
                for row in page_of_item(record_type, item).rows:
                    assert (record_type, row.id, row.time_ms) not in found
                    found[record_type, row.id, row.time_ms] = (row.rev, row.record)
        return found

    def stored_facts(self) -> dict[tuple[str, str, int], tuple[int, Any]]:
        """What the rows should be, tombstones at times that were left included."""
        found: dict[tuple[str, str, int], tuple[int, Any]] = {}
        with tenant(self.org_id):
            for record_type in RECORD_TYPES:
                for bucket in range(self.buckets):
                    for page in self.facts.listed(self.org_id, bucket, record_type):
                        for fact in page.facts:
                            if fact.has_position:
                                row = row_of(fact)
                                here = (fact.type, fact.id, row.time_ms)
                                found[here] = (row.rev, row.record)
                            for time_ms in fact.left_behind:
                                found[fact.type, fact.id, time_ms] = (fact.last_move, None)
        return found

    def assert_exact(self, epoch: int, expected: dict[Any, int] | None = None) -> None:
        """An epoch has every fact's row, and the rollups that a brute-force count gives."""
        assert self.rows(epoch) == self.stored_facts()
        wanted = self.oracle.rollups() if expected is None else expected
        assert self.rollups(epoch) == wanted

    def assert_rebuilt(self, epoch: int, expected: dict[Any, int] | None = None) -> None:
        """Nothing is left but an exact epoch of that number."""
        organisation = self.organisation
        assert (organisation.live, organisation.written) == (epoch, (epoch,))
        assert list(organisation.contributions) == [epoch]
        assert self.epochs() <= {epoch}
        self.assert_exact(epoch, expected)


@dataclass
class CountedRequests:
    """Counts requests, and ends the command at one of them: before it, or when it was made."""

    kill_at: int | None = None
    is_made: bool = False
    count: int = 0

    def __call__(self, _operation: str, send: Request) -> dict[str, Any]:
        self.count += 1
        if self.count - 1 != self.kill_at:
            return send()
        if self.is_made:
            send()
        raise Killed


# -- another contribution version --------------------------------------------------------------
CURRENT = contributions.CURRENT_VERSION
NEXT = CURRENT + 1
_REAL = contributions.contribution_function(CURRENT)


def contribute_otherwise(record_id: str, record: Record) -> contributions.Contribution:
    """Contributions as a later release might make them: a call costs twice, tasks do not count."""
    for key, measures in _REAL(record_id, record):
        match record:
            case Task() if key.family == m.TASKS:
                continue
            case Call() if "cost_micros" in measures:
                yield key, {**measures, "cost_micros": 2 * measures["cost_micros"]}
            case _:
                yield key, measures


def counted_otherwise(rollups: dict[Any, int]) -> dict[Any, int]:
    """What `contribute_otherwise` gives, of what the oracle counts."""
    return {
        key: 2 * value if key[3] == "cost_micros" else value
        for key, value in rollups.items()
        if key[0] != "tasks"
    }


@contextmanager
def release(current: int, *versions: int) -> Iterator[None]:
    """A release that has these contribution versions; CURRENT is the real one, any other is not."""
    carried = {each: _REAL if each == CURRENT else contribute_otherwise for each in versions}
    with (
        patch.dict(contributions._VERSIONS, carried, clear=True),
        patch.object(contributions, "CURRENT_VERSION", current),
    ):
        yield
