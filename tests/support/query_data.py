"""Generated records of an organisation, whose times meet at the same edges.

Each dataset plays around one instant at which something happens to days: a change of the clocks, a
leap day, the end of a year. Values are few, so that conditions hit. Everything is chosen by one
`random.Random`, so that a seed repeats it. It imports nothing of `rollcall`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

from tests.support.oracle import (
    CALL_STATUSES,
    DISPOSITIONS,
    EVENTS,
    LEAD_STATUSES,
    TASK_STATUSES,
    instant,
)
from tests.support.query_records import TIME, Content, written
from tests.support.scenes import Scene, happens, scene, some

SECOND_MS, HOUR_MS, DAY_MS = 1_000, 3_600_000, 86_400_000


SCENES = [
    scene("2026-03-29T01:00:00Z", "Europe/Berlin"),
    scene("2026-10-25T01:00:00Z", "Europe/Berlin"),
    scene("2026-03-08T07:00:00Z", "America/New_York"),
    scene("2026-11-01T06:00:00Z", "America/New_York"),
    scene("2018-11-04T03:00:00Z", "America/Sao_Paulo"),  # no midnight
    scene("2018-02-18T02:00:00Z", "America/Sao_Paulo"),  # the last hour of Saturday twice
    scene("2026-04-04T15:00:00Z", "Australia/Lord_Howe"),  # half an hour back
    scene("2026-10-03T15:30:00Z", "Australia/Lord_Howe"),
    scene("2024-02-28T18:30:00Z", "Asia/Kolkata"),
    scene("2010-03-14T03:31:00Z", "America/St_Johns"),  # 00:01 becomes 01:01
    scene("2010-11-07T02:31:00Z", "America/St_Johns"),  # 00:01 becomes 23:01 of the day before
    scene("2011-12-30T10:00:00Z", "Pacific/Apia"),  # no 30 December
    scene("2024-02-29T00:00:00Z", "UTC", "Asia/Kolkata", "America/New_York"),
    scene("2024-03-01T00:00:00Z", "UTC", "Europe/Berlin", "America/Sao_Paulo"),
    scene("2025-12-31T23:59:59.999Z", "UTC", "Europe/Berlin"),
    scene("2025-01-01T00:00:00Z", "UTC", "Asia/Kolkata", "Australia/Lord_Howe"),
]

DAYS = [0] * 12 + [1, -1] * 4 + [-2, 2, 3, -6, -7, -7, -8, 7, -14, -27, -28, -29, -30, -31, 30, 40]
DAYS += [-59, -89, -90, -91, -180, -364, -365, -365, -366, -366]
SLIPS = [0, 0, -1, 1, 999, -999, SECOND_MS, -SECOND_MS, 500, 59_999, -60_000]
SLIPS += [minutes * 60_000 for minutes in (-60, 60, -30, 30, -29, 29, 15, -90, 90)]


def moment(random: Random, scene: Scene) -> int:
    """An instant near the edge, some days off and a little."""
    when = scene.edge_ms + random.choice(DAYS) * DAY_MS + random.choice(SLIPS)
    if happens(random, 40):
        when += random.randint(-24 * 4, 24 * 4) * HOUR_MS // 4
    if happens(random, 10):
        when += random.randint(-DAY_MS, DAY_MS)
    return when


# ------------------------------------------------------------------ records

IDS: list[Any] = [1, "1", "k", "k#", 12, "é"]
REFERENCES: dict[str, Sequence[Any]] = {
    "template_id": ["t", "t#1", 5, "5", "é😀"],
    "merchant_id": ["m", "m~#", 7],
    "reseller_id": ["r", "r/1"],
    "space_token": ["s", 6, "S"],
    "lead_id": [1, "1", "l", "l#", "ł", 2],
}
CAMPAIGNS: list[Any] = ["c", "c#1", 9, "ü/", "C"]
LABELS: list[Any] = ["x", "y", "z#", 4, "ž"]
WORKSPACES: list[Any] = ["w", "w#1", 3]
ROOMS: list[Any] = [1, 2, 10, "9", "a", "b", "ž"]
EVENT_TYPES = ["room_join", "booking", "booking", "form_filled", "_"]
NAMES = ["Support", "support team", "Später", "N", "42"]
TEXTS: dict[str, list[str]] = {
    "outcome": ["sold", "N/A", "", "Sold", "später", "\uffff", "😀", "resold"],
    "provider": ["twilio", "N/A", "plivo", "", "Ω"],
    "ended_reason": ["hangup", "customer-ended-call", "", "HANGUP"],
    "language": ["en", "de-DE", "pt-BR"],
}
NUMBERS: dict[str, list[Any]] = {
    "duration_seconds": [0, 1, 59, Decimal("59.5"), 60, 61, 61, 3600, Decimal("0.4"), 10**9],
    "sentiment": [
        *(0, 1),
        *map(Decimal, "0.1994 0.1995 0.2 0.3999 0.4 0.5 0.5005 0.6 0.799 0.8 0.9999".split()),
    ],
    "cost": [0, 1, 10**9, *map(Decimal, "0.0000005 0.00005 0.00015 1.999999 0.0425".split())],
    "attempt": [1, 2, 2, 3, 9, 10, 11, 10**15],
    "latency_ms": [0, 1, 350, 351, 1200, 1200, 10**15],
}
PAYLOAD_KEYS = ["a", "b", "csat", "c.d-e_f"]
PAYLOAD: list[Any] = [None, True, False, "", "1", "true", "gold", "Gold", 1, 0, 10**20, -3, 7]
PAYLOAD += map(Decimal, "1.0 0.1 -0.0 1E-100 -2.5 2.5 4.75 1E+100 0.333333333333333333".split())
PAYLOAD += [1, 2, 2, 3, Decimal("4.5"), "gold", None, None, None, True, False]

TYPES = ["call"] * 24 + ["lead"] * 6 + ["task"] * 3 + ["contact_event"] * 4
TYPES += "space campaign workspace label room booking_page recording".split()
NAMED_IDS = {
    "space": REFERENCES["space_token"],
    "campaign": CAMPAIGNS,
    "workspace": WORKSPACES,
    "label": LABELS,
    "room": ROOMS,
    "booking_page": ROOMS,
}


def payload(random: Random) -> Content:
    return {
        random.choice(PAYLOAD_KEYS): random.choice(PAYLOAD) for _ in range(random.randint(0, 4))
    }


def call_fields(random: Random) -> Content:
    fields: Content = {"status": random.choice(["completed", *CALL_STATUSES])}
    fields |= some(random, REFERENCES) | some(random, TEXTS) | some(random, NUMBERS, 50)
    chances: dict[str, Sequence[Any]] = {
        "disposition": [*DISPOSITIONS, *["successful"] * 5],
        "answered": [False, True],
    }
    fields |= some(random, chances, 50)
    if happens(random, 50):
        fields["labels"] = [random.choice(LABELS) for _ in range(random.randint(0, 3))]
        fields["events"] = {random.choice(EVENTS): random.randint(0, 3) for _ in range(2)}
    if happens(random, 60):
        fields["direction"] = random.choice(["inbound", "outbound"])
        fields |= some(random, {"campaign_id": CAMPAIGNS}, 80)
    if happens(random, 75):
        fields["payload"] = payload(random)
    return fields


def fields_of(random: Random, scene: Scene, type: str) -> Content:
    """Any fields that a record of this type may have."""
    when = written(moment(random, scene))
    named = {"name": random.choice(NAMES)}
    owned = {"workspace_id": random.choice(WORKSPACES)}
    match type:
        case "call":
            return {"started_at": when, **call_fields(random)}
        case "lead":
            lead: Content = {"created_at": when, "status": random.choice(LEAD_STATUSES)}
            references = ["template_id", "merchant_id", "reseller_id"]
            lead |= some(random, {name: REFERENCES[name] for name in references})
            lead |= some(random, {"converted": [False, True, True]}, 70)
            return lead | ({"payload": payload(random)} if happens(random, 70) else {})
        case "task":
            task = {"created_at": when, "status": random.choice([*TASK_STATUSES, "in_progress"])}
            return task | some(random, {"space_token": REFERENCES["space_token"]})
        case "contact_event":
            event = {**owned, "occurred_at": when, "event_type": random.choice(EVENT_TYPES)}
            return event | some(random, {"room_id": ROOMS, "booking_page_id": ROOMS})
        case "space" | "workspace":
            return some(random, {"name": NAMES}, 80)
        case "campaign":
            return {"direction": "inbound", **some(random, {"name": NAMES}, 80)}
        case "room":
            room = {**owned, **named, "created_at": when}
            return room | some(random, {"display_name": [None, *NAMES]})
        case "booking_page":
            return {**owned, "title": random.choice(NAMES), "slug": "s"}
        case "recording":
            return {**owned, "created_at": when}
    return named


def records_of(random: Random, scene: Scene, count: int) -> list[Content]:
    """Records, later versions that change any field, and deletions, in the order of sending."""
    records: list[Content] = []
    for number in range(count):
        type = random.choice(TYPES)
        id = random.choice(NAMED_IDS.get(type, IDS))
        if type not in NAMED_IDS and happens(random, 80):
            id = random.choice([number + 100, f"{type} {number}"])
        records.append({"type": type, "id": id, **fields_of(random, scene, type)})
    for _ in range(count // 3):
        if records:
            records.append(changed(random, scene, random.choice(records)))
    for number, record in enumerate(records):
        record["updated_at"] = written(UPDATES_MS + number)
    # Some arrive late: what is older by then changes nothing.
    while happens(random, 50) and len(records) > 1:
        one, other = random.randrange(len(records)), random.randrange(len(records))
        records[one], records[other] = records[other], records[one]
    return records


UPDATES_MS = instant("1990-01-01T00:00:00Z", "updated_at")


def changed(random: Random, scene: Scene, record: Content) -> Content:
    """A later version of a record, or its deletion."""
    key = {"type": record["type"], "id": record["id"]}
    if happens(random, 25):
        return {**key, "deleted": True}
    fields = fields_of(random, scene, record["type"])
    if happens(random, 50) and "deleted" not in record:
        name = random.choice(sorted(fields)) if fields else ""
        if name not in ("campaign_id", "direction", "deleted", ""):
            return {**record, name: fields[name]}
    return {**key, **fields}


def multiplied(random: Random, records: Sequence[Content], copies: int) -> list[Content]:
    """Every record `copies` times: under other ids, some at the same time and some near it."""
    spread = [0, 0, 1, -1, 999, SECOND_MS, 60_000, HOUR_MS // 2, HOUR_MS, DAY_MS, 7 * DAY_MS]
    bulk = list(records)
    for copy in range(1, copies):
        for record in records:
            moved: Content = {"id": f"{record['id']}~{copy}"}
            name = TIME.get(record["type"], "")
            if name in record:
                shift = random.choice(spread) * random.randint(-9, 9)
                moved[name] = written(instant(record[name], name) + shift)
            bulk.append({**record, **moved})
    return bulk


def dataset(random: Random, scene: Scene) -> list[Content]:
    """Mostly a few dozen records; some many times as many."""
    records = records_of(random, scene, random.choice([0, 4, 12, 25, 40, 60, 90, 120]))
    return multiplied(random, records, random.choice([1] * 8 + [2, 2, 3, 5, 12]))
