"""Run schedules from the command line.

python -m tests.simulation --seeds 0:100000 --state simulation.json --workers 2
python -m tests.simulation --seed 17
python -m tests.simulation --seeds 0:200 --mutants

Exit status 1 when an invariant was violated, a schedule was incomplete, or a mutant was not caught.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.simulation.runner import cores, one_seed, report, run_mutants, run_seeds


def _range(text: str) -> tuple[int, int]:
    """`first:end`, or how many from 0 on."""
    start, colon, end = text.partition(":")
    return (int(start), int(end)) if colon else (0, int(start))


def main() -> int:
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"  # they are lines on stdout
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument(
        "--seeds", type=_range, default=(0, 200), help="first:end, end excluded; or how many"
    )
    parser.add_argument("--seed", type=int, help="replay one, and print all it did")
    parser.add_argument("--state", type=Path, help="a file to resume from")
    parser.add_argument("--workers", type=int, default=cores())
    parser.add_argument("--mutants", action="store_true", help="with each fault planted in turn")
    parser.add_argument("--mutant", default="", help="with --seed: the fault to plant")
    options = parser.parse_args()
    start, end = options.seeds
    if options.seed is not None:
        found = one_seed(options.seed, options.mutant)
        print(found)
        return int(bool(found.violation) or not found.is_complete)
    if options.mutants:
        caught = run_mutants(start, end, options.workers)
        return int(not all(totals.violations for totals in caught.values()))
    state = run_seeds(start, end, options.workers, options.state)
    print(report(state.totals))
    return int(not state.totals.is_good)


if __name__ == "__main__":
    sys.exit(main())
