"""The stream function's bookkeeping: what is quarantined, what is reported, what is left alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from rollcall.api.stream import partial_batch_response
from rollcall.domain.errors import CorruptItem, Unavailable, UnknownContribution
from rollcall.domain.facts import Fact, StreamFact
from rollcall.domain.organisations import Organisation
from rollcall.domain.tenancy import current_org_id
from rollcall.ledger.page import Row
from rollcall.usecases.apply_facts import ApplyFacts
from rollcall.usecases.update import Update


class Directory:
    def __init__(self, *organisations: Organisation) -> None:
        self.known = {organisation.id: organisation for organisation in organisations}
        self.reads = 0

    def organisation(self, org_id: str) -> Organisation | None:
        self.reads += 1
        return self.known.get(org_id)

    def org_id_of_handle(self, handle: str) -> str | None: ...
    def token(self, token_id: str) -> None: ...


class Quarantine:
    def __init__(self) -> None:
        self.kept: list[tuple[Mapping[str, Any], str]] = []
        self.broken = False

    def put(self, record: Mapping[str, Any], reason: str) -> None:
        if self.broken:
            raise Unavailable("bucket")
        self.kept.append((record, reason))


class Appliers:
    def __init__(self) -> None:
        self.applied: list[tuple[str, int, str, int]] = []
        self.failing: set[str] = set()

    def __call__(self, org_id: str, epoch: int, contribute: Any) -> Any:
        outer = self

        class Applier:
            def apply(self, rows: Sequence[tuple[str, Row]]) -> None:
                assert current_org_id() == org_id
                if org_id in outer.failing:
                    raise Unavailable("busy")
                outer.applied += [(org_id, epoch, row.id, row.rev) for _, row in rows]

        return Applier()


def parse(record: Mapping[str, Any]) -> StreamFact | None:
    """What `storage.facts.stream_fact` promises, on small images."""
    if record["eventName"] == "REMOVE":
        return None
    image = record.get("dynamodb", {}).get("NewImage", {})
    if "org" not in image:
        raise CorruptItem("garbage")
    fact = Fact("label", image["id"], False, None, 1, image["rev"], None)
    return StreamFact(image["org"], fact)


def record(number: int, event: str = "MODIFY", **image: Any) -> dict[str, Any]:
    sequence = {"SequenceNumber": f"seq-{number}", "NewImage": image}
    return {"eventName": event, "dynamodb": sequence}


def organisation(org_id: str, **fields: Any) -> Organisation:
    return Organisation(org_id, org_id, org_id, 0, **fields)


@pytest.fixture
def quarantine() -> Quarantine:
    return Quarantine()


@pytest.fixture
def appliers() -> Appliers:
    return Appliers()


def make(quarantine: Quarantine, appliers: Appliers, *organisations: Organisation) -> Update:
    known = organisations or (organisation("a"), organisation("b"))
    return Update(Directory(*known), ApplyFacts(appliers), parse, quarantine)


def report(records: list[Any], update: Update) -> list[str]:
    response = partial_batch_response(records, update(records))
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def test_a_batch_is_folded_to_the_highest_revision(
    quarantine: Quarantine, appliers: Appliers
) -> None:
    records = [
        record(0, org="a", id="x", rev=5),
        record(1, org="a", id="x", rev=9),
        record(2, org="a", id="x", rev=7),
        record(3, org="b", id="x", rev=1),
    ]
    assert report(records, make(quarantine, appliers)) == []
    assert sorted(appliers.applied) == [("a", 0, "x", 9), ("b", 0, "x", 1)]


def test_a_poison_record_is_quarantined_whole_and_the_batch_goes_on(
    quarantine: Quarantine, appliers: Appliers
) -> None:
    poison = record(1, rubbish={"S": "?"})
    records = [record(0, org="a", id="x", rev=1), poison, record(2, org="a", id="y", rev=1)]
    assert report(records, make(quarantine, appliers)) == []
    assert [kept for kept, _ in quarantine.kept] == [poison]
    assert {fact_id for _, _, fact_id, _ in appliers.applied} == {"x", "y"}


def test_an_image_is_missing(quarantine: Quarantine, appliers: Appliers) -> None:
    assert report([{"eventName": "INSERT"}], make(quarantine, appliers)) == []
    assert len(quarantine.kept) == 1


def test_poison_that_cannot_be_kept_comes_back(quarantine: Quarantine, appliers: Appliers) -> None:
    quarantine.broken = True
    records = [record(0, org="a", id="x", rev=1), record(1), record(2, org="b", id="y", rev=1)]
    assert report(records, make(quarantine, appliers)) == ["seq-1"]
    assert len(appliers.applied) == 2


def test_the_earliest_unapplied_is_reported_whichever_failed(
    quarantine: Quarantine, appliers: Appliers
) -> None:
    """Organisation b fails; its earliest record lies before a's last, and b is not held up by it."""
    appliers.failing = {"b"}
    records = [
        record(0, org="a", id="1", rev=1),
        record(1, org="b", id="2", rev=1),
        record(2, org="a", id="3", rev=1),
        record(3, org="b", id="4", rev=1),
    ]
    assert report(records, make(quarantine, appliers)) == ["seq-1"]
    assert {fact_id for _, _, fact_id, _ in appliers.applied} == {"1", "3"}
    appliers.failing = {"a", "b"}
    assert report(records, make(quarantine, appliers)) == ["seq-0"]


def test_a_removal_changes_nothing(quarantine: Quarantine, appliers: Appliers) -> None:
    removal = record(0, "REMOVE", org="a", id="x", rev=1)
    assert report([removal], make(quarantine, appliers)) == []
    assert (appliers.applied, quarantine.kept) == ([], [])


def test_every_written_epoch_is_applied_and_the_organisation_never_cached(
    quarantine: Quarantine, appliers: Appliers
) -> None:
    directory = Directory(organisation("a", written=(0, 1), contributions={0: 1, 1: 1}))
    update = Update(directory, ApplyFacts(appliers), parse, quarantine)
    for _ in range(2):
        assert report([record(0, org="a", id="x", rev=1)], update) == []
    assert {epoch for _, epoch, _, _ in appliers.applied} == {0, 1}
    assert directory.reads == 2


def test_an_epoch_of_an_unknown_contribution_version_is_refused(
    quarantine: Quarantine, appliers: Appliers
) -> None:
    update = make(quarantine, appliers, organisation("a", contributions={0: 99}))
    records = [record(0, org="a", id="x", rev=1)]
    result = update(records)
    assert result.earliest_unapplied == 0
    assert isinstance(result.failures[0].error, UnknownContribution)


def test_an_organisation_being_deleted_is_skipped_and_an_unknown_one_quarantined(
    quarantine: Quarantine, appliers: Appliers
) -> None:
    update = make(quarantine, appliers, organisation("a", is_deleting=True))
    records = [record(0, org="a", id="x", rev=1), record(1, org="ghost", id="y", rev=1)]
    assert report(records, update) == []
    assert appliers.applied == []
    assert [kept for kept, _ in quarantine.kept] == [records[1]]


def test_a_bug_is_not_swallowed(quarantine: Quarantine, appliers: Appliers) -> None:
    def broken(record: Mapping[str, Any]) -> StreamFact:
        raise ZeroDivisionError

    update = Update(Directory(organisation("a")), ApplyFacts(appliers), broken, quarantine)
    with pytest.raises(ZeroDivisionError):
        update([record(0, org="a", id="x", rev=1)])
