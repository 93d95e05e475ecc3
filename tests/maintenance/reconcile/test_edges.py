"""Reconcile against items that nothing of ours would write, and moments that are hard to hit."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from rollcall import bootstrap
from rollcall.domain.contributions import (
    CURRENT_VERSION,
    contribution_function,
    families_fed_by,
)
from rollcall.domain.errors import Unavailable
from rollcall.domain.organisations import Organisation
from rollcall.domain.records import RECORD_TYPES
from rollcall.ledger import transaction
from rollcall.maintenance import audits
from rollcall.storage import keys
from rollcall.storage.accounts import item_of_organisation
from rollcall.storage.fact_items import item_of_fact
from tests.support import drift
from tests.support.builders import call
from tests.support.drift import ANALYTICS, RECORDS, Item
from tests.support.generate import mixed_records
from tests.support.reconciling import Stored, add, organisation, reconcile, stored
from tests.support.versions import NOW_MS as STORED_MS
from tests.support.versions import versions_of

pytestmark = pytest.mark.property


SEEDS = range(int(os.environ.get("ROLLCALL_TEST_DRIFTS", "6")))
few_and_all = pytest.mark.parametrize(
    "seeds",
    [pytest.param(SEEDS[:3], id="few"), pytest.param(SEEDS, id="all", marks=pytest.mark.slow)],
)
DAY = re.compile(r"DAY#\d{4}-\d{2}-\d{2}")


def ill_formed(tables: Any, made: Any) -> list[str]:
    """What an item of the live epoch has otherwise than docs/data-model.md says, keys apart."""
    found = []
    prefix = f"ORG#{made.id}#E{made.live}#"
    for item in tables.all(ANALYTICS):
        pk, sk = item["PK"]["S"], item["SK"]["S"]
        assert pk.startswith(prefix)
        kind = pk.removeprefix(prefix).split("#")[0]
        listed = "PAGE#" if kind == "LEDGER" else f"{kind}#{sk}"
        marks = {name for name in item if name.startswith("spilled.")}
        is_right = (
            kind in ("LEDGER", "ROLLUP", "OPEN")
            and item.get("GSI1PK") == {"S": prefix}
            and item.get("GSI1SK") == {"S": listed}
            and int(item.get("v", {}).get("N", "0")) >= 1
            and "N" in item.get("applied_at", {})
            and (kind == "LEDGER" or sk == "ALL" or DAY.fullmatch(sk))
            and (kind == "OPEN" or not marks)
            and not any(f"spilled.{name[:1]}" in marks for name in item)
        )
        if not is_right:
            found.append(f"{pk} {sk} {sorted(item)}")
    return found


def _is_allowed(violation: str) -> bool:
    """A mark is one way, and a row that no fact can kill stays as a tombstone."""
    return "spilled without need" in violation or "a row twice" in violation


def test_a_lost_page_hides_only_what_its_rows_add_to() -> None:
    """Without a repair the contents of those rollups are unknown; all others are reported."""
    with stored() as tables:
        made = organisation(tables, 3)
        ledger = keys.ledger(made.id, made.live, "call")
        lost = [item for item in tables.all(ANALYTICS) if item["PK"]["S"] == ledger]
        assert len(lost) > 1
        for item in lost[1:]:
            tables.delete(ANALYTICS, item)
        wrong = 0
        for item in tables.all(ANALYTICS):
            pk = item["PK"]["S"]
            if any(f"#ROLLUP#{family}#" in pk for family in ("calls", "tasks", "leads")):
                count = next(n for n in ("calls", "tasks", "leads") if f"#ROLLUP#{n}#" in pk)
                raised = {"N": str(int(item.get(count, {"N": "0"})["N"]) + 2)}
                tables.put(ANALYTICS, {**item, count: raised})
                wrong += count != "calls"
        audit = reconcile(made, is_repairing=False)
        assert audit.drift[audits.PAGE_MISSING]
        assert audit.drift[audits.ROLLUP_DIFFERS] == wrong
        assert audit.unsettled
        assert reconcile(made, is_repairing=True).is_exact
        assert tables.violations(made) == []


@few_and_all
@pytest.mark.parametrize("plant", drift.ODD_PLANTS, ids=lambda plant: plant.__name__)
def test_items_that_nobody_writes_are_told_and_put_right(plant: Any, seeds: range) -> None:
    planted = 0
    with stored() as tables:
        for seed in seeds:
            tables.store.clear()
            made = organisation(tables, seed)
            assert not ill_formed(tables, made)
            expected = plant(drift.Planter(tables, made.id, made.live, Random(seed)))
            if expected is None:
                continue
            planted += 1
            before = tables.everything()
            reported = reconcile(made, is_repairing=False)
            assert reported.drift.keys() & expected, (seed, reported)
            assert not reported.is_exact
            assert tables.everything() == before, "a comparison wrote something"

            repaired = reconcile(made, is_repairing=True)
            assert repaired.drift.keys() & expected, (seed, repaired)
            assert repaired.is_exact, (seed, repaired)
            assert [v for v in tables.violations(made) if not _is_allowed(v)] == [], seed
            assert ill_formed(tables, made) == [], seed
            again = reconcile(made, is_repairing=False)
            assert (again.drift, again.unsettled) == ({}, 0), (seed, again)
    assert planted >= len(seeds) / 3


@few_and_all
@pytest.mark.parametrize("plant", drift.FACTS_TO_LOOK_AT, ids=lambda plant: plant.__name__)
def test_facts_in_a_wrong_place_are_told(plant: Any, seeds: range) -> None:
    with stored() as tables:
        for seed in seeds:
            tables.store.clear()
            made = organisation(tables, seed)
            assert plant(drift.Planter(tables, made.id, made.live, Random(seed)))
            for is_repairing in (False, True, False):
                reported = reconcile(made, is_repairing=is_repairing)
                assert reported.drift[audits.FACT_DAMAGED] == 1, (seed, reported)
                assert not reported.is_exact


# -- moments that are hard to hit ------------------------------------------------------------------
def _calls(*numbers: int) -> list[dict[str, Any]]:
    return [
        call(
            f"call {number}",
            started_at=f"2026-03-01T{number:02d}:00:00Z",
            updated_at="2026-06-01T00:00:00Z",
            outcome=f"an outcome of its own, {number}",
        )
        for number in numbers
    ]


def _deletions(*numbers: int) -> list[dict[str, Any]]:
    updated = "2026-07-01T00:00:00Z"
    return [
        {"type": "call", "id": f"call {number}", "deleted": True, "updated_at": updated}
        for number in numbers
    ]


def empty_organisation(tables: Any) -> Organisation:
    made = Organisation("org_empty", "empty", "Empty", 1)
    tables.put(RECORDS, item_of_organisation(keys.organisation(made.id), made))
    return made


def test_a_count_is_not_lost_with_a_mark_that_goes_meanwhile(monkeypatch: Any) -> None:
    """One writer leaves out what was spilled, while another removes all that was, and the mark."""
    monkeypatch.setattr(transaction, "OPEN_LIMIT_BYTES", transaction._OPEN_OVERHEAD_BYTES + 20)
    with stored(page_target_bytes=1) as tables:
        made = empty_organisation(tables)
        # The page of call 10 is one of its own, and its rollups are left to the others.
        add(tables, made, [*_calls(1, 2, 10), *_deletions(10)])
        marks = [item for item in tables.all(ANALYTICS) if "spilled.o" in item]
        assert marks
        history = [*_calls(1, 2, 10), *_deletions(10), *_deletions(1, 2)]
        last_ones = versions_of(history)[-2:]
        is_first = True

        def around(operation: str, send: Any) -> Any:
            nonlocal is_first
            if operation == "TransactWriteItems" and is_first:
                is_first = False
                for fact in last_ones:
                    key = keys.fact(made.id, fact.type, fact.id, made.buckets)
                    tables.put(RECORDS, item_of_fact(key, fact))
                bootstrap.apply_facts()(made, last_ones)
                assert not [item for item in tables.all(ANALYTICS) if "spilled.o" in item]
            return send()

        tables.client.around = around
        add(tables, made, [_calls(11)[0] | {"outcome": "x"}])
        assert not is_first
        assert tables.violations(made) == []


def test_what_a_transaction_shows_item_by_item_is_no_drift() -> None:
    """Reads are committed, but no snapshot: one item of a transaction is seen before another."""
    for torn in ("ROLLUP", "OPEN"):
        for seed in range(3):
            with stored() as tables:
                made = organisation(tables, seed)
                older = tables.store.snapshot(ANALYTICS)
                tables.now_ms += 1_000
                add(tables, made, _calls(1, 2, 3, 4))
                newer = tables.store.snapshot(ANALYTICS)
                half = {
                    p: (older.get(p, {}) if f"#{torn}#" in p[1] else i) for p, i in newer.items()
                }
                tables.store.restore({p: i for p, i in half.items() if i}, ANALYTICS)

                def sleep(seconds: float, tables: Any = tables, newer: Any = newer) -> None:
                    tables.sleep(seconds)
                    tables.store.restore(newer, ANALYTICS)

                bootstrap.time.sleep = sleep  # type: ignore[assignment]
                audit = reconcile(made, is_repairing=True, grace_seconds=0)
                assert (audit.drift, audit.unsettled) == ({}, 0), (torn, seed, audit)
                assert tables.violations(made) == [], (torn, seed)


class _Busy:
    """A client that changes a call whenever the organisation's rollup of some bucket was read.

    It ends when the organisation's days are read one after another, as they are where all time never
    rests. `while_days_are_read` runs after the first day of the next such reading.
    """

    def __init__(self, tables: Stored, made: Organisation, *buckets: str) -> None:
        self.tables, self.made, self.buckets = tables, made, buckets
        self.while_days_are_read: Callable[[], None] | None = None
        self.is_over = self._is_inside = False
        self._changes = 0
        self.put(_call_of(0, 1, "failed"), _call_of(1, 1, "failed"), _call_of(2, 2, "completed"))
        tables.store.limits.answer_bytes = 1
        tables.client.around = self.around

    def put(self, *records: dict[str, Any]) -> None:
        """Store records, each as a version of its own, and apply them at once."""
        self._changes += 1
        step = self._changes * 1_000
        versions = [replace(fact, rev=fact.rev + step) for fact in versions_of(records)]
        for fact in versions:
            key = keys.fact(self.made.id, fact.type, fact.id, self.made.buckets)
            self.tables.put(RECORDS, item_of_fact(key, fact))
        bootstrap.apply_facts()(self.made, versions)

    def around(self, operation: str, send: Any) -> Any:
        answer = send()
        if self._is_inside:
            return answer
        self._is_inside = True
        if operation == "BatchGetItem":
            found = [item for items in answer["Responses"].values() for item in items]
            if not self.is_over and any(map(self._is_watched, found)):
                status = ("failed", "completed")[self._changes % 2]
                self.put(_call_of(0, 1, status))
        elif operation == "Query" and _first_day(answer["Items"]) == "DAY#2026-03-01":
            if self.is_over and self.while_days_are_read is not None:
                self.while_days_are_read()
                self.while_days_are_read = None
            self.is_over = True
        self._is_inside = False
        return answer

    def _is_watched(self, item: Item) -> bool:
        return "#calls#ORG#" in item["PK"]["S"] and item["SK"]["S"] in self.buckets

    def stored(self, bucket: str) -> Item:
        """The closed rollup of the organisation's calls."""
        found = [i for i in self.tables.all(ANALYTICS) if i["SK"]["S"] == bucket]
        return next(i for i in found if "#ROLLUP#calls#ORG#" in i["PK"]["S"])


