"""Whatever the stream does to the deliveries, the rollups are those of a brute-force count.

Hypothesis chooses the records, then how their stored versions are delivered: how batches are cut,
what is repeated, in which order, at which operation an invocation dies (before it, or after it was
made and its reply lost), where a conflict is raised, and which other invocation runs in between.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.contributions import ContributionFunction, contribution_function
from rollcall.domain.epochs import Bucket
from rollcall.domain.errors import Conflict, Unavailable, UnknownContribution
from rollcall.domain.facts import Fact
from rollcall.domain.organisations import Organisation, current_org_id
from rollcall.ledger import rollups
from rollcall.ledger.page import Row
from rollcall.ledger.ports import LedgerWriter
from rollcall.ledger.writer import ApplyFacts, fold
from tests.support.cases import cases
from tests.support.fakes import MemoryLedger
from tests.support.generate import anything, deletions, valid_records, without_ties
from tests.support.merging_oracle import MergingOracle
from tests.support.neutral import neutral
from tests.support.one_record import histories
from tests.support.oracle import Oracle
from tests.support.versions import NOW_MS, apply, versions_of

pytestmark = pytest.mark.property


record_lists = st.lists(st.one_of(valid_records, valid_records, deletions, anything), max_size=30)


class Died(Exception):
    """The invocation ended here, whatever it had done."""


@dataclass
class Invocation:
    """One delivery of some versions, and the fault injected at its nth operation."""

    deliveries: list[int]
    fault: str | None
    at_operation: int
    interloper: list[int]


def invocations(count: int) -> st.SearchStrategy[list[Invocation]]:
    some = st.lists(st.integers(0, count - 1), max_size=12)
    faults = st.sampled_from(
        [None, None, "die before", "die after", "conflict", "reply lost", "interleave"]
    )
    one = st.builds(Invocation, some, faults, st.integers(0, 8), some)
    return st.lists(one, max_size=8)


def run(
    store: MemoryLedger, versions: Sequence[Fact], invocation: Invocation, target_bytes: int
) -> None:
    operations = 0

    def around(operation: str, act: Callable[[], Any]) -> Any:
        nonlocal operations
        operations += 1
        if operations - 1 != invocation.at_operation:
            return act()
        match invocation.fault:
            case "die before":
                raise Died
            case "die after":
                act()
                raise Died
            case "conflict" if operation == "commit":
                raise Conflict("injected")
            case "reply lost" if operation == "commit":
                act()
                raise Unavailable("injected: the reply was lost")
            case "interleave":
                apply(store, [versions[i] for i in invocation.interloper], target_bytes)
        return act()

    store.around = around
    try:
        apply(store, [versions[i] for i in invocation.deliveries], target_bytes)
    except Died:
        pass
    finally:
        store.around = lambda _operation, act: act()
    store.check_rollups()


any_delivery = given(
    data=st.data(), records=record_lists, target_bytes=st.sampled_from([1, 350, 1_200, 16_384])
)


@cases(100)
@any_delivery
def test_rollups_equal_brute_force_under_any_delivery(
    data: st.DataObject, records: list[Any], target_bytes: int
) -> None:
    check_delivery(data, records, target_bytes)


@pytest.mark.slow
@cases(400)
@any_delivery
def test_rollups_equal_brute_force_under_many_deliveries(
    data: st.DataObject, records: list[Any], target_bytes: int
) -> None:
    check_delivery(data, records, target_bytes)


@cases(100)
@given(
    st.data(),
    st.lists(histories, max_size=6).map(lambda some: [*itertools.chain(*some)]),
    st.sampled_from([200, 800]),
)
def test_rollups_equal_brute_force_of_merges(
    data: st.DataObject, records: list[Any], target_bytes: int
) -> None:
    oracle = MergingOracle()
    for record in records:
        oracle.send(record)
    check_versions(data, oracle, versions_of(records), target_bytes)


def check_delivery(data: st.DataObject, records: list[Any], target_bytes: int) -> None:
    records = without_ties(records, Oracle(), NOW_MS)
    oracle = Oracle()
    oracle.post(records, NOW_MS)
    check_versions(data, oracle, versions_of(records), target_bytes)


def check_versions(
    data: st.DataObject, oracle: Oracle, versions: Sequence[Fact], target_bytes: int
) -> None:
    store = MemoryLedger()
    if versions:
        for invocation in data.draw(invocations(len(versions))):
            run(store, versions, invocation, target_bytes)
        # In the end every version arrives, in any order and any cut, some of it again.
        order = data.draw(st.permutations(range(len(versions))))
        cut = data.draw(st.integers(1, max(1, len(order))))
        for start in range(0, len(order), cut):
            apply(store, [versions[i] for i in order[start : start + cut]], target_bytes)
    store.check_pages()
    store.check_rollups()
    assert neutral(store.counted()) == oracle.rollups()

    before = copy.deepcopy((store.pages, store.stored))
    apply(store, versions, target_bytes)  # replaying everything changes nothing
    assert (store.pages, store.stored) == before


@cases(150)
@given(data=st.data(), records=record_lists)
def test_a_spill_loses_nothing_but_the_spilled_breakdown(
    data: st.DataObject, records: list[Any]
) -> None:
    records = without_ties(records, Oracle(), NOW_MS)
    versions = versions_of(records)
    oracle = Oracle()
    oracle.post(records, NOW_MS)
    store = MemoryLedger()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollups, "BREAKDOWN_LIMIT_BYTES", 40)
        if versions:
            for invocation in data.draw(invocations(len(versions))):
                run(store, versions, invocation, 800)
        apply(store, versions, 800)
        store.check_rollups()
    counted = neutral(store.counted())
    expected = oracle.rollups()
    missing = expected.keys() - counted.keys()
    assert {key: expected[key] for key in counted} == counted
    spilled = neutral(
        (key, dict.fromkeys((f"{letter}=0" for letter in stored.spilled), 1))
        for key, stored in store.stored.items()
    )
    spilled_breakdowns = {(f, s, b, m[0]) for f, s, b, m in spilled}
    assert {(f, s, b, m[0]) for f, s, b, m in missing} <= spilled_breakdowns


def test_a_batch_of_a_thousand_costs_a_handful_of_transactions() -> None:
    records = [
        {
            "type": "call",
            "id": f"c{number}",
            "started_at": f"2026-11-21T{number % 10:02d}:00:00Z",
            "status": "completed",
            "space_token": f"s{number % 5}",
            "template_id": f"t{number % 5}",
            "merchant_id": f"m{number % 3}",
            "duration_seconds": number % 90,
        }
        for number in range(1_000)
    ]
    store = MemoryLedger()
    apply(store, versions_of(records), 16_384)
    assert store.commits <= 3
    store.check_pages()
    store.check_rollups()


def test_rows_at_one_instant_split_by_id() -> None:
    records = [{"type": "label", "id": f"label {n}", "name": "x" * 50} for n in range(2_000)]
    store = MemoryLedger()
    versions = versions_of(records)
    for start in range(0, len(versions), 300):
        apply(store, versions[start : start + 300], 2_048)
    assert len(store.pages["label"]) > 5
    store.check_pages()


# ------------------------------------------------------------------ facts, and the epochs they go to
facts = st.builds(
    Fact,
    type=st.sampled_from(["call", "label"]),
    id=st.sampled_from("ab"),
    time_ms=st.none() | st.sampled_from([7, 8]),
    updated_at_ms=st.just(1),
    rev=st.integers(1, 9),
    record=st.none(),
)


@given(st.lists(facts, max_size=10))
def test_of_every_fact_with_a_position_the_highest_revision_is_applied(facts: list[Fact]) -> None:
    placed = [fact for fact in facts if fact.type == "label" or fact.time_ms is not None]
    highest = {
        (fact.type, fact.id): max(
            other.rev for other in placed if (other.type, other.id) == (fact.type, fact.id)
        )
        for fact in placed
    }
    rows = fold(facts)
    assert {(type_name, row.id): row.rev for type_name, row in rows} == highest
    assert len(rows) == len(highest)


def test_the_rows_of_a_fact_that_moved() -> None:
    """Tombstones have the revision of the last move, which an older version cannot reach."""
    moved = Fact("call", "x", 9, 1, 5, None, left_behind=(3, 7))
    dead = [Row("x", 5, 3, None), Row("x", 5, 7, None)]
    assert fold([moved]) == [("call", Row("x", 5, 9, None, tuple(dead)))]
    changed = moved.with_rev(8)
    assert fold([moved, changed]) == [("call", Row("x", 8, 9, None, tuple(dead)))]


class Epochs:
    """Writers that remember what each epoch was given, and by which contribution function."""

    def __init__(self) -> None:
        self.applied: dict[int, tuple[ContributionFunction, list[tuple[str, Row]]]] = {}

    def __call__(self, bucket: Bucket, contribute: ContributionFunction) -> Epochs:
        self.current = (bucket, contribute)
        return self

    def apply(self, rows: Sequence[tuple[str, Row]]) -> None:
        bucket, contribute = self.current
        assert current_org_id() == bucket.epoch.org_id
        self.applied[bucket.epoch.number] = (contribute, list(rows))


LABEL = Fact("label", "x", None, 1, 5, None)


def test_every_written_epoch_is_applied_by_its_own_contribution_version() -> None:
    epochs = Epochs()
    organisation = Organisation("org", "h", "n", 0, written=(3, 4), contributions={3: 1, 4: 1})
    ApplyFacts(epochs)(organisation, [LABEL])
    rows = [("label", Row("x", 5, 0, None))]
    assert epochs.applied == dict.fromkeys((3, 4), (contribution_function(1), rows))
    assert current_org_id() is None


def test_an_epoch_of_a_version_that_this_release_lacks_is_an_error() -> None:
    epochs = Epochs()
    for contributions in ({}, {0: 999}):
        organisation = Organisation("org", "h", "n", 0, contributions=contributions)
        with pytest.raises(UnknownContribution):
            ApplyFacts(epochs)(organisation, [LABEL])
    assert epochs.applied == {}


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor(4)])
def test_each_row_goes_to_the_writer_of_its_bucket(executor: Executor | None) -> None:
    applied: dict[Bucket, list[str]] = {}
    # With an executor all of them are at work at the same time.
    everyone = Barrier(1 if executor is None else 3, timeout=20)

    def writers(bucket: Bucket, _contribute: ContributionFunction) -> LedgerWriter:
        def apply(rows: Sequence[tuple[str, Row]]) -> None:
            assert current_org_id() == "org"
            everyone.wait()
            applied[bucket] = [row.id for _, row in rows]

        return SimpleNamespace(apply=apply)

    organisation = Organisation("org", "h", "n", 0, bucket_counts={0: 3})
    facts = [replace(LABEL, id=f"label {number}") for number in range(20)]
    ApplyFacts(writers, executor)(organisation, facts)
    epoch = organisation.epoch(0)
    assert applied.keys() == set(epoch.buckets)
    assert sorted(id_ for ids in applied.values() for id_ in ids) == sorted(f.id for f in facts)
    assert all(epoch.bucket_of(id_) == bucket for bucket, ids in applied.items() for id_ in ids)
