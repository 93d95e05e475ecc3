"""Our own CPU per record in the updater, by what it is spent on.

The real `Update` use case and the real botocore client run over a store in memory, whose time is
taken off. Time is this thread's CPU time. What runs within a wrapped function and is not wrapped
itself counts as that function's; wrapping costs time too, so the total is measured without it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest.mock import patch

from benchmarks import data, wiring, write_units
from benchmarks.report import Report, median, number
from tests.support.emulator.dynamodb import MemoryDynamoDb

# What is wrapped: the name a figure goes under, and where the function is looked up when called.
WRAPPED = (
    ("parse stream", "rollcall.storage.fact_items:stream_fact"),
    ("decode page", "rollcall.ledger.page:Rows.decode"),
    ("decode page", "rollcall.ledger.encoded:decode_column"),
    ("decode page", "rollcall.ledger.encoded:decompress"),
    ("merge", "rollcall.ledger.known:PageIndex"),
    ("merge", "rollcall.ledger.merge:PageIndex.change"),
    ("merge", "rollcall.ledger.apply:merge"),
    ("contributions", "rollcall.ledger.apply:Applier._add"),
    ("encode page", "rollcall.ledger.apply:split"),
    ("deflate", "rollcall.ledger.page:compress"),
    ("build requests", "rollcall.storage.pages:PageStore._put_page"),
    ("build requests", "rollcall.storage.pages:PageStore._put_rollup"),
    ("request bodies", "rollcall.storage.requests:Serializer.serialize_to_request"),
    ("read rollups", "rollcall.storage.pages:stored_rollup"),
    ("change rollups", "rollcall.ledger.apply:write_rollup"),
    ("botocore: build", "botocore.client:BaseClient._convert_to_request_dict"),
    ("botocore: sign, send", "botocore.endpoint:Endpoint._send_request"),
    ("botocore: parse", "botocore.parsers:ResponseParser.parse"),
    ("botocore: rest", "botocore.client:BaseClient._make_api_call"),
    ("rest of the rule", "rollcall.ledger.apply:Applier.apply"),
)
PARTS = tuple(dict.fromkeys(name for name, _ in WRAPPED))


class Clock:
    """Splits CPU time among the innermost wrapped functions."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._stack: list[str] = []
        self._since = 0.0

    def _switch(self) -> None:
        now = time.thread_time()
        if self._stack:
            self.seconds[self._stack[-1]] += now - self._since
        self._since = now

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function, updated=())
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._switch()
            self._stack.append(name)
            try:
                return function(*args, **kwargs)
            finally:
                self._switch()
                self._stack.pop()

        return timed


@contextlib.contextmanager
def split_time() -> Iterator[Clock]:
    """Wrap the functions of WRAPPED. A name that is gone raises AttributeError: correct WRAPPED."""
    clock = Clock()
    with contextlib.ExitStack() as patches:
        for name, place in WRAPPED:
            module_name, _, path = place.partition(":")
            owner: Any = importlib.import_module(module_name)
            *outer, last = path.split(".")
            for part in outer:
                owner = getattr(owner, part)
            raw = vars(owner)[last]
            wrapped: Any = clock.wrap(name, getattr(raw, "__func__", raw))
            if isinstance(raw, staticmethod):
                wrapped = staticmethod(wrapped)
            patches.enter_context(patch.object(owner, last, wrapped))
        yield clock


def run(*, is_quick: bool) -> Report:
    report = Report("updater_cpu", engine=f"pages of {write_units.TARGET // 1024} KiB")
    with wiring.environment():
        dataset = write_units.live(is_quick=is_quick)
        store = write_units.loaded(dataset.before)
        records = data.stream_records(dataset.measured)
        table = report.table(
            "CPU per stream record in the updater, µs (live traffic)",
            "",
            *(f"batch {batch:,}" for batch in write_units.BATCHES),
        )
        columns = []
        for batch in write_units.BATCHES:
            few = records[: (60 if is_quick else 300)] if batch == 1 else records
            rounds = 2 if is_quick else (5 if batch > 1 else 3)
            columns.append(_measure(store, few, batch, rounds))
        for part in (*PARTS, "outside"):
            table.add(
                part,
                *(f"{total * shares[part]:,.1f} ({shares[part]:.0%})" for total, shares in columns),
            )
        table.add("**all**", *(f"{total:,.1f}" for total, _ in columns))
        for batch, (total, shares) in zip(write_units.BATCHES, columns, strict=True):
            largest = sorted(shares.items(), key=lambda pair: -pair[1])[:3]
            report.finding(
                f"Batch {batch:,}: {number(total)} µs a record, "
                f"{number(1e6 / total)} records a second of CPU; most of it "
                + ", ".join(f"{name} {share:.0%}" for name, share in largest)
                + "."
            )
    return report


def _measure(
    store: MemoryDynamoDb, records: Sequence[dict[str, Any]], batch: int, rounds: int
) -> tuple[float, dict[str, float]]:
    """(µs a record without wrapping, share of each part), medians of alternating rounds."""
    plain, split = [], []
    for _ in range(rounds):
        plain.append(_apply(store, records, batch)[0])
        with split_time() as clock:
            total, in_store = _apply(store, records, batch)
        # The store answers inside of sending.
        clock.seconds["botocore: sign, send"] -= in_store
        clock.seconds["outside"] = total - sum(clock.seconds.values())
        split.append({name: seconds / total for name, seconds in clock.seconds.items()})
    shares = {name: median(s.get(name, 0.0) for s in split) for name in (*PARTS, "outside")}
    return median(plain) / len(records) * 1e6, shares


def _apply(
    store: MemoryDynamoDb, records: Sequence[dict[str, Any]], batch: int
) -> tuple[float, float]:
    fork = store.copy()
    with wiring.wired(wiring.memory_client(fork)):
        wiring.apply(records[:1])  # warm
        wiring.skip_what_exists()
        before, started = fork.meter.seconds, time.thread_time()
        for part in data.batches(records, batch):
            wiring.apply(part)
        in_store = fork.meter.seconds - before
        return time.thread_time() - started - in_store, in_store
