"""What each sample event asks, by function and name; every file below `events/` is made from these.

Events that write, or read under an encoded id, belong to globex. What they write has ids, spaces
and times of its own, so that no event changes the answer of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rollcall_cli.local.seed import SEED, read_seed
from rollcall_cli.openapi.examples import EXAMPLES, Example, read_examples
from tests.support.stack import ROOT

SAMPLES = read_seed(ROOT / SEED)
READ, ADMIN, ALL = "read", "admin", "all"  # tokens of the seed, by name
UNKNOWN_TOKEN = "rc_00000000000000000000000000000012Q6vF"


@dataclass(frozen=True)
class Request:
    """A request to the route of a function, with a token of the seed.

    `path` has the parameters in the order of the route, not yet encoded. A body of bytes is sent as
    it is. `route` chooses among several routes of one function. `by_clock` names the members of the
    answer that depend on when it is given. `answer` is the documented answer of a documented example,
    which shows only some entries of its lists if `is_shortened`.
    """

    path: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    organisation: str = "acme"
    token: str = READ
    route: str | None = None
    by_clock: tuple[str, ...] = ()
    answer: Mapping[str, Any] | None = None
    is_shortened: bool = False


@dataclass(frozen=True)
class Authorization:
    """A request to GET /api/v2/platform/organisation/analytics, with these Authorization headers.

    Each is a scheme and credentials; `acme.read` stands for the token of that name in the seed.
    """

    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Image:
    """A record as the stream has it, before or after a change.

    `revision` counts up with each version of one record. `damage` replaces stored columns.
    """

    record: Mapping[str, Any]
    revision: int = 0
    damage: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """One record of the stream: how an item changed."""

    name: Literal["INSERT", "MODIFY", "REMOVE"]
    new: Image | None = None
    old: Image | None = None


@dataclass(frozen=True)
class Batch:
    """What the stream delivers at once; its calls and tasks lie in `space`."""

    space: str
    changes: tuple[Change, ...]
    organisation_id: str = "org_sample_globex"


@dataclass(frozen=True)
class Schedule:
    """An event of the scheduler, which holds only its time."""


@dataclass(frozen=True)
class CreatedObject:
    """EventBridge announces an object of the failure bucket."""

    key: str


# ------------------------------------------------------------------ NLPearl

MONTH = {"from": "2026-10-22T00:00:00Z", "to": "2026-11-20T23:59:59Z"}
DAY = {"from": "2026-11-05T00:00:00Z", "to": "2026-11-05T23:59:59Z"}
TOO_LONG = {"from": "2026-08-01T00:00:00Z", "to": "2026-10-31T00:00:00Z"}


def campaign(id: str, hour: Mapping[str, str]) -> dict[str, Request]:
    """The cases of each of the three routes; acme's calls of `hour` are in campaign `id`."""
    return {
        "month": Request((id,), body=MONTH),
        "one_hour_and_an_offset": Request((id,), body=hour),
        "encoded_id": Request(("north/1 #é",), body=DAY, organisation="globex", token=ALL),
        "unknown_campaign": Request(("unknown",), body=DAY),
        "foreign_campaign": Request(("north/1 #é",), body=DAY),
        "missing_bound": Request((id,), body={"from": MONTH["from"]}),
        "too_long": Request((id,), body=TOO_LONG),
    }


# Each begins in the millisecond of a call.
RECEPTION = {"from": "2026-11-18T09:12:30.250+01:00", "to": "2026-11-18T10:12:30+01:00"}
RENEWALS = {"from": "2026-11-20T09:15:00+01:00", "to": "2026-11-20T10:15:00+01:00"}

# ------------------------------------------------------------------ Breeze

