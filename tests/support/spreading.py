"""How the suite is spread over the workers of pytest-xdist (`pytest -n 2`).

Tests that share what is costly to start stay together and in order, on one worker; a test that
takes long goes alone. The longest of all this begins first, so that no worker idles at the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

ENGINES = ("moto", "dynamodb-local", "one")
# Of these every test is a unit of its own: most take long, and none shares anything.
ALONE = (
    "tests/simulation/test_schedules.py",
    "tests/simulation/test_mutants.py",
    "tests/query/test_engine_controls.py",
    "tests/maintenance/reconcile/test_run.py",
    "tests/maintenance/reconcile/test_races.py",
    "tests/maintenance/test_rebuild_races.py",
)
# These share the functions on the seed, in this order: the metrics' tests apply batches and move the clock.
ON_THE_SEED = "tests/contract/on_the_seed/"
# Of these the tests on DynamoDB Local share one, across modules.
ON_AN_ENGINE = ("tests/maintenance/", "tests/storage/")
# What these begin with comes first, in this order.
LONGEST = (
    "e2e",
    "contract",
    "on an engine",
    "dashboard",
    "tests/simulation/",
    "tests/maintenance/",
    "tests/query/",
    "tests/cli/",
    "tests/storage/",
)


def unit(nodeid: str) -> str:
    """What runs as one piece on one worker with this test."""
    path, _, test = nodeid.partition("::")
    if path.startswith("tests/e2e/"):
        # One after the other: stacks that are loaded and killed want the machine's other core.
        return "e2e"
    if path.startswith("tests/dashboard/"):
        # One stack with its records, and one browser.
        return "dashboard"
    if path.startswith(ON_THE_SEED):
        return "contract on the seed"
    if path.startswith("tests/contract/"):
        # One stack per engine serves them all.
        return next((f"contract on {engine}" for engine in ENGINES if f"[{engine}" in test), path)
    if path.startswith(ON_AN_ENGINE) and re.search(r"\[(one|dynamodb-local)[\]-]", nodeid):
        return "on an engine"
    return nodeid if path in ALONE else path


def rank(nodeid: str) -> int:
    """Where the unit of a test stands in the queue."""
    name = unit(nodeid)
    return next((n for n, start in enumerate(LONGEST) if name.startswith(start)), len(LONGEST))


class Spreading(LoadScopeScheduling):
    """Hands out the units in the order of their first tests."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False  # by their number of tests, it would be
        super().__init__(config, log)

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """Let a worker end that replaces a crashed one and found other tests: files changed meanwhile.

        pytest-xdist would fail with a KeyError, and report nothing of the tests that ran.
        """
        super().add_node_collection(node, collection)
        if node not in self.registered_collections:
            del self.assigned_work[node]
            node.shutdown()

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
