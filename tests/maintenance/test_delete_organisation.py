"""A deleted organisation leaves a bare mark and nothing else, also after concurrent writes; others keep all."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from rollcall.domain.epochs import MAX_BUCKETS
from rollcall.domain.errors import Conflict, InvalidOperation, UnknownOrganisation
from rollcall.domain.organisations import Organisation, tenant
from rollcall.ingest.authorize import Authorize, CredentialsRefused
from rollcall.ingest.ingest import Ingest
from rollcall.maintenance.accounts import Administer
from rollcall.maintenance.audits import Audit
from rollcall.maintenance.delete_organisation import MAX_WRITE_SECONDS, DeleteOrganisation
from rollcall.storage.audits import AuditStore
from tests.support.builders import call, full_call, label, lead, space
from tests.support.engines import DYNAMODB_LOCAL
from tests.support.erasing import (
    ANALYTICS,
    BACKOFF,
    RECORDS,
    Deployment,
    Killed,
    kill_at,
    stop_killing,
)
from tests.support.tables import scan

pytestmark = pytest.mark.engine


def administer(at: Deployment) -> Administer:
    return Administer(at.directory, at.now_ms)


def filled(at: Deployment, handle: str, buckets: int = 2) -> Organisation:
    """An organisation with something of everything that can be kept of one."""
    organisation = at.organisation(handle, buckets)
    records = [full_call(str(n), updated_at="2024-03-05T13:00:00Z") for n in range(9)]
    at.put(organisation, *records, lead("l"), space("s"), label("x"))
    at.drain()
    at.write_epochs(organisation, 1, 0)
    at.put(organisation, call("late"), {"type": "lead", "id": "l", "deleted": True})
    at.drain()
    for _ in range(2):
        administer(at).issue_token(handle, ["read", "ingest"])
    audits = AuditStore(at.client, RECORDS, BACKOFF)
    run = Audit("run", started_at_ms=1, checked_at_ms=1)
    audits.begin(organisation.id, run, replacing=None)
    audits.finish(organisation.id, Audit("run", 1, 1, finished_at_ms=2))
    audits.begin(organisation.id, Audit("next", 3, 3), replacing=None)
    with tenant(organisation.id):
        pk = f"ORG#{organisation.id.replace('#', '~-')}#"
        at.client.put_item(
            TableName=RECORDS, Item={"PK": {"S": pk}, "SK": {"S": "REBUILD"}, "e": {"N": "9"}}
        )
    return organisation


def of(at: Deployment, organisation: Organisation) -> list[tuple[str, dict[str, Any]]]:
    """Every item of both tables in which the organisation's id or handle is found."""
    prefix = f"ORG#{organisation.id.replace('#', '~-')}#"
    return [
        (table, item)
        for table in (RECORDS, ANALYTICS)
        for item in at.items(table)
        if item["PK"]["S"].startswith(prefix)
        or item.get("org_id") == {"S": organisation.id}
        or item["PK"]["S"] == f"HANDLE#{organisation.handle}"
    ]


def assert_only_the_mark_is_left(at: Deployment, organisation: Organisation) -> None:
    [(table, item)] = of(at, organisation)
    assert table == RECORDS
    since = item.pop("deleting_since_ms")
    assert int(since["N"]) > 1
    assert item == {
        "PK": {"S": f"ORG#{organisation.id.replace('#', '~-')}#"},
        "SK": {"S": "ORG"},
        "id": {"S": organisation.id},
        "deleting": {"BOOL": True},
    }
    item["deleting_since_ms"] = since


def delete(at: Deployment, handle: str, **options: Any) -> Any:
    return at.deletes(at.deletes.find(handle, None), **options)


def everything_of_others(at: Deployment, organisation: Organisation) -> list[Any]:
    own = of(at, organisation)
    return [
        (table, dict(item))
        for table in (RECORDS, ANALYTICS)
        for item in at.items(table)
        if (table, item) not in own
    ]


