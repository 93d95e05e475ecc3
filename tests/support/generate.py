"""Generated records: hypothesis strategies over few ids, and a seeded bulk generator.

The strategies make collisions likely (changes, deletions, revivals, late and equal versions); the
bulk generator gives every version of an id its own `updated_at`, so that the final state does not
depend on the order of arrival.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.support.oracle import (
    CALL_STATUSES,
    DISPOSITIONS,
    EVENTS,
    LEAD_STATUSES,
    TASK_STATUSES,
    TYPES,
    Oracle,
)

IDS = ["a", "b#1", "b#1#", "é", "😀", "5", 5, 0, -7, "%2F/x", "WS#1", "WS#10", "~", "x" * 128]
SPACES = ["space-a", "s#1", 42, "42", "ñ 😀"]
FIRST_DAY = datetime(2024, 3, 1, tzinfo=UTC)


def written(moment: datetime) -> str:
    """A time as a client writes it, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ------------------------------------------------------------------ hypothesis

ids = st.sampled_from([*IDS[:2] * 12, *IDS])  # mostly two, so that versions meet
spaces = st.sampled_from(SPACES)
short_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.one_of(
    st.just("2024-03-01T00:00:00Z"),
    st.just("2024-03-01T01:00:00+01:00"),
    st.sampled_from(
        [
            "2024-02-29T23:59:59.999Z",
            "2024-03-01T00:00:00.0009Z",
            "1970-01-01T00:00:00Z",
            "9998-12-31T23:59:59.999999Z",
        ]
    ),
    st.builds(
        lambda minutes: written(FIRST_DAY + timedelta(minutes=minutes)),
        st.integers(0, 4 * 24 * 60),
    ),
)
versions = st.sampled_from([f"2024-04-01T00:00:0{second}Z" for second in range(6)])
amounts = st.one_of(
    st.integers(0, 10**9),
    st.decimals(0, 3600, places=3).map(lambda number: number.copy_abs()),
    st.sampled_from([Decimal("0.5"), Decimal("1.5"), Decimal("2.4999999"), Decimal("0.0000005")]),
)
sentiments = st.one_of(
    st.sampled_from([0, 1, Decimal("0.2"), Decimal("0.1995"), Decimal("0.9999"), Decimal("0.6")]),
    st.decimals(0, 1, places=4).map(lambda number: number.copy_abs()),
)
payload_values = st.one_of(
    st.none(),
    st.booleans(),
    short_texts,
    st.integers(-(10**20), 10**20),
    st.sampled_from([Decimal("1.50"), Decimal("-0.0"), Decimal("1E+100"), Decimal("1E-100")]),
)
payloads = st.dictionaries(
    st.text("abcXYZ019_.-", min_size=1, max_size=6), payload_values, max_size=4
)
colors = st.sampled_from(["#9e9e9e", "#FFF", "#12345678", "red"])
workspaces = st.sampled_from(["w", "w#1", 9])


def _records(
    type: str, required: dict[str, st.SearchStrategy], optional: dict[str, st.SearchStrategy]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"type": st.just(type), "id": ids, **required},
        optional={"updated_at": versions, **optional},
    )


def calls() -> st.SearchStrategy[dict[str, Any]]:
    fields = {
        "disposition": st.sampled_from(DISPOSITIONS),
        "space_token": spaces,
        "template_id": ids,
        "merchant_id": ids,
        "reseller_id": ids,
        "lead_id": ids,
        "provider": short_texts,
        "outcome": st.sampled_from(["", "N/A", "interested", "callback"]),
        "ended_reason": st.sampled_from(["", "customer-hung-up", "timeout"]),
        "language": short_texts,
        "latency_ms": st.one_of(st.integers(0, 2_000), st.just(10**15)),
        "duration_seconds": amounts,
        "sentiment": sentiments,
        "cost": amounts,
        "attempt": st.one_of(st.integers(1, 12), st.just(10**15)),
        "answered": st.booleans(),
        "labels": st.lists(ids, max_size=4),
        "events": st.dictionaries(st.sampled_from(EVENTS), st.integers(0, 3)),
        "payload": payloads,
        "direction": st.sampled_from(["inbound", "outbound"]),
    }

    def with_campaign(record: dict[str, Any], campaign_id: Any) -> dict[str, Any]:
        return {**record, "campaign_id": campaign_id} if "direction" in record else record

    plain = _records(
        "call", {"started_at": times, "status": st.sampled_from(CALL_STATUSES)}, fields
    )
    return st.one_of(plain, st.builds(with_campaign, plain, ids))


