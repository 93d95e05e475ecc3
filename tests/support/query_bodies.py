"""Generated valid bodies for `POST /v1/query`, whose conditions and ranges hit the data.

It imports nothing of `rollcall`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from tests.support.query_calendar import COMPARISONS, PERIODS, TIME_BUCKETS, span_of
from tests.support.query_data import (
    CAMPAIGNS,
    DAY_MS,
    EVENT_TYPES,
    HOUR_MS,
    LABELS,
    NUMBERS,
    PAYLOAD,
    PAYLOAD_KEYS,
    REFERENCES,
    ROOMS,
    TEXTS,
    WORKSPACES,
    moment,
)
from tests.support.query_measures import (
    CALL_STATISTICS,
    CALLS,
    EVENT_SUMS,
    MEASURES,
    PAYLOAD_STATISTICS,
)
from tests.support.query_records import TIME, Content, version_of
from tests.support.query_values import BANDS, CLOCK, DATASETS, DIMENSIONS, Row, holds
from tests.support.scenes import Scene, bound, happens

CHOICES: dict[str, Sequence[Any]] = {
    **REFERENCES,
    **TEXTS,
    "campaign_id": CAMPAIGNS,
    "label": LABELS,
    "workspace_id": WORKSPACES,
    "room_id": ROOMS,
    "booking_page_id": ROOMS,
    "event_type": EVENT_TYPES,
    "disposition": DISPOSITIONS,
    "direction": ["inbound", "outbound"],
    "sentiment_band": BANDS,
    "answered": [True, False],
    "converted": [True, False],
    **NUMBERS,
    "hour_of_day": range(24),
    "day_of_week": range(1, 8),
    **{f"event.{name}": range(4) for name in EVENTS},
    **{f"payload.{key}": [v for v in PAYLOAD if v is not None] for key in PAYLOAD_KEYS},
}
STATUSES = {"calls": CALL_STATUSES, "leads": LEAD_STATUSES, "tasks": TASK_STATUSES}
NUMBER_FIELDS = ["duration_seconds", "latency_ms", "sentiment", "cost", *EVENT_SUMS]
NUMERIC = [*NUMBERS, *CLOCK, *EVENT_SUMS]
ANY_OPS = ["eq", "ne", "in", "not_in", "is_null", "not_null"]
NUMBER_OPS = ["lt", "lte", "gt", "gte", "between"]
TEXT_OPS = ["contains", "starts_with"]
HAVE_PAYLOAD = ("calls", "leads")
MAX_CONDITIONS = 50


@dataclass(frozen=True)
class Context:
    """What bodies are made from: a scene, what was sent, and the time at which it is asked."""

    scene: Scene
    records: Sequence[Content]
    now_ms: int

    def like(self, random: Random, dataset: str) -> Content:
        """One of the records of a dataset, if there are any."""
        type = DATASETS[dataset]
        own = [each for each in self.records if each["type"] == type and TIME[type] in each]
        return random.choice(own) if own else {}


def query_body(random: Random, context: Context) -> Content:
    """Any valid body; one of three asks for no more than rollups of UTC days hold."""
    if happens(random, 33):
        return rollup_body(random, context)
    dataset = random.choice(["calls"] * 8 + ["leads"] * 3 + ["tasks", "contact_events"])
    body: Content = {"dataset": dataset}
    if dataset == "calls" and happens(random, 50):
        body = {}
    zone = random.choice(
        [*context.scene.zones, *context.scene.zones, "UTC", "Europe/Berlin", "America/New_York"]
    )
    if zone != "UTC" or happens(random, 20):
        body["timezone"] = zone
    body["measures"] = some_measures(random, dataset)
    if dimensions := some_dimensions(random, dataset, body["measures"]):
        body["dimensions"] = dimensions
    like = context.like(random, dataset)
    if happens(random, 65):
        body["filters"] = conditions(random, dataset, like, zone)
    add_range(random, context, body, like)
    if "hour" in body.get("dimensions", []) and is_long(body, context.now_ms):
        body["dimensions"] = ["day" if name == "hour" else name for name in body["dimensions"]]
    add_rest(random, body)
    return shuffled(random, body)


def shuffled(random: Random, body: Content) -> Content:
    names = list(body)
    random.shuffle(names)
    return {name: body[name] for name in names}


def add_rest(random: Random, body: Content) -> None:
    """Order, limit and `others`, as far as the body allows them."""
    names = [*body["measures"], *body.get("dimensions", [])]
    if happens(random, 45):
        chosen = random.sample(names, random.randint(1, min(3, len(names))))
        directions = ["asc", "desc"]
        body["order"] = [{"by": name, "direction": random.choice(directions)} for name in chosen]
    if happens(random, 45):
        body["limit"] = random.choice([1, 2, 3, 5, 10, 10_000])
    dimensions = body.get("dimensions", [])
    if len(dimensions) == 1 and dimensions[0] not in TIME_BUCKETS and happens(random, 50):
        body["others"] = True
        body["limit"] = random.choice([1, 1, 2, 3])


# ------------------------------------------------------------------ measures and dimensions


def some_measures(random: Random, dataset: str) -> list[str]:
    pool = list(MEASURES[dataset])
    if dataset == "calls":
        pool += [*CALLS, *CALL_STATISTICS, *EVENT_SUMS]
    if dataset in HAVE_PAYLOAD:
        keys = [*PAYLOAD_KEYS, *PAYLOAD_KEYS, "none"]
        pool += [f"{name}.payload.{random.choice(keys)}" for name in PAYLOAD_STATISTICS]
    pool = list(dict.fromkeys(pool))
    count = random.choice([1, 1, 2, 3, 4, 8, 20])
    return random.sample(pool, min(count, len(pool)))


def some_dimensions(random: Random, dataset: str, measures: Sequence[str]) -> list[str]:
    pool = [*DIMENSIONS[dataset], *CLOCK]
    if dataset in HAVE_PAYLOAD and happens(random, 60):
        pool = [f"payload.{key}" for key in PAYLOAD_KEYS]
        pool += [*CLOCK, "label", "outcome"] if dataset == "calls" else ["status"]
    pool = [name for name in pool if name not in measures]
    count = random.choice([0, 1, 1, 1, 2, 2, 3])
    chosen = random.sample(pool, count)
    if count and happens(random, 50):
        chosen[random.randrange(count)] = random.choice([*TIME_BUCKETS, "hour", "hour"])
    return chosen


# ------------------------------------------------------------------ conditions


def conditions(random: Random, dataset: str, like: Content, zone: str) -> list[Content]:
    """Conditions that hold together, no more than are allowed; mostly those that hold for one record."""
    found: list[Content] = []
    row = Row(version_of(like)) if like else None
    for _ in range(random.choice([0, 1, 1, 1, 2, 3])):
        for _ in range(random.choice([1, 4, 4, 4])):
            depth = random.choice([1, 1, 1, 2, 3, 5])
            wanted = condition(random, dataset, like, depth)
            if row is not None and holds(wanted, row, ZoneInfo(zone)):
                break
        if sum(map(conditions_in, [*found, wanted])) <= MAX_CONDITIONS:
            found.append(wanted)
    return found


def conditions_in(condition: Content) -> int:
    """How many conditions there are in one; it counts itself."""
    inside = [*condition.get("any", ()), *condition.get("all", ())]
    inside += [condition["not"]] if "not" in condition else []
    return 1 + sum(map(conditions_in, inside))


def condition(random: Random, dataset: str, like: Content, depth: int) -> Content:
    """A condition nested at most so deep; a plain one is one level."""
    if depth == 1 or happens(random, 25):
        return plain_condition(random, dataset, like)
    kind = random.choice(["any", "all", "not"])
    if kind == "not":
        return {"not": condition(random, dataset, like, depth - 1)}
    size = random.choice([1, 2, 2, 3])
    return {kind: [condition(random, dataset, like, depth - 1) for _ in range(size)]}


def fields_of(dataset: str) -> list[str]:
    fields = [*DIMENSIONS[dataset], *CLOCK]
    if dataset == "calls":
        fields += NUMBER_FIELDS
    if dataset in HAVE_PAYLOAD:
        fields += [f"payload.{key}" for key in PAYLOAD_KEYS]
    return fields


def plain_condition(random: Random, dataset: str, like: Content) -> Content:
    field = random.choice(fields_of(dataset))
    if dataset in HAVE_PAYLOAD and happens(random, 25):
        field = f"payload.{random.choice(PAYLOAD_KEYS)}"
    choices = STATUSES[dataset] if field == "status" else CHOICES[field]
    choices = [*choices, *values_of(like, field, choices) * 5]
    op = random.choice(ops_of(field, choices))
    if op in ("is_null", "not_null"):
        return {"field": field, "op": op}
    return {"field": field, "op": op, "value": value_for(random, op, choices)}


def ops_of(field: str, choices: Sequence[Any]) -> list[str]:
    if field in NUMERIC:
        return [*ANY_OPS, *NUMBER_OPS]
    if field.startswith("payload."):
        return [*ANY_OPS, *NUMBER_OPS, *TEXT_OPS]
    if isinstance(choices[0], bool):
        return ANY_OPS
    return [*ANY_OPS, *TEXT_OPS, *TEXT_OPS]


def values_of(like: Content, field: str, choices: Sequence[Any]) -> list[Any]:
    """What a record has in a field, if that can be asked for."""
    if field == "label":
        return list(like.get("labels", []))
    if field.startswith("event."):
        value = like.get("events", {}).get(field.removeprefix("event."))
    elif field.startswith("payload."):
        value = like.get("payload", {}).get(field.removeprefix("payload."))
    else:
        value = like.get(field)
    return [] if value is None or (field == "status" and value not in choices) else [value]


def value_for(random: Random, op: str, choices: Sequence[Any]) -> Any:
    if op in ("in", "not_in"):
        return [random.choice(choices) for _ in range(random.choice([1, 2, 3, 5]))]
    if op in TEXT_OPS:
        text = str(random.choice([each for each in choices if not isinstance(each, bool)]))
        start = 0 if op == "starts_with" else random.randint(0, len(text))
        return text[start : start + random.choice([0, 1, 2, 3, 256])]
    if op in NUMBER_OPS:
        numbers = [each for each in choices if isinstance(each, int | Decimal)]
        numbers = [each for each in numbers if not isinstance(each, bool)]
        if op == "between":
            return sorted([random.choice(numbers), random.choice(numbers)])
        return random.choice(numbers)
    return random.choice(choices)


# ------------------------------------------------------------------ ranges


def add_range(random: Random, context: Context, body: Content, like: Content) -> None:
    """Bounds around a record, or a period, and what they are compared with."""
    if happens(random, 35):
        body["period"] = random.choice(PERIODS)
    elif happens(random, 85):
        body |= bounds_of(random, context, body, like)
        if happens(random, 20):
            del body[random.choice(["from", "to"])]
    has_both = "period" in body or {"from", "to"} <= body.keys()
    if has_both and happens(random, 40):
        body["compare"] = random.choice(COMPARISONS)
        if happens(random, 15):
            body["compare"] = bounds_of(random, context, body, like)


def bounds_of(random: Random, context: Context, body: Content, like: Content) -> Content:
    zone = body.get("timezone", "UTC")
    moments = sorted([moment(random, context.scene), moment(random, context.scene)])
    if like and happens(random, 80):
        name = TIME[like["type"]]
        when = instant(like[name], name)
        spans = [0, 1, 999, HOUR_MS, DAY_MS, 6 * DAY_MS, 9 * DAY_MS, 40 * DAY_MS, 400 * DAY_MS]
        moments = [when - random.choice(spans), when + random.choice(spans)]
    texts = [bound(random, zone, each) for each in moments]
    if happens(random, 30):
        texts = [text[:10] for text in texts]
    found = dict(zip(["from", "to"], texts, strict=True))
    span = span_of(found, 0, ZoneInfo(zone))
    assert span.start is not None
    assert span.end is not None
    # A local time that never occurs may lead past the other bound.
    return found if span.start <= span.end else {"from": texts[0][:10], "to": texts[0][:10]}


def is_long(body: Content, now_ms: int) -> bool:
    span = span_of(body, now_ms, ZoneInfo(body.get("timezone", "UTC")))
    if span.start is None or span.end is None:
        return True
    return span.end - span.start > 60 * DAY_MS


# ------------------------------------------------------------------ what rollups can answer

ROLLUP_MEASURES = {
    "calls": [
        *"calls answered completed failed successful timed scored talk_seconds cost".split(),
        *"avg_duration min_duration max_duration p50_duration p95_duration cost_per_call".split(),
        *("answer_rate", "success_rate", "failure_rate", *EVENT_SUMS),
    ],
    "leads": ["leads", "converted", "conversion_rate"],
    "tasks": ["tasks"],
}
ROLLUP_SCOPES = {
    "calls": ["template_id", "campaign_id", "merchant_id", "reseller_id", "space_token"],
    "leads": ["template_id", "merchant_id", "reseller_id"],
    "tasks": ["space_token"],
}
ROLLUP_DIMENSIONS = {
    "calls": ["outcome", "provider", "disposition", "status", "hour_of_day", "attempt", "label"],
    "leads": ["status"],
    "tasks": ["status"],
}


def rollup_body(random: Random, context: Context) -> Content:
    """Whole UTC days, one scope or several of one kind, one breakdown, sums."""
    dataset = random.choice(["calls"] * 6 + ["leads"] * 2 + ["tasks"])
    like = context.like(random, dataset)
    pool = ROLLUP_MEASURES[dataset]
    body: Content = {"dataset": dataset}
    body["measures"] = random.sample(pool, min(len(pool), random.choice([1, 2, 3, 8])))
    kind = random.randint(0, 3)
    if kind > 1:
        body["dimensions"] = [random.choice(["day", "week", "month", "quarter", "year"])]
    if kind in (1, 3):
        body.setdefault("dimensions", []).append(random.choice(ROLLUP_DIMENSIONS[dataset]))
        if happens(random, 80):
            body["measures"] = [dataset]
    if happens(random, 65):
        field = random.choice(ROLLUP_SCOPES[dataset])
        choices = [*CHOICES[field], *values_of(like, field, CHOICES[field]) * 4]
        op = random.choice(["eq", "eq", "in"])
        body["filters"] = [{"field": field, "op": op, "value": value_for(random, op, choices)}]
    add_range(random, context, body, like)
    if happens(random, 85):  # else parts of days come from pages
        body |= whole_days(body)
        if isinstance(body.get("compare"), dict):
            body["compare"] = whole_days(body["compare"])
    add_rest(random, body)
    return body


def whole_days(bounds: Content) -> Content:
    """The dates of the bounds that there are, in order: those of texts with offsets may not be."""
    names = [name for name in ("from", "to") if name in bounds]
    return dict(zip(names, sorted(bounds[name][:10] for name in names), strict=True))
