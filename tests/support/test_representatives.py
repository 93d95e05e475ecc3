"""The cases that `make test` runs of a test with many."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.representatives import mark_further_cases


def further(kept: int | None, nodeids: list[str], slow: Sequence[str] = ()) -> list[str]:
    """The tests that become `exhaustive`; without a number, they have no marker."""
    marks: list[tuple[str, str]] = []
    marker = None if kept is None else SimpleNamespace(args=(kept,))

    def item(nodeid: str) -> Any:
        return SimpleNamespace(
            nodeid=nodeid,
            add_marker=lambda name: marks.append((nodeid, name)),
            get_closest_marker={"representatives": marker, "slow": nodeid in slow or None}.get,
        )

    mark_further_cases([item(nodeid) for nodeid in nodeids])
    assert {name for _, name in marks} <= {"exhaustive"}
    assert len(marks) == len(set(marks))
    return [nodeid for nodeid, _ in marks]


def cases(test: str, number: int) -> list[str]:
    return [f"tests/contract/test_x.py::{test}[one-{case}]" for case in range(number)]


@pytest.mark.parametrize("number", [1, 2, 6, 7, 100])
def test_so_many_cases_are_kept(number: int) -> None:
    assert len(further(6, cases("test_a", number))) == max(0, number - 6)


def test_each_test_keeps_cases_of_its_own() -> None:
    first, second = cases("test_a", 50), cases("test_b", 50)
    marked = further(6, [*first, *second, "tests/contract/test_x.py::test_c"])
    kept = [[case for case in some if case not in marked] for some in (first, second)]
    assert [len(some) for some in kept] == [6, 6]
    assert len({case.partition("[")[2] for some in kept for case in some}) > 6


def test_slow_cases_are_neither_marked_nor_counted() -> None:
    many = cases("test_a", 10)
    marked = further(3, many, slow=many[:5])
    assert len(marked) == 2
    assert set(marked) < set(many[5:])


def test_every_run_keeps_the_same() -> None:
    assert further(6, cases("test_a", 50)) == further(6, cases("test_a", 50))


def test_a_test_without_the_marker_keeps_all() -> None:
    assert further(None, cases("test_a", 50)) == []
