"""An erasure leaves no byte of a person in either table, whatever happened before and meanwhile."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollcall.domain.errors import BrokenDestination, InvalidOperation, Unavailable
from rollcall.domain.organisations import tenant
from rollcall.ledger import rollups
from rollcall.maintenance.erase import Erasure
from rollcall.storage.failed_mentions import mentions
from rollcall.storage.failures import FolderFailures
from tests.support.builders import OMIT, call, deletion, full_call, lead, task
from tests.support.erasing import (
    ANALYTICS,
    RECORDS,
    Deployment,
    Killed,
    kill_at,
    stop_killing,
)
from tests.support.parsing import parsed
from tests.support.stack import ENGINES
from tests.support.tables import scan

pytestmark = pytest.mark.engine


LEAD = "lead~#é 1"
MARK = "MARK"
NOON = "2024-03-05T12:00:00Z"
NEXT_DAY = "2024-03-06T12:00:00Z"


def marked(name: str) -> str:
    """A value that only the person who is erased has."""
    return f"{MARK}-{name}"


def their_call(id: Any, **fields: Any) -> dict:
    marks = {
        name: marked(name)
        for name in (
            "outcome provider campaign_id space_token template_id merchant_id reseller_id"
        ).split()
    }
    return full_call(
        id,
        **{
            **marks,
            "lead_id": LEAD,
            "updated_at": OMIT,
            "labels": [marked("label"), "shared-label"],
            "payload": {marked("key"): marked("value"), "shared-key": "shared-value"},
            "detail": {"summary": marked("summary"), "from_number": marked("number")},
            **fields,
        },
    )


def others_call(id: Any, **fields: Any) -> dict:
    shared = {"updated_at": OMIT, "lead_id": "someone else", "labels": ["shared-label"]}
    return full_call(id, **{**shared, "payload": {"shared-key": "shared-value"}, **fields})


def their_lead(**fields: Any) -> dict:
    return lead(
        LEAD, **{"template_id": marked("template_id"), "payload": {marked("k"): 7}} | fields
    )


def assert_nothing_is_left(at: Deployment) -> None:
    for table in (RECORDS, ANALYTICS):
        assert MARK.encode() not in at.bytes_of(table)
    assert all(at.rollups().values()), "a rollup that counts no record"


# ------------------------------------------------------------------ whatever was there before

CALLS = ("a", "b", "c", "d")
FIELDS = ("outcome", "provider", "template_id", "merchant_id", "reseller_id", "space_token")


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """Writes of theirs and of others in any order, with moments at which the stream is caught up."""

    def values(whose: str) -> dict[str, Any]:
        texts = ["shared-1", "shared-2", *(["x", "y"] if whose == "theirs" else [])]
        chosen = {}
        for name in draw(st.sets(st.sampled_from(FIELDS))):
            text = draw(st.sampled_from(texts))
            chosen[name] = marked(f"{name}-{text}") if text in "xy" else text
        payload = {"shared-key": draw(st.sampled_from(["1", "2"]))}
        if whose == "theirs" and draw(st.booleans()):
            payload[marked(f"key-{draw(st.integers(0, 2))}")] = marked("value")
        seconds = draw(st.sampled_from([OMIT, 30, 61.5]))
        return {**chosen, "payload": payload, "duration_seconds": seconds}

    history: list[tuple[str, Any]] = []
    for _ in range(draw(st.integers(1, 14))):
        match draw(st.sampled_from(["drain", "theirs", "others", "lead", "task"])):
            case "drain":
                history.append(("drain", None))
            case "theirs":
                id = draw(st.sampled_from(CALLS))
                when = NOON if id in "ab" else NEXT_DAY
                fields = {"lead_id": LEAD, "started_at": when, **values("theirs")}
                history.append(("theirs", call(f"their-{id}", **fields)))
            case "others":
                id = draw(st.sampled_from(CALLS))
                when = NOON if id in "ab" else NEXT_DAY
                fields = {"started_at": when, **values("others")}
                history.append(("others", call(f"other-{id}", **fields)))
            case "lead":
                history.append(("theirs", their_lead(status=draw(
                    st.sampled_from(["BACKLOG", "RETRY"])))))  # fmt: skip
            case "task":
                history.append(("others", task("t", space_token="shared-1")))
    return history


@pytest.mark.slow
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.booleans(), st.sampled_from([64, 1_024]))
def test_an_erasure_leaves_what_there_would_be_without_the_person(
    history: list[tuple[str, Any]], is_split: bool, target_bytes: int
) -> None:
    erased, without = Deployment(target_bytes=target_bytes), Deployment()
    for at in (erased, without):
        organisation = at.organisation()
        at.write_epochs(organisation, 1, 0)
        for what, record in history:
            if what == "drain":
                at.drain()
            elif what == "others" or at is erased:
                at.put(organisation, record)
    if is_split:  # the stream is behind by a part of it
        records = erased.stream[: len(erased.stream) // 2]
        del erased.stream[: len(records)]
        assert erased.update(records).earliest_unapplied is None
    theirs = {(r["type"], r["id"]) for what, r in history if what == "theirs"}
    stored = [erased.bytes_of(table) for table in (RECORDS, ANALYTICS)]
    preview = erased.preview("acme", LEAD)
    assert stored == [erased.bytes_of(table) for table in (RECORDS, ANALYTICS)]
    is_behind = bool(erased.stream)
    result = erased.erase("acme", LEAD)
    assert preview.facts == result.facts
    assert preview.rows == result.rows or is_behind
    assert result.is_verified
    assert result.is_known == bool(theirs)
    assert sum(result.facts.values()) == len(theirs)
    assert result.rows == {0: len(theirs), 1: len(theirs)}
    late = list(erased.stream)
    for at in (erased, without):
        at.drain()
    assert_nothing_is_left(erased)
    assert erased.rollups() == {key: counts for key, counts in without.rollups().items() if counts}
    erased.stream = late + late[::-1]
    erased.drain()
    assert_nothing_is_left(erased)
    assert erased.quarantine.kept == []
    assert erased.preview("acme", LEAD).is_empty
    again = erased.erase("acme", LEAD)
    assert (sum(again.facts.values()), again.is_verified) == (0, True)


def test_the_details_of_their_calls_go_and_those_of_others_stay() -> None:
    at = Deployment()
    organisation = at.organisation()
    for id in CALLS:
        at.put(organisation, their_call(f"their-{id}"))
        at.put(organisation, others_call(f"other-{id}"))
    at.drain()

    def details() -> set[str]:
        keys = [item["SK"]["S"] for item in at.items(RECORDS)]
        return {key for key in keys if key.startswith("DETAIL#")}

    assert details() == {f"DETAIL#{whose}-{id}" for whose in ("their", "other") for id in CALLS}
    at.erase("acme", LEAD)
    assert details() == {f"DETAIL#other-{id}" for id in CALLS}


@pytest.mark.parametrize("name", ["", "x" * 129])
def test_a_preview_refuses_what_an_erasure_refuses(name: str) -> None:
    at = Deployment()
    at.organisation()
    with pytest.raises(InvalidOperation, match="1 to 128 characters"):
        at.preview("acme", name)
    with pytest.raises(InvalidOperation, match="nowhere"):
        at.preview("nowhere", LEAD)


def test_every_field_of_a_call_goes_and_the_others_stay() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, their_lead(), their_call("1"), others_call("2"), their_call("3"))
    at.put(organisation, their_call("1", outcome="shared", direction="inbound"))
    at.drain()
    before = [item for item in at.items(RECORDS) if item.get("id") == {"S": "2"}]
    erasure = at.erase("acme", LEAD)
    assert erasure.facts == {"lead": 1, "call": 2}
    assert erasure.rows == {0: 3}
    assert_nothing_is_left(at)
    assert [item for item in at.items(RECORDS) if item.get("id") == {"S": "2"}] == before
    assert b"shared-label" in at.bytes_of(ANALYTICS)
    for item in at.items(RECORDS):
        if item["SK"]["S"].startswith("FACT#") and item["id"]["S"] != "2":
            kept = {"PK", "SK", "type", "id", "time_ms", "updated_at_ms", "rev", "deleted"}
            assert item.keys() == kept


def test_a_breakdown_that_they_alone_spilled_goes_with_its_mark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rollups, "BREAKDOWN_LIMIT_BYTES", 300)
    at = Deployment(target_bytes=8_192)
    organisation = at.organisation()
    for start in range(0, 200, 50):
        at.put(
            organisation,
            *(their_call(str(n), outcome=f"{MARK}-{n:03d}" + "o" * 230) for n in range(start, start + 50)),
            others_call(f"other-{start}"),
        )  # fmt: skip
    at.drain()
    assert any(MARK in pk for pk, _ in at.spilled())
    at.put(organisation, *(their_call(str(n)) for n in range(20)))
    at.erase("acme", LEAD)
    at.drain()
    assert_nothing_is_left(at)


def test_what_a_page_stores_in_another_form_goes_too() -> None:
    """A column of UUIDs holds their bytes."""
    person, value = "6f1c2b9e-1d1f-4f7e-9a53-0c1d2e3f4a5b", "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
    at = Deployment()
    at.put(at.organisation(), call("1", lead_id=person, outcome=value))
    at.drain()
    stored_forms = [bytes.fromhex(text.replace("-", "")) for text in (person, value)]
    assert all(form in at.bytes_of(ANALYTICS) for form in stored_forms)
    at.erase("acme", person)
    at.drain()
    for form in (*stored_forms, person.encode(), value.encode()):
        assert form not in at.bytes_of(ANALYTICS) + at.bytes_of(RECORDS)


def test_ids_compare_as_texts() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.put(
        organisation,
        lead(42, payload={"name": marked("name")}),
        call(1, lead_id=42, outcome=marked("one")),
        call("2", lead_id="42", outcome=marked("two")),
        call("3", lead_id="042", outcome="stays"),
    )
    assert at.erase("acme", "42").facts == {"lead": 1, "call": 2}
    at.drain()
    assert_nothing_is_left(at)
    assert b"o=stays" in at.bytes_of(ANALYTICS)


def test_an_older_copy_stays_dead_and_a_later_one_is_a_record_of_its_own() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, their_call("1"))
    at.erase("acme", LEAD)
    at.put(organisation, their_call("1", updated_at="2025-01-01T00:00:00Z"))
    at.drain()
    assert_nothing_is_left(at)
    at.put(organisation, their_call("1"))
    at.drain()
    assert MARK.encode() in at.bytes_of(ANALYTICS)
    assert at.erase("acme", LEAD).facts == {"lead": 0, "call": 1}
    at.drain()
    assert_nothing_is_left(at)


def test_what_a_tombstone_withholds_goes_too() -> None:
    """A deletion that is older than a merge leaves what the merge has set."""
    at = Deployment()
    organisation = at.organisation()
    merge = {"lead_id": LEAD, "outcome": marked("outcome"), "updated_at": "2024-03-05T14:00:00Z"}
    at.put(
        organisation,
        call("1", updated_at=NOON),
        {"type": "call", "id": "1", "merge": True, **merge},
        deletion("call", "1", "2024-03-05T13:00:00Z"),
    )
    at.drain()
    assert MARK.encode() in at.bytes_of(RECORDS)
    assert at.preview("acme", LEAD).facts == {"lead": 0, "call": 1}
    assert at.erase("acme", LEAD).facts == {"lead": 0, "call": 1}
    at.drain()
    assert_nothing_is_left(at)


def test_what_a_tombstone_withholds_without_a_lead_is_named() -> None:
    """Nothing shows whose call it was: the receipt has its id, and a deletion removes it."""
    at = Deployment()
    organisation = at.organisation()
    merge = {"detail": {"summary": marked("summary")}, "updated_at": "2024-03-05T14:00:00Z"}
    at.put(
        organisation,
        call("1", lead_id=LEAD, updated_at=NOON),
        {"type": "call", "id": "1", "merge": True, **merge},
        deletion("call", "1", "2024-03-05T13:00:00Z"),
        their_call("2"),
    )
    at.drain()
    result = at.erase("acme", LEAD)
    assert (result.facts, result.unnamed) == ({"lead": 0, "call": 1}, ("1",))
    at.put(organisation, deletion("call", "1"))
    at.drain()
    assert at.erase("acme", LEAD).unnamed == ()
    assert_nothing_is_left(at)


# ------------------------------------------------------------------ meanwhile


def during(at: Deployment, operation: str, times: int, act: Callable[[int], None]) -> None:
    """Do something before each of the next requests of a kind, as another process would."""
    left = list(range(times))
    is_acting = False

    def around(name: str, send: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        nonlocal is_acting
        if name == operation and left and not is_acting:
            is_acting = True
            act(left.pop(0))
            is_acting = False
        return send()

    at.client.around = around


def test_calls_that_arrive_meanwhile_are_found() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, their_call("1"))
    during(at, "Query", 40, lambda n: at.put(organisation, their_call(f"new-{n % 12}")))
    at.erase("acme", LEAD)
    stop_killing(at.client)
    at.drain()
    assert at.erase("acme", LEAD).is_verified
    assert_nothing_is_left(at)


@pytest.mark.slow
def test_a_client_that_never_stops_sending_is_reported() -> None:
    at = Deployment()
    organisation = at.organisation()
    during(at, "Query", 100_000, lambda n: at.put(organisation, their_call(f"new-{n}")))
    with pytest.raises(InvalidOperation, match="keep arriving"):
        at.erase("acme", LEAD)


@pytest.mark.parametrize("operation", ["Query", "PutItem", "TransactWriteItems", "BatchGetItem"])
def test_the_updater_at_the_same_time(operation: str) -> None:
    """Both shrink the same counts at once: the second must see that one reaches zero."""
    at = Deployment(target_bytes=64)  # a page a call
    organisation = at.organisation()
    days = [f"2024-03-{day:02d}T12:00:00Z" for day in range(1, 9)]
    at.put(organisation, their_lead(), *(
        their_call(f"{day}", started_at=day, duration_seconds=60 + n) for n, day in enumerate(days)
    ))  # fmt: skip
    at.drain()

    def deliver(_n: int) -> None:
        records, at.stream = at.stream[:1], at.stream[1:]
        assert at.update(records).earliest_unapplied is None

    during(at, operation, 200, deliver)
    at.erase("acme", LEAD)
    stop_killing(at.client)
    at.drain()
    assert_nothing_is_left(at)
    assert at.rollups() == {}


def test_two_writers_that_both_saw_two_leave_nothing_between_them() -> None:
    """One has read the rollups, the other commits, and the first goes on with what it read."""
    at = Deployment(target_bytes=64)  # a page a call
    organisation = at.organisation()
    at.put(organisation, their_call("1"), their_call("2", started_at=NEXT_DAY))
    at.drain()
    at.put(organisation, {"type": "call", "id": "1", "deleted": True})
    at.put(organisation, {"type": "call", "id": "2", "deleted": True})
    first, second = at.stream
    at.stream = []
    assert sum("#LEDGER#" in item["PK"]["S"] for item in at.items(ANALYTICS)) == 2
    during(at, "TransactWriteItems", 1, lambda _n: at.update([second]))
    assert at.update([first]).earliest_unapplied is None
    assert_nothing_is_left(at)
    assert at.rollups() == {}


# ------------------------------------------------------------------ broken off


def prepared() -> Deployment:
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, their_lead(), their_call("1"), others_call("2"), their_call("3"))
    at.drain()
    at.write_epochs(organisation, 1, 0)
    at.put(organisation, their_call("1", outcome=marked("later")), their_call("4"))
    return at


def state(at: Deployment) -> Any:
    facts = {
        (item["PK"]["S"], item["SK"]["S"]): item.keys() for item in at.items(RECORDS)
    }  # fmt: skip
    return facts, at.rollups()


@pytest.mark.slow
@pytest.mark.parametrize("is_made", [False, True], ids=["before", "after"])
def test_broken_off_at_any_request_and_done_again(is_made: bool) -> None:
    whole = prepared()
    whole.erase("acme", LEAD)
    whole.drain()
    expected = state(whole)
    for moment in range(10_000):
        at = prepared()
        has_died = kill_at(at.client, moment, is_made=is_made)
        with contextlib.suppress(Killed):
            at.erase("acme", LEAD)
        stop_killing(at.client)
        assert at.erase("acme", LEAD).is_verified
        # The stream still holds earlier versions: they are back, but not for long.
        at.drain()
        assert_nothing_is_left(at)
        assert state(at) == expected
        if not has_died():
            break
    assert moment > 30


def test_what_an_erasure_left_behind_needs_no_stream_to_be_found() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, their_lead(), their_call("1"))
    at.drain()
    at.put(organisation, *({"type": t, "id": i, "deleted": True} for t, i in
                           [("lead", LEAD), ("call", "1")]))  # fmt: skip
    at.stream = []
    assert MARK.encode() in at.bytes_of(ANALYTICS)
    erasure = at.erase("acme", LEAD)
    assert erasure.rows == {0: 2}
    assert_nothing_is_left(at)


# ------------------------------------------------------------------ drift, damage, an unknown lead


def stored(at: Deployment, fact_id: str) -> dict[str, Any]:
    (item,) = [item for item in at.items(RECORDS) if item.get("id") == {"S": fact_id}]
    return item


def remove(at: Deployment, organisation: Any, item: dict[str, Any]) -> None:
    with tenant(organisation.id):
        at.client.delete_item(TableName=RECORDS, Key={k: item[k] for k in ("PK", "SK")})


def test_a_row_without_its_fact_goes_too() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, their_lead(), their_call("1"), their_call("2"))
    at.drain()
    for fact_id in ("1", "2", LEAD):
        remove(at, organisation, stored(at, fact_id))
    # A deletion of what is not there has no time: it reaches no page.
    at.put(organisation, {"type": "call", "id": "2", "deleted": True})
    at.drain()
    assert MARK.encode() in at.bytes_of(ANALYTICS)
    assert at.erase("acme", LEAD).is_known
    at.drain()
    assert_nothing_is_left(at)
    assert at.rollups() == {}


def test_a_call_goes_from_every_time_at_which_it_has_been() -> None:
    """Late copies of its versions too, for any of them that were applied before."""
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, their_lead(), their_call("1", started_at=NOON))
    at.drain()
    at.put(organisation, their_call("1", started_at=NEXT_DAY))
    at.put(organisation, others_call("2", started_at=NOON))
    at.put(organisation, their_call("1", started_at="2024-03-07T12:00:00Z"))
    late, at.stream = at.stream, []
    erased = at.erase("acme", LEAD)
    assert erased.facts == {"lead": 1, "call": 1}
    assert erased.rows == {0: 2}
    at.stream = [*at.stream, *late]
    at.drain()
    assert_nothing_is_left(at)
    assert sum(counts.get("calls", 0) for counts in at.rollups().values()) > 0


@pytest.mark.parametrize("is_full", [False, True])
def test_a_row_at_a_time_that_its_fact_forgot_goes_too(is_full: bool) -> None:
    """Also if the fact has left so many times that it cannot have another."""
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, their_call("1", started_at=NOON))
    at.drain()
    for second in range(15 if is_full else 1):
        at.put(organisation, others_call("1", started_at=f"2024-03-06T12:00:{second:02}Z"))
    item = stored(at, "1")
    left = item["left_behind"]["L"][1:]
    forgotten = {n: v for n, v in item.items() if n not in ("left_behind", "moved_rev")}
    with tenant(organisation.id):
        kept = {"left_behind": {"L": [{"N": "5"}, *left]}} if is_full else {}
        at.client.put_item(TableName=RECORDS, Item=forgotten | kept)
    at.stream = at.stream[-1:]
    at.drain()
    assert MARK.encode() in at.bytes_of(ANALYTICS)
    at.erase("acme", LEAD)
    assert_nothing_is_left(at)


def test_a_row_that_its_fact_left_behind_is_brought_up_to_it() -> None:
    """The fact is another person's call by now, and its revision is no higher."""
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, their_call("1"))
    at.drain()
    rev = stored(at, "1")["rev"]
    at.put(organisation, others_call("1"))
    at.stream = []
    item = stored(at, "1") | {"rev": rev}
    with tenant(organisation.id):
        at.client.put_item(TableName=RECORDS, Item=item)
    at.erase("acme", LEAD)
    at.drain()
    assert_nothing_is_left(at)
    assert sum(counts.get("calls", 0) for counts in at.rollups().values()) > 0