# ------------------------------------------------------------------ what is left


def test_only_a_bare_mark_is_left_and_nothing_of_others_is_touched() -> None:
    at = Deployment()
    organisation = filled(at, "acme")
    for handle in ("acme2", "acm", "x"):  # whose keys begin alike, or do not
        filled(at, handle)
    others = everything_of_others(at, organisation)
    assert len(others) > 100
    deletion = delete(at, "acme")
    assert_only_the_mark_is_left(at, organisation)
    assert everything_of_others(at, organisation) == others
    assert deletion.removed["facts"] == 13
    assert deletion.removed["tokens"] == 2
    assert deletion.removed["audits and states"] == 3
    assert deletion.removed["pages and rollups"] > 15
    assert [each.handle for each in administer(at).organisations()] == ["acm", "acme2", "x"]


def test_what_the_stream_still_brings_is_skipped_and_not_quarantined() -> None:
    at = Deployment()
    organisation = filled(at, "acme")
    at.put(organisation, call("undelivered"))
    late = list(at.stream)
    delete(at, "acme")
    at.drain()
    at.stream = late * 2
    at.drain()
    assert at.quarantine.kept == []
    assert_only_the_mark_is_left(at, organisation)


def test_the_handle_may_be_taken_again_and_its_new_owner_starts_empty() -> None:
    at = Deployment()
    first = filled(at, "acme")
    delete(at, "acme")
    second = administer(at).create_organisation("acme", "Another")
    assert sorted(item["SK"]["S"] for _, item in of(at, second)) == ["HANDLE", "ORG"]
    at.put(second, call("1"))
    at.drain()
    assert len(at.rollups()) == 2
    [again] = administer(at).organisations()
    assert again.id == second.id
    at.deletes(at.deletes.find(None, first.id), wait_seconds=0)
    assert at.directory.org_id_of_handle("acme") == second.id


def test_epochs_that_a_rebuild_left_behind_go_too() -> None:
    at = Deployment()
    organisation = filled(at, "acme")
    at.write_epochs(organisation, 30, live=30)
    at.put(organisation, call("new"))
    at.drain()
    at.write_epochs(organisation, 1, live=1)  # it was given up
    at.stream = []
    delete(at, "acme")
    assert_only_the_mark_is_left(at, organisation)


@pytest.mark.parametrize("buckets", [1, MAX_BUCKETS])
def test_every_bucket_is_swept(buckets: int) -> None:
    at = Deployment()
    organisation = filled(at, "acme", buckets)
    delete(at, "acme")
    assert_only_the_mark_is_left(at, organisation)
    with tenant(organisation.id):
        at.facts.write(organisation.id, 16, None, _change("stray"))
    at.deletes(at.deletes.find(None, organisation.id), wait_seconds=0)
    assert_only_the_mark_is_left(at, organisation)


def test_a_fact_in_a_bucket_that_it_does_not_have_goes_too() -> None:
    at = Deployment()
    organisation = filled(at, "acme", 1)
    with tenant(organisation.id):
        at.facts.write(organisation.id, 16, None, _change("stray"))
    delete(at, "acme")
    assert_only_the_mark_is_left(at, organisation)


def _change(fact_id: str) -> Any:
    from tests.support.parsing import parsed

    return parsed(call(fact_id))


# ------------------------------------------------------------------ who may still come in


def test_once_marked_no_caller_comes_in() -> None:
    at = Deployment()
    organisation = filled(at, "acme")
    token = administer(at).issue_token("acme", ["read"])
    authorize = Authorize(at.directory, at.now_ms)
    header = f"Bearer {token.text}"
    assert authorize(header).organisation.id == organisation.id
    at.directory.mark_deleting(organisation.id, at.now_ms())
    with pytest.raises(CredentialsRefused):
        authorize(header)
    with pytest.raises(UnknownOrganisation):
        at.put(organisation, call("1"))
    with pytest.raises(InvalidOperation):
        administer(at).issue_token("acme", ["read"])
    with pytest.raises(InvalidOperation):
        administer(at).create_organisation("acme", "Another")
    read = at.directory.organisation(organisation.id)
    assert read is not None
    with pytest.raises(Conflict):
        at.directory.change_epochs(read, read)
    before = list(at.items(ANALYTICS))
    with tenant(organisation.id):
        at.facts.write(organisation.id, organisation.buckets, None, _change("1"))
    at.drain()
    assert (list(at.items(ANALYTICS)), at.quarantine.kept) == (before, [])


