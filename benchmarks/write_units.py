"""Write units per call beside those of the naive `ADD` per record, at several stream batches.

Ours are counted from the requests that the real updater makes against a store in memory; the items
it leaves are put into DynamoDB Local, whose own ConsumedCapacity is set beside the count. The naive
design is counted by the same rules for the same rollups: for every stream record one plain
UpdateItem per rollup that the record changes (new image minus old image, nothing for a rollup that
does not change), without pages, reads or conditions. It is wrong (a replay counts twice), and it is
the cheapest design that is plausible.
"""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import data, wiring
from benchmarks.data import Version
from benchmarks.report import Report, number
from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.measures import RollupKey
from rollcall.settings import settings
from rollcall.storage import keys
from rollcall_cli.errors import CommandError
from tests.support.emulator import capacity
from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.emulator.metering import kind_of

BATCHES = (1, 100, 1_000)
FEW = 300
_BUCKET = Bucket(Epoch(data.ORG_ID, 0))
TARGET = settings.page_target_bytes
# 100 records a second: what fills a batch of 100 in the mapping's window of one second.
CALLS_PER_SECOND = 100 / 3


@dataclass(frozen=True)
class Dataset:
    """Records that are in already, and those whose writes are counted."""

    name: str
    versions_of_a_call: int
    before: Sequence[Version]
    measured: Sequence[Version]

    @property
    def history(self) -> Sequence[Version]:
        """What was in before a batch size was: the rest of `before` comes in batches of that size."""
        return self.before[:-FEW]

    def sample(self, batch: int) -> Sequence[Version]:
        """What is measured at a batch size: one by one is slow, and each costs much the same."""
        return self.measured if batch > 1 else self.measured[:FEW]


def _sizes(is_quick: bool) -> tuple[int, int]:
    return (1_000, 100) if is_quick else (8_000, 1_500)


def live(*, is_quick: bool, is_wide: bool = False) -> Dataset:
    """Calls of today in three versions each, in the order of time."""
    before, calls = _sizes(is_quick)
    versions = data.live(before + calls, CALLS_PER_SECOND, is_wide=is_wide)
    name = "live, wide organisation" if is_wide else "live, three versions a call"
    return Dataset(name, 3, versions[: -calls * 3], versions[-calls * 3 :])


def backfill(*, is_quick: bool) -> Dataset:
    """Finished calls of 30 days in no order."""
    before, calls = _sizes(is_quick)
    versions = data.backfill(before + calls)
    return Dataset("backfill, 30 days shuffled", 1, versions[:-calls], versions[-calls:])


def loaded(versions: Sequence[Version], target: int = TARGET) -> MemoryDynamoDb:
    """A store that holds these."""
    return ours(wiring.new_memory(), versions, 1_000, target)


def ours(
    store: MemoryDynamoDb,
    measured: Sequence[Version],
    batch: int,
    target: int = TARGET,
    *,
    before: Sequence[Version] = (),
) -> MemoryDynamoDb:
    """A copy of the store to which the records were applied; its counters are theirs alone.

    Those of `before` are applied first, in batches of the same size, since pages follow it.
    """
    fork = store.copy()
    with wiring.wired(wiring.memory_client(fork), target):
        for versions in (before, measured):
            fork.meter.reset()
            for records in data.batches(data.stream_records(versions), batch):
                wiring.apply(records)
    return fork


class Naive:
    """Counters that are added to, record by record."""

    def __init__(self) -> None:
        self._counts: dict[RollupKey, dict[str, int]] = {}
        self._sizes: dict[RollupKey, int] = {}
        self._contribute = contribution_function(CURRENT_VERSION)
        self.units: Counter[str] = Counter()

    def apply(self, versions: Sequence[Version]) -> None:
        for version in versions:
            for key, delta in self._delta(version).items():
                self._add(key, {name: amount for name, amount in delta.items() if amount})

    def _delta(self, version: Version) -> dict[RollupKey, dict[str, int]]:
        delta: dict[RollupKey, dict[str, int]] = {}
        for sign, fact in ((1, version.new), (-1, version.old)):
            if fact is None or fact.record is None:
                continue
            for key, measures in self._contribute(fact.id, fact.record):
                rollup = delta.setdefault(key, {})
                for name, amount in measures.items():
                    rollup[name] = rollup.get(name, 0) + sign * amount
        return delta

    def _add(self, key: RollupKey, delta: dict[str, int]) -> None:
        if not delta:
            return
        counts = self._counts.setdefault(key, {})
        size = self._sizes.get(key) or _empty_rollup_bytes(key)
        before = size
        for name, amount in delta.items():
            old = counts.get(name)
            counts[name] = new = (old or 0) + amount
            size += capacity.number_bytes(str(new))
            size -= -len(name.encode()) if old is None else capacity.number_bytes(str(old))
        self._sizes[key] = size
        kind = kind_of(keys.rollup(_BUCKET, key).pk)
        self.units[kind] += capacity.write_units(max(before, size))


def _empty_rollup_bytes(key: RollupKey) -> int:
    """Keys, index keys, version and time of change: the same that our own rollups carry."""
    pk, sk = keys.rollup(_BUCKET, key)
    item: dict[str, dict[str, Any]] = {
        keys.PK: {"S": pk},
        keys.SK: {"S": sk},
        keys.GSI1PK: {"S": keys.index_partition(_BUCKET)},
        keys.GSI1SK: {"S": keys.index_sort(_BUCKET, keys.ROLLUP, sk)},
        "v": {"N": "1000"},
        "applied_at": {"N": "1795255200000"},
    }
    return capacity.item_bytes(item)


