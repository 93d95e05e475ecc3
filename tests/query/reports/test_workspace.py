"""The report of a workspace: live rooms and pages by their events, and days in order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.facts import Fact
from rollcall.domain.ids import IntegerId
from rollcall.domain.measures import (
    ALL,
    KNOWN,
    WORKSPACE,
    Rollup,
    RollupKey,
    per_type,
    workspace_scope,
)
from rollcall.domain.organisations import Organisation
from rollcall.domain.records import ContactEvent, Room
from rollcall.domain.time.calendar import MS_PER_DAY, day_text
from rollcall.ledger.page import Row, Rows
from rollcall.query.filtering import Selected
from rollcall.query.grouping import GroupBuilder, GroupedRows
from rollcall.query.model import Aggregation
from rollcall.query.reports.workspace import DAYS, TOP, ReportWorkspace, WorkspaceReport
from tests.support.reading import MemoryFacts, MemoryRollups, lookup, reading
from tests.support.selections import selection

SCOPE = workspace_scope("w")
LIFETIME = RollupKey(WORKSPACE, SCOPE, ALL)
EVENTS = RollupKey(per_type(WORKSPACE, "contact_event"), SCOPE, ALL)
TODAY = 20_000
MADE = Organisation("org", "h", "n", 0, buckets=3)


def room(
    id: str, workspace_id: str = "w", *, is_integer: bool = False, is_live: bool = True
) -> Fact:
    record = Room(workspace_id, 1, f"room {id}") if is_live else None
    return Fact("room", IntegerId(id) if is_integer else id, 1, 1, 1, record)


def report(
    facts: MemoryFacts, engine: Any = None, **stored: Any
) -> tuple[WorkspaceReport | None, MemoryRollups]:
    """The report of a known workspace; `lifetime`, `open_` and `days` are its rollups."""
    rollups = MemoryRollups(
        {
            RollupKey(per_type(KNOWN, "room"), SCOPE, ALL): Rollup({"facts": 1}),
            # Epochs of the first contribution version have one lifetime for all types.
            LIFETIME: Rollup(stored.get("lifetime", {})),
            EVENTS: stored.get("open_", Rollup({})),
            **{
                RollupKey(family, SCOPE, day_text(day)): Rollup(measures)
                for family in (per_type(WORKSPACE, "contact"), EVENTS.family)
                for day, measures in stored.get("days", {}).items()
            },
        }
    )
    make = ReportWorkspace(rollups, engine, lookup(facts), lambda: TODAY * MS_PER_DAY + 5)
    return make(reading(), "w"), rollups


@pytest.mark.property
@given(
    st.dictionaries(st.integers(0, 40), st.integers(1, 9), max_size=30),
    st.sets(st.integers(0, 40)),
    st.sets(st.integers(0, 40)),
)
def test_the_rooms_with_the_most_joins_are_shown_if_they_are_live_and_of_the_workspace(
    joins: dict[int, int], deleted: set[int], elsewhere: set[int]
) -> None:
    facts = MemoryFacts(
        *(
            room(f"{n}", "other" if n in elsewhere else "w", is_live=n not in deleted)
            for n in range(0, 40, 2)
        ),
        organisation=MADE,
    )
    open_ = Rollup({f"r={n}": count for n, count in joins.items()} | {"r": 99})
    found, _ = report(facts, open_=open_, lifetime={"rooms": 40})
    assert found is not None
    live = {n for n in joins if n % 2 == 0 and n < 40} - deleted - elsewhere
    ranked = sorted(live, key=lambda n: (-joins[n], str(n)))[:TOP]
    assert [(counted.id, counted.count) for counted in found.rooms] == [
        (f"{n}", joins[n]) for n in ranked
    ]


def test_an_id_has_the_type_that_was_sent() -> None:
    facts = MemoryFacts(room("7", is_integer=True), room("8"), organisation=MADE)
    found, _ = report(facts, open_=Rollup({"r=7": 2, "r=8": 1}), lifetime={"rooms": 2})
    assert found is not None
    assert [counted.id for counted in found.rooms] == [7, "8"]


def test_no_more_rooms_are_looked_for_than_there_are() -> None:
    facts = MemoryFacts(room("1"), organisation=MADE)
    joins = {f"r={n}": 9 - n for n in range(9)}
    found, _ = report(facts, open_=Rollup(joins), lifetime={"rooms": 0})
    assert found is not None
    assert (found.rooms, facts.looked_up) == ([], [])


def test_the_last_days_are_read_in_order() -> None:
    days = {
        TODAY - DAYS: {"bookings": 1},
        TODAY - DAYS + 1: {"contacts": 2},
        TODAY: {"bookings": 3},
    }
    found, _ = report(MemoryFacts(organisation=MADE), days=days, lifetime={"bookings": 9})
    assert found is not None
    # Twice, because two types have the same here.
    assert found.days == {TODAY - DAYS + 1: {"contacts": 4}, TODAY: {"bookings": 6}}
    assert found.lifetime == {"bookings": 9}


@pytest.mark.parametrize(
    ("spilled", "event_types"),
    [("er", {"booking": 1, "room_join": 2, "x": 1}), ("r", {"booking": 9})],
)
def test_spilled_breakdowns_are_counted_in_the_ledger_in_one_reading(
    spilled: str, event_types: dict[str, int]
) -> None:
    events = [
        ("booking", None, "p"),
        ("room_join", "2", "p"),
        ("room_join", "2", None),
        ("x", "3", None),
    ]

    class Engine:
        def aggregate(self, _reading: Any, asked: Aggregation) -> GroupedRows:
            assert asked.selection == selection("contact_event", workspace_id="w")
            builder = GroupBuilder(asked)
            builder.add_rows([selected(events)])
            return builder.groups()

    open_ = Rollup({"b=q": 7, "e=booking": 9}, frozenset(spilled))
    facts = MemoryFacts(room("2"), organisation=MADE)
    found, _ = report(facts, Engine, open_=open_, lifetime={"rooms": 1})
    assert found is not None
    assert found.event_types == event_types
    assert [(counted.id, counted.count) for counted in found.rooms] == [("2", 2)]


def event(at_ms: int, event_type: str, room_id: str | None, page_id: str | None) -> ContactEvent:
    return ContactEvent(
        workspace_id="w",
        event_type=event_type,
        occurred_at_ms=at_ms,
        room_id=room_id,
        booking_page_id=page_id,
    )


def selected(events: list[tuple[str, str | None, str | None]]) -> Selected:
    rows = [
        Row(f"{n}", 1, n, event(n, type, room, page)) for n, (type, room, page) in enumerate(events)
    ]
    return Selected(Rows.empty("contact_event").with_rows({}, rows), None)


@pytest.mark.parametrize("workspace_id", ["", "x" * 129, "unknown"])
def test_a_workspace_that_no_live_fact_names_is_unknown(workspace_id: str) -> None:
    facts: Any = MemoryFacts(organisation=MADE)
    unused: Any = None
    make = ReportWorkspace(MemoryRollups({}), unused, lookup(facts), lambda: 0)
    assert make(reading(), workspace_id) is None