def test_what_was_under_way_is_swept_when_it_must_have_ended() -> None:
    """A warm ingest function behind a warm authorizer, and an update that had begun."""
    at = Deployment()
    organisation = filled(at, "acme")
    with ThreadPoolExecutor(1) as executor:
        ingest = Ingest(at.directory, at.facts, executor, at.now_us)
        with tenant(organisation.id):
            ingest(organisation.id, [(0, _change("warm"))])
        read = at.directory.organisation(organisation.id)
        assert read is not None
        moments = []

        def sleep(seconds: float) -> None:
            at.sleep(seconds)
            moments.append(len(of(at, organisation)))
            if len(moments) <= 3:
                with tenant(organisation.id):
                    ingest(organisation.id, [(0, _change(f"straggler {len(moments)}"))])
                facts = at.facts.read(organisation.id, 2, [("call", f"straggler {len(moments)}")])
                at.apply_facts(read, facts.values())
                administer_token(at, organisation)

        deletes = DeleteOrganisation(at.directory, at.purge, at.mentions, at.now_ms, sleep)
        with tenant(organisation.id):
            deletes(deletes.find("acme", None))
    # The item itself and its handle, in every pause.
    assert moments == [2] * len(moments)
    assert len(moments) == 4
    at.drain()
    assert_only_the_mark_is_left(at, organisation)


def administer_token(at: Deployment, organisation: Organisation) -> None:
    from rollcall.domain.organisations import Token, new_token, token_id

    at.directory.put_token(Token(token_id(new_token()), organisation.id, ("read",), 1))


def test_a_writer_that_never_stops_is_reported() -> None:
    at = Deployment()
    organisation = filled(at, "acme")

    def sleep(seconds: float) -> None:
        at.sleep(seconds)
        administer_token(at, organisation)

    deletes = DeleteOrganisation(at.directory, at.purge, at.mentions, at.now_ms, sleep)
    with pytest.raises(InvalidOperation, match="keeps writing"):
        deletes(deletes.find("acme", None))
    assert at.directory.org_id_of_handle("acme") == organisation.id


def test_it_waits_from_the_mark_on_and_a_resumed_one_for_the_rest() -> None:
    at = Deployment()
    organisation = filled(at, "acme")
    marked_ms = at.now_ms()
    at.directory.mark_deleting(organisation.id, marked_ms)
    at.seconds += 400
    begun_ms = at.now_ms()
    shown: list[float] = []
    delete(at, "acme", show=lambda progress: shown.append(progress.waiting_seconds))
    waited = at.slept[0]
    assert MAX_WRITE_SECONDS - 460 < waited < MAX_WRITE_SECONDS - 400
    assert begun_ms + waited * 1000 <= marked_ms + MAX_WRITE_SECONDS * 1000
    assert waited in shown
    at.slept.clear()
    at.deletes(at.deletes.find(None, organisation.id))
    assert at.slept == []


# ------------------------------------------------------------------ broken off


def small() -> tuple[Deployment, Organisation]:
    at = Deployment()
    organisation = at.organisation("acme", buckets=1)
    at.put(organisation, call("1"))
    at.drain()
    administer(at).issue_token("acme", ["read"])
    at.organisation("other")
    return at, organisation


