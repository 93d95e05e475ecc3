"""The comparison of details: each that is missing or another's is reported, and none by mistake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rollcall import bootstrap
from rollcall.domain.errors import Unavailable
from rollcall.domain.organisations import Organisation, tenant
from rollcall.maintenance import audits
from rollcall.maintenance.audits import Difference
from rollcall.maintenance.reconcile import details
from rollcall.storage import keys
from rollcall.storage.detail_items import item_of_detail
from tests.support.builders import call, deletion
from tests.support.drift import RECORDS
from tests.support.parsing import parsed
from tests.support.reconciling import Stored, organisation, reconcile, stored

IDS = [f"c{n}" for n in range(7)]


@pytest.fixture
def tables() -> Iterator[Stored]:
    with stored() as tables:
        yield tables


@pytest.fixture
def org(tables: Stored) -> Organisation:
    """An organisation with calls that have details, one of which a deleted call withholds."""
    made = organisation(tables, 3, count=5)
    for id in IDS:
        write(made, call(id, detail={"summary": f"of {id}"}, updated_at="2026-11-01T00:00:00Z"))
    write(made, call("plain"))
    # A merge outlives an older deletion that arrives later.
    write(made, call("withheld", updated_at="2026-11-01T00:00:00Z"))
    late = {"merge": True, "updated_at": "2026-11-03T00:00:00Z", "detail": {"summary": "late"}}
    write(made, {"type": "call", "id": "withheld", **late})
    write(made, deletion("call", "withheld", updated_at="2026-11-02T00:00:00Z"))
    return made


def write(org: Organisation, document: dict[str, Any]) -> None:
    store, change = bootstrap.facts(), parsed(document)
    with tenant(org.id):
        found = store.read(org.id, org.buckets, [(change.type, change.id)])
        stored_fact = found.get((change.type, change.id))
        _, fact = store.write(org.id, org.buckets, stored_fact, change)
    assert fact is not None
    if fact.has_position:
        bootstrap.apply_facts()(org, [fact])


def detail_key(org: Organisation, id: str) -> keys.Key:
    return keys.detail(keys.fact(org.id, "call", id, org.buckets))


def lose(tables: Stored, org: Organisation, id: str) -> None:
    tables.delete(RECORDS, dict(detail_key(org, id).attributes()))


def test_details_that_are_as_they_were_stored_are_no_drift(tables, org):
    assert reconcile(org, is_repairing=False, reads_details=True).is_exact
    assert tables.slept_seconds == 0


def test_each_detail_that_is_missing_or_another_is_reported(tables, org, monkeypatch):
    monkeypatch.setattr(details, "_DETAILS_AT_ONCE", 2)
    lose(tables, org, "c1")
    lose(tables, org, "withheld")
    other = item_of_detail(keys.fact(org.id, "call", "c3", org.buckets), '{"summary":"other"}')
    tables.put(RECORDS, other)
    damaged = {**dict(detail_key(org, "c5").attributes()), "hash": {"S": "x"}}
    tables.put(RECORDS, damaged)
    before = tables.everything()

    assert reconcile(org, is_repairing=False).is_exact
    for is_repairing in (False, True):
        found: list[Difference] = []
        audit = reconcile(org, is_repairing=is_repairing, reads_details=True, report=found.append)
        assert not audit.is_exact
        assert audit.drift[audits.DETAIL_MISSING] == 2
        assert audit.drift[audits.DETAIL_DIFFERS] == 2
        names = {(each.kind, each.name.split("'")[1]) for each in found}
        assert names == {
            ("detail_missing", "c1"),
            ("detail_missing", "withheld"),
            ("detail_differs", "c3"),
            ("detail_differs", "c5"),
        }
        assert not any(each.is_repaired for each in found)
        # An exact audit that read no detail says nothing of when they were right.
        assert {each.since_ms for each in found} == {org.created_at_ms}
    assert tables.everything() == before

    # The call sent again with its detail has it again.
    for id in ("c1", "c3", "c5"):
        write(org, call(id, detail={"summary": "new"}, updated_at="2026-11-20T00:00:00Z"))
    write(org, {"type": "call", "id": "withheld", "deleted": True})
    assert reconcile(org, is_repairing=False, reads_details=True).is_exact


@pytest.mark.parametrize("new", [{"detail": {"summary": "new"}}, {}])
def test_a_detail_that_changes_meanwhile_is_no_drift(tables, org, monkeypatch, new):
    store = bootstrap.facts()
    read, moments = store.detail_hashes, []

    def replacing(*arguments: Any) -> Any:
        if not moments:
            moments.append(0)
            write(org, call("c2", updated_at="2026-11-20T00:00:00Z", **new))
        return read(*arguments)

    monkeypatch.setattr(type(store), "detail_hashes", lambda _self, *given: replacing(*given))
    audit = reconcile(org, is_repairing=False, reads_details=True)
    assert moments
    assert audits.DETAIL_DIFFERS not in audit.drift
    assert audits.DETAIL_MISSING not in audit.drift


def test_a_detail_that_becomes_visible_after_its_fact_is_no_drift(tables, org, monkeypatch):
    key = detail_key(org, "c4")
    item = next(i for i in tables.all(RECORDS) if i["SK"]["S"] == key.sk)
    lose(tables, org, "c4")
    slept = tables.sleep

    def arriving(seconds: float) -> None:
        tables.put(RECORDS, item)
        slept(seconds)

    monkeypatch.setattr(tables, "sleep", arriving)
    monkeypatch.setattr(bootstrap.time, "sleep", arriving)
    bootstrap.reconcile.cache_clear()
    assert reconcile(org, is_repairing=False, reads_details=True).is_exact
    bootstrap.reconcile.cache_clear()


def test_a_call_that_keeps_changing_ends_the_run_for_now(tables, org, monkeypatch):
    store = bootstrap.facts()
    read, count = store.detail_hashes, iter(range(1_000))

    def losing(*arguments: Any) -> Any:
        when = f"2026-11-20T00:{next(count):02}:00Z"
        write(org, call("c2", updated_at=when, detail={"summary": when}))
        lose(tables, org, "c2")
        return read(*arguments)

    monkeypatch.setattr(type(store), "detail_hashes", lambda _self, *given: losing(*given))
    with pytest.raises(Unavailable, match="'c2' keeps changing"):
        reconcile(org, is_repairing=False, reads_details=True)


def test_a_run_with_details_is_resumed_only_with_them(tables, org, monkeypatch):
    lose(tables, org, "c1")
    for reads_details in (True, False):
        running = bootstrap.audits().both(org.id)[1]
        assert running is None
        monkeypatch.setattr(
            "rollcall.maintenance.reconcile.run.CompareRollups.__call__", interrupted
        )
        with pytest.raises(Unavailable):
            reconcile(org, is_repairing=False, reads_details=reads_details)
        monkeypatch.undo()
        audit = reconcile(org, is_repairing=False, reads_details=not reads_details)
        assert (audits.DETAIL_MISSING in audit.drift) is not reads_details


def interrupted(*_: object) -> None:
    raise Unavailable("no time is left")