def _first_day(items: list[Item]) -> str:
    return items[0]["SK"]["S"] if items and "v" in items[0] else ""


def _call_of(number: int, day: int, status: str) -> dict[str, Any]:
    return call(f"call {number}", started_at=f"2026-03-{day:02d}T10:00:00Z", status=status)


def test_all_time_is_not_compared_with_days_of_two_moments() -> None:
    """One transaction takes from a day what it adds to another: all time stays as it was."""
    with stored() as tables:
        made = empty_organisation(tables)
        busy = _Busy(tables, made, "ALL")
        swapped = (_call_of(1, 1, "completed"), _call_of(2, 2, "failed"))
        busy.while_days_are_read = lambda: busy.put(*swapped)
        audit = reconcile(made, is_repairing=True)
        assert busy.while_days_are_read is None
        assert (audit.drift, tables.violations(made)) == ({}, [])


def test_all_time_is_wrong_where_two_looks_at_its_days_say_so() -> None:
    with stored() as tables:
        made = empty_organisation(tables)
        busy = _Busy(tables, made, "ALL")
        tables.put(ANALYTICS, busy.stored("ALL") | {"calls": {"N": "9"}})
        audit = reconcile(made, is_repairing=True)
        assert busy.is_over
        assert (audit.drift, audit.repaired) == ({audits.ROLLUP_DIFFERS: 1}, 1)
        assert tables.violations(made) == []


