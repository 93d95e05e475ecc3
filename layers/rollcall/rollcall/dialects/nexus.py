"""Nexus's dialect: analytics of one workspace.

Source: Nexus's published route `GET /api/workspaces/{workspaceId}/analytics`: its body and its two
errors. Where it is silent, docs/contract.md says what Rollcall decided.
"""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import TypedDict

from rollcall.domain.measures import Measures
from rollcall.domain.time.calendar import day_text
from rollcall.query.ranking import by_count
from rollcall.query.reports.workspace import WorkspaceReport

FORBIDDEN = "Forbidden"


class Error(TypedDict):
    """The body of an error."""

    error: str


class Kpis(TypedDict):
    """Lifetime figures; `recordingDuration` is in seconds."""

    rooms: int
    recordings: int
    recordingDuration: int
    contacts: int
    bookings: int


class ActivityOfDay(TypedDict):
    """Bookings and joins of one UTC day."""

    date: str
    bookings: int
    room_joins: int


class EventTypeCount(TypedDict):
    """Contact events of one type."""

    type: str
    count: int


class PageCount(TypedDict):
    """Bookings through one page."""

    id: str | int
    title: str
    slug: str
    count: int


class ContactsOfDay(TypedDict):
    """New contacts of one UTC day."""

    date: str
    count: int


class RoomCount(TypedDict):
    """Joins of one room."""

    id: str | int
    name: str
    display_name: str | None
    count: int


class WorkspaceAnalytics(TypedDict):
    """Analytics of a workspace."""

    kpis: Kpis
    activityTimeline: list[ActivityOfDay]
    eventTypeBreakdown: list[EventTypeCount]
    topBookingPages: list[PageCount]
    newContactsTimeline: list[ContactsOfDay]
    topRooms: list[RoomCount]


def error_body(_status: int, message: str) -> Error:
    """The body of an error."""
    return {"error": message}


def analytics_body(report: WorkspaceReport) -> WorkspaceAnalytics:
    """The answer for a workspace. Days and event types without a count are left out."""
    lifetime = report.lifetime
    return {
        "kpis": {
            "rooms": lifetime.get("rooms", 0),
            "recordings": lifetime.get("recordings", 0),
            "recordingDuration": lifetime.get("seconds", 0),
            "contacts": lifetime.get("contacts", 0),
            "bookings": lifetime.get("bookings", 0),
        },
        "activityTimeline": _activity(report.days),
        "eventTypeBreakdown": [
            {"type": event_type, "count": count}
            for event_type, count in by_count(report.event_types)
        ],
        "topBookingPages": [
            {
                "id": page.id,
                "title": page.record.title,
                "slug": page.record.slug,
                "count": page.count,
            }
            for page in report.pages
        ],
        "newContactsTimeline": [
            {"date": day_text(day), "count": count}
            for day, measures in report.days.items()
            if (count := measures.get("contacts", 0))
        ],
        "topRooms": [
            {
                "id": room.id,
                "name": room.record.name,
                "display_name": room.record.display_name,
                "count": room.count,
            }
            for room in report.rooms
        ],
    }


def _activity(days: Mapping[int, Measures]) -> list[ActivityOfDay]:
    rows: list[ActivityOfDay] = []
    for day, measures in days.items():
        bookings, joins = measures.get("bookings", 0), measures.get("room_joins", 0)
        if bookings or joins:
            rows.append({"date": day_text(day), "bookings": bookings, "room_joins": joins})
    return rows
