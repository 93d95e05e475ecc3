"""The units of the suite, and what becomes of a worker that found other tests than the rest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from xdist.remote import Producer

from tests.support.spreading import Spreading, rank, unit

TESTS = ["tests/a/test_a.py::test_1", "tests/a/test_a.py::test_2", "tests/b/test_b.py::test_1"]


class Worker:
    """What the scheduler uses of a worker; remembers which tests it is to run."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.shutting_down = False
        self.sent: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.sent += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def scheduler() -> Any:
    config: Any = SimpleNamespace(
        option=SimpleNamespace(loadscopereorder=True), getvalue=lambda _: ["popen"]
    )
    return Spreading(config, Producer("test", enabled=False))


@pytest.fixture
def crashed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A scheduler whose only worker crashed in its first test."""
    monkeypatch.setattr("xdist.scheduler.loadscope.parse_tx_spec_config", lambda _: ["popen"])
    made, worker = scheduler(), Worker("gw0")
    made.add_node(worker)
    made.add_node_collection(worker, TESTS)
    made.schedule()
    assert made.remove_node(worker) == TESTS[0]
    return made


@pytest.mark.parametrize("found", [TESTS, [*TESTS, "tests/c/test_c.py::test_new"], TESTS[1:]])
def test_a_worker_that_replaces_another_runs_the_rest_or_ends(
    crashed: Any, found: list[str]
) -> None:
    worker = Worker("gw1")
    crashed.add_node(worker)
    crashed.add_node_collection(worker, found)
    crashed.schedule()
    assert (worker.sent != []) == (found == TESTS)
    assert (worker in crashed.nodes) == (found == TESTS)
    assert worker.shutting_down == (found != TESTS)


@pytest.mark.parametrize(
    ("nodeid", "name"),
    [
        ("tests/e2e/test_kill.py::test_x[moto]", "e2e"),
        ("tests/contract/test_unpod.py::test_x[one-a]", "contract on one"),
        ("tests/contract/test_cors.py::test_x", "tests/contract/test_cors.py"),
        ("tests/storage/test_facts.py::test_x[memory-client]", "tests/storage/test_facts.py"),
        ("tests/storage/test_facts.py::test_x[one]", "on an engine"),
        ("tests/maintenance/test_erase.py::test_x[dynamodb-local-0]", "on an engine"),
        ("tests/maintenance/test_x.py::test_x[row-one]", "tests/maintenance/test_x.py"),
        ("tests/query/test_engine.py::test_x[1]", "tests/query/test_engine.py"),
        (
            "tests/query/test_engine_controls.py::test_x",
            "tests/query/test_engine_controls.py::test_x",
        ),
    ],
)
def test_units(nodeid: str, name: str) -> None:
    assert unit(nodeid) == name


def test_what_takes_longest_begins_first() -> None:
    assert rank("tests/e2e/a.py::t") < rank("tests/contract/a.py::t[one]") < rank("tests/x.py::t")