def test_a_day_that_never_rested_says_nothing_about_all_time() -> None:
    with stored() as tables:
        made = empty_organisation(tables)
        busy = _Busy(tables, made, "ALL", "DAY#2026-03-01")
        day = busy.stored("DAY#2026-03-01")
        tables.put(ANALYTICS, day | {"calls": {"N": "9"}})
        audit = reconcile(made, is_repairing=True)
        assert busy.stored("ALL")["calls"] == {"N": "3"}
        assert audit.unsettled
        assert not audit.is_exact


def test_what_is_pending_is_not_forgotten_when_time_runs_out() -> None:
    """A run that ends while it looks again leaves all that it has still to look at to the next."""
    with stored() as tables:
        made = organisation(tables, 3)
        tables.now_ms = STORED_MS + 5_000
        lost = [
            {
                "type": "task",
                "id": f"task {n}",
                "created_at": "2026-01-01T00:00:00Z",
                "status": "hold",
            }
            for n in range(5)
        ]
        add(tables, made, lost, is_lost=True)
        is_over = False

        def sleep(seconds: float) -> None:
            nonlocal is_over
            tables.sleep(seconds)
            is_over = True

        def around(operation: str, send: Any) -> Any:
            if is_over and operation != "PutItem":  # how far it came is saved
                raise Unavailable("out of time")
            return send()

        bootstrap.time.sleep = sleep  # type: ignore[assignment]
        tables.client.around = around
        with pytest.raises(Unavailable):
            reconcile(made, is_repairing=True, grace_seconds=60)
        is_over = False
        tables.client.around = lambda _operation, send: send()
        audit = reconcile(made, is_repairing=True, grace_seconds=60)
        assert audit.drift == {audits.ROW_MISSING: 5}
        assert tables.violations(made) == []


