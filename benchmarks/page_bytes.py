"""Bytes per row in ledger pages, and the page size at which writing and reading cost least.

Pages are made by the real updater; what a scan costs is the eventually consistent Query of all
pages, and the CPU to inflate and add up what a filter over durations and statuses needs.
"""

from __future__ import annotations

import time
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from benchmarks import data, wiring, write_units
from benchmarks.report import Report, median, number
from rollcall.ledger.page import Rows
from tests.support.emulator import capacity
from tests.support.emulator.dynamodb import MemoryDynamoDb

# On demand, a write unit costs five times a read unit (in every region we looked at).
WRITE_TO_READ_PRICE = 5
TARGETS = tuple(kib * 1024 for kib in (4, 8, 16, 32, 64))
# How often a row is read by a scan in its life, on average: the occasional query that no rollup
# answers, over all that is stored.
SCANS = (10, 1_000)


def run(*, is_quick: bool) -> Report:
    report = Report("page_bytes")
    with wiring.environment():
        live = write_units.live(is_quick=is_quick)
        loaded = {target: write_units.loaded(live.before, target) for target in TARGETS}
        _bytes(report, loaded, len(live.before))
        _cost(report, live, loaded)
        backfill = write_units.backfill(is_quick=is_quick)
        _cost(
            report,
            backfill,
            {target: write_units.loaded(backfill.before, target) for target in TARGETS},
        )
    return report


def _bytes(report: Report, with_uuids: dict[int, MemoryDynamoDb], versions: int) -> None:
    table = report.table(
        "Bytes a row, items whole, as live traffic leaves them",
        "page target",
        "uuid ids: rows a page",
        "bytes a row",
        "short ids: rows a page",
        "bytes a row",
    )
    short = data.live(versions // 3 + 1, write_units.CALLS_PER_SECOND, ids="short")
    for target, store in with_uuids.items():
        cells = []
        for each in (store, write_units.loaded(short, target)):
            pages = [item.attributes for item in wiring.stored_items(each, "page")]
            rows = sum(int(page["n"]["N"]) for page in pages)
            size = sum(map(capacity.item_bytes, pages))
            cells += [number(rows / len(pages)), f"{size / rows:.1f}"]
        table.add(f"{target // 1024} KiB", *cells)


def _cost(report: Report, dataset: write_units.Dataset, loaded: dict[int, MemoryDynamoDb]) -> None:
    scan_table = report.table(
        f"What one scan of every row costs — {dataset.name}",
        "page target",
        "pages",
        "read units per 1,000 rows",
        "our CPU, ms per 1,000 rows",
    )
    table = report.table(
        f"Cost of a call in read units, a write unit being {WRITE_TO_READ_PRICE}: "
        f"all that the updater writes and reads, and the scans of its life — {dataset.name}",
        "page target",
        *(f"batch {b:,}, {s:,} scans" for b in write_units.BATCHES for s in SCANS),
    )
    costs: dict[int, list[float]] = {}
    for target, store in loaded.items():
        pages = [item.attributes for item in wiring.stored_items(store, "page")]
        rows = sum(int(page["n"]["N"]) for page in pages)
        scan = _scan_units(pages) / rows
        scan_table.add(
            f"{target // 1024} KiB",
            len(pages),
            number(scan * 1000),
            number(_scan_ms(pages, 3) / rows * 1000),
        )
        costs[target] = []
        for batch in write_units.BATCHES:
            sample = dataset.sample(batch)
            done = write_units.ours(store, sample, batch, target)
            cost = _cost_of(done) / len(sample) * dataset.versions_of_a_call
            costs[target] += [cost + scan * scans for scans in SCANS]
    best = [min(column) for column in zip(*costs.values(), strict=True)]
    for target, row in costs.items():
        cells = [
            f"**{number(cost)}**" if cost == least else number(cost)
            for cost, least in zip(row, best, strict=True)
        ]
        table.add(f"{target // 1024} KiB", *cells)


def _cost_of(done: MemoryDynamoDb) -> float:
    """Everything that was written and read, in read units."""
    return done.meter.write_units.total() * WRITE_TO_READ_PRICE + done.meter.read_units


def _scan_units(pages: Sequence[dict[str, Any]]) -> float:
    """Query answers of up to 1 MB, each rounded up."""
    units, size = 0.0, 0
    for page in pages:
        size += capacity.item_bytes(page)
        if size >= 1_048_576:
            units += capacity.eventual_read_units(size)
            size = 0
    return units + (capacity.eventual_read_units(size) if size else 0)


def _scan_ms(pages: Sequence[dict[str, Any]], rounds: int) -> float:
    encoded = [b64decode(page["data"]["B"]) for page in pages]
    taken = []
    for _ in range(rounds):
        started = time.thread_time()
        for one in encoded:
            rows = Rows.decode("call", one)
            statuses, seconds = rows.texts("status"), rows.integers("duration_seconds").values
            is_long = seconds >= 60
            _ = int(seconds[is_long].sum()), len(statuses.codes[is_long])
        taken.append((time.thread_time() - started) * 1000)
    return median(taken)
