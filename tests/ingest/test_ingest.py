"""Ingest: every record has one outcome, and is durable before the answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.api.records.faults import RefusedRecord
from rollcall.domain.errors import CorruptItem, Unavailable, UnknownOrganisation
from rollcall.domain.facts import Change, Fact, Outcome, hash_of_detail, resolve
from rollcall.domain.organisations import Organisation, current_org_id, tenant
from rollcall.ingest.ingest import Ingest, Receipt
from tests.support.builders import call, label
from tests.support.generate import anything, without_ties
from tests.support.oracle import Oracle
from tests.support.parsing import parsed
from tests.support.versions import NOW_MS

Key = tuple[str, str]


class Facts:
    """Facts in memory; `before` is called before each write, and may raise."""

    def __init__(self, before: Callable[[Change], None] = lambda _change: None) -> None:
        self.stored: dict[Key, Fact] = {}
        self.before = before

    def read(self, org_id: str, buckets: int, wanted: Collection[Key]) -> Mapping[Key, Fact]:
        assert (org_id, buckets) == ("org", 3)
        return {key: self.stored[key] for key in wanted if key in self.stored}

    def write(
        self, org_id: str, buckets: int, stored: Fact | None, change: Change
    ) -> tuple[Outcome, Fact | None]:
        assert current_org_id() == "org"  # in the thread of the write too
        self.before(change)
        verdict = resolve(stored, change, NOW_MS * 1000)
        if verdict.fact is not None:
            self.stored[change.type, change.id] = verdict.fact
        return verdict.outcome, verdict.fact or stored


class Directory:
    def __init__(self, organisation: Organisation | None) -> None:
        self.found = organisation
        self.reads = 0

    def organisation(self, org_id: str) -> Organisation | None:
        self.reads += 1
        return self.found

    def org_id_of_handle(self, handle: str) -> str | None: ...
    def token(self, token_id: str) -> None: ...


ORGANISATION = Organisation("org", "acme", "Acme", 0, buckets=3)


@pytest.fixture(scope="module")
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def send(ingest: Ingest, *documents: Any) -> Receipt:
    changes = []
    for index, document in enumerate(documents):
        try:
            changes.append((index, parsed(document)))
        except RefusedRecord:
            continue
    with tenant("org"):
        return ingest("org", changes)


@pytest.mark.property
@given(st.lists(anything, max_size=12))
def test_the_outcomes_are_those_of_the_oracle(
    executor: ThreadPoolExecutor, documents: list[Any]
) -> None:
    documents = without_ties(documents, Oracle(), NOW_MS)
    facts = Facts()
    ingest = Ingest(Directory(ORGANISATION), facts, executor, lambda: NOW_MS * 1000)
    receipt = send(ingest, *documents)
    oracle = Oracle()
    _, answer = oracle.post(documents, NOW_MS) if documents else (0, None)
    if answer is None:
        return
    assert (receipt.accepted, receipt.unchanged, receipt.stale) == (
        answer["accepted"],
        answer["unchanged"],
        answer["stale"],
    )
    refused = {refusal.index: refusal.field for refusal in receipt.refusals}
    expected = {each["index"]: each["field"] for each in answer["rejected"]}
    assert refused.items() <= expected.items()  # the parser refuses the others
    assert {key: fact.updated_at_ms for key, fact in facts.stored.items()} == {
        key: fact.updated_at for key, fact in oracle.facts.items()
    }


def test_versions_of_one_fact_are_written_in_their_order(executor: ThreadPoolExecutor) -> None:
    facts = Facts()
    ingest = Ingest(Directory(ORGANISATION), facts, executor, lambda: NOW_MS * 1000)
    receipt = send(ingest, *(label("x", name=f"{number}") for number in range(9)))
    assert receipt.accepted == 9
    assert facts.stored["label", "x"].record.name == "8"  # type: ignore[union-attr]


def test_a_damaged_fact_is_refused_alone(executor: ThreadPoolExecutor) -> None:
    def before(change: Change) -> None:
        if change.id == "damaged":
            raise CorruptItem("?")

    ingest = Ingest(Directory(ORGANISATION), Facts(before), executor, lambda: NOW_MS * 1000)
    receipt = send(ingest, call("1"), call("damaged"), call("2"))
    assert receipt.accepted == 2
    ((index, field, message),) = [(r.index, r.field, r.message) for r in receipt.refusals]
    assert (index, field) == (1, "record")
    assert "an operator must repair it" in message


def test_no_write_still_runs_after_an_error(executor: ThreadPoolExecutor) -> None:
    ended = []

    def before(change: Change) -> None:
        if change.id == "0":
            raise Unavailable("busy")
        ended.append(change.id)

    ingest = Ingest(Directory(ORGANISATION), Facts(before), executor, lambda: NOW_MS * 1000)
    with pytest.raises(Unavailable):
        send(ingest, *(call(f"{number}") for number in range(20)))
    assert sorted(ended, key=int) == [f"{number}" for number in range(1, 20)]


@pytest.mark.parametrize("found", [None, Organisation("org", "h", "n", 0, is_deleting=True)])
def test_an_organisation_that_is_not_there_takes_nothing(
    executor: ThreadPoolExecutor, found: Organisation | None
) -> None:
    facts = Facts()
    ingest = Ingest(Directory(found), facts, executor, lambda: NOW_MS * 1000)
    with pytest.raises(UnknownOrganisation):
        send(ingest, call("1"))
    assert facts.stored == {}


def test_what_is_from_the_future_is_refused_before_anything_is_read(
    executor: ThreadPoolExecutor,
) -> None:
    directory = Directory(ORGANISATION)
    ingest = Ingest(directory, Facts(), executor, lambda: NOW_MS * 1000)
    receipt = send(ingest, call("1", updated_at="2990-01-01T00:00:00Z"))
    assert [(r.field, r.message) for r in receipt.refusals] == [
        ("updated_at", "must not be more than 5 minutes in the future")
    ]
    assert directory.reads == 0
    for _ in range(2):
        assert send(ingest, call("1")).refusals == []
    assert directory.reads == 1  # the number of buckets never changes


@pytest.mark.parametrize("keeps_detail", [True, False])
def test_the_details_of_calls_are_kept_or_dropped(
    executor: ThreadPoolExecutor, keeps_detail: bool
) -> None:
    written: list[Change] = []
    ingest = Ingest(
        Directory(ORGANISATION),
        Facts(written.append),
        executor,
        lambda: NOW_MS * 1000,
        keeps_detail=keeps_detail,
    )
    assert send(ingest, call("1", detail={"summary": "x"})).accepted == 1
    (change,) = written
    assert (change == parsed(call("1"))) is not keeps_detail
    assert (change.detail is not None) is keeps_detail
    again = send(ingest, call("1"))
    assert (again.accepted, again.unchanged) == ((1, 0) if keeps_detail else (0, 1))


@pytest.mark.parametrize("keeps_detail", [True, False])
def test_a_merge_of_a_detail_has_the_same_outcomes_where_details_are_dropped(
    executor: ThreadPoolExecutor, keeps_detail: bool
) -> None:
    facts = Facts()
    directory = Directory(ORGANISATION)
    keeping = Ingest(directory, facts, executor, lambda: NOW_MS * 1000)
    ingest = Ingest(directory, facts, executor, lambda: NOW_MS * 1000, keeps_detail=keeps_detail)
    merge = {"type": "call", "id": "1", "merge": True, "detail": {"summary": "y"}}
    later = merge | {"updated_at": "2026-01-01T00:00:02Z"}
    assert [each.field for each in send(ingest, later).refusals] == ["started_at"]
    first = call("1", detail={"summary": "x"}, updated_at="2026-01-01T00:00:01Z")
    assert send(keeping, first).accepted == 1
    assert send(ingest, later).accepted == 1
    assert send(ingest, later).unchanged == 1
    assert send(ingest, merge | {"updated_at": "2026-01-01T00:00:00Z"}).stale == 1
    (stored,) = facts.stored.values()
    # What was stored before is older than the detail that was dropped.
    assert (hash_of_detail(stored) is not None) is keeps_detail