def test_what_cannot_be_read_is_counted_and_nothing_is_said_to_be_verified() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, their_call("1"), others_call("2"))
    with tenant(organisation.id):
        item = stored(at, "2") | {"rev": {"S": "?"}}
        at.client.put_item(TableName=RECORDS, Item=item)
    erasure = at.erase("acme", LEAD)
    assert (erasure.facts, erasure.damaged, erasure.is_verified) == (
        {"lead": 0, "call": 1},
        1,
        False,
    )


@pytest.mark.parametrize(("buckets", "written_as"), [(1, 16), (16, 1)])
def test_a_fact_where_no_key_leads_is_not_said_to_be_erased(buckets: int, written_as: int) -> None:
    at = Deployment()
    organisation = at.organisation(buckets=buckets)
    at.put(organisation, their_call("2"))
    with tenant(organisation.id):
        at.facts.write(organisation.id, written_as, None, parsed(their_call("misplaced")))
    at.drain()
    erasure = at.erase("acme", LEAD)
    assert erasure.facts["call"] >= 1
    assert (erasure.is_known, erasure.damaged, erasure.is_verified) == (True, 1, False)


def test_a_lead_where_no_key_leads_is_not_said_to_be_erased() -> None:
    at = Deployment()
    organisation = at.organisation(buckets=1)
    with tenant(organisation.id):
        for buckets in range(2, 17):  # wherever it lies
            at.facts.write(organisation.id, buckets, None, parsed(their_lead()))
        misplaced = at.facts.misplaced(organisation.id, 1, "lead", LEAD)
    assert misplaced
    assert 0 not in misplaced
    erasure = at.erase("acme", LEAD)
    assert (erasure.is_known, erasure.is_verified) == (True, False)
    assert erasure.damaged == len(misplaced)


