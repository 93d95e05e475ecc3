"""Builders of valid records: `call("c1", status="failed")`; `OMIT` leaves a field out."""

from __future__ import annotations

from typing import Any

from tests.support.record_limits import LIMITS

OMIT: Any = object()

NOON = "2024-03-05T12:00:00Z"
"""The time of every record that is not given one."""


def _record(
    type: str, id: Any, defaults: dict[str, Any], overrides: dict[str, Any]
) -> dict[str, Any]:
    fields = {"type": type, "id": id, **defaults, **overrides}
    return {name: value for name, value in fields.items() if value is not OMIT}


def call(id: Any = "call-1", **overrides: Any) -> dict[str, Any]:
    return _record("call", id, {"started_at": NOON, "status": "completed"}, overrides)


def full_call(id: Any = "call-1", **overrides: Any) -> dict[str, Any]:
    """A call with every field that a call can have."""
    fields = {
        **{name: accepted[1] for name, (accepted, _) in LIMITS["call"].items()},
        "started_at": NOON,
        "status": "completed",
        "updated_at": "2024-03-05T13:00:00Z",
        "disposition": "successful",
        "direction": "outbound",
        "campaign_id": "campaign-1",
        "space_token": "space-1",
        "template_id": "template-1",
        "merchant_id": "merchant-1",
        "reseller_id": "reseller-1",
        "lead_id": "lead-1",
        "provider": "twilio",
        "outcome": "interested",
        "ended_reason": "customer-hung-up",
        "language": "en-GB",
        "duration_seconds": 61.5,
        "latency_ms": 850,
        "sentiment": 0.75,
        "cost": 0.0425,
        "attempt": 2,
        "answered": True,
        "labels": ["label-1"],
        "events": {"sms_sent": 1},
        "payload": {"plan": "pro", "seats": 12, "trial": False, "coupon": None},
        "detail": {
            "summary": "The caller asked for a demonstration.",
            "transcript": [{"role": "agent", "text": "Hello.", "at_seconds": 0.4}],
            "recording_url": "https://recordings.example/call-1",
            "links": [{"name": "CRM", "url": "https://crm.example/call-1"}],
            "from_number": "+15550100",
            "to_number": "+15550199",
        },
    }
    return call(id, **{**fields, **overrides})


def task(id: Any = "task-1", **overrides: Any) -> dict[str, Any]:
    return _record("task", id, {"created_at": NOON, "status": "pending"}, overrides)


def lead(id: Any = "lead-1", **overrides: Any) -> dict[str, Any]:
    return _record("lead", id, {"created_at": NOON, "status": "BACKLOG"}, overrides)


def space(id: Any = "space-1", **overrides: Any) -> dict[str, Any]:
    return _record("space", id, {"name": "Support"}, overrides)


def campaign(id: Any = "campaign-1", **overrides: Any) -> dict[str, Any]:
    return _record("campaign", id, {"direction": "outbound", "name": "Renewals"}, overrides)


def workspace(id: Any = "workspace-1", **overrides: Any) -> dict[str, Any]:
    return _record("workspace", id, {"name": "Sales"}, overrides)


def label(id: Any = "label-1", **overrides: Any) -> dict[str, Any]:
    return _record("label", id, {"name": "Hot", "color": "#ff0000"}, overrides)


def room(id: Any = "room-1", **overrides: Any) -> dict[str, Any]:
    defaults = {"workspace_id": "workspace-1", "created_at": NOON, "name": "blue-room"}
    return _record("room", id, defaults, overrides)


def booking_page(id: Any = "page-1", **overrides: Any) -> dict[str, Any]:
    defaults = {"workspace_id": "workspace-1", "title": "Intro call", "slug": "intro-call"}
    return _record("booking_page", id, defaults, overrides)


def recording(id: Any = "recording-1", **overrides: Any) -> dict[str, Any]:
    defaults = {"workspace_id": "workspace-1", "created_at": NOON}
    return _record("recording", id, defaults, overrides)


def contact(id: Any = "contact-1", **overrides: Any) -> dict[str, Any]:
    defaults = {"workspace_id": "workspace-1", "created_at": NOON}
    return _record("contact", id, defaults, overrides)


def contact_event(id: Any = "event-1", **overrides: Any) -> dict[str, Any]:
    defaults = {"workspace_id": "workspace-1", "event_type": "room_join", "occurred_at": NOON}
    return _record("contact_event", id, defaults, overrides)


BUILDERS = {
    "call": call,
    "task": task,
    "lead": lead,
    "space": space,
    "campaign": campaign,
    "workspace": workspace,
    "label": label,
    "room": room,
    "booking_page": booking_page,
    "recording": recording,
    "contact": contact,
    "contact_event": contact_event,
}


def deletion(type: str, id: Any, updated_at: str = OMIT) -> dict[str, Any]:
    return _record(type, id, {"deleted": True}, {"updated_at": updated_at})
