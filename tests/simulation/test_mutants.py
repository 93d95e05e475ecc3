"""The simulator can fail: every planted fault is caught by its checker, and the product is not.

A checker that passes a broken design proves nothing. The same seeds without any fault are part of
`test_simulation.py`.
"""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS, Planted
from tests.simulation.runner import run_range

pytestmark = pytest.mark.property


MAX_SEEDS = 1_000


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_the_mutant_is_caught(mutant: Planted) -> None:
    """Within few seeds; a race that needs two writers in one narrow place takes some hundreds."""
    for seed in range(MAX_SEEDS):
        if run_range(seed, seed + 1, mutant.__name__).violations:
            return
    pytest.fail(f"{mutant.__name__} passed {MAX_SEEDS} schedules")