BREEZE_BODIES: dict[str, Any] = {
    "outcome_distribution": {
        "query_type": "outcome_distribution",
        "filters": {"date_from": "2026-11-01", "date_to": "2026-11-20"},
    },
    "conversion_funnel": {"query_type": "conversion_funnel"},
    "every_filter": {
        "query_type": "call_duration",
        "filters": {
            "template_id": "renewal-v5",
            "merchant_id": "northwind",
            "reseller_id": "acme-telecom",
            "date_from": "2026-11-01T08:30:00+01:00",
            "date_to": "2026-11-20T17:59:59Z",
            "min_duration": 30,
            "max_duration": 600.5,
            "sentiment_min": 0.25,
            "sentiment_max": 1,
            "payload_filters": {"language": "en", "policy_year": 2026, "vip": True},
        },
    },
    "missing_query_type": {"filters": {}},
    "minimum_over_maximum": {
        "query_type": "call_count",
        "filters": {"min_duration": 60, "max_duration": 30},
    },
}
IN_KATHMANDU = {
    "query_type": "calls_over_time",
    "granularity": "hour",
    "timezone": "Asia/Kathmandu",
    "filters": {"date_from": "2026-11-19", "date_to": "2026-11-20"},
    "page": 1,
    "page_size": 24,
}

# ------------------------------------------------------------------ searches

PROVIDER_TELNYX = {"field": "provider", "op": "eq", "value": "telnyx"}

# ------------------------------------------------------------------ records

CALL = {
    "type": "call",
    "id": "ingested-1",
    "started_at": "2024-03-05T12:00:00Z",
    "status": "completed",
    "updated_at": "2024-03-05T13:00:00Z",
    "disposition": "successful",
    "direction": "outbound",
    "campaign_id": "spring",
    "space_token": "ingested",
    "template_id": "spring-v1",
    "merchant_id": "merchant-1",
    "reseller_id": "reseller-1",
    "lead_id": "lead-2",
    "provider": "twilio",
    "outcome": "interested",
    "duration_seconds": 61.5,
    "sentiment": 0.75,
    "cost": 0.0425,
    "attempt": 2,
    "answered": True,
    "labels": ["é"],
    "events": {"sms_sent": 1},
    "payload": {"plan": "pro", "seats": 12, "trial": False, "coupon": None},
}
ACCEPTED = [
    CALL,
    {
        "type": "task",
        "id": "ingested-1",
        "created_at": "2024-03-05T12:00:00Z",
        "status": "pending",
        "space_token": "ingested",
    },
    {"type": "space", "id": "ingested", "name": "Written by an event"},
]
DELETION = {"type": "call", "id": "call-4", "deleted": True}
START = {"started_at": "2024-03-05T12:00:00Z"}
MERGES = (
    {"type": "call", "id": "ingested-4", "merge": True, **START, "status": "ringing"},
    {"type": "call", "id": "ingested-4", "merge": True, "status": "completed", "outcome": None},
    {"type": "call", "id": "call-404", "merge": True, "outcome": "callback"},
)
SOME_REJECTED = [
    {"type": "call", "id": "ingested-2", **START, "status": "completed"},
    {"type": "call", "id": "ingested-3", **START, "status": "completed", "cost": -1},
    {"type": "call"},
]


def records(*documents: Any) -> Request:
    """POST /v1/records."""
    return Request(body={"records": documents}, organisation="globex", token=ALL)


def raw_records(body: bytes) -> Request:
    """POST /v1/records with this body."""
    return Request(body=body, organisation="globex", token=ALL)


# ------------------------------------------------------------------ the stream


def call(id: str, space: str, minute: int = 0, **columns: Any) -> dict[str, Any]:
    """A call in a space, changed at a minute past noon."""
    return {
        "type": "call",
        "id": id,
        "started_at": "2024-03-05T12:00:00Z",
        "updated_at": f"2024-03-05T12:{minute:02}:00Z",
        "status": "in_progress",
        "space_token": space,
        **columns,
    }


def ended(id: str, space: str) -> dict[str, Any]:
    """The same call, ended."""
    return call(id, space, 1, status="completed", duration_seconds=62, labels=["é"])


def gone(id: str) -> dict[str, Any]:
    """The same call, deleted."""
    return {"type": "call", "id": id, "deleted": True, "updated_at": "2024-03-05T12:02:00Z"}


def inserted(id: str, space: str, **damage: Any) -> Change:
    """A call that begins."""
    return Change("INSERT", Image(call(id, space), damage=damage))


