"""The state of a comparison: findings are bounded, and none is reported of an epoch that went."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollcall.domain.errors import Conflict
from rollcall.domain.facts import Fact
from rollcall.domain.organisations import Organisation
from rollcall.maintenance.audits import MAX_KEPT, Audit, Difference
from rollcall.maintenance.reconcile.context import Context, EpochChanged
from tests.support.auditing import difference

MADE = Organisation("org", "acme", "Acme", 0, live=2, written=(2,), contributions={2: 1})
BEGUN = Audit(run_id="run", started_at_ms=1, checked_at_ms=2)
FACT = Fact("label", "x", None, 1, 5, None)


class Stores:
    """A directory, and facts of which a restatement meets another writer."""

    def __init__(self, now: Organisation | None, stored: Fact | None = None) -> None:
        self.now = now
        self.stored = stored

    def organisation(self, _org_id: str) -> Organisation | None:
        return self.now

    def restate(self, *_: Any) -> None:
        raise Conflict("another writer")

    def read(self, _org_id: str, _buckets: int, wanted: Any) -> Any:
        return {} if self.stored is None else {wanted[0]: self.stored}


def context(
    stores: Any, reported: list[Difference] | None = None, audit: Audit | None = None
) -> Context:
    unused: Any = None
    return Context(
        organisation=MADE,
        directory=stores,
        inspections=unused,
        index=unused,
        facts=stores,
        apply_facts=unused,
        contribute=unused,
        audit=audit or BEGUN,
        report=(reported if reported is not None else []).append,
        now_us=lambda: 0,
        sleep=lambda _seconds: None,
        grace_us=0,
        since_ms=500,
        is_repairing=False,
    )


def test_every_difference_is_counted_and_the_first_are_kept() -> None:
    audit = BEGUN
    for number in range(MAX_KEPT + 3):
        audit = audit.with_difference(difference(amount=number, is_repaired=number % 2 == 0))
    (kind,) = audit.drift
    assert audit.drift[kind] == MAX_KEPT + 3
    assert audit.repaired == (MAX_KEPT + 4) // 2
    assert [each.amount for each in audit.differences] == list(range(MAX_KEPT))


def test_a_resumed_audit_goes_on_from_its_counts_without_changing_them() -> None:
    stored = replace(BEGUN, facts=3, rows=4, drift={"row_missing": 1}, differences=(difference(),))
    resumed = context(Stores(MADE), audit=stored)
    resumed.count(rows=2, unsettled=1)
    resumed.found("row_missing", "call", "call 1")
    assert (resumed.audit.facts, resumed.audit.rows, resumed.audit.unsettled) == (3, 6, 1)
    assert (resumed.audit.drift, stored.drift) == ({"row_missing": 2}, {"row_missing": 1})
    assert (len(resumed.audit.differences), len(stored.differences)) == (2, 1)


@pytest.mark.parametrize(("since_ms", "expected"), [(None, 500), (400, 500), (900, 900)])
def test_drift_began_after_all_was_exact(since_ms: int | None, expected: int) -> None:
    reported: list[Difference] = []
    context(Stores(MADE), reported).found("row_missing", "call", "call 1", since_ms=since_ms)
    ((epoch, since),) = [(each.epoch, each.since_ms) for each in reported]
    assert (epoch, since) == (2, expected)


@pytest.mark.parametrize(
    "now",
    [None, replace(MADE, is_deleting=True), replace(MADE, live=3)],
    ids=["gone", "going", "next"],
)
def test_nothing_is_reported_of_an_epoch_that_is_not_live_any_more(
    now: Organisation | None,
) -> None:
    reported: list[Difference] = []
    stale = context(Stores(now), reported)
    with pytest.raises(EpochChanged):
        stale.found("row_missing", "call", "call 1")
    assert (reported, stale.audit.drift) == ([], {})


@pytest.mark.parametrize(
    ("stored", "is_done"), [(FACT, True), (replace(FACT, rev=6), False), (None, False)]
)
def test_a_restatement_that_meets_a_conflict_is_done_if_it_is_stored(
    stored: Fact | None, is_done: bool
) -> None:
    assert context(Stores(MADE, stored)).restate(None, FACT) is is_done