def test_an_item_of_another_organisation_is_told_and_left_alone() -> None:
    with stored() as tables:
        made, other = organisation(tables, 1), organisation(tables, 2)
        prefix = keys.epoch_prefix(other.id, other.live)
        item = next(i for i in tables.all(ANALYTICS) if i["PK"]["S"].startswith(prefix))
        listed = {"S": keys.epoch_prefix(made.id, made.live)}
        tables.put(ANALYTICS, item | {"GSI1PK": listed})
        for is_repairing in (False, True):
            audit = reconcile(made, is_repairing=is_repairing)
            assert (audit.drift_count, audit.repaired) == (1, 0)
        assert reconcile(other, is_repairing=True).repaired == 1
        for organisation_ in (made, other):
            assert reconcile(organisation_, is_repairing=False).drift == {}
            assert tables.violations(organisation_) == []


def test_rows_add_to_no_other_families_than_are_named() -> None:
    fed: dict[str, set[str]] = {name: set() for name in RECORD_TYPES}
    for fact in versions_of(mixed_records(4, 600, versions=(1, 1), deletes=0.0)):
        assert fact.record is not None
        contributed = contribution_function(CURRENT_VERSION)(fact.id, fact.record)
        fed[fact.type] |= {key.family for key, _ in contributed}
    assert fed == {name: set(families_fed_by(name)) for name in RECORD_TYPES}
