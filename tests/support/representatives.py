"""Which cases of a test that has many run in `make test`; `make test-all` runs them all."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest

MARKER = "representatives"


def mark_further_cases(items: Iterable[pytest.Item]) -> None:
    """Mark all but n cases of each test with the marker `representatives(n)` as `exhaustive`.

    Cases that are `slow` are left as they are, and not counted.
    The name of a test chooses the cases that it keeps: the same ones in every run and on every
    worker, and without a step that could miss all cases of one parameter.
    """
    cases_of: dict[tuple[str, int], list[pytest.Item]] = {}
    for item in items:
        marker = item.get_closest_marker(MARKER)
        if marker and not item.get_closest_marker("slow"):
            test = item.nodeid.partition("[")[0]
            cases_of.setdefault((test, *marker.args), []).append(item)
    for (test, kept), cases in cases_of.items():
        for item in Random(test).sample(cases, max(0, len(cases) - kept)):
            item.add_marker("exhaustive")