def modified(id: str, space: str) -> Change:
    """A call that ends."""
    return Change("MODIFY", Image(ended(id, space), 1), Image(call(id, space)))


def deleted(id: str, space: str) -> Change:
    """An ended call that is deleted."""
    return Change("MODIFY", Image(gone(id), 2), Image(ended(id, space), 1))


def seeded(handle: str, type: str, id: str) -> Mapping[str, Any]:
    """A record of the seed."""
    own = next(sample for sample in SAMPLES.organisations if sample.handle == handle)
    return next(each for each in own.records if (each["type"], each["id"]) == (type, id))


TASK = {
    "type": "task",
    "id": "streamed#1",
    "created_at": "2024-03-05T12:00:00Z",
    "updated_at": "2024-03-05T12:00:00Z",
    "status": "pending",
    "space_token": "inserted",
}

BATCHES = {
    "insert": Batch(
        "inserted", (inserted("streamed-1", "inserted"), Change("INSERT", Image(TASK)))
    ),
    "modify": Batch("modified", (modified("streamed-2", "modified"),)),
    "modify_and_delete": Batch(
        "deleted",
        (
            inserted("streamed-3", "deleted"),
            modified("streamed-3", "deleted"),
            deleted("streamed-3", "deleted"),
        ),
    ),
    "delivered_twice": Batch("twice", (inserted("streamed-4", "twice"),) * 2),
    "newer_before_older": Batch(
        "reordered", (modified("streamed-5", "reordered"), inserted("streamed-5", "reordered"))
    ),
    # A removal changes no number: deleting a record leaves a tombstone.
    "removed": Batch("field", (Change("REMOVE", old=Image(seeded("globex", "call", "call-1"))),)),
    "poison": Batch(
        "poisoned",
        (
            inserted("streamed-6", "poisoned", started_at_ms={"S": "yesterday"}),
            inserted("streamed-7", "poisoned"),
        ),
    ),
    "unknown_organisation": Batch(
        "unknown", (inserted("streamed-8", "unknown"),), organisation_id="org_sample_unknown"
    ),
}

# ------------------------------------------------------------------ all of them

LAST_30_DAYS = ("activityTimeline", "newContactsTimeline")
STORED_AT = ("updated_at",)
HANDLE = {"Org-Handle": "acme"}


def documented(examples: Sequence[Example]) -> Mapping[str, Request]:
    """The documented examples of a function, as cases."""
    return {
        example.name: Request(
            tuple(example.request.get("path", {}).values()),
            example.request.get("query", {}),
            example.request.get("headers", {}),
            example.request.get("body"),
            token=ALL,
            answer={"status": example.status, "body": example.answer},
            is_shortened=example.is_shortened,
        )
        for example in examples
    }


