"""Time and memory of `rollcall reconcile` for one organisation: `python -m benchmarks.reconcile URL`.

The organisation is compared in a process of its own, so that the peak is that of the comparison: the
command with a URL compares what the engine there holds, and prints what that took as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from itertools import chain

from benchmarks import loading, wiring
from benchmarks.peak import peak_kib
from benchmarks.report import Report, number
from benchmarks.stores import DAYS, analytics_texts
from benchmarks.year import Calls
from rollcall import bootstrap

SIZES = (10_000, 100_000)
QUICK_SIZES = (300, 600)
QUICK_DAYS = 5


@dataclass(frozen=True)
class Comparison:
    """What one took, the peak of the process in KiB before and after it, and what it found."""

    seconds: float
    cpu_seconds: float
    requests: int
    before_kib: int
    after_kib: int
    facts: int
    differences: int

    @property
    def mib(self) -> float:
        return (self.after_kib - self.before_kib) / 1024


def run(*, is_quick: bool) -> Report:
    report = Report("reconcile", engine=wiring.ENGINE)
    days = QUICK_DAYS if is_quick else DAYS
    table = report.table(
        f"Calls of {days} days, no drift",
        "calls",
        "seconds",
        "our own CPU, seconds",
        "requests",
        "peak of memory, MiB above the start",
    )
    peaks = []
    for size in QUICK_SIZES if is_quick else SIZES:
        with wiring.engine(is_for_long=not is_quick) as engine:
            calls = Calls(size, days)
            items = analytics_texts(calls, None, "all scopes of ")
            loading.load(engine.url, wiring.ANALYTICS, items)
            stored = loading.fact_texts(chain.from_iterable(calls.chunks()))
            loading.load(engine.url, wiring.RECORDS, stored)
            taken = _measured(engine.url)
        if (taken.facts, taken.differences) != (size, 0):
            raise AssertionError(taken)
        table.add(
            f"{size:,}",
            number(taken.seconds),
            number(taken.cpu_seconds),
            f"{taken.requests:,}",
            number(taken.mib),
        )
        peaks.append(taken.mib)
    report.finding(
        f"Ten times as many calls take {number(peaks[-1] / peaks[0])} × the memory."
        if not is_quick
        else f"The peak is {number(peaks[-1])} MiB above the start."
    )
    return report


def _measured(url: str) -> Comparison:
    done = subprocess.run(  # noqa: S603 - a program of ours
        [sys.executable, "-m", "benchmarks.reconcile", url],
        cwd=wiring.CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return Comparison(**json.loads(done.stdout.splitlines()[-1]))


def _compare(url: str) -> Comparison:
    with wiring.environment(url):
        client = wiring.patient_client()
        timer = wiring.ExchangeTimer(client)
        with wiring.wired(client):
            reconcile = bootstrap.reconcile()
            before = peak_kib()
            started, cpu = time.perf_counter(), time.process_time()
            audit = reconcile(wiring.ORGANISATION, is_repairing=False)
            return Comparison(
                time.perf_counter() - started,
                time.process_time() - cpu,
                timer.calls,
                before,
                peak_kib(),
                audit.facts,
                len(audit.differences),
            )


if __name__ == "__main__":
    print(json.dumps(asdict(_compare(sys.argv[1]))))
