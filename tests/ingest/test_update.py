"""The stream function's bookkeeping: what is quarantined, what is reported, what is left alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.epochs import Bucket
from rollcall.domain.errors import (
    BrokenDestination,
    Conflict,
    CorruptItem,
    ForeignKey,
    LastingConflict,
    PageTooLarge,
    TransactionTooLarge,
    Unavailable,
    UnknownContribution,
)
from rollcall.domain.facts import Fact, StreamFact
from rollcall.domain.organisations import Organisation, current_org_id
from rollcall.ingest.isolate import MAX_ATTEMPTS
from rollcall.ingest.update import Cause, Update
from rollcall.lambdas import stream as stream_module
from rollcall.lambdas.stream import partial_batch_response
from rollcall.ledger.page import Row
from rollcall.ledger.writer import ApplyFacts
from rollcall.storage.client import may_pass


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
        self.objects = 0

    def put(self, records: Sequence[Mapping[str, Any]], reason: str) -> str:
        if self.broken:
            raise BrokenDestination("bucket")
        self.kept += [(record, reason) for record in records]
        self.objects += 1
        return f"object {self.objects}"


class Appliers:
    def __init__(self) -> None:
        self.applied: list[tuple[str, int, str, int]] = []
        self.failing: set[str] = set()
        # What applying a row of an (organisation, epoch, id) raises.
        self.errors: dict[tuple[str, int, str], Exception] = {}
        self.order: list[str] = []

    def __call__(self, bucket: Bucket, contribute: Any) -> Any:
        org_id, epoch, _ = bucket.epoch
        outer = self

        class Applier:
            def apply(self, rows: Sequence[tuple[str, Row]]) -> None:
                assert current_org_id() == org_id
                outer.order.append(org_id)
                if org_id in outer.failing:
                    raise Unavailable("busy")
                for _, row in rows:
                    error = outer.errors.get((org_id, epoch, row.id))
                    if error is not None:
                        raise error
                outer.applied += [(org_id, epoch, row.id, row.rev) for _, row in rows]

        return Applier()


def parse(record: Mapping[str, Any]) -> StreamFact | None:
    """What `storage.facts.stream_fact` promises, on small images."""
    if record["eventName"] == "REMOVE":
        return None
    image = record.get("dynamodb", {}).get("NewImage", {})
    if "org" not in image:
        raise CorruptItem("garbage")
    fact = Fact("label", image["id"], None, 1, image["rev"], None)
    return StreamFact(image["org"], fact)


def record(number: int, event: str = "MODIFY", **image: Any) -> dict[str, Any]:
    sequence = {"SequenceNumber": f"seq-{number}", "NewImage": image}
    return {"eventName": event, "dynamodb": sequence}


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret"}}, "TransactWriteItems")


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
    return Update(Directory(*known), ApplyFacts(appliers), parse, quarantine, may_pass)


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
    update = Update(directory, ApplyFacts(appliers), parse, quarantine, may_pass)
    for _ in range(2):
        assert report([record(0, org="a", id="x", rev=1)], update) == []
    assert {epoch for _, epoch, _, _ in appliers.applied} == {0, 1}
    assert directory.reads == 2


def test_an_epoch_of_an_unknown_contribution_version_is_quarantined(
    quarantine: Quarantine, appliers: Appliers
) -> None:
    """The other epochs are applied, so that readers of the live one miss nothing."""
    known = organisation("a", written=(0, 1), contributions={0: 1, 1: 99})
    records = [record(0, org="a", id="x", rev=1), record(1, org="a", id="y", rev=1)]
    result = make(quarantine, appliers, known)(records)
    assert result.earliest_unapplied is None
    assert [kept for kept, _ in quarantine.kept] == records
    assert {reason for _, reason in quarantine.kept} == {
        "UnknownContribution: this release has no contribution version 99"
    }
    assert {(epoch, id) for _, epoch, id, _ in appliers.applied} == {(0, "x"), (0, "y")}


def test_an_organisation_being_deleted_is_skipped_and_an_unknown_one_quarantined(
    quarantine: Quarantine, appliers: Appliers
) -> None:
    update = make(quarantine, appliers, organisation("a", is_deleting=True))
    records = [record(0, org="a", id="x", rev=1), record(1, org="ghost", id="y", rev=1)]
    assert report(records, update) == []
    assert appliers.applied == []
    assert [kept for kept, _ in quarantine.kept] == [records[1]]


LASTING_ERRORS = [
    CorruptItem("ledger page format 09"),
    TransactionTooLarge("101 items at once"),
    PageTooLarge("a page"),
    UnknownContribution("contribution version 9"),
    ForeignKey("Query names a key outside the current organisation"),
    KeyError("secret"),
    RecursionError("secret"),
    client_error("ValidationException"),
    client_error("TransactionCanceledException"),
]
PASSING_ERRORS = [
    Unavailable("busy"),
    Conflict("another writer"),
    client_error("ResourceNotFoundException"),
    client_error("AccessDeniedException"),
    client_error("ExpiredTokenException"),
    NoCredentialsError(),
]


@pytest.mark.parametrize("error", LASTING_ERRORS, ids=repr)
def test_what_no_retry_can_apply_is_quarantined_and_blocks_no_other_organisation(
    error: Exception, quarantine: Quarantine, appliers: Appliers
) -> None:
    appliers.errors["a", 0, "bad"] = error
    records = [
        record(0, org="a", id="bad", rev=1),
        record(1, org="b", id="x", rev=1),
        record(2, org="a", id="good", rev=1),
        record(3, org="a", id="bad", rev=2),
    ]
    result = make(quarantine, appliers)(records)
    assert result.earliest_unapplied is None
    assert {(org, id) for org, _, id, _ in appliers.applied} == {("a", "good"), ("b", "x")}
    assert [kept for kept, _ in quarantine.kept] == [records[0], records[3]]
    (group,) = result.quarantined
    assert (group.indices, group.org_id, group.cause) == ((0, 3), "a", Cause.LEDGER)
    assert type(error).__name__ in group.reason
    assert "secret" not in group.reason


@pytest.mark.parametrize("error", PASSING_ERRORS, ids=repr)
def test_what_a_retry_may_apply_comes_back_and_is_not_quarantined(
    error: Exception, quarantine: Quarantine, appliers: Appliers
) -> None:
    appliers.errors["a", 0, "x"] = error
    records = [record(0, org="b", id="x", rev=1), record(1, org="a", id="x", rev=1)]
    result = make(quarantine, appliers)(records)
    assert [(f.earliest_index, f.org_id, f.error) for f in result.failures] == [(1, "a", error)]
    assert quarantine.kept == []
    assert appliers.applied == [("b", 0, "x", 1)]


def test_the_organisation_item_may_be_damaged(quarantine: Quarantine, appliers: Appliers) -> None:
    class Damaged(Directory):
        def organisation(self, org_id: str) -> Organisation | None:
            if org_id == "a":
                raise CorruptItem("attribute 'live' is not an integer")
            return super().organisation(org_id)

    update = Update(Damaged(organisation("b")), ApplyFacts(appliers), parse, quarantine, may_pass)
    records = [record(0, org="a", id="x", rev=1), record(1, org="b", id="x", rev=1)]
    assert report(records, update) == []
    assert [kept for kept, _ in quarantine.kept] == records[:1]
    assert appliers.applied == [("b", 0, "x", 1)]


def test_a_bug_in_the_parser_blocks_nothing(quarantine: Quarantine, appliers: Appliers) -> None:
    def broken(given: Mapping[str, Any]) -> StreamFact | None:
        if given["dynamodb"]["NewImage"]["id"] == "bad":
            raise ZeroDivisionError("secret")
        return parse(given)

    directory = Directory(organisation("a"))
    update = Update(directory, ApplyFacts(appliers), broken, quarantine, may_pass)
    records = [record(0, org="a", id="bad", rev=1), record(1, org="a", id="x", rev=1)]
    result = update(records)
    assert result.earliest_unapplied is None
    (group,) = result.quarantined
    assert (group.indices, group.cause) == ((0,), Cause.RECORD)
    assert group.reason.startswith("ZeroDivisionError at ")
    assert "test_update.py" in group.reason
    assert "secret" not in group.reason


def test_what_cannot_be_quarantined_comes_back(quarantine: Quarantine, appliers: Appliers) -> None:
    appliers.errors["a", 0, "bad"] = CorruptItem("page")
    quarantine.broken = True
    records = [
        record(0, org="a", id="good", rev=1),
        record(1, org="a", id="bad", rev=1),
        record(2, org="b", id="x", rev=1),
    ]
    result = make(quarantine, appliers)(records)
    assert result.earliest_unapplied == 1
    assert result.quarantined == []


def test_the_smallest_organisation_goes_first(quarantine: Quarantine, appliers: Appliers) -> None:
    known = [organisation(org_id) for org_id in "abc"]
    records = [record(n, org=org, id=f"{n}", rev=1) for n, org in enumerate("aaabccbc" + "c")]
    assert report(records, make(quarantine, appliers, *known)) == []
    assert appliers.order == ["b", "a", "c"]


def test_many_rows_that_fail_cost_a_bounded_number_of_attempts(
    quarantine: Quarantine, appliers: Appliers
) -> None:
    ids = [f"{number}" for number in range(1_000)]
    appliers.errors = {("a", 0, id): CorruptItem("page") for id in ids}
    records = [record(number, org="a", id=id, rev=1) for number, id in enumerate(ids)]
    assert report(records, make(quarantine, appliers)) == []
    # Beside those made, one for each part that was left when they were used up.
    assert len(appliers.order) <= MAX_ATTEMPTS + 10
    assert [kept for kept, _ in quarantine.kept] == records
    assert quarantine.objects == 1


def test_a_lasting_conflict_is_not_looked_for_again(
    quarantine: Quarantine, appliers: Appliers
) -> None:
    """It took every retry, with their pauses, to find."""
    appliers.errors["a", 0, "0"] = LastingConflict("no page covers it")
    records = [record(number, org="a", id=f"{number}", rev=1) for number in range(8)]
    assert report(records, make(quarantine, appliers)) == []
    assert appliers.order == ["a"]
    assert [kept for kept, _ in quarantine.kept] == records


@given(
    bad=st.sets(st.integers(0, 39), max_size=12),
    batch=st.lists(st.integers(0, 39), min_size=1, max_size=60),
)
def test_exactly_what_cannot_be_applied_is_quarantined(bad: set[int], batch: list[int]) -> None:
    appliers, quarantine = Appliers(), Quarantine()
    appliers.errors = {("a", 0, f"{number}"): CorruptItem("page") for number in bad}
    records = [record(n, org="a", id=f"{id}", rev=n + 1) for n, id in enumerate(batch)]
    assert report(records, make(quarantine, appliers)) == []
    assert {id for _, _, id, _ in appliers.applied} == {f"{id}" for id in set(batch) - bad}
    assert [kept for kept, _ in quarantine.kept] == [
        given for given, id in zip(records, batch, strict=True) if id in bad
    ]


def test_what_is_quarantined_is_logged_without_contents(
    quarantine: Quarantine, appliers: Appliers
) -> None:
    appliers.errors["a", 0, "bad"] = ValueError("secret")
    records = [record(0, org="a", id="bad", rev=1, field="secret")]
    with patch.object(stream_module, "logger") as logger:
        report(records, make(quarantine, appliers))
    (line,) = logger.error.call_args_list
    assert line.args == ("quarantined",)
    logged = line.kwargs["extra"]
    assert (logged["cause"], logged["org_id"], logged["records"]) == ("ledger", "a", 1)
    assert (logged["object"], logged["earliest"]) == ("object 1", "seq-0")
    assert "secret" not in str(line)