RECORDS = {
    "call": calls(),
    "task": _records(
        "task",
        {"created_at": times, "status": st.sampled_from([*TASK_STATUSES, "in_progress"])},
        {"space_token": spaces},
    ),
    "lead": _records(
        "lead",
        {"created_at": times, "status": st.sampled_from(LEAD_STATUSES)},
        {
            "converted": st.booleans(),
            "template_id": ids,
            "merchant_id": ids,
            "reseller_id": ids,
            "payload": payloads,
        },
    ),
    "space": _records("space", {"id": spaces}, {"name": short_texts, "created_at": times}),
    "campaign": _records(
        "campaign",
        {"direction": st.sampled_from(["inbound", "outbound"])},
        {"name": short_texts, "created_at": times},
    ),
    "workspace": _records("workspace", {"id": workspaces}, {"name": short_texts}),
    "label": _records("label", {"name": short_texts}, {"color": colors}),
    "room": _records(
        "room",
        {"workspace_id": workspaces, "created_at": times, "name": short_texts},
        {"display_name": st.one_of(st.none(), short_texts)},
    ),
    "booking_page": _records(
        "booking_page",
        {"workspace_id": workspaces, "title": short_texts, "slug": short_texts},
        {"created_at": times},
    ),
    "recording": _records(
        "recording",
        {"workspace_id": workspaces, "created_at": times},
        {"room_id": ids, "duration_seconds": amounts},
    ),
    "contact": _records("contact", {"workspace_id": workspaces, "created_at": times}, {}),
    "contact_event": _records(
        "contact_event",
        {
            "workspace_id": workspaces,
            "occurred_at": times,
            "event_type": st.sampled_from(["room_join", "booking", "form_filled", "x"]),
        },
        {"room_id": ids, "booking_page_id": ids},
    ),
}


def weighted(shares: Sequence[tuple[int, st.SearchStrategy]]) -> st.SearchStrategy:
    """Draw from each strategy by its share (`one_of` would flatten nested choices)."""
    tickets = [strategy for share, strategy in shares for _ in range(share)]

    def ticket(number: int) -> st.SearchStrategy:
        return tickets[number]

    return st.integers(0, len(tickets) - 1).flatmap(ticket)


valid_records = weighted([(12 if kind == "call" else 1, s) for kind, s in RECORDS.items()])
deletions = st.fixed_dictionaries(
    {"type": st.sampled_from(["call", "call", *RECORDS]), "id": ids, "deleted": st.just(True)},
    optional={"updated_at": versions},
)
flaws: st.SearchStrategy[tuple[str, Any]] = st.sampled_from(
    [
        ("type", "unknown"),
        ("type", None),
        ("id", ""),
        ("id", True),
        ("id", "x" * 129),
        ("id", {"nested": [Decimal("1.50")]}),
        ("id", "a\x00b"),
        ("updated_at", "2024-W01"),
        ("updated_at", None),
        ("updated_at", "9998-01-01T00:00:00Z"),
        ("deleted", False),
        ("deleted", 1),
        ("colour", "red"),
        ("status", "COMPLETED "),
        ("started_at", "2024-03-01T00:00:00"),
        ("created_at", "2024-03-01t00:00:00Z"),
        ("occurred_at", 1709251200),
        ("workspace_id", []),
        ("name", None),
        ("attempt", Decimal("1.0")),
        ("attempt", 0),
        ("space_token", None),
        ("labels", [None]),
        ("payload", {"a b": 1}),
        ("events", {"unknown": 1}),
        ("duration_seconds", Decimal("-0.1")),
        ("sentiment", Decimal("1.0001")),
        ("cost", "1"),
    ]
)


def _flawed(record: dict[str, Any], flaw: tuple[str, Any]) -> dict[str, Any]:
    return {**record, flaw[0]: flaw[1]}


# A flaw on a full record: at most one field is at fault, or an unknown one (also at fault alone).
flawed_records = st.builds(_flawed, valid_records, flaws)
anything = weighted(
    [
        (9, valid_records),
        (3, deletions),
        (3, flawed_records),
        (1, st.sampled_from([None, 5, "call", [], {}])),
    ]
)


def without_ties(records: Sequence[Any], oracle: Oracle, now_ms: int) -> list[Any]:
    """Leave out what the content hash would decide; `oracle` (a scratch copy) takes the rest."""
    kept = []
    for record in records:
        if not oracle.would_tie(record, now_ms):
            oracle.post([record], now_ms)
            kept.append(record)
    return kept


# ------------------------------------------------------------------ bulk

SHARES = {
    "call": 60,
    "task": 10,
    "lead": 8,
    "space": 1,
    "campaign": 1,
    "workspace": 1,
    "label": 1,
    "room": 3,
    "booking_page": 2,
    "recording": 4,
    "contact": 4,
    "contact_event": 5,
}


