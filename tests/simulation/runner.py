"""Runs ranges of seeds, in several processes, and keeps a state file that adds up after a resume."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from tests.simulation.mutants import MUTANTS, planted
from tests.simulation.schedule import Report, run_schedule
from tests.simulation.world import simulating

_CHUNK = 100
# What a schedule must show; added up from the reports.
_FIGURES = ("writes", "deliveries", "redeliveries", "splits", "checks")
_COUNTS = (
    "moves",
    "epochs opened",
    "rebuilds",
    "rebuild killed",
    "merges",
    "merge killed",
    "segments",
    "segments split",
    "audits",
    "reconcile killed",
    "items damaged",
    "items repaired",
    "hook calls",
    "hook deliveries acknowledged",
    "hook deliveries again",
    "hook deliveries kept",
    "replayed of hooks/",
)


@dataclass
class Totals:
    """What the schedules of some seeds did."""

    schedules: int = 0
    figures: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    violations: dict[str, str] = field(default_factory=dict)  # by seed
    incomplete: list[int] = field(default_factory=list)
    seconds: float = 0.0  # of processor time

    def add(self, report: Report) -> None:
        """Count one schedule."""
        self.schedules += 1
        self.figures.update({name: getattr(report, name) for name in _FIGURES})
        self.figures.update({name: report.counts[name] for name in _COUNTS})
        self.faults.update(report.faults)
        if report.violation:
            self.violations[str(report.seed)] = report.violation
        elif not report.is_complete:
            self.incomplete.append(report.seed)

    def merge(self, other: Totals) -> None:
        """Count what others counted."""
        self.schedules += other.schedules
        self.figures.update(other.figures)
        self.faults.update(other.faults)
        self.violations.update(other.violations)
        self.incomplete.extend(other.incomplete)
        self.seconds += other.seconds

    @property
    def is_good(self) -> bool:
        """Whether nothing was violated, and every schedule did all that it must."""
        return not self.violations and not self.incomplete


@dataclass
class State:
    """Which seeds are done, as half-open ranges in order, and what they did."""

    done: list[tuple[int, int]] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)

    def take(self, start: int, end: int, totals: Totals) -> None:
        """Count a range that is done."""
        self.done.append((start, end))
        self.done.sort()
        merged: list[tuple[int, int]] = []
        for first, last in self.done:
            if merged and merged[-1][1] == first:
                merged[-1] = (merged[-1][0], last)
            else:
                merged.append((first, last))
        self.done = merged
        self.totals.merge(totals)

    def missing(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The parts of a range that are not done."""
        for first, last in self.done:
            if start < first:
                yield start, min(first, end)
            start = max(start, last)
            if start >= end:
                return
        if start < end:
            yield start, end

    def save(self, path: Path) -> None:
        """Write it so that a crash leaves the old state or the new one."""
        unfinished = path.with_suffix(path.suffix + ".new")
        said = {"done": self.done, "totals": vars(self.totals)}
        unfinished.write_text(json.dumps(said, indent=1), "utf-8")
        unfinished.replace(path)

    @staticmethod
    def load(path: Path) -> State:
        """The state in a file; a new one where there is none."""
        if not path.exists():
            return State()
        said = json.loads(path.read_text("utf-8"))
        totals = Totals(**said["totals"])
        totals.figures, totals.faults = Counter(totals.figures), Counter(totals.faults)
        return State([(first, last) for first, last in said["done"]], totals)


def run_range(start: int, end: int, mutant: str = "") -> Totals:
    """Run the seeds from `start` up to `end`, with one fault planted if it is named.

    What they leave behind is collected, unless the process has disabled the collector.
    """
    totals = Totals()
    plant = next((m for m in MUTANTS if m.__name__ == mutant), None)
    began = time.process_time()
    # Worlds are cycles of greenlets: collected here, between schedules, instead of at any moment.
    was_enabled = gc.isenabled()
    is_first_freeze = gc.get_freeze_count() == 0
    gc.disable()
    gc.collect()
    gc.freeze()  # what is there already lives on: no collection need look at it
    try:
        with simulating(), planted(plant) if plant else nullcontext():
            for seed in range(start, end):
                totals.add(run_schedule(seed))
                if was_enabled and seed % 20 == 0:
                    gc.collect()
    finally:
        if is_first_freeze:
            gc.unfreeze()
        if was_enabled:
            gc.enable()
    totals.seconds = time.process_time() - began
    return totals


