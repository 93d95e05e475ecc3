"""Nexus's body out of the report of a workspace."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.dialects import nexus
from rollcall.domain.records import BookingPage, Room
from rollcall.domain.time.calendar import day_text
from rollcall.query.reports.workspace import Counted, WorkspaceReport

counts = st.integers(0, 9)
of_day = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("bookings", "room_joins", "contacts"), counts)
)


def body(**fields: Any) -> nexus.WorkspaceAnalytics:
    nothing: dict[str, Any] = {
        "lifetime": {}, "event_types": {}, "rooms": [], "pages": [], "days": {},
    }  # fmt: skip
    return nexus.analytics_body(WorkspaceReport(**nothing | fields))


@pytest.mark.property
@given(st.dictionaries(st.integers(0, 20_000), of_day, max_size=6))
def test_days_come_in_order_and_days_without_a_count_are_left_out(days: Any) -> None:
    days = dict(sorted(days.items()))
    found = body(days=days)
    assert [day["date"] for day in found["activityTimeline"]] == [
        day_text(n) for n, m in days.items() if m.get("bookings", 0) + m.get("room_joins", 0)
    ]
    for day in found["activityTimeline"]:
        (measures,) = [m for n, m in days.items() if day_text(n) == day["date"]]
        assert day["bookings"] == measures.get("bookings", 0)
        assert day["room_joins"] == measures.get("room_joins", 0)
    assert found["newContactsTimeline"] == [
        {"date": day_text(n), "count": m["contacts"]} for n, m in days.items() if m.get("contacts")
    ]


@pytest.mark.property
@given(st.dictionaries(st.text(max_size=3), st.integers(1, 4), max_size=6))
def test_event_types_are_ordered_by_count_then_by_code_point(event_types: dict[str, int]) -> None:
    found = [
        (row["type"], row["count"]) for row in body(event_types=event_types)["eventTypeBreakdown"]
    ]
    assert dict(found) == event_types
    assert found == sorted(found, key=lambda row: (-row[1], row[0]))


def test_lifetime_figures_are_zero_where_there_are_none() -> None:
    assert set(body()["kpis"].values()) == {0}
    lifetime = {"rooms": 1, "recordings": 2, "seconds": 3, "contacts": 4, "bookings": 5}
    assert body(lifetime=lifetime)["kpis"] == {
        "rooms": 1, "recordings": 2, "recordingDuration": 3, "contacts": 4, "bookings": 5,
    }  # fmt: skip


def test_rooms_and_pages_keep_their_order_and_the_type_of_their_id() -> None:
    room = Room("w", 1, "blue", None)
    page = BookingPage("w", "Intro", "intro")
    found = body(rooms=[Counted(7, room, 3), Counted("7", room, 2)], pages=[Counted("p", page, 1)])
    assert found["topRooms"] == [
        {"id": 7, "name": "blue", "display_name": None, "count": 3},
        {"id": "7", "name": "blue", "display_name": None, "count": 2},
    ]
    assert found["topBookingPages"] == [{"id": "p", "title": "Intro", "slug": "intro", "count": 1}]


def test_an_error_has_its_text_alone() -> None:
    assert nexus.error_body(403, nexus.FORBIDDEN) == {"error": "Forbidden"}
