"""The comparison of rollups at moments that are hard to hit: what is torn or moves is no drift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rollcall import bootstrap
from rollcall.domain.organisations import Organisation
from rollcall.ledger import rollups
from rollcall.maintenance import audits
from rollcall.storage import keys
from rollcall.storage.accounts import item_of_organisation
from rollcall.storage.fact_items import item_of_fact
from tests.support.builders import call
from tests.support.drift import ANALYTICS, RECORDS, Item
from tests.support.reconciling import Stored, add, organisation, reconcile, stored
from tests.support.rollup_items import marks_of
from tests.support.versions import versions_of

pytestmark = pytest.mark.property


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
    monkeypatch.setattr(rollups, "BREAKDOWN_LIMIT_BYTES", 30)
    with stored(page_target_bytes=1) as tables:
        made = empty_organisation(tables)
        # The page of call 10 is one of its own, and its rollups are left to the others.
        add(tables, made, [*_calls(1, 2, 10), *_deletions(10)])
        marks = [item for item in tables.all(ANALYTICS) if "o" in marks_of(item)]
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
                assert not [item for item in tables.all(ANALYTICS) if "o" in marks_of(item)]
            return send()

        tables.client.around = around
        add(tables, made, [_calls(11)[0] | {"outcome": "x"}])
        assert not is_first
        assert tables.violations(made) == []


@pytest.mark.slow
def test_what_a_transaction_shows_item_by_item_is_no_drift() -> None:
    """Reads are committed, but no snapshot: one item of a transaction is seen before another."""
    for seed in range(3):
        with stored() as tables:
            made = organisation(tables, seed)
            older = tables.store.snapshot(ANALYTICS)
            tables.now_ms += 1_000
            add(tables, made, _calls(1, 2, 3, 4))
            newer = tables.store.snapshot(ANALYTICS)
            half = {p: (older.get(p, {}) if "#ROLLUP#" in p[1] else i) for p, i in newer.items()}
            tables.store.restore({p: i for p, i in half.items() if i}, ANALYTICS)

            def sleep(seconds: float, tables: Any = tables, newer: Any = newer) -> None:
                tables.sleep(seconds)
                tables.store.restore(newer, ANALYTICS)

            bootstrap.time.sleep = sleep  # type: ignore[assignment]
            audit = reconcile(made, is_repairing=True, grace_seconds=0)
            assert (audit.drift, audit.unsettled) == ({}, 0), (seed, audit)
            assert tables.violations(made) == [], seed


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
