"""Generated bodies that `POST /v1/query` refuses, with the status and the places at fault.

Only faults whose status and place the contract fixes. It imports nothing of `rollcall`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from tests.support.query_records import Content

MALFORMED, OUT_OF_RANGE = 400, 422


@dataclass(frozen=True)
class Fault:
    """One fault of a body: `add` puts it there, and returns the pointers that may name it."""

    status: int
    key: str
    add: Callable[[Content], set[str]]


@dataclass(frozen=True)
class Invalid:
    """A body, the status of its answer, and for each fault the pointers that may name it."""

    body: Content
    status: int
    places: list[set[str]]


def at_key(status: int, key: str, value: Any, *more: str) -> Fault:
    """A fault of one key of the body."""

    def add(body: Content) -> set[str]:
        body[key] = value
        return {f"/{key}", *more}

    return Fault(status, key, add)


def condition(status: int, wrong: Any, *pointers: str) -> Fault:
    """A fault of one more condition, at pointers within it."""

    def add(body: Content) -> set[str]:
        place = f"/filters/{len(body['filters'])}"
        body["filters"].append(wrong)
        return {place + pointer for pointer in pointers}

    return Fault(status, "", add)


def name(key: str, wrong: str) -> Fault:
    """One more name in a list of names."""

    def add(body: Content) -> set[str]:
        body[key].append(wrong)
        return {f"/{key}/{len(body[key]) - 1}"}

    return Fault(MALFORMED, key, add)


def plain(field: str, op: str, *value: Any) -> Content:
    return {"field": field, "op": op, **({"value": value[0]} if value else {})}


def nested(depth: int) -> Content:
    found = plain("outcome", "eq", "a")
    for _ in range(depth - 1):
        found = {"not": found}
    return found


FAULTS = [
    # ------------------------------------------------------------------ unknown names
    at_key(MALFORMED, "colour", "red"),
    at_key(MALFORMED, "Measures", ["calls"]),
    at_key(MALFORMED, "period", "last_8_days"),
    at_key(MALFORMED, "period", "Today"),
    at_key(MALFORMED, "timezone", "Europe/Atlantis"),
    at_key(MALFORMED, "timezone", "europe/berlin"),
    at_key(MALFORMED, "timezone", "+01:00"),
    name("measures", "call"),
    name("measures", "events"),  # of another dataset
    name("measures", "event.nothing"),
    name("measures", "p51_duration"),
    name("measures", "median.payload.a"),
    name("measures", "sum.payload."),
    name("measures", "sum.payload.a b"),
    name("dimensions", "colour"),
    name("dimensions", "room_id"),
    name("dimensions", "minute"),
    name("dimensions", "payload."),
    name("dimensions", "payload." + "k" * 65),
    name("dimensions", "duration_seconds"),  # a field, but no dimension
    condition(MALFORMED, plain("colour", "eq", "a"), "/field"),
    condition(MALFORMED, plain("day", "eq", "2026-11-01"), "/field"),
    condition(MALFORMED, plain("calls", "eq", 1), "/field"),
    condition(MALFORMED, plain("outcome", "like", "a"), "/op"),
    condition(MALFORMED, {**plain("outcome", "eq", "a"), "colour": 1}, "/colour"),
    condition(
        MALFORMED, {"any": [plain("outcome", "eq", "a"), plain("x", "is_null")]}, "/any/1/field"
    ),
    condition(MALFORMED, {"all": [{"not": plain("x", "is_null")}]}, "/all/0/not/field"),
    at_key(MALFORMED, "order", [{"by": "colour", "direction": "asc"}], "/order/0/by"),
    at_key(MALFORMED, "order", [{"by": "calls", "direction": "up"}], "/order/0/direction"),
    at_key(MALFORMED, "order", [{"by": "calls", "direction": "asc", "x": 1}], "/order/0/x"),
    # ------------------------------------------------------------------ ops and types
    condition(MALFORMED, plain("outcome", "lt", "a"), "/op"),
    condition(MALFORMED, plain("cost", "contains", "1"), "/op"),
    condition(MALFORMED, plain("answered", "gt", 0), "/op"),
    condition(MALFORMED, plain("outcome", "eq", 5), "/value"),
    condition(MALFORMED, plain("outcome", "eq", None), "/value"),
    condition(MALFORMED, plain("outcome", "contains", 5), "/value"),
    condition(MALFORMED, plain("cost", "eq", "5"), "/value"),
    condition(MALFORMED, plain("cost", "eq", True), "/value"),
    condition(MALFORMED, plain("answered", "eq", "true"), "/value"),
    condition(MALFORMED, plain("lead_id", "eq", True), "/value"),
    condition(MALFORMED, plain("payload.a", "eq", [1]), "/value"),
    condition(MALFORMED, plain("payload.a", "lt", "1"), "/value"),
    condition(MALFORMED, plain("outcome", "in", "a"), "/value"),
    condition(MALFORMED, plain("outcome", "in", ["a", 1]), "/value/1"),
    condition(MALFORMED, plain("cost", "between", [0, "1"]), "/value/1"),
    condition(MALFORMED, plain("outcome", "eq"), "/value"),
    condition(MALFORMED, plain("outcome", "is_null", None), "/value"),
    condition(MALFORMED, "outcome = a", ""),
    at_key(MALFORMED, "from", 1764288000),
    at_key(MALFORMED, "to", None),
    at_key(MALFORMED, "limit", "5"),
    at_key(MALFORMED, "limit", Decimal("1.5")),
    at_key(MALFORMED, "limit", True),
    at_key(MALFORMED, "others", "yes"),
    # ------------------------------------------------------------------ ranges and counts
    at_key(OUT_OF_RANGE, "limit", 0),
    at_key(OUT_OF_RANGE, "limit", 10_001),
    at_key(OUT_OF_RANGE, "from", "2026-02-30"),
    at_key(OUT_OF_RANGE, "from", "1969-12-31T23:59:59Z"),
    at_key(OUT_OF_RANGE, "to", "2026-11-28T12:00:60Z"),
    at_key(OUT_OF_RANGE, "to", "9999-01-01"),
    condition(OUT_OF_RANGE, plain("status", "eq", "Completed"), "/value"),
    condition(OUT_OF_RANGE, plain("sentiment_band", "eq", "happy"), "/value"),
    condition(OUT_OF_RANGE, plain("direction", "in", ["inbound", "up"]), "/value/1"),
    condition(OUT_OF_RANGE, plain("outcome", "in", []), "/value"),
    condition(OUT_OF_RANGE, plain("outcome", "in", [str(n) for n in range(101)]), "/value"),
    condition(OUT_OF_RANGE, plain("cost", "between", [1]), "/value"),
    condition(OUT_OF_RANGE, plain("cost", "between", [1, 2, 3]), "/value"),
    condition(OUT_OF_RANGE, plain("sentiment", "gt", Decimal("1.5")), "/value"),
    condition(OUT_OF_RANGE, plain("cost", "lt", -1), "/value"),
    condition(OUT_OF_RANGE, plain("hour_of_day", "eq", 24), "/value"),
    condition(OUT_OF_RANGE, plain("lead_id", "eq", ""), "/value"),
]
WHOLE: list[tuple[Content, int, list[set[str]]]] = [
    ({"dataset": "call", "measures": ["calls"]}, MALFORMED, [{"/dataset"}]),
    ({"dataset": 1, "measures": ["calls"]}, MALFORMED, [{"/dataset"}]),
    ({"measures": ["calls"], "cursor": "damaged"}, MALFORMED, [{"/cursor"}]),
    ({}, MALFORMED, [{"", "/measures"}]),
    ({"measures": "calls"}, MALFORMED, [{"/measures"}]),
    ({"measures": ["calls", 5]}, MALFORMED, [{"/measures/1"}]),
    ({"measures": []}, OUT_OF_RANGE, [{"/measures"}]),
    ({"measures": [f"sum.payload.{n}" for n in range(21)]}, OUT_OF_RANGE, [{"/measures"}]),
    (
        {"measures": ["calls"], "dimensions": ["status", "outcome", "provider", "language"]},
        OUT_OF_RANGE,
        [{"/dimensions"}],
    ),
    (
        {"measures": ["calls"], "dimensions": ["day", "month"]},
        OUT_OF_RANGE,
        [{"/dimensions", "/dimensions/1"}],
    ),
    (
        {"measures": ["answered"], "dimensions": ["answered"]},
        MALFORMED,
        [{"/measures/0", "/dimensions/0"}],
    ),
    (
        {"measures": ["calls"], "from": "2026-11-02", "to": "2026-11-01"},
        OUT_OF_RANGE,
        [{"/from", "/to"}],
    ),
    (
        {"measures": ["calls"], "filters": [plain("outcome", "eq", "a")] * 51},
        OUT_OF_RANGE,
        [{"/filters"}],
    ),
    (
        {"measures": ["calls"], "filters": [nested(6)]},
        OUT_OF_RANGE,
        [{"/filters/0" + "/not" * depth for depth in range(6)} | {"/filters"}],
    ),
    (
        {"measures": ["calls"], "period": "today", "compare": "last_period"},
        MALFORMED,
        [{"/compare"}],
    ),
]


def invalid(random: Random) -> Invalid:
    """A body with one to four faults, each of a place of its own."""
    if random.random() < 0.15:
        return Invalid(*random.choice(WHOLE))
    body: Content = {"measures": ["calls"], "dimensions": ["status"], "filters": []}
    chosen: dict[str, Fault] = {}
    for fault in random.sample(FAULTS, random.choice([1, 1, 2, 3, 4])):
        chosen.setdefault(fault.key or str(id(fault)), fault)
    if "period" in chosen:
        chosen.pop("from", None)
        chosen.pop("to", None)
    faults = list(chosen.values())
    places = [fault.add(body) for fault in faults]
    return Invalid(body, min(fault.status for fault in faults), places)


def fault_of(status: int, pointers: list[str], expected: Invalid) -> str | None:
    """What is wrong with a refusal: every fault is named, and nothing else is."""
    if status != expected.status:
        return f"status {status}, expected {expected.status}"
    allowed = set().union(*expected.places)
    if surplus := [pointer for pointer in pointers if pointer not in allowed]:
        return f"{surplus} are named, expected {expected.places}"
    missing = [place for place in expected.places if not place & set(pointers)]
    return f"{missing} are not named, but {pointers}" if missing else None
