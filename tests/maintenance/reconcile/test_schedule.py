"""The scheduled audits: who is visited, in which order, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall import retry as backoff
from rollcall.domain.errors import Conflict, CorruptItem, Unavailable
from rollcall.domain.organisations import Organisation
from rollcall.lambdas.schedule import log_visits
from rollcall.maintenance.audits import Audit
from rollcall.maintenance.reconcile.schedule import Outcome, ReconcileDue, Visit
from rollcall.retry import MAX_REQUEST_SECONDS, seconds_left, time_limit
from rollcall.settings import BadSetting, Settings

HOUR_MS = 3_600_000
NOW_MS = 1_000 * HOUR_MS
EVERY_HOURS = 24


def organisation(org_id: str, **fields: Any) -> Organisation:
    return Organisation(org_id, org_id, org_id, 0, **fields)


def audit(hours_ago: float, **fields: Any) -> Audit:
    at_ms = NOW_MS - int(hours_ago * HOUR_MS)
    return replace(Audit("run", at_ms, at_ms, at_ms), **fields)


def unfinished(hours_ago: float) -> Audit:
    return audit(hours_ago, finished_at_ms=None, cursor="x")


class Audits:
    """Stored audits by organisation; an error in their place is raised."""

    def __init__(self, stored: dict[str, Any]) -> None:
        self.stored = stored

    def both(self, org_id: str) -> tuple[Audit | None, Audit | None]:
        found = self.stored.get(org_id, (None, None))
        if isinstance(found, Exception):
            raise found
        return found

    def last(self, org_id: str) -> Audit | None: ...
    def running(self, org_id: str) -> Audit | None: ...
    def begin(self, org_id: str, audit: Audit, replacing: Audit | None) -> None: ...
    def save(self, org_id: str, audit: Audit) -> None: ...
    def finish(self, org_id: str, audit: Audit) -> None: ...


class Directory:
    def __init__(self, organisations: Sequence[Organisation]) -> None:
        self.known = organisations

    def organisations(self) -> Iterator[Organisation]:
        yield from self.known


class Clock:
    """`rollcall.retry`'s clock, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 5_000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(backoff, "time", clock)
    return clock


