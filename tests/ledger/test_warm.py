"""Writers that keep pages and rollups: less is read, nothing else changes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.contributions import (
    CURRENT_VERSION,
    ContributionFunction,
    contribution_function,
)
from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.errors import Unavailable
from rollcall.domain.records import Call
from rollcall.ledger.apply import Applier
from rollcall.ledger.page import Row
from rollcall.ledger.warm import WARM_BYTES, WarmWriters
from rollcall.retry import Backoff
from tests.support.fakes import MemoryLedger

CONTRIBUTE = contribution_function(CURRENT_VERSION)


class Deployment:
    """Ledgers of organisations, and execution environments that write them."""

    def __init__(self, environments: int = 1, max_bytes: int = WARM_BYTES) -> None:
        self.ledgers: dict[str, MemoryLedger] = {}
        self.requests: Counter[str] = Counter()
        self.writers = [WarmWriters(self._applier, max_bytes) for _ in range(environments)]

    def ledger(self, org_id: str) -> MemoryLedger:
        return self.ledgers.setdefault(org_id, MemoryLedger(self._counted))

    def apply(self, *rows: tuple[str, Row], org_id: str = "org", environment: int = 0) -> None:
        self.writers[environment](Bucket(Epoch(org_id, 0)), CONTRIBUTE).apply(rows)

    def _counted(self, operation: str, act: Any) -> Any:
        self.requests[operation] += 1
        return act()

    def _applier(self, bucket: Bucket, contribute: ContributionFunction) -> Applier:
        backoff = Backoff(tries=5, sleep=lambda _seconds: None)
        return Applier(
            self.ledger(bucket.epoch.org_id), contribute, target_bytes=500, backoff=backoff
        )


def call(fact_id: str, rev: int, outcome: str = "a") -> tuple[str, Row]:
    record = Call(5, "busy", answered=False, attempt=1, outcome=outcome)
    return "call", Row(fact_id, rev, 5, record)


def test_the_next_call_reads_nothing_again() -> None:
    at = Deployment()
    at.apply(call("x", 1))
    at.apply(call("x", 2, "b"))  # only the store knows the first version of a rollup
    at.requests.clear()
    at.apply(call("x", 3, "c"))
    assert at.requests == {"commit": 1}
    at.ledger("org").check_rollups()


def test_a_kept_page_alone_does_not_show_that_a_row_is_applied() -> None:
    """A repair may have taken the row away meanwhile."""
    at = Deployment()
    at.apply(call("x", 1))
    ledger = at.ledger("org")
    ledger.pages.clear()
    ledger.stored.clear()
    at.apply(call("x", 1))
    assert [row.id for _, row in ledger.rows()] == ["x"]
    ledger.check_rollups()


@pytest.mark.property
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(1, 6)), max_size=40),
    st.sampled_from([0, 5_000, WARM_BYTES]),
)
def test_environments_that_take_turns_leave_the_highest_revisions(
    deliveries: list[tuple[int, int, int]], max_bytes: int
) -> None:
    at = Deployment(environments=3, max_bytes=max_bytes)
    newest: dict[str, int] = {}
    for environment, number, rev in deliveries:
        at.apply(call(f"{number}", rev, f"o{rev}"), environment=environment)
        newest[f"{number}"] = max(rev, newest.get(f"{number}", 0))
        at.ledger("org").check_rollups()
    assert {row.id: row.rev for _, row in at.ledger("org").rows()} == newest


def test_what_was_used_least_recently_goes_first() -> None:
    at = Deployment(max_bytes=20_000)
    for org_id in ("a", "b", "c"):
        at.apply(call("x", 1), org_id=org_id)
        at.apply(call("x", 2, "b"), org_id=org_id)
    kept = {bucket.epoch.org_id for bucket, _ in at.writers[0]._resting}
    assert kept == {"b", "c"}
    assert sum(each.kept_bytes for each in at.writers[0]._resting.values()) <= 20_000


def test_nothing_is_kept_after_an_error() -> None:
    at = Deployment()
    at.apply(call("x", 1))

    def broken(_operation: str, _act: Any) -> Any:
        raise Unavailable("busy")

    at.ledger("org").around = broken
    with pytest.raises(Unavailable):
        at.apply(call("x", 2))
    assert not at.writers[0]._resting


def test_two_callers_never_share_an_applier() -> None:
    at = Deployment()
    at.apply(call("x", 1))
    place = (Bucket(Epoch("org", 0)), CONTRIBUTE)
    first, second = at.writers[0].take(place), at.writers[0].take(place)
    assert first is not second


def test_nothing_is_kept_while_another_writer_changes_the_same_epoch() -> None:
    """Each call would begin with a write that fails."""
    at = Deployment(environments=2)
    for rev in (1, 2):
        at.apply(call("x", rev, f"o{rev}"))
    at.apply(call("x", 3, "o3"), environment=1)
    at.requests.clear()
    at.apply(call("x", 4, "o4"))  # what it kept is stale
    assert at.requests["commit"] == 2
    at.apply(call("x", 5, "o5"), environment=1)
    at.requests.clear()
    at.apply(call("x", 6, "o6"))
    assert at.requests["commit"] == 1
    at.ledger("org").check_rollups()


def test_that_a_rollup_is_absent_is_not_known() -> None:
    """A transaction may leave it as it is for that reason, and no condition checks that."""
    at = Deployment()
    at.apply(call("x", 1))
    at.apply(("call", Row("x", 2, 5, None)))
    at.requests.clear()
    at.apply(call("x", 3))
    assert at.requests["rollups"] == 1
    at.ledger("org").check_rollups()