OWN_CASES: dict[str, Mapping[str, Request | Authorization | Batch | Schedule | CreatedObject]] = {
    "authorize_request": {
        "read_token": Authorization((("Token", "acme.read"),)),
        "ingest_token": Authorization((("Bearer", "acme.ingest"),)),
        "every_scope": Authorization((("JWT", "acme.all"),)),
        "unknown_token": Authorization((("Token", UNKNOWN_TOKEN),)),
        "expired_token": Authorization((("Token", "acme.expired"),)),
        "revoked_token": Authorization((("Token", "acme.revoked"),)),
        "malformed_token": Authorization((("Token", "rc_tooshort"),)),
        "wrong_scheme": Authorization((("Basic", "YWxpY2U6c2VjcmV0"),)),
        "repeated_header": Authorization((("Token", "acme.read"), ("Token", "globex.all"))),
    },
    "ingest_records": {
        "accepted": records(*ACCEPTED),
        "deletion": records(DELETION),
        "merges": records(*MERGES),
        "some_rejected": records(*SOME_REJECTED),
        "all_rejected": records(*SOME_REJECTED[1:]),
        "malformed_json": raw_records(b'{"records":[{"type":"space","id":"a","id":"a"}]}'),
        "not_utf8": raw_records(b'{"records":[{"type":"space","id":"\xff"}]}'),
    },
    "get_organisation_analytics": {
        "organisation": Request(headers=HANDLE),
        "space": Request(headers=HANDLE, query={"space_token": "sales"}),
        "unknown_space": Request(headers=HANDLE, query={"space_token": "unknown"}),
        "missing_handle": Request(),
        "foreign_handle": Request(headers={"Org-Handle": "globex"}),
        "unknown_handle": Request(headers={"Org-Handle": "unknown"}),
        "unknown_parameter": Request(headers=HANDLE, query={"space": "1"}),
    },
    "query_analytics": {
        **{name: Request(body=body, route="/analytics") for name, body in BREEZE_BODIES.items()},
        "calls_over_time_in_a_zone": Request(
            body=IN_KATHMANDU, route="/agent/voice/breeze-buddy/analytics"
        ),
    },
    "get_inbound_analytics": campaign("reception", RECEPTION),
    "get_outbound_analytics": campaign("renewals", RENEWALS),
    "get_pearl_analytics": campaign("renewals", RENEWALS),
    "get_workspace_analytics": {
        "workspace": Request(("atelier",), by_clock=LAST_30_DAYS),
        "encoded_id": Request(
            ("field/team #1",), organisation="globex", token=ALL, by_clock=LAST_30_DAYS
        ),
        "unknown_workspace": Request(("unknown",)),
        "foreign_workspace": Request(("field/team #1",)),
        "unknown_parameter": Request(("atelier",), query={"days": "30"}),
    },
    "get_call": {
        "call": Request(("call-4",), by_clock=STORED_AT),
        "unknown_call": Request(("unknown",)),
        "foreign_call": Request(("call-5",), organisation="globex", token=ALL),
        "unknown_parameter": Request(("call-4",), query={"page": "2"}),
    },
    "get_record": {
        "room": Request(("room", "12"), by_clock=STORED_AT),
        "encoded_id": Request(
            ("campaign", "north/1 #é"), organisation="globex", token=ALL, by_clock=STORED_AT
        ),
        "unknown_record": Request(("room", "unknown")),
        "unknown_type": Request(("rooms", "12")),
        "foreign_record": Request(("campaign", "north/1 #é")),
        "unknown_parameter": Request(("room", "12"), query={"page": "2"}),
    },
    "search_calls": {
        "newest": Request(
            body={"from": "2026-11-16", "filters": [PROVIDER_TELNYX]}, by_clock=("calls",)
        ),
        "page": Request(body={"order": "oldest", "limit": 2}, by_clock=("calls", "next")),
        "encoded_id": Request(
            body={"filters": [{"field": "campaign_id", "op": "eq", "value": "north/1 #é"}]},
            organisation="globex",
            token=ALL,
            by_clock=("calls",),
        ),
        "nothing_matches": Request(
            body={"filters": [{"field": "outcome", "op": "contains", "value": "no such outcome"}]}
        ),
        "unsuited_operator": Request(
            body={"filters": [{"field": "duration_seconds", "op": "contains", "value": "6"}]}
        ),
        "out_of_range": Request(body={"limit": 5_000}),
        "not_acceptable": Request(body={}, headers={"Accept": "application/xml"}),
    },
    "get_audit": {
        "latest": Request(token=ADMIN, by_clock=("last_run", "started_at")),
        "read_permission": Request(by_clock=("last_run", "started_at")),
        "unknown_parameter": Request(token=ADMIN, query={"page": "2"}),
    },
    "update_rollups": BATCHES,
    "reconcile_organisations": {"hourly": Schedule()},
    "merge_pages": {"hourly": Schedule()},
    "sweep_hooks": {"hourly": Schedule()},
    "replay_deliveries": {
        "often": Schedule(),
        "kept": CreatedObject(f"hooks/waiting/{'0' * 64}/{'a' * 32}-1795262400000.json"),
    },
}

# A function without cases of its own has those that the documentation shows.
CASES = OWN_CASES | {
    function: documented(examples)
    for function, examples in read_examples(ROOT / EXAMPLES).items()
    if function not in OWN_CASES
}
