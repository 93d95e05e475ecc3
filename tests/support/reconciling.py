"""An organisation with records in memory, whose drift can be planted, reported, repaired and checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from random import Random
from types import SimpleNamespace
from typing import Any

from rollcall import bootstrap
from rollcall.domain.contributions import CURRENT_VERSION
from rollcall.domain.organisations import Organisation
from rollcall.maintenance.audits import Audit
from rollcall.retry import Backoff
from rollcall.settings import settings
from rollcall.storage import keys
from rollcall.storage.accounts import item_of_organisation
from rollcall.storage.fact_items import item_of_fact
from tests.simulation.checker import Checker, Epoch, Violation
from tests.support.answering import NoQuarantine, wired
from tests.support.drift import ANALYTICS, RECORDS, Item, Items
from tests.support.emulator.client import MemoryClient
from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.generate import mixed_records, written
from tests.support.oracle import TYPES, moment
from tests.support.versions import versions_of

NOW_MS = 1_800_000_100_000


class Stored:
    """Tables in memory, with raw access to their items."""

    def __init__(self) -> None:
        self.store = MemoryDynamoDb()
        self.client = MemoryClient(self.store)
        self.now_ms = NOW_MS
        self.slept_seconds = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept_seconds += seconds
        self.now_ms += int(seconds * 1_000) + 1

    def all(self, table: str) -> list[Item]:
        return list(self.store.all_items(table))

    def put(self, table: str, item: Item) -> None:
        self.store.put(table, item)

    def delete(self, table: str, item: Item) -> None:
        key = {name: item[name] for name in ("PK", "SK")}
        self.store.answer("DeleteItem", {"TableName": table, "Key": key})

    def everything(self) -> dict[tuple[str, str, str], Item]:
        """All items of both tables, but for what an audit keeps."""
        return {
            (table, item["PK"]["S"], item["SK"]["S"]): item
            for table in (RECORDS, ANALYTICS)
            for item in self.store.all_items(table)
            if not item["SK"]["S"].startswith("AUDIT")
        }

    def violations(self, organisation: Organisation) -> list[str]:
        """What a brute-force count from the raw items finds wrong in the live epoch."""
        return faults_of(self, organisation)


def faults_of(tables: Items, organisation: Organisation) -> list[str]:
    """What a brute-force count from raw items finds wrong in an organisation's live epoch."""
    store = SimpleNamespace(all_items=tables.all)
    world: Any = SimpleNamespace(store=store, open_limit_bytes=None, poisoned=set(), damage=None)
    return violations_of(Checker(world, SimpleNamespace()), organisation)  # type: ignore[arg-type]


def violations_of(checker: Checker, organisation: Organisation) -> list[str]:
    """What a checker finds wrong in an organisation's live epoch, whatever damage it meets."""
    where = "the live epoch"
    place = organisation.id, organisation.live
    count = organisation.bucket_counts.get(organisation.live, 1)
    found = []
    try:
        epoch = checker.epochs().get((organisation.id, organisation.live)) or Epoch()
        facts = {k: v for k, v in checker.facts().items() if k.org_id == organisation.id}
    except Exception as error:  # noqa: BLE001 - planted damage may break any reader
        return [repr(error)]
    checks: tuple[Callable[[], None], ...] = (
        lambda: checker._pages_tile(where, epoch),
        lambda: checker._rows_are_in_their_buckets(place, epoch, count),
        lambda: checker._pages_equal_facts(where, epoch, facts, set()),
        lambda: checker._rollups_are_sum_of_pages(where, epoch),
    )
    for check in checks:
        try:
            check()
        except Violation as violation:
            found.append(str(violation))
        except LookupError as error:  # a planted mark of a breakdown that there is not
            found.append(repr(error))
    return found


@contextmanager
def stored(page_target_bytes: int = 1_024) -> Iterator[Stored]:
    """Empty tables, and the product wired to them."""
    tables = Stored()
    with wired(
        settings=dataclasses.replace(
            settings, page_target_bytes=page_target_bytes, reconcile_grace_seconds=0
        ),
        dynamodb=lambda: tables.client,
        _quarantine=NoQuarantine,
        Backoff=lambda: Backoff(sleep=tables.sleep),
        now_ms=lambda: tables.now_ms,
        now_us=lambda: tables.now_ms * 1_000,
        time=SimpleNamespace(sleep=tables.sleep),
    ):
        yield tables


def organisation(tables: Stored, seed: int, count: int = 60) -> Organisation:
    """A new organisation whose records are all applied."""
    random = Random(seed)
    epoch = random.choice((0, 0, 3))
    made = Organisation(
        id=f"org_{seed}",
        handle=f"acme-{seed}",
        name="Acme",
        created_at_ms=1,
        buckets=random.choice((1, 3)),
        live=epoch,
        written=(epoch,),
        contributions={epoch: CURRENT_VERSION},
    )
    # Of those with several shards, every other has as many buckets.
    if made.buckets > 1 and seed % 2 == 0:
        made = dataclasses.replace(made, bucket_counts={epoch: made.buckets})
    key = keys.organisation(made.id)
    tables.put(RECORDS, item_of_organisation(key, made))
    records = mixed_records(seed, count, versions=(1, 2), deletes=0.1, days=2, spaces=2, others=2)
    add(tables, made, [*records, *moves(random, records)])
    return made


def moves(random: Random, records: Iterable[Any]) -> Iterator[Any]:
    """Later versions of every third record at other times, some of which are changed then."""
    for number, record in enumerate(records):
        field = TYPES[record["type"]].time
        if number % 3 == 0 and field in record:
            for step in range(random.choice((1, 2, 3))):
                when = moment(1_709_251_200_000 + random.randrange(4) * 43_200_000)
                later = moment(1_800_000_000_000 + number * 10 + step)
                yield {**record, field: written(when), "updated_at": written(later)}


def add(
    tables: Stored, organisation: Organisation, records: Iterable[Any], *, is_lost: bool = False
) -> None:
    """Store records as facts, and apply them, unless the stream lost them."""
    versions = versions_of(list(records))
    for fact in versions:
        key = keys.fact(organisation.id, fact.type, fact.id, organisation.buckets)
        tables.put(RECORDS, item_of_fact(key, fact))
    if not is_lost:
        bootstrap.apply_facts()(organisation, versions)


def reconcile(organisation: Organisation, *, is_repairing: bool, **options: Any) -> Audit:
    return bootstrap.reconcile()(organisation, is_repairing=is_repairing, **options)
