"""Ask many queries of each of thousands of generated datasets, and compare with brute force.

    python -m tests.long_run --seed 1 --datasets 5000
    python -m tests.long_run --of queries --seed 1 --datasets 5000
    python -m tests.long_run --of hooks --seed 1 --datasets 500 --queries 4
    python -m tests.long_run --of deliveries --seed 1 --datasets 2500

The first asks in the dialects, the second in Rollcall's own query language. The third has providers report
calls in every order and asks in both; the fourth sends random deliveries to hooks.
Every second dataset has its pages merged into segments. Prints how often each kind of query was
answered from which source. A disagreement is printed with the fewest records that show it, and with the
command that repeats it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from tests.support.agreement import Disagreement, check_scenario, reduced
from tests.support.answering import Deployment, deployed
from tests.support.hook_agreement import check_reported, reported
from tests.support.hook_fuzz import check_fuzzed, fuzzed
from tests.support.oracle import instant
from tests.support.queries_of_dialects import scenario
from tests.support.query_agreement import check_queries, fewer
from tests.support.query_generator import generate

# The metrics of half a million requests would hide the progress.
os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"

NOW_MS = instant("2026-11-21T12:00:00Z", "now")


class Run(NamedTuple):
    """What a long run asks: how to make a scenario, to check it, and to reduce one that fails."""

    name: str
    make: Callable[[Random, int], Any]
    check: Callable[[Deployment, Any, int], Counter[Any]]
    reduce: Callable[[Deployment, Any, int], Any]


DIALECTS = Run("dialects", scenario, check_scenario, reduced)
QUERIES = Run("queries", generate, check_queries, fewer)
HOOKS = Run("hooks", reported, check_reported, lambda _deployment, scenario, _now_ms: scenario)
DELIVERIES = Run("deliveries", fuzzed, check_fuzzed, lambda *_: "")
RUNS = {run.name: run for run in (DIALECTS, QUERIES, HOOKS, DELIVERIES)}


def ask_many(
    deployment: Deployment, run: Run, seed: int, datasets: int, queries: int, first: int = 0
) -> Counter[Any]:
    """How often each kind of query was answered from which source. Raises Disagreement."""
    seen: Counter[Any] = Counter()
    for number in range(first, first + datasets):
        asked = run.make(Random(f"{seed}/{number}"), queries)
        deployment.segment_bytes = (0, 4_096)[number % 2]
        try:
            seen += run.check(deployment, asked, NOW_MS)
        except Disagreement as disagreement:
            smallest = run.reduce(deployment, asked, NOW_MS)
            repeat = f"--of {run.name} --seed {seed} --first {number} --datasets 1"
            repeat += f" --queries {queries}"
            raise Disagreement(
                f"{disagreement}\n{smallest}\npython -m tests.long_run {repeat}"
            ) from disagreement
    return seen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of", choices=RUNS, default="dialects")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--datasets", type=int, default=1_000)
    parser.add_argument("--queries", type=int, default=40, help="of each dataset")
    parser.add_argument("--first", type=int, default=0, help="number of the first dataset")
    options = parser.parse_args()
    run = RUNS[options.of]
    seen: Counter[Any] = Counter()
    end = options.first + options.datasets
    with deployed(NOW_MS) as deployment:
        for first in range(options.first, end, 100):
            datasets = min(100, end - first)
            seen += ask_many(deployment, run, options.seed, datasets, options.queries, first)
            print(f"seed {options.seed}: up to {first + datasets}, {seen.total()} queries")
            sys.stdout.flush()
    for (name, source), count in sorted(seen.items()):
        print(f"{name:26} {source:10} {count:8}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
