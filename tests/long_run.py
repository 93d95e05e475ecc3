"""Ask thousands of generated datasets many questions each, and compare with brute force.

    python -m tests.long_run --seed 1 --datasets 5000

Prints what was asked. A disagreement is printed with the fewest records that show it, and with the
command that repeats it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from random import Random
from typing import Any

from tests.support.agreement import Disagreement, check_scenario, reduced
from tests.support.answering import Deployment, deployed
from tests.support.oracle import instant
from tests.support.questions import scenario

NOW_MS = instant("2026-11-21T12:00:00Z", "now")


def ask_many(
    deployment: Deployment, seed: int, datasets: int, questions: int, first: int = 0
) -> Counter[Any]:
    """How often each kind of question was answered from where. Raises Disagreement."""
    seen: Counter[Any] = Counter()
    for number in range(first, first + datasets):
        asked = scenario(Random(f"{seed}/{number}"), questions)
        try:
            seen += check_scenario(deployment, asked, NOW_MS)
        except Disagreement as disagreement:
            smallest = reduced(deployment, asked, NOW_MS)
            repeat = f"--seed {seed} --first {number} --datasets 1 --questions {questions}"
            raise Disagreement(
                f"{disagreement}\n{smallest}\npython -m tests.long_run {repeat}"
            ) from disagreement
    return seen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--datasets", type=int, default=1_000)
    parser.add_argument("--questions", type=int, default=40, help="of each dataset")
    parser.add_argument("--first", type=int, default=0, help="number of the first dataset")
    options = parser.parse_args()
    seen: Counter[Any] = Counter()
    end = options.first + options.datasets
    with deployed(NOW_MS) as deployment:
        for first in range(options.first, end, 100):
            datasets = min(100, end - first)
            seen += ask_many(deployment, options.seed, datasets, options.questions, first)
            print(f"seed {options.seed}: up to {first + datasets}, {seen.total()} questions")
            sys.stdout.flush()
    for (name, source), count in sorted(seen.items()):
        print(f"{name:26} {source:10} {count:8}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