def test_a_lead_whose_own_fact_cannot_be_read() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, their_lead())
    with tenant(organisation.id):
        at.client.put_item(TableName=RECORDS, Item=stored(at, LEAD) | {"rev": {"S": "?"}})
    erasure = at.erase("acme", LEAD)
    assert (erasure.damaged, erasure.is_verified) == (1, False)


def test_a_row_whose_fact_cannot_be_read_ends_in_no_silence() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, their_call("1"), their_call("2"))
    at.drain()
    with tenant(organisation.id):
        at.client.put_item(TableName=RECORDS, Item=stored(at, "1") | {"rev": {"S": "?"}})
    erasure = at.erase("acme", LEAD)
    assert (erasure.facts["call"], erasure.damaged, erasure.is_verified) == (1, 1, False)


def test_an_unknown_lead() -> None:
    at = Deployment()
    at.put(at.organisation(), others_call("1"))
    at.drain()
    before = at.store.snapshot()
    erasure: Erasure = at.erase("acme", "unknown")
    assert (erasure.is_known, erasure.facts) == (False, {"lead": 0, "call": 0})
    assert at.store.snapshot() == before
    for handle, lead_id in (("nowhere", LEAD), ("acme", ""), ("acme", "a\x00")):
        with pytest.raises(InvalidOperation):
            at.erase(handle, lead_id)