def mixed_records(
    seed: int,
    n: int,
    versions: tuple[int, int] = (2, 3),
    deletes: float = 0.1,
    days: int = 5,
    spaces: int = 4,
    others: int = 3,
) -> list[dict[str, Any]]:
    """All versions of `n` records of all types, shuffled.

    Each has from `versions[0]` to `versions[1]` versions, with times fixed per id and an
    `updated_at` of its own; the share `deletes` of them ends deleted, and some of the others were
    deleted in between. `days`, `spaces` and `others` (templates, merchants, resellers, campaigns,
    workspaces each) limit how many rollups there are.
    """
    random_ = random.Random(f"{seed}/{n}")
    records: list[dict[str, Any]] = []
    for number in range(n):
        kind = random_.choices(list(SHARES), list(SHARES.values()))[0]
        key = {"space": f"space-{number % spaces}"}.get(kind, f"{kind}#{number}")
        id: Any = key if number % 7 or kind == "space" else number
        time = FIRST_DAY + timedelta(milliseconds=random_.randrange(days * 86_400_000))
        count = random_.randint(*versions)
        ends_deleted = random_.random() < deletes
        for version in range(count):
            # Spaces share ids between records: the record's number keeps the versions apart.
            updated_at = FIRST_DAY + timedelta(days=400, milliseconds=number * 100 + version)
            last = version == count - 1
            record: dict[str, Any] = {"type": kind, "id": id, "updated_at": written(updated_at)}
            if (last and ends_deleted) or (not last and random_.random() < deletes / 2):
                record["deleted"] = True
            else:
                record.update(_fields(kind, random_, time, spaces, others))
            records.append(record)
    random_.shuffle(records)
    return records


def wander(random_: random.Random, record: dict[str, Any], days: int = 2) -> dict[str, Any]:
    """A version, every other one at another time: anywhere, or where the record may have been."""
    field = TYPES[record["type"]].time
    if field in record and random_.random() < 0.5:
        halves = random_.randrange(2 * days - 1) * 43_200_000
        time = random_.choice((halves, random_.randrange(days * 86_400_000)))
        return {**record, field: written(FIRST_DAY + timedelta(milliseconds=time))}
    return record


def _fields(
    kind: str, random_: random.Random, time: datetime, spaces: int, others: int
) -> dict[str, Any]:
    def pick(name: str, count: int = others) -> str:
        return f"{name}-{random_.randrange(count)}"

    def maybe(fields: dict[str, Any], chance: float = 0.7) -> dict[str, Any]:
        return {name: value for name, value in fields.items() if random_.random() < chance}

    when = written(time)
    if kind == "call":
        call = {"started_at": when, "status": random_.choice(CALL_STATUSES)}
        call |= maybe(
            {
                "disposition": random_.choice(DISPOSITIONS),
                "space_token": pick("space", spaces),
                "template_id": pick("template"),
                "merchant_id": pick("merchant"),
                "reseller_id": pick("reseller"),
                "lead_id": pick("lead", 50),
                "provider": random_.choice(["twilio", "plivo", "N/A"]),
                "outcome": random_.choice(["interested", "callback", "N/A", ""]),
                "duration_seconds": random_.choice([0, 0.5, 59.5, random_.randrange(300)]),
                "sentiment": random_.randrange(10_001) / 10_000,
                "cost": random_.randrange(10**6) / 10**6,
                "attempt": random_.randint(1, 11),
                "labels": [pick("label"), pick("label")],
                "events": {random_.choice(EVENTS): random_.randrange(3)},
                "payload": {"plan": random_.choice(["pro", "free", None]), "n": random_.random()},
            }
        )
        if random_.random() < 0.5:
            call |= {"direction": random_.choice(["inbound", "outbound"])}
            call |= {"campaign_id": pick("campaign")}
        return call
    if kind == "task":
        statuses = [*TASK_STATUSES, "in_progress"]
        task = {"created_at": when, "status": random_.choice(statuses)}
        return task | maybe({"space_token": pick("space", spaces)})
    if kind == "lead":
        lead = {"created_at": when, "status": random_.choice(LEAD_STATUSES)}
        return lead | maybe(
            {
                "converted": random_.random() < 0.5,
                "template_id": pick("template"),
                "merchant_id": pick("merchant"),
                "reseller_id": pick("reseller"),
            }
        )
    if kind in ("space", "workspace"):
        return maybe({"name": pick("name"), "created_at": when})
    if kind == "campaign":
        return {"direction": random_.choice(["inbound", "outbound"])}
    if kind == "label":
        return {"name": pick("name")}
    workspace = {"workspace_id": pick("workspace")}
    if kind == "room":
        return workspace | {"created_at": when, "name": pick("name"), "display_name": None}
    if kind == "booking_page":
        return workspace | {"title": pick("title"), "slug": pick("slug")}
    if kind == "recording":
        return workspace | {"created_at": when} | maybe({"duration_seconds": 12.5})
    if kind == "contact":
        return workspace | {"created_at": when}
    event = {"occurred_at": when, "event_type": random_.choice(["room_join", "booking", "other"])}
    return workspace | event | maybe({"room_id": pick("room"), "booking_page_id": pick("page")})


def batches(records: Sequence[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(records), size):
        yield list(records[start : start + size])
