"""The oracle's Nexus answers against examples worked out by hand."""

from typing import Any

import pytest

from tests.support import oracle
from tests.support.builders import (
    booking_page,
    contact,
    contact_event,
    deletion,
    recording,
    room,
    workspace,
)
from tests.support.oracle import Oracle
from tests.support.oracle_nexus import nexus

NOW = oracle.instant("2024-03-30T12:00:00Z", "now")


def model_of(*records: Any) -> Oracle:
    model = Oracle()
    for record in records:
        assert model.post([record], NOW)[0] == 200
    return model


def answer(*records: Any, now: int = NOW, workspace_id: Any = "workspace-1") -> Any:
    status, body = nexus(model_of(*records), workspace_id, now)
    assert status == 200
    return body


def joins(room_id: Any, count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        contact_event(f"join {room_id!r} {number}", room_id=room_id, **more)
        for number in range(count)
    ]


def bookings(page_id: Any, count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        contact_event(
            f"booking {page_id!r} {number}",
            event_type="booking",
            booking_page_id=page_id,
            **more,
        )
        for number in range(count)
    ]


def test_an_empty_workspace() -> None:
    assert answer(workspace()) == {
        "kpis": {
            "rooms": 0,
            "recordings": 0,
            "recordingDuration": 0,
            "contacts": 0,
            "bookings": 0,
        },
        "activityTimeline": [],
        "eventTypeBreakdown": [],
        "topBookingPages": [],
        "newContactsTimeline": [],
        "topRooms": [],
    }


@pytest.mark.parametrize(
    ("records", "known"),
    [
        ([], False),
        ([workspace()], True),
        ([workspace(), deletion("workspace", "workspace-1")], False),
        ([contact()], True),
        ([contact(workspace_id="workspace-10")], False),
        ([contact(), deletion("contact", "contact-1")], False),
        ([contact_event(event_type="x")], True),
    ],
)
def test_known_workspaces(records: list[Any], known: bool) -> None:
    assert nexus(model_of(*records), "workspace-1", NOW)[0] == (200 if known else 403)
    assert nexus(model_of(*records), "workspace-1", NOW, has_query=True) == (
        (400, None) if known else (403, None)
    )


def test_figures_by_hand() -> None:
    body = answer(
        room("a"),
        room("b"),
        room("other", workspace_id="workspace-2"),
        recording("1", duration_seconds=2.5),
        recording("2", duration_seconds=10),
        recording("3"),
        recording("4", duration_seconds=99, workspace_id="workspace-2"),
        contact("1", created_at="2024-03-30T23:59:59.999Z"),
        contact("2", created_at="2024-03-31T00:00:00Z"),
        contact("3", created_at="2024-03-01T00:00:00Z"),
        contact("4", created_at="2024-02-29T23:59:59.999Z"),
        *joins("a", 2),
        *bookings("p", 1),
        contact_event("x", event_type="form_filled"),
        contact_event("y", event_type="form_filled", workspace_id="workspace-2"),
        contact_event("gone", event_type="form_filled"),
        deletion("contact_event", "gone"),
    )
    assert body["kpis"] == {
        "rooms": 2,
        "recordings": 3,
        "recordingDuration": 13,
        "contacts": 4,
        "bookings": 1,
    }
    assert body["activityTimeline"] == [{"date": "2024-03-05", "bookings": 1, "room_joins": 2}]
    assert body["eventTypeBreakdown"] == [
        {"type": "room_join", "count": 2},
        {"type": "booking", "count": 1},
        {"type": "form_filled", "count": 1},
    ]
    assert body["newContactsTimeline"] == [
        {"date": "2024-03-01", "count": 1},
        {"date": "2024-03-30", "count": 1},
    ]
    assert body["topRooms"] == [
        {"id": "a", "name": "blue-room", "display_name": None, "count": 2},
    ]
    assert body["topBookingPages"] == []


def test_thirty_days_end_today() -> None:
    days = ["2024-02-29", "2024-03-01", "2024-03-02", "2024-03-30", "2024-03-31"]
    events = [
        contact_event(f"{day} {time}", occurred_at=f"{day}T{time}Z")
        for day in days
        for time in ("00:00:00", "23:59:59.999")
    ]

    def dates(now: str) -> Any:
        return [
            row["date"]
            for row in answer(*events, now=oracle.instant(now, "now"))["activityTimeline"]
        ]

    assert dates("2024-03-30T00:00:00Z") == days[1:4]
    assert dates("2024-03-30T23:59:59.999Z") == days[1:4]
    assert dates("2024-03-31T00:00:00Z") == days[2:]
    assert dates("2024-02-29T12:00:00Z") == days[:1]
    assert dates("2024-04-30T12:00:00Z") == []
    assert answer(*events, now=0)["eventTypeBreakdown"] == [{"type": "room_join", "count": 10}]


def test_tops_are_five_by_count_then_by_the_text_of_the_id() -> None:
    body = answer(
        *(room(id) for id in (2, 10, "9", "a", "b", "c", "silent")),
        *joins(2, 1),
        *joins("10", 1),
        *joins(9, 1),
        *joins("a", 1),
        *joins("b", 2),
        *joins("c", 1),
    )
    assert [(row["id"], row["count"]) for row in body["topRooms"]] == [
        ("b", 2),
        (10, 1),
        (2, 1),
        ("9", 1),
        ("a", 1),
    ]


def test_deleted_and_foreign_rooms_and_pages_leave_the_tops_alone() -> None:
    body = answer(
        room("gone"),
        room("theirs", workspace_id="workspace-2"),
        booking_page("gone"),
        booking_page(7, title="T", slug="s"),
        *joins("gone", 3),
        *joins("theirs", 2),
        *joins("never", 2),
        *bookings("gone", 2),
        *bookings(7, 1),
        contact_event(event_type="booking", booking_page_id=7, workspace_id="workspace-2"),
        deletion("room", "gone"),
        deletion("booking_page", "gone"),
    )
    assert body["topRooms"] == []
    assert body["topBookingPages"] == [{"id": 7, "title": "T", "slug": "s", "count": 1}]
    assert body["eventTypeBreakdown"] == [
        {"type": "room_join", "count": 7},
        {"type": "booking", "count": 3},
    ]