def test_an_organisation_that_is_being_deleted_is_left_alone() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.directory.mark_deleting(organisation.id, 1)
    with pytest.raises(InvalidOperation):
        at.erase("acme", LEAD)


def test_an_epoch_that_is_left_over_is_named() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, their_call("1"))
    at.drain()
    at.write_epochs(organisation, 2, live=2)
    assert at.erase("acme", LEAD).left_epochs == (0,)


def test_a_store_that_stays_broken_is_an_error() -> None:
    at = prepared()

    def broken(_operation: str, _send: Any) -> Any:
        raise Unavailable("broken")

    at.client.around = broken
    with pytest.raises(Unavailable):
        at.erase("acme", LEAD)


# ------------------------------------------------------------------ failed objects


def test_objects_that_may_hold_something_of_them_are_named(tmp_path: Path) -> None:
    at = Deployment()
    organisation, other = at.organisation(), at.organisation("other")
    at.put(organisation, their_lead(), their_call("1"), others_call("2"))
    at.put(other, their_call("1"))
    at.put(organisation, task("2"))  # of another type than the call of that id
    documents: dict[str, Any] = {
        f"{n}": {"record": record, "reason": "?"} for n, record in enumerate(at.stream)
    }
    documents["batch"] = {"payload": json.dumps({"Records": at.stream[1:3]})}
    documents["garbage"] = {"record": {"dynamodb": {"Keys": 7, "x": [{"S": LEAD}]}}}
    for name, document in documents.items():
        (tmp_path / name).write_text(json.dumps(document))
    (tmp_path / "broken").write_text("{")
    failures = FolderFailures(tmp_path)
    theirs = set(mentions(failures, organisation.id, LEAD, ()))
    assert theirs == {"0", "1", "batch", "garbage", "broken"}
    assert set(mentions(failures, organisation.id, LEAD, ["2"])) == {*theirs, "2"}
    assert set(mentions(failures, other.id, LEAD, ())) == {"3", "garbage", "broken"}
    assert set(mentions(failures, other.id, None, ())) == {"3", "garbage", "broken"}
    at.failed_objects = sorted(theirs)
    assert at.erase("acme", LEAD).failed_objects.names == tuple(sorted(theirs))


