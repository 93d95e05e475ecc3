"""Ask thousands of generated datasets many questions each, and compare with brute force.

    python -m tests.long_run --seed 1 --datasets 2000

Datasets come in rounds of 50, and each round has a seed of its own. A failure prints the smallest
scenario that fails, and the command that repeats its round.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.agreement import check_scenario
from tests.answering import Deployment, deployed
from tests.oracle import instant
from tests.questions import Scenario, scenarios

ROUND = 50
NOW_MS = instant("2026-11-21T12:00:00Z", "now")


def ask_round(deployment: Deployment, round_seed: int, datasets: int) -> Counter[Any]:
    """One round; raises the disagreement of the smallest scenario found."""
    seen: Counter[Any] = Counter()

    @seed(round_seed)
    @settings(
        max_examples=datasets,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(scenarios(fewest=20, most=40))
    def answers_equal_brute_force(scenario: Scenario) -> None:
        seen.update(check_scenario(deployment, scenario, NOW_MS))

    answers_equal_brute_force()
    return seen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--datasets", type=int, default=1_000)
    options = parser.parse_args()
    seen: Counter[Any] = Counter()
    asked = 0
    with deployed(NOW_MS) as deployment:
        for number in range(-(-options.datasets // ROUND)):
            round_seed = options.seed + number
            datasets = min(ROUND, options.datasets - asked)
            try:
                seen += ask_round(deployment, round_seed, datasets)
            except BaseException:
                print(
                    f"failed: python -m tests.long_run --seed {round_seed} --datasets {datasets}",
                    flush=True,
                )
                raise
            asked += datasets
            print(f"seed {round_seed}: {asked} datasets, {seen.total()} questions", flush=True)
    for (name, source), count in sorted(seen.items()):
        print(f"{name:26} {source:10} {count:8}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
