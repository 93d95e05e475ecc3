"""One record read back: as the oracle has it, and counted exactly when its page has the version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import CorruptItem
from rollcall.domain.facts import Fact, hash_of_detail
from rollcall.query.single import FindRecord
from rollcall.settings import settings as deployment_settings
from rollcall.storage import keys
from rollcall.storage.fact_items import item_of_fact
from tests.support.answering import Answer, Deployment, deployed
from tests.support.builders import OMIT, call, deletion, room
from tests.support.cases import cases
from tests.support.generate import deletions, valid_records, without_ties, written
from tests.support.oracle import Oracle, moment
from tests.support.parsing import parsed
from tests.support.versions import versions_of

pytestmark = pytest.mark.property

NOW_MS = 1_720_000_000_000
LATER = "2024-03-05T12:00:02Z"


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with deployed(NOW_MS) as made:
        yield made


def read(deployment: Deployment, org_id: str, type: str, id: str) -> Answer:
    """The answer of `get_record`, which for a call is that of `get_call`."""
    answer = deployment.ask("get_record", org_id, path={"type": type, "id": id})
    if type == "call":
        same = deployment.ask("get_call", org_id, path={"id": id})
        assert (same.status, same.text) == (answer.status, answer.text)
    return answer


@pytest.mark.parametrize(("type", "id"), [("meeting", "x"), ("call", "x" * 129)])
def test_what_cannot_be_a_record_is_not_found(deployment: Deployment, type: str, id: str) -> None:
    org_id = deployment.organisation([call("x")])
    assert read(deployment, org_id, "call", "x").status == 200
    assert read(deployment, org_id, type, id).status == 404


@cases(60)
@given(records=st.lists(st.one_of(valid_records, valid_records, deletions), max_size=40))
def test_records_are_read_back_as_the_oracle_has_them(
    deployment: Deployment, records: list[Any]
) -> None:
    oracle = Oracle()
    records = without_ties(records, Oracle(), NOW_MS)
    org_id = deployment.organisation(records, oracle)
    for (type, id), fact in list(oracle.facts.items()):
        answer = read(deployment, org_id, type, id)
        assert answer.status == (404 if fact.content is None else 200)
        if fact.content is None:
            continue
        assert list(answer.body) == ["record", "updated_at", "counted"]
        assert answer.body["updated_at"] == written(moment(fact.updated_at))
        assert answer.body["counted"] is True
        record = answer.body["record"]
        sent = oracle.sent_id(type, id)
        assert (record["id"], record["id"].__class__) == (sent, sent.__class__)
        unchanged = {"accepted": 0, "unchanged": 1, "stale": 0, "rejected": []}
        assert oracle.post([record], NOW_MS) == (200, unchanged)


def store(deployment: Deployment, record: dict[str, Any]) -> None:
    """Store a version of a record that the stream has not delivered yet."""
    [fact] = deployment._versions([record])
    fact = replace(fact, rev=fact.rev + 1_000_000)
    deployment._stored[fact.type, fact.id] = fact
    organisation = deployment._organisation
    key = keys.fact(organisation.id, fact.type, fact.id, organisation.buckets)
    deployment.store.put(deployment_settings.records_table, item_of_fact(key, fact))


def test_a_version_is_counted_once_its_page_has_it(deployment: Deployment) -> None:
    org_id = deployment.organisation([call(f"other-{number}") for number in range(200)])
    store(deployment, call("c", outcome="first"))
    answer = read(deployment, org_id, "call", "c")
    assert (answer.body["record"]["outcome"], answer.body["counted"]) == ("first", False)

    deployment.add([call("c", outcome="second")])
    answer = read(deployment, org_id, "call", "c")
    assert (answer.body["record"]["outcome"], answer.body["counted"]) == ("second", True)

    store(deployment, call("c", outcome="third"))
    answer = read(deployment, org_id, "call", "c")
    assert (answer.body["record"]["outcome"], answer.body["counted"]) == ("third", False)


def test_a_record_before_the_first_page_is_not_counted(deployment: Deployment) -> None:
    org_id = deployment.organisation([call("c")])
    store(deployment, room("r"))
    answer = read(deployment, org_id, "room", "r")
    assert (answer.status, answer.body["counted"]) == (200, False)
    # The room's ledger has no page: the newest rollup says how fresh the figures are.
    assert "X-Rollcall-As-Of" in answer.headers

    org_id = deployment.organisation([])
    store(deployment, room("r"))
    answer = read(deployment, org_id, "room", "r")
    assert answer.body["counted"] is False
    assert "X-Rollcall-As-Of" not in answer.headers


def test_a_read_costs_one_fact_and_one_page(deployment: Deployment) -> None:
    org_id = deployment.organisation([call(f"c-{number}") for number in range(200)])
    read(deployment, org_id, "call", "c-0")  # which learns the number of shards
    answer = read(deployment, org_id, "call", "c-7")
    assert answer.headers["X-Rollcall-Items-Read"] == "2"
    assert answer.headers["X-Rollcall-Source"] == "ledger"
    assert float(answer.headers["X-Rollcall-Read-Units"]) > 0


def test_a_record_without_a_version_of_its_own_gets_the_clocks(deployment: Deployment) -> None:
    org_id = deployment.organisation([room("r", updated_at=OMIT)])
    answer = read(deployment, org_id, "room", "r")
    assert answer.body["updated_at"] == written(moment(NOW_MS))


def test_a_call_is_read_with_its_detail(deployment: Deployment) -> None:
    org_id = deployment.organisation([])
    record = call("with", detail={"summary": "said"})
    assert deployment.ask("ingest_records", org_id, body={"records": [record]}).status == 200
    answer = read(deployment, org_id, "call", "with")
    assert answer.body["record"]["detail"] == {"summary": "said"}


class Changing:
    """A look-up whose detail is another's for some reads."""

    def __init__(self, reads: int) -> None:
        record = parsed(call("c", detail={"summary": "x"})).record
        assert record is not None
        self.fact = Fact("call", "c", record.started_at_ms, 5, 7, record)  # type: ignore[attr-defined]
        self.reads = reads

    def __call__(self, *_: Any) -> dict[str, Fact]:
        self.reads -= 1
        return {"c": self.fact}

    def detail(self, *_: Any) -> dict[str, Any] | None:
        return None if self.reads else {"summary": "x"}