def test_a_version_of_before_a_call_named_its_lead_is_theirs_too(tmp_path: Path) -> None:
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, call("1", outcome=marked("early")), call("2", outcome="of another"))
    for number, record in enumerate(at.stream):
        (tmp_path / f"{number}").write_text(json.dumps({"record": record, "reason": "?"}))
    at.put(organisation, their_call("1"))
    failures = FolderFailures(tmp_path)
    at.erases._mentions = lambda *of_whom: mentions(failures, *of_whom)
    assert at.erase("acme", LEAD).failed_objects.names == ("0",)


def test_a_destination_that_cannot_be_read_is_reported() -> None:
    at = prepared()

    def broken(_org_id: str, _lead_id: str | None, _calls: Any) -> Any:
        raise BrokenDestination("gone")

    at.erases._mentions = broken
    assert at.erase("acme", LEAD).failed_objects.problem == "gone"


# ------------------------------------------------------------------ on a real engine


@pytest.mark.parametrize("engine", ENGINES)
def test_on_an_engine(engine: str, client_of: Callable[[str], Any]) -> None:
    at = Deployment(client_of(engine))
    handle = f"h{uuid.uuid4().hex}"
    organisation = at.organisation(handle)
    records = [
        their_lead(),
        their_call("1"),
        others_call("2"),
        their_call("3", started_at=NEXT_DAY),
    ]
    at.put(organisation, *records)
    with tenant(organisation.id):
        facts = [
            fact
            for type_ in ("lead", "call")
            for bucket in range(organisation.buckets)
            for page in at.facts.listed(organisation.id, bucket, type_)
            for fact in page.facts
        ]
    at.apply_facts(organisation, facts)
    erasure = at.erase(handle, LEAD)
    assert (erasure.facts, erasure.rows) == ({"lead": 1, "call": 2}, {0: 3})
    assert at.erase(handle, LEAD).facts == {"lead": 0, "call": 0}
    at.store.on_write = None
    for table in (RECORDS, ANALYTICS):
        for item in scan(at.client, table):
            if organisation.id.replace("#", "~-") in item["PK"]["S"]:
                at.store.put(table, item)
    assert_nothing_is_left(at)
    assert b"shared-label" in at.bytes_of(ANALYTICS)