def naive(dataset: Dataset) -> dict[int, int]:
    """Write units of the same records as each batch size has."""
    counters = Naive()
    counters.apply(dataset.before)
    counters.units.clear()
    counters.apply(dataset.measured[:FEW])
    few = sum(counters.units.values())
    counters.apply(dataset.measured[FEW:])
    return {batch: sum(counters.units.values()) if batch > 1 else few for batch in BATCHES}


def written(store: MemoryDynamoDb) -> int:
    """Write units but for the index, which neither design writes for an item that exists."""
    return sum(store.meter.write_units[kind] for kind in ("page", "rollup"))


def run(*, is_quick: bool) -> Report:
    report = Report("write_units", engine=f"pages of {TARGET // 1024} KiB")
    with wiring.environment():
        _measure(report, live(is_quick=is_quick))
        _measure(report, live(is_quick=is_quick, is_wide=True))
        _measure(report, backfill(is_quick=is_quick))
        _measure_changes(report, backfill(is_quick=is_quick))
    _check(report, is_quick=is_quick)
    return report


def _measure(report: Report, dataset: Dataset) -> None:
    plain = naive(dataset)
    table = report.table(
        f"Write units per call — {dataset.name}",
        "stream batch",
        "naive",
        "ours",
        "× naive",
        "of it pages",
        "rollups",
        "index",
        "read units",
        "items per transaction",
        "calls per page written",
    )
    store = loaded(dataset.history)
    for batch in BATCHES:
        sample = dataset.sample(batch)
        calls = len(sample) / dataset.versions_of_a_call
        done = ours(store, sample, batch, before=dataset.before[-FEW:])
        total = written(done)
        transactions = done.meter.requests["TransactWriteItems"]
        ratio = total / plain[batch]
        table.add(
            f"{batch:,}",
            number(plain[batch] / calls),
            number(total / calls),
            f"{ratio:.2f}",
            *(number(done.meter.write_units[kind] / calls) for kind in ("page", "rollup", "index")),
            number(done.meter.read_units / calls),
            number(done.meter.items_written.total() / transactions),
            number(calls / done.meter.items_written["page"]),
        )
        aim = {100: 2.5, 1_000: 1.0}.get(batch)
        if aim is not None:
            met = "met" if ratio <= aim else "missed"
            report.finding(
                f"{dataset.name}, batch {batch:,}: {ratio:.2f} × naive; aim ≤ {aim} × is {met}."
            )
    sizes = {
        kind: sorted(item.size for item in wiring.stored_items(store, kind))
        for kind in ("page", "rollup")
    }
    shape = report.table(
        f"Items stored when the measurement begins — {dataset.name}",
        "kind",
        "items",
        "median bytes",
        "largest",
    )
    for kind, of_kind in sizes.items():
        shape.add(kind, f"{len(of_kind):,}", f"{of_kind[len(of_kind) // 2]:,}", f"{of_kind[-1]:,}")


# What happens to a call that is over, and what of it changes.
CHANGES: dict[str, dict[str, Any]] = {
    "gets another outcome": {"outcome": "corrected"},
    "moves by 3 seconds, in most cases within its page": {"later_ms": 3_000},
    "moves by 2 hours": {"later_ms": 2 * 3_600_000},
    "moves to another day": {"later_ms": data.DAY_MS},
}


def _measure_changes(report: Report, dataset: Dataset) -> None:
    table = report.table(
        "Write units of a change to each of 100 finished calls in a row",
        "a call",
        *(f"{each} per batch" for each in BATCHES[:2]),
    )
    store = loaded(dataset.before)
    in_order = sorted(dataset.before, key=lambda version: version.new.time_ms or 0)
    some = in_order[len(in_order) // 2 :][:100]
    for name, fields in CHANGES.items():
        versions = [data.changed(version, **fields) for version in some]
        units = (written(ours(store, versions, batch)) for batch in BATCHES[:2])
        table.add(name, *(number(each / len(versions)) for each in units))


def _check(report: Report, *, is_quick: bool) -> None:
    """The stored items, one by one, on DynamoDB Local, which reports what it charges.

    One by one, because for a transaction of several items it reports the units of one of them.
    """
    with wiring.environment():
        versions = data.live(300 if is_quick else 3_000, CALLS_PER_SECOND)
        store = ours(wiring.new_memory(), versions, 100)
    table = report.table(
        "The rules beside DynamoDB Local's ConsumedCapacity: each item put in a transaction, then read",
        "items",
        "number",
        "write units, by the rules",
        "reported",
        "read units, by the rules",
        "reported",
    )
    try:
        with wiring.engine() as engine:
            for kind in ("page", "rollup"):
                items = wiring.stored_items(store, kind)
                sizes = [item.size for item in items]
                charges = [engine.charge(_binary(item.attributes)) for item in items]
                table.add(
                    kind,
                    len(items),
                    sum(map(capacity.transactional_write_units, sizes)),
                    number(sum(charge.write for charge in charges), 6),
                    sum(map(capacity.consistent_read_units, sizes)),
                    number(sum(charge.read for charge in charges), 6),
                )
    except CommandError as missing:
        report.finding(f"Not checked against DynamoDB Local: {missing}")


def _binary(item: dict[str, Any]) -> dict[str, Any]:
    """As boto3 takes it: binary not in base64."""
    return {n: {"B": b64decode(v["B"])} if "B" in v else v for n, v in item.items()}