def test_a_detail_that_is_replaced_meanwhile_is_read_again_with_its_fact() -> None:
    find = FindRecord(Changing(3), None, None)  # type: ignore[arg-type]
    fact, detail = find._read(None, "call", "c")  # type: ignore[arg-type]
    assert detail == {"summary": "x"}
    assert fact is not None
    with pytest.raises(CorruptItem, match="'c' lacks its detail"):
        FindRecord(Changing(99), None, None)._read(None, "call", "c")  # type: ignore[arg-type]


class Withholding:
    """A look-up whose tombstone withholds a detail that a merge has set after the deletion."""

    def __call__(self, *_: Any) -> dict[str, Fact]:
        *_, fact = versions_of(
            [
                call("c", updated_at="2024-03-05T12:00:00Z"),
                {
                    "type": "call",
                    "id": "c",
                    "merge": True,
                    "detail": {"summary": "x"},
                    "updated_at": LATER,
                },
                deletion("call", "c", "2024-03-05T12:00:01Z"),
            ]
        )
        assert fact.record is None
        assert hash_of_detail(fact) is not None
        return {"c": fact}

    def detail(self, *_: Any) -> dict[str, Any] | None:
        raise AssertionError("the detail was read")


def test_the_detail_that_a_tombstone_withholds_is_not_read() -> None:
    find = FindRecord(Withholding(), None, None)  # type: ignore[arg-type]
    assert find(None, "call", "c") is None  # type: ignore[arg-type]
