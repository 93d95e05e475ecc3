"""Segments of several sizes: what merging and late changes write, and what queries read.

The calls of a month are in pages. Some of them change once more, each alone, at times spread over the
month after it, while the merging function runs every six hours. What the same changes write without
segments is subtracted. Then queries read each store.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from benchmarks import data, wiring
from benchmarks.asking import Functions, Query, Turns, Watch, in_turns
from benchmarks.data import DAY_MS, TODAY_MS, Version
from benchmarks.report import Report, number
from rollcall import bootstrap
from rollcall.maintenance.merge_pages import MergePages
from rollcall.retry import Backoff
from rollcall.storage.merging import PageMerging
from tests.support.emulator.dynamodb import MemoryDynamoDb

SIZES = (32, 64, 128, 256)  # KiB
RATES = (0.001, 0.01, 0.05)
DAYS = 30
COLD_AFTER_HOURS = 48
_HOUR_MS = 3_600_000
_STEP_MS = 6 * _HOUR_MS
TURNS = Turns(rounds=3, most=9, seconds=2.0)
MONTH = {"from": "2026-10-01", "to": "2026-11-30"}
QUERIES = (
    Query(
        "calls and duration by outcome, one condition",
        "query_records",
        body={
            "measures": ["calls", "p50_duration"],
            "dimensions": ["outcome"],
            "filters": [{"field": "duration_seconds", "op": "gte", "value": 30}],
        },
    ),
    Query(
        "distinct leads by campaign",
        "query_records",
        body={"measures": ["distinct_leads"], "dimensions": ["campaign_id"]},
    ),
    Query(
        "distinct leads of an outcome that no call has",
        "query_records",
        body={
            "measures": ["distinct_leads"],
            "filters": [{"field": "outcome", "op": "eq", "value": "none of these"}],
        },
    ),
)


def run(*, is_quick: bool) -> Report:
    report = Report("segments")
    versions = data.backfill(4_000 if is_quick else 20_000, DAYS)
    with wiring.environment():
        store = _loaded(versions)
        _write_table(report, store, versions)
        _read_table(report, store, len(versions), is_quick=is_quick)
    return report


def _loaded(versions: Sequence[Version]) -> MemoryDynamoDb:
    store = wiring.new_memory()
    with _at(store) as _:
        for batch in data.batches(data.stream_records(versions), 1_000):
            wiring.apply(batch)
    return store


@contextmanager
def _at(store: MemoryDynamoDb) -> Iterator[list[int]]:
    """The use cases over a store, with a clock that may be set; it is TODAY."""
    clock = [TODAY_MS]
    with (
        wiring.wired(wiring.memory_client(store)),
        patch.object(bootstrap, "now_ms", lambda: clock[0]),
    ):
        yield clock


def _merge(clock: list[int], size: int) -> int:
    """Merge pages at rest into segments of so many KiB; returns the number of segments."""
    pages = PageMerging(bootstrap.dynamodb(), wiring.ANALYTICS, Backoff())
    merging = MergePages(
        bootstrap.directory(),
        pages,
        lambda: clock[0],
        cold_after_hours=COLD_AFTER_HOURS,
        segment_bytes=size * 1024,
    )
    merged = merging.organisation(wiring.ORGANISATION)
    if merged.error is not None:
        raise merged.error
    return merged.segments


# -- writes ----------------------------------------------------------------------------------
def _write_table(report: Report, store: MemoryDynamoDb, versions: Sequence[Version]) -> None:
    table = report.table(
        "Write units of pages and segments, beyond those of pages alone",
        "segments of",
        "made",
        "merging, per call",
        *(f"late changes of {rate:.1%}: per change" for rate in RATES),
        *(f"of {rate:.1%}: per call" for rate in RATES),
    )
    plain = [_late_units(store, _late(versions, rate), None) for rate in RATES]
    for size in SIZES:
        fork = store.copy()
        with _at(fork) as clock:
            clock[0] += 3 * DAY_MS
            made = _merge(clock, size)
        merging = _units(fork)
        late = [
            _late_units(fork, _late(versions, rate), size) - without
            for rate, without in zip(RATES, plain, strict=True)
        ]
        table.add(
            f"{size} KiB",
            made,
            number(merging / len(versions)),
            *(
                number(units / (rate * len(versions)))
                for units, rate in zip(late, RATES, strict=True)
            ),
            *(number(units / len(versions)) for units in late),
        )


def _late(versions: Sequence[Version], rate: float) -> list[Version]:
    """This share of the calls, each changed once more, in the order of the changes."""
    dice = random.Random(f"late {rate}")
    changed = dice.sample(versions, round(rate * len(versions)))
    moments = sorted(TODAY_MS + 3 * DAY_MS + dice.randrange(DAYS * DAY_MS) for _ in changed)
    return [_changed(each, at_ms) for each, at_ms in zip(changed, moments, strict=True)]


def _changed(version: Version, at_ms: int) -> Version:
    old = version.new
    record: Any = dataclasses.replace(old.record, outcome="late")  # type: ignore[type-var]
    new = dataclasses.replace(old, rev=old.rev + 1, record=record)
    return dataclasses.replace(version, at_ms=at_ms, old=old, new=new)


def _late_units(store: MemoryDynamoDb, late: Sequence[Version], size: int | None) -> float:
    """What late changes write, and merging meanwhile."""
    fork = store.copy()
    due = iter(late)
    following = next(due, None)
    with _at(fork) as clock:
        for step in itertools.count(1):
            clock[0] = TODAY_MS + 3 * DAY_MS + step * _STEP_MS
            while following is not None and following.at_ms <= clock[0]:
                wiring.apply(data.stream_records([following]))
                following = next(due, None)
            if size is not None:
                _merge(clock, size)
            if following is None and clock[0] > TODAY_MS + (DAYS + 6) * DAY_MS:
                break
    return _units(fork)


def _units(store: MemoryDynamoDb) -> float:
    written = store.meter.write_units
    return float(sum(written[kind] for kind in ("page", "identities")))


# -- reads -----------------------------------------------------------------------------------
def _read_table(report: Report, store: MemoryDynamoDb, calls: int, *, is_quick: bool) -> None:
    table = report.table(
        f"Queries of {calls:,} calls: our own CPU without botocore, ms / read units",
        "stored as",
        *(query.name for query in QUERIES),
    )
    turns = Turns(1, 1) if is_quick else TURNS
    for size in (None, *SIZES):
        fork = store.copy()
        cells = []
        with _at(fork) as clock:
            clock[0] += 3 * DAY_MS
            if size is not None:
                _merge(clock, size)
            functions = Functions(Watch(bootstrap.dynamodb(), fork), {"query_records"})
            for query in QUERIES:
                asked = dataclasses.replace(query, body=query.body | MONTH)
                (answer,) = in_turns(asked, [functions], turns)
                own = answer.split.own - answer.split.botocore
                cells.append(f"{number(own * 1e3)} / {number(answer.units)}")
        table.add("pages" if size is None else f"{size} KiB", *cells)
