"""The result of scheduled merges is their sum, and a failure is an error after the last one."""

from __future__ import annotations

import pytest

from rollcall.domain.errors import CorruptItem
from rollcall.lambdas.merging import MergesFailed, log_merged
from rollcall.maintenance.merge_pages import Merged


def test_the_result_is_the_sum_over_organisations() -> None:
    results = [
        Merged("a", segments=2, pages=30, is_finished=True),
        Merged("b", segments=1, pages=9, changed=1),
        Merged("c"),
    ]
    assert log_merged(results) == {
        "segments": 3,
        "pages": 39,
        "changed": 1,
        "failed": 0,
        "waiting": 2,
    }


def test_a_failure_is_raised_after_the_last_organisation() -> None:
    visited = []

    def results():
        for org_id, error in (("a", CorruptItem("page x")), ("b", None)):
            visited.append(org_id)
            yield Merged(org_id, error=error)

    with pytest.raises(MergesFailed, match="of 1 organisations"):
        log_merged(results())
    assert visited == ["a", "b"]