class Reconcile:
    """Runs that take a while by the clock, or fail; remembers how long each was given."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock
        self.seconds: dict[str, float] = {}
        self.errors: dict[str, Exception] = {}
        self.given: list[tuple[str, float]] = []
        self.repairing: set[bool] = set()
        self.result = audit(0)

    def __call__(
        self,
        organisation: Organisation,
        *,
        is_repairing: bool,
        show: Callable[[Audit], None] | None = None,
        restart: bool = False,
    ) -> Audit:
        assert show is not None
        assert not restart
        self.given.append((organisation.id, seconds_left()))
        self.repairing.add(is_repairing)
        show(replace(self.result, finished_at_ms=None, facts=1))
        if organisation.id in self.errors:
            raise self.errors[organisation.id]
        takes = self.seconds.get(organisation.id, 0.0)
        if self.clock is not None:
            self.clock.seconds += min(takes, seconds_left())
        if takes > 0 and seconds_left() <= 0:
            raise Unavailable("out of time")
        return self.result


def reconcile_due(
    stored: dict[str, Any], reconcile: Reconcile, organisations: Sequence[Organisation] = ()
) -> ReconcileDue:
    directory = Directory(organisations or [organisation(org_id) for org_id in stored])
    return ReconcileDue(
        directory,
        Audits(stored),
        reconcile,
        lambda: NOW_MS,
        every_hours=EVERY_HOURS,
        is_repairing=False,
    )


def outcomes(visits: Sequence[Visit]) -> list[tuple[str, str]]:
    return [(visit.org_id, visit.outcome.value) for visit in visits]


# ------------------------------------------------------------------ who, and in which order


def test_unfinished_runs_come_first_then_the_oldest_audits() -> None:
    stored = {
        "fresh": (audit(23.99), None),
        "old": (audit(30), None),
        "never": (None, None),
        "older": (audit(500), None),
        "half": (audit(1), unfinished(2)),
        "exactly": (audit(24), None),
        "half, waiting longer": (None, unfinished(3)),
    }
    reconcile = Reconcile()
    visits = list(reconcile_due(stored, reconcile)())
    order = ["half, waiting longer", "half", "never", "older", "old", "exactly"]
    assert outcomes(visits) == [(org_id, "finished") for org_id in order]
    assert [org_id for org_id, _ in reconcile.given] == order
    assert reconcile.repairing == {False}


def test_what_is_being_deleted_is_left_alone() -> None:
    known = [organisation("going", is_deleting=True), organisation("staying")]
    reconcile = Reconcile()
    stored = {"going": CorruptItem("not even read")}
    assert outcomes(list(reconcile_due(stored, reconcile, known)())) == [("staying", "finished")]


def test_no_organisation_is_due() -> None:
    stored = {"a": (audit(0), None), "b": (audit(23), None)}
    assert list(reconcile_due(stored, Reconcile())()) == []


AGES = st.none() | st.floats(0, 100, allow_nan=False)


@given(st.lists(st.tuples(AGES, AGES), max_size=12))
def test_everyone_who_is_due_is_visited_once(ages: list[tuple[float | None, float | None]]) -> None:
    stored = {
        f"org {number}": (
            None if last is None else audit(last),
            None if running is None else unfinished(running),
        )
        for number, (last, running) in enumerate(ages)
    }
    due = {
        org_id
        for org_id, (last, running) in stored.items()
        if running is not None
        or last is None
        or NOW_MS - (last.finished_at_ms or 0) >= EVERY_HOURS * HOUR_MS
    }
    visits = list(reconcile_due(stored, Reconcile())())
    assert sorted(visit.org_id for visit in visits) == sorted(due)
    were_unfinished = [stored[visit.org_id][1] is not None for visit in visits]
    assert were_unfinished == sorted(were_unfinished, reverse=True)


# ------------------------------------------------------------------ failures


@pytest.mark.parametrize(
    "error", [CorruptItem("an item"), KeyError("a defect"), Unavailable("busy")], ids=repr
)
def test_one_failure_keeps_no_organisation_from_being_visited(error: Exception) -> None:
    stored = {"a": (None, None), "b": error, "c": (None, None), "d": (None, None)}
    reconcile = Reconcile()
    reconcile.errors = {"c": error}
    visits = list(reconcile_due(stored, reconcile)())
    assert sorted(outcomes(visits)) == [
        ("a", "finished"),
        ("b", "failed"),
        ("c", "failed"),
        ("d", "finished"),
    ]
    failed = {visit.org_id: visit for visit in visits if visit.outcome is Outcome.FAILED}
    assert (failed["b"].error, failed["c"].error) == (error, error)
    assert failed["b"].audit is None
    assert failed["c"].audit is not None
    assert failed["c"].audit.facts == 1


def test_a_run_that_another_took_over_is_no_failure() -> None:
    reconcile = Reconcile()
    reconcile.errors = {"a": Conflict("another run")}
    visits = list(reconcile_due({"a": (None, None), "b": (None, None)}, reconcile)())
    assert outcomes(visits) == [("a", "taken over"), ("b", "finished")]
    assert set(log_visits(visits).values()) == {0, 1}


def test_a_failure_to_list_organisations_is_not_swallowed() -> None:
    class Broken(Directory):
        def organisations(self) -> Iterator[Organisation]:
            yield self.known[0]
            raise Unavailable("the index")

    due = ReconcileDue(
        Broken([organisation("a")]),
        Audits({}),
        Reconcile(),
        lambda: NOW_MS,
        every_hours=1,
        is_repairing=True,
    )
    with pytest.raises(Unavailable):
        list(due())


# ------------------------------------------------------------------ time


def test_while_others_wait_one_gets_half_of_the_time(clock: Clock) -> None:
    reconcile = Reconcile(clock)
    reconcile.seconds = {"a": 10_000, "b": 10, "c": 10_000}
    with time_limit(800 + MAX_REQUEST_SECONDS):
        visits = list(reconcile_due(dict.fromkeys("abc", (None, None)), reconcile)())
    assert outcomes(visits) == [("a", "unfinished"), ("b", "finished"), ("c", "unfinished")]
    assert reconcile.given == [("a", 400), ("b", 200), ("c", 390)]
    for visit in visits:
        assert visit.audit is not None


def test_nothing_begins_when_the_time_is_nearly_used_up(clock: Clock) -> None:
    reconcile = Reconcile(clock)
    reconcile.seconds = dict.fromkeys("abcdefgh", 10_000)
    with time_limit(100 + MAX_REQUEST_SECONDS):
        visits = list(reconcile_due(dict.fromkeys("abcdefgh", (None, None)), reconcile)())
        assert seconds_left() > 0
    assert outcomes(visits) == [
        *((org_id, "unfinished") for org_id in "abcde"),
        *((org_id, "waiting") for org_id in "fgh"),
    ]
    assert [seconds for _, seconds in reconcile.given] == [50, 25, 12.5, 6.25, 5]


def test_a_busy_store_is_a_failure_while_there_is_time(clock: Clock) -> None:
    reconcile = Reconcile(clock)
    reconcile.errors = {"a": Unavailable("failed after 12 tries")}
    with time_limit(100):
        [visit] = reconcile_due({"a": (None, None)}, reconcile)()
    assert visit.outcome is Outcome.FAILED
    with time_limit(MAX_REQUEST_SECONDS + 6):
        clock.seconds += 0.5
        [visit] = reconcile_due({"a": (None, None)}, reconcile)()
    assert visit.outcome is Outcome.FAILED


def test_the_time_of_one_never_passes_that_of_all(clock: Clock) -> None:
    reconcile = Reconcile(clock)
    with time_limit(60):
        left = seconds_left()
        list(reconcile_due(dict.fromkeys("ab", (None, None)), reconcile)())
        assert seconds_left() == left
    assert reconcile.given == [("a", left / 2), ("b", left)]


# ------------------------------------------------------------------ settings


def test_settings_of_the_schedule() -> None:
    assert (Settings().reconcile_every_hours, Settings().reconcile_repairs) == (24, False)
    reported = Settings.from_environment(
        {"ROLLCALL_RECONCILE_EVERY_HOURS": "6", "ROLLCALL_RECONCILE_REPAIRS": "true"}
    )
    assert (reported.reconcile_every_hours, reported.reconcile_repairs) == (6, True)
    for name, value in [("EVERY_HOURS", "0"), ("EVERY_HOURS", "1.5"), ("REPAIRS", "True")]:
        with pytest.raises(BadSetting, match=f"ROLLCALL_RECONCILE_{name}"):
            Settings.from_environment({f"ROLLCALL_RECONCILE_{name}": value})
