"""Generated datasets, and what generated queries about them are made of, at the same edges of time.

A dataset has one scene: an instant at which something happens to days (a month end, a leap day, a
change of the clocks) and the zones whose clocks show it. Calls and bounds gather around it, within
milliseconds of each other. Values are few, so that filters hit.

All choices come from one `random.Random`: a seeded one for many datasets, or hypothesis's own for
examples that shrink. What is chosen for 0 is the simplest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.oracle import (
    CALL_STATUSES,
    DISPOSITIONS,
    EVENTS,
    LEAD_STATUSES,
    TASK_STATUSES,
    instant,
)

Content = dict[str, Any]

SECOND_MS, HOUR_MS, DAY_MS = 1_000, 3_600_000, 86_400_000
END_MS = instant("9998-12-31T23:59:59.999Z", "time") + 1


def happens(random: Random, percent: int) -> bool:
    return random.randint(0, 99) >= 100 - percent


def some(random: Random, choices: Mapping[str, Sequence[Any]], percent: int = 60) -> Content:
    """Some of the names, each with one of its values."""
    return {
        name: random.choice(values) for name, values in choices.items() if happens(random, percent)
    }


# ------------------------------------------------------------------ scenes


@dataclass(frozen=True)
class Scene:
    """Where in time a dataset plays, the zones worth asking in, and what happened there."""

    edge_ms: int
    zones: Sequence[str]
    records: Sequence[Content] = ()


def scene(edge: str, *zones: str) -> Scene:
    return Scene(instant(edge, "edge"), zones)


PLAIN = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Asia/Kathmandu")
SCENES = [
    scene("2024-02-29T00:00:00Z", *PLAIN),
    scene("2024-03-01T00:00:00Z", *PLAIN, "Pacific/Kiritimati", "Pacific/Niue"),
    scene("2023-12-31T18:30:00Z", "Asia/Kolkata"),
    scene("2024-02-28T18:15:00Z", "Asia/Kathmandu"),
    scene("2024-03-31T01:00:00Z", "Europe/Berlin", "Europe/London", "Africa/Abidjan"),
    scene("2024-10-27T01:00:00Z", "Europe/Berlin", "Europe/London", "Atlantic/Azores"),
    scene("2010-03-14T03:31:00Z", "America/St_Johns"),  # 00:01 becomes 01:01
    scene("2010-11-07T02:31:00Z", "America/St_Johns"),  # 00:01 becomes 23:01 of the day before
    scene("2024-03-10T05:30:00Z", "America/St_Johns"),
    scene("2024-11-03T04:30:00Z", "America/St_Johns"),
    scene("2024-04-06T15:00:00Z", "Australia/Lord_Howe"),  # half an hour back
    scene("2024-10-05T15:30:00Z", "Australia/Lord_Howe"),
    scene("2018-11-04T03:00:00Z", "America/Sao_Paulo"),  # no midnight
    scene("2024-11-03T05:00:00Z", "America/Havana"),  # midnight twice
    scene("2011-12-30T10:00:00Z", "Pacific/Apia"),  # no 30 December
    scene("1970-01-01T00:00:00Z", "UTC", "Asia/Tokyo", "Pacific/Niue"),
    scene("9998-12-31T23:59:59.999Z", "UTC", "Asia/Tokyo", "Pacific/Niue", "Europe/Berlin"),
]

DAYS = [0, 0, 0, 0, 0, 0, -1, -1, 1, 1, -2, 2, -3, 3, -29, 29, -35, 31, 40, -401, 1100]
SLIPS = [0, 0, -1, 1, 999, -999, SECOND_MS, -SECOND_MS, 500, 59_999, -60_000]
SLIPS += [minutes * 60_000 for minutes in (-60, 60, -30, 30, -29, 29, 15, -45)]


NEXT = [0, 0, 1, -1, 999, -999, SECOND_MS, -SECOND_MS, DAY_MS, -DAY_MS]


def moment(random: Random, scene: Scene) -> int:
    """An instant near the edge, some days off and a little; or near something that happened."""
    if scene.records and happens(random, 40):
        wanted = time_of(random.choice(scene.records)) + random.choice(NEXT)
        return min(max(wanted, 0), END_MS - 1)
    wanted = scene.edge_ms + random.choice(DAYS) * DAY_MS + random.choice(SLIPS)
    if happens(random, 40):
        wanted += random.choice(SLIPS)
    if happens(random, 25):
        wanted += random.randint(-24 * 4, 24 * 4) * HOUR_MS // 4
    if happens(random, 10):
        wanted += random.randint(-DAY_MS, DAY_MS)
    return min(max(wanted, 0), END_MS - 1)


def utc(moment_ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment_ms)


def written(moment_ms: int) -> str:
    return utc(moment_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ------------------------------------------------------------------ datasets

TEMPLATES = ["t", "t#1", 5, "5", "é😀"]
MERCHANTS = ["m", "m~#", 7]
RESELLERS = ["r", "r/1"]
CAMPAIGNS = ["c", "c#1", 9, "ü/"]
WORKSPACES = ["w", "w#1", 3]
ROOMS = [1, 2, 10, "9", "a", "b", "c#", "ž"]
LEADS = [1, "1", "l", "l#", "ł"]
LABELS = ["x", "y", "z#", 4]
OUTCOMES = ["sold", "N/A", "", "Sold", "später", "\uffff", "😀"]
PROVIDERS = ["twilio", "N/A", "plivo", "", "Ω"]
DURATIONS: list[Any] = [0, 1, 59, Decimal("59.5"), 60, 61, 3600, Decimal("0.4"), 10**9]
SENTIMENTS: list[Any] = [
    *(0, 1),
    *map(Decimal, "0.1994 0.1995 0.2 0.3999 0.4 0.5 0.5005 0.6 0.799 0.8 0.9999".split()),
]
COSTS: list[Any] = [0, 1, 10**9, *map(Decimal, "0.0000005 0.00005 0.00015 1.999999".split())]
PAYLOAD_KEYS = ["a", "b", "c.d-e_f"]
PAYLOAD_VALUES: list[Any] = [None, True, False, "", "1", "true", "null", 1, 0, 10**20, "x" * 256]
PAYLOAD_VALUES += map(Decimal, "1.0 0.1 -0.0 1E-100".split())
PAYLOAD_VALUES += [None, "1", 1] * 3
OWNERS: dict[str, Sequence[Any]] = {
    "template_id": TEMPLATES,
    "merchant_id": MERCHANTS,
    "reseller_id": RESELLERS,
}
DIRECTIONS = ["inbound", "outbound"]
IDS = [1, "1", "k", "k#", 12, "é"]
VERSIONS = [f"2024-04-01T00:00:0{second}Z" for second in range(4)]
TYPES = {
    "call": 20,
    "lead": 5,
    "task": 1,
    "campaign": 1,
    "label": 2,
    "room": 3,
    "booking_page": 2,
    "recording": 1,
    "contact": 2,
    "contact_event": 6,
}
CALL_FIELDS: dict[str, Sequence[Any]] = {
    "disposition": [*DISPOSITIONS, *["successful"] * 5],
    "space_token": ["s", 6],
    "lead_id": LEADS,
    "provider": PROVIDERS,
    "outcome": OUTCOMES,
    "duration_seconds": DURATIONS,
    "sentiment": SENTIMENTS,
    "cost": COSTS,
    "attempt": [1, 2, 3, 9, 10, 11, 10**15],
    "answered": [False, True],
}


TIMES = {"started_at", "created_at", "occurred_at"}


def time_of(record: Content) -> int:
    """When a record with a time is."""
    (name,) = TIMES & record.keys()
    return instant(record[name], name)


def record(random: Random, scene: Scene) -> Content:
    """One record of any type that the queries look at, or a deletion."""
    kind = random.choice([kind for kind, share in TYPES.items() for _ in range(share)])
    content: Content = {"type": kind, "id": random.choice(IDS)}
    if happens(random, 55):
        content["id"] = random.randint(100, 10**6)
    if kind in ("label", "campaign", "room", "booking_page"):
        names = {"label": LABELS, "campaign": CAMPAIGNS}
        content["id"] = random.choice(names.get(kind, ROOMS))
    content |= some(random, {"updated_at": VERSIONS}, 30)
    if happens(random, 8):
        if isinstance(content["id"], int) and content["id"] >= 100:
            content["id"] = random.choice(IDS)  # one that others have
        return {**content, "deleted": True}
    return content | fields(random, scene, kind)


def fields(random: Random, scene: Scene, kind: str) -> Content:
    when = written(moment(random, scene))
    own = {"workspace_id": random.choice(WORKSPACES)}
    match kind:
        case "call":
            return {"started_at": when, **call_fields(random)}
        case "lead":
            lead = {"created_at": when, "status": random.choice(LEAD_STATUSES)}
            return {**lead, **owners(random), **some(random, {"converted": [False, True]})}
        case "task":
            task = {"created_at": when, "status": random.choice(TASK_STATUSES)}
            return {**task, **some(random, {"space_token": ["s", 6]})}
        case "campaign":
            return {"direction": random.choice(DIRECTIONS)}
        case "label":
            return {"name": random.choice(["Z", "a"]), **some(random, {"color": ["red"]})}
        case "room":
            room = {"created_at": written(scene.edge_ms), "name": "n"}
            return {**own, **room, **some(random, {"display_name": [None, "N"]})}
        case "booking_page":
            return {**own, "title": "t", "slug": random.choice(["", "s"])}
        case "recording":
            return {**own, "created_at": when, **some(random, {"duration_seconds": DURATIONS})}
        case "contact":
            return {**own, "created_at": when}
        case "contact_event":
            types = ["room_join", "booking", "booking", "x", "_"]
            event = {"occurred_at": when, "event_type": random.choice(types)}
            named = some(random, {"room_id": ROOMS, "booking_page_id": ROOMS}, 80)
            return {**own, **event, **named}
    raise AssertionError(kind)


def call_fields(random: Random) -> Content:
    call = {"status": random.choice(CALL_STATUSES), **owners(random), **some(random, CALL_FIELDS)}
    if happens(random, 50):
        call["labels"] = [random.choice(LABELS) for _ in range(random.randint(0, 3))]
        call["events"] = {random.choice(EVENTS): random.randint(0, 3) for _ in range(2)}
    if happens(random, 60):
        call |= {
            "direction": random.choice(DIRECTIONS),
            "campaign_id": random.choice(CAMPAIGNS),
        }
    return call


def owners(random: Random) -> Content:
    content = some(random, OWNERS)
    if happens(random, 80):
        content["payload"] = {
            random.choice(PAYLOAD_KEYS): random.choice(PAYLOAD_VALUES)
            for _ in range(random.randint(0, 3))
        }
    return content


# ------------------------------------------------------------------ queries


@dataclass(frozen=True)
class Query:
    """One request: the function that answers it, and what it is given.

    `now_ms` is the time when it is asked, where that matters.
    """

    function: str
    path_id: str | None = None
    body: Any = None
    query: Content = field(default_factory=dict)
    now_ms: int | None = None

    @property
    def name(self) -> str:
        """The function, or the type of a Breeze query."""
        query_type = self.body.get("query_type") if isinstance(self.body, dict) else None
        return query_type if isinstance(query_type, str) else self.function


def offset_bound(random: Random, moment_ms: int) -> str:
    """An instant with `Z` or an offset, with or without a fraction."""
    precision = random.choice(["seconds", "milliseconds"])
    minutes = random.choice([None, None, None, 0, 60, -150, 330, 345, 630])
    if minutes is None or not DAY_MS <= moment_ms < END_MS - DAY_MS:
        return utc(moment_ms).isoformat(timespec=precision).replace("+00:00", "Z")
    shown = utc(moment_ms + minutes * 60_000).isoformat(timespec=precision).removesuffix("+00:00")
    sign = "-" if minutes < 0 else "+"
    return f"{shown}{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def bound(random: Random, zone: str, moment_ms: int) -> str:
    """An instant, or a local date or time: some of those never occur, some twice."""
    form = random.choice(["offset", "date", "date", "seconds", "milliseconds"])
    if form == "offset":
        return offset_bound(random, moment_ms)
    clock = utc(moment_ms).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if not 1970 <= clock.year <= 9998:
        clock = utc(moment_ms).replace(tzinfo=None)
    if form == "date":
        return clock.date().isoformat()
    if happens(random, 25):  # may lead into a gap
        clock += timedelta(milliseconds=random.choice([-HOUR_MS, HOUR_MS // 2, -60_000, 1, -1]))
    return clock.isoformat(timespec=form)


BAD_BOUNDS: list[Any] = [
    *("2024-02-30", "2024-W01", "", "1969-12-31T23:59:59Z", "9999-01-01"),
    *("2024-02-29t00:00:00Z", "2024-02-29T00:00:60Z", None, 1709164800),
]
