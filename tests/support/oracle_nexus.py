"""Nexus's analytics by brute force: docs/contract.md#nexus over the raw records.

`nexus(oracle, workspace_id, now_ms)` gives the status and, for 200, the exact body. It imports
nothing of `rollcall`.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

from tests.support.oracle import Oracle, day_of

Content = dict[str, Any]


def nexus(
    oracle: Oracle, workspace_id: str, now_ms: int, has_query: bool = False
) -> tuple[int, Any]:
    """(200, body), or (403, None) or (400, None)."""
    if workspace_id not in oracle.known_workspaces():
        return 403, None
    if has_query:
        return 400, None

    def own(kind: str) -> list[Content]:
        return [
            content for _, content in oracle.live(kind) if content["workspace_id"] == workspace_id
        ]

    events, recordings, contacts = own("contact_event"), own("recording"), own("contact")
    bookings = [event for event in events if event["event_type"] == "booking"]
    joins = [event for event in events if event["event_type"] == "room_join"]
    types = Counter(event["event_type"] for event in events)
    booked = Counter(day_of(event["occurred_at"]) for event in bookings)
    joined = Counter(day_of(event["occurred_at"]) for event in joins)
    new = Counter(day_of(contact["created_at"]) for contact in contacts)
    days = last_days(now_ms)
    return 200, {
        "kpis": {
            "rooms": len(own("room")),
            "recordings": len(recordings),
            "recordingDuration": sum(each["duration_seconds"] or 0 for each in recordings),
            "contacts": len(contacts),
            "bookings": len(bookings),
        },
        "activityTimeline": [
            {"date": day, "bookings": booked[day], "room_joins": joined[day]}
            for day in days
            if booked[day] or joined[day]
        ],
        "eventTypeBreakdown": [
            {"type": type, "count": count}
            for type, count in sorted(types.items(), key=lambda item: (-item[1], item[0]))
        ],
        "topBookingPages": top(
            oracle, "booking_page", workspace_id, bookings, "booking_page_id", ("title", "slug")
        ),
        "newContactsTimeline": [{"date": day, "count": new[day]} for day in days if new[day]],
        "topRooms": top(oracle, "room", workspace_id, joins, "room_id", ("name", "display_name")),
    }


def last_days(now_ms: int) -> list[str]:
    """Today and the 29 days before it, in UTC."""
    today = date.fromisoformat(day_of(now_ms))
    return [(today - timedelta(days=back)).isoformat() for back in range(29, -1, -1)]


def top(
    oracle: Oracle,
    kind: str,
    workspace_id: str,
    events: list[Content],
    reference: str,
    fields: tuple[str, ...],
) -> list[Content]:
    """The five rooms or pages of the workspace that most events name."""
    counts = Counter(event[reference] for event in events)
    named = [
        (id, content)
        for id, content in oracle.live(kind)
        if content["workspace_id"] == workspace_id and counts[id]
    ]
    named.sort(key=lambda each: (-counts[each[0]], each[0]))
    return [
        {
            "id": oracle.sent_id(kind, id),
            **{field: content[field] for field in fields},
            "count": counts[id],
        }
        for id, content in named[:5]
    ]
