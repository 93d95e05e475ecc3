"""The records behind the tests of the dashboard: the same in every run, about days long past.

The period has the days on which Berlin and New York set their clocks back; the days before it are
there for the comparison.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.stack import Organisation, Response

Record = dict[str, Any]

FROM, TO = "2025-10-20", "2025-11-03"
CALLS = 3_000
CALLS_BEFORE = 500
DELETED = 40
LEADS = 240
BATCH = 500

_START = datetime(2025, 10, 20, 12, tzinfo=UTC)
_MINUTES = 14 * 24 * 60 - 60
"""From noon to noon, so that the calls of the period are in it in every zone."""

# What is wanted at an hour that comes twice: half past two in Berlin, half past one in New York.
_TWICE = (
    "2025-10-26T00:30:00Z",
    "2025-10-26T01:30:00Z",
    "2025-11-02T05:30:00Z",
    "2025-11-02T06:30:00Z",
)

CAMPAIGNS = {
    "müller": "Müller & Söhne – Rückruf",
    "42": "東京オフィス",
    "r&d": "Forschung, „Q4“ <b>fett</b>",
    "long": "A campaign whose name is so long that no card, chip or row of any width can hold all of it",
    "bare": None,
}
LABELS = {"7": "Heißer Kontakt 🔥", "8": "Ещё раз", "hot": "Hot"}
SPACES = {"vertrieb": "Vertrieb Süd", "support": None}
OUTCOMES = ["förmlich zugesagt", "予約済み", '=SUM(1,"2")', "no show", "مقبول", None]
STATUSES = ["completed"] * 7 + ["no_answer", "busy", "failed"]
DISPOSITIONS = ["successful", "unsuccessful", "need_follow_up", "voicemail_left", None]
LANGUAGES = ["de", "en-GB", "ja", None]
WORKSPACE = "studio"
PROVIDERS = ["twilio", "telnyx", None]
WITH_DETAIL = 7
DETAIL = {
    "summary": "Frau Öz möchte <b>nichts</b> ändern.",
    "transcript": [
        {"role": "agent", "text": "Guten Tag, was kann ich für Sie tun?", "at_seconds": 0.4},
        {"role": "user", "text": "Nichts,\ndanke.", "at_seconds": 65},
        {"role": "supervisor", "text": "Verstanden."},
    ],
    "recording_url": "https://recordings.example/7.wav",
    "links": [{"name": "CRM & mehr", "url": "https://crm.example/?call=7"}],
    "from_number": "+15550100",
    "to_number": "+15550199",
}
EVENTS = ["take_message", "sms_sent", "call_transferred", "calendar_booked", "email_sent"]


def records() -> Iterator[Record]:
    """Every record, in the order in which they are sent; the last ones delete some of the calls."""
    dice = random.Random(14)
    for id, name in CAMPAIGNS.items():
        # 42 is sent as a number: ids are the same by their text.
        named = {} if name is None else {"name": name}
        sent = int(id) if id.isdigit() else id
        yield {"type": "campaign", "id": sent, "direction": "outbound", **named}
    for id, name in LABELS.items():
        yield {"type": "label", "id": int(id) if id.isdigit() else id, "name": name}
    for id, name in SPACES.items():
        yield {"type": "space", "id": id, **({} if name is None else {"name": name})}
    for number in range(CALLS + DELETED):
        moment = _START + timedelta(
            minutes=dice.randrange(_MINUTES), milliseconds=dice.randrange(60_000)
        )
        started = _TWICE[number] if number < len(_TWICE) else _written(moment)
        detail = {"detail": DETAIL} if number == WITH_DETAIL else {}
        yield _call(dice, f"call {number}", started) | detail
    for number in range(CALLS_BEFORE):
        moment = _START - timedelta(days=14) + timedelta(minutes=dice.randrange(_MINUTES))
        yield _call(dice, f"before/{number}", _written(moment))
    for number in range(LEADS):
        yield _lead(dice, number)
    yield {"type": "workspace", "id": WORKSPACE, "name": "Atelier Zoë"}
    for number in range(24):
        yield {
            "type": "contact_event",
            "id": f"event {number}",
            "workspace_id": WORKSPACE,
            "event_type": "room_join" if number % 3 else "booking",
            "occurred_at": _written(_START + timedelta(hours=11 * number)),
            **({"room_id": f"room {number % 2}"} if number % 3 else {"booking_page_id": "page"}),
        }
    for number in range(CALLS, CALLS + DELETED):
        yield {"type": "call", "id": f"call {number}", "deleted": True}


def fill(organisation: Organisation) -> None:
    """Send the records, and wait until they are counted."""
    everything = list(records())
    for start in range(0, len(everything), BATCH):
        receipt = _posted(organisation, everything[start : start + BATCH])
        assert receipt.status == 200, receipt.body[:1000]
        assert receipt.json["rejected"] == []
    organisation.stack.drain()


def _posted(organisation: Organisation, batch: list[Record]) -> Response:
    """The receipt; a busy machine may answer 503 at first, and sending again changes nothing."""
    for _ in range(9):
        receipt = organisation.post(batch)
        if receipt.status != 503:
            return receipt
    return organisation.post(batch)


def _call(dice: random.Random, id: str, started: str) -> Record:
    # A weekday and an hour of their own, so that no two charts have the same numbers by chance.
    call: Record = {
        "type": "call",
        "id": id,
        "started_at": started,
        "status": dice.choice(STATUSES),
        "direction": dice.choice(["inbound", "outbound", "outbound"]),
        "disposition": dice.choice(DISPOSITIONS),
        "outcome": dice.choice(OUTCOMES),
        "provider": dice.choice(PROVIDERS),
        "language": dice.choice(LANGUAGES),
        "ended_reason": dice.choice(["customer-hung-up", "agent-hung-up", "silence-timed-out"]),
        "campaign_id": dice.choice(["müller", 42, "42", "r&d", "long", "bare"]),
        "space_token": dice.choice([*SPACES, None]),
        "template_id": dice.choice(["t1", "t2", "t3"]),
        "merchant_id": f"merchant {int(dice.triangular(1, 14, 1))}",
        "attempt": dice.choice([1, 1, 2, 3]),
        "labels": dice.sample([7, "8", "hot"], dice.randrange(3)),
        "events": {name: dice.randrange(3) for name in EVENTS if dice.random() < 0.3},
        "payload": {
            "stufe": dice.choice(["hoch", "größer", "zu weit"]),
            "vip": dice.random() < 0.5,
        },
    }
    if dice.random() < 0.9:
        call["duration_seconds"] = int(dice.expovariate(1 / 90))
        call["cost"] = round(dice.expovariate(20), 6)
        call["sentiment"] = round(dice.random(), 3)
    return {name: value for name, value in call.items() if value not in (None, [], {})}


def _lead(dice: random.Random, number: int) -> Record:
    status = dice.choice(["BACKLOG", "PROCESSING", "RETRY", "FINISHED", "FINISHED"])
    moment = _START - timedelta(days=14) + timedelta(minutes=dice.randrange(2 * _MINUTES))
    return {
        "type": "lead",
        "id": number,
        "created_at": _written(moment),
        "status": status,
        "converted": dice.random() < 0.5,
        "template_id": dice.choice(["t1", "t2", "t3"]),
    }


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