@pytest.mark.slow
@pytest.mark.parametrize("is_made", [False, True], ids=["before", "after"])
def test_broken_off_at_any_request_and_done_again(is_made: bool) -> None:
    for moment in range(10_000):
        at, organisation = small()
        others = everything_of_others(at, organisation)
        has_died = kill_at(at.client, moment, is_made=is_made)
        with contextlib.suppress(Killed):
            delete(at, "acme", wait_seconds=5)
        stop_killing(at.client)
        # By the handle as long as that is there, and by the id always.
        is_there = at.directory.org_id_of_handle("acme") is not None
        if is_there:
            delete(at, "acme", wait_seconds=5)
        elif moment % 2:
            at.deletes(at.deletes.find(None, organisation.id), wait_seconds=5)
        assert_only_the_mark_is_left(at, organisation)
        assert everything_of_others(at, organisation) == others
        with pytest.raises(InvalidOperation):
            at.deletes.find("acme", None)
        if not has_died():
            break
    assert moment > 60


def test_a_mark_keeps_its_moment() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.directory.mark_deleting(organisation.id, 7)
    at.directory.mark_deleting(organisation.id, 8)
    read = at.directory.organisation(organisation.id)
    assert read is not None
    assert (read.deleting_since_ms, read.is_deleting, read.is_deleted) == (7, True, False)
    assert [each.handle for each in at.directory.organisations()] == ["acme"]


def test_an_organisation_that_never_was() -> None:
    at = Deployment()
    at.organisation()
    with pytest.raises(InvalidOperation, match="no organisation has"):
        at.deletes.find("unknown", None)
    with pytest.raises(InvalidOperation, match="there is no organisation"):
        at.deletes.find(None, "unknown")
    with pytest.raises(InvalidOperation, match="is the handle of"):
        at.deletes.find("acme", "unknown")
    with pytest.raises(Conflict):
        at.directory.mark_deleting("unknown", 1)


def test_an_index_that_lags_behind_lists_no_bare_mark() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.organisation("other")
    at.store.lag_behind(Random(1))
    delete(at, "acme", wait_seconds=0)
    for _ in range(20):
        listed = [each.handle for each in at.directory.organisations()]
        assert set(listed) <= {"other"}
    read = at.directory.organisation(organisation.id)
    assert read is not None
    assert (read.is_deleted, read.buckets, read.written) == (True, MAX_BUCKETS, ())


# ------------------------------------------------------------------ on a real engine


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["moto", DYNAMODB_LOCAL])
def test_on_an_engine(engine: str, client_of: Callable[[str], Any]) -> None:
    at = Deployment(client_of(engine))
    handles = [f"{name}{uuid.uuid4().hex}" for name in ("a", "b")]
    organisations = [at.organisation(handle) for handle in handles]
    for organisation in organisations:
        at.put(organisation, full_call("1"), lead("l"), *(call(str(n)) for n in range(40, 90)))
        with tenant(organisation.id):
            wanted = [("call", "1"), ("lead", "l"), ("call", "41")]
            facts = at.facts.read(organisation.id, organisation.buckets, wanted)
        at.apply_facts(organisation, facts.values())
        administer(at).issue_token(organisation.handle, ["read"])

    def look() -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for table in (RECORDS, ANALYTICS):
            for item in scan(at.client, table):
                for handle in handles:
                    if handle in repr(item):
                        found.setdefault(handle, []).append(sorted(item.items(), key=repr))
        return found

    before = look()
    assert all(len(items) > 50 for items in before.values())
    deletion = delete(at, handles[0], wait_seconds=0)
    assert deletion.removed["facts"] == 52
    after = look()
    assert len(after[handles[0]]) == 1
    assert sorted(map(repr, after[handles[1]])) == sorted(map(repr, before[handles[1]]))
    assert [each.handle for each in at.directory.organisations() if each.handle in handles] == [
        handles[1]
    ]
    delete_again = at.deletes(at.deletes.find(None, organisations[0].id), wait_seconds=0)
    assert delete_again.removed == dict.fromkeys(delete_again.removed, 0)
    assert administer(at).create_organisation(handles[0], "Again").handle == handles[0]