def _chunk(work: tuple[int, int, str]) -> tuple[int, int, Totals]:
    start, end, mutant = work
    gc.disable()  # for good: the process ends after this piece
    return start, end, run_range(start, end, mutant)


def run_many(
    ranges: Iterable[tuple[int, int]],
    workers: int,
    done: Callable[[int, int, Totals], None],
    mutant: str = "",
) -> None:
    """Run ranges in pieces; `done` is called with each piece, in whichever order they end."""
    pieces = [
        (first, min(first + _CHUNK, end), mutant)
        for start, end in ranges
        for first in range(start, end, _CHUNK)
    ]
    if workers <= 1 or len(pieces) <= 1:
        for piece in pieces:
            first, end, _ = piece
            done(first, end, run_range(*piece))
        return
    # Forked by a server that runs nothing: a fork of this process would copy all threads and
    # greenlets of it. Each piece has a process of its own, and a fifth of the time is saved: no
    # process looks for what schedules left behind.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with context.Pool(workers, maxtasksperchild=1) as pool:
        for result in pool.imap_unordered(_chunk, pieces):
            done(*result)


def run_seeds(start: int, end: int, workers: int, state_path: Path | None) -> State:
    """Run what a state file says is missing of a range, and print how it goes."""
    state = State.load(state_path) if state_path else State()
    began, before = time.monotonic(), state.totals.schedules

    def done(first: int, last: int, totals: Totals) -> None:
        state.take(first, last, totals)
        if state_path:
            state.save(state_path)
        for seed, violation in totals.violations.items():
            print(f"\nseed {seed}: {violation}\n  python -m tests.simulation --seed {seed}")
        seconds = time.monotonic() - began
        rate = (state.totals.schedules - before) / max(seconds, 0.001)
        line = f"{state.totals.schedules:,} schedules, {rate:.1f} a second, "
        print(f"{line}{len(state.totals.violations)} violations", flush=True)

    run_many(state.missing(start, end), workers, done)
    return state


def run_mutants(start: int, end: int, workers: int) -> dict[str, Totals]:
    """Run every mutant on the same seeds; what each did."""
    found = {}
    for mutant in MUTANTS:
        totals = found[mutant.__name__] = Totals()
        run_many(
            [(start, end)],
            workers,
            lambda _first, _last, part, totals=totals: totals.merge(part),  # type: ignore[misc]
            mutant.__name__,
        )
        seeds = sorted(map(int, totals.violations))
        caught = f"caught in {len(seeds):,} of {totals.schedules:,} schedules"
        print(f"{mutant.__name__:50} {caught}, seeds {seeds[:5]}", flush=True)
    return found


def report(totals: Totals) -> str:
    """The totals in words."""
    lines = [summary(totals)]
    lines += [f"{name:20} {count:12,}" for name, count in sorted(totals.figures.items())]
    lines += [f"fault {name:14} {count:12,}" for name, count in sorted(totals.faults.items())]
    if totals.schedules:
        milliseconds = totals.seconds * 1_000 / totals.schedules
        lines.append(f"{milliseconds:.1f} ms of processor time a schedule")
    for seed, violation in islice(totals.violations.items(), 20):
        lines.append(f"seed {seed}: {violation}")
    if totals.incomplete:
        lines.append(f"incomplete schedules: {totals.incomplete[:20]}")
    return "\n".join(lines)


def summary(totals: Totals) -> str:
    """The totals in one line."""
    counted = {
        "schedules": totals.schedules,
        "violations": len(totals.violations),
        "incomplete": len(totals.incomplete),
        "moves": totals.figures["moves"],
        "merges": totals.figures["merges"],
        "kills": totals.faults["kill"],
    }
    return ", ".join(f"{count:,} {name}" for name, count in counted.items())


def cores() -> int:
    """How many processes may run at once."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def one_seed(seed: int, mutant: str) -> Any:
    """Run one seed and give its whole report."""
    plant = next((m for m in MUTANTS if m.__name__ == mutant), None)
    with simulating(), planted(plant) if plant else nullcontext():
        return run_schedule(seed)
