"""Our own CPU per record in the updater when records are as wide as the limits of a record allow.

Each record has 32 payload keys and 32 labels that no other record has, so any work that grows with
keys times rows, or that reads all of a page for each value, shows here. The real `Update` use case and the real botocore
client run over a store in memory, whose time is taken off. Time is this thread's CPU time.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Sequence
from typing import Any

from benchmarks import data, wiring
from benchmarks.report import Report, median, number
from rollcall.domain.validation import MAX_LABELS, MAX_PAYLOAD_KEYS

BATCHES = (100, 1_000)
WIDTHS = ((0, 0), (MAX_PAYLOAD_KEYS, 0), (0, MAX_LABELS), (MAX_PAYLOAD_KEYS, MAX_LABELS))
MS_AIM = 5
_LABEL_LENGTH = 64


def documents(count: int, keys: int, labels: int) -> list[dict[str, Any]]:
    """Calls a second apart, with so many payload keys and labels of their own."""
    dice = random.Random(data.SEED + 3)
    made = []
    for n in range(count):
        own = [f"{dice.getrandbits(256):0{_LABEL_LENGTH}x}" for _ in range(max(keys, labels))]
        call = {
            "type": "call",
            "id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
            "started_at": data.text(data.TODAY_MS + n * 1_000),
            "status": "completed",
            "payload": {f"key-{key[:20]}": f"value-{key[-4:]}" for key in own[:keys]},
            "labels": own[:labels],
        }
        made.append(call)
    return made


def run(*, is_quick: bool) -> Report:
    report = Report("wide_rows", engine="a store in memory")
    size = 200 if is_quick else 1_000
    table = report.table(
        f"CPU per record in the updater, ms ({size:,} records)",
        "payload keys, labels of each",
        *(f"batch {batch:,}" for batch in BATCHES),
    )
    with wiring.environment():
        for keys, labels in WIDTHS:
            records = data.stream_records(data.first_versions(documents(size, keys, labels)))
            per_record = [_ms_per_record(records, batch, 1 if is_quick else 3) for batch in BATCHES]
            table.add(f"{keys} and {labels}", *map(number, per_record))
    worst = max(per_record)
    is_met = worst <= MS_AIM
    report.finding(
        f"A record of {MAX_PAYLOAD_KEYS} payload keys and {MAX_LABELS} labels of its own takes at most "
        f"{number(worst)} ms; aim ≤ {MS_AIM} ms is {'met' if is_met else 'missed'}."
    )
    return report


def _ms_per_record(records: Sequence[dict[str, Any]], batch: int, rounds: int) -> float:
    return median(_seconds(records, batch) for _ in range(rounds)) / len(records) * 1_000


def _seconds(records: Sequence[dict[str, Any]], batch: int) -> float:
    store = wiring.new_memory()
    with wiring.wired(wiring.memory_client(store)):
        wiring.updater()  # what it makes once
        before, started = store.meter.seconds, time.thread_time()
        for part in data.batches(records, batch):
            wiring.apply(part)
        return time.thread_time() - started - (store.meter.seconds - before)
