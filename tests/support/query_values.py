"""What a row has in each field, and whether a condition holds for it.

A value is a pair of its kind and itself, so that values of two JSON types are never equal. It imports
nothing of `rollcall`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.support.oracle import exact, identifier, is_number
from tests.support.oracle_zones import local
from tests.support.query_calendar import TIME_BUCKETS, Bucket, bucket_at
from tests.support.query_records import IDS, TIME, Content, Version, with_defaults

DATASETS = {"calls": "call", "leads": "lead", "tasks": "task", "contact_events": "contact_event"}
BANDS = "negative slightly_negative neutral slightly_positive positive".split()
CLOCK = ["hour_of_day", "day_of_week"]
DIMENSIONS = {
    "calls": [
        *"status disposition direction campaign_id space_token template_id merchant_id".split(),
        *"reseller_id lead_id provider outcome attempt answered ended_reason language".split(),
        *"label sentiment_band".split(),
    ],
    "leads": "status converted template_id merchant_id reseller_id".split(),
    "tasks": "status space_token".split(),
    "contact_events": "event_type workspace_id room_id booking_page_id".split(),
}
"""Besides those of time and `payload.<key>`, which calls and leads have."""

ID_FIELDS = {*IDS, "label"}


class Value(NamedTuple):
    kind: str
    value: Any


NULL = Value("null", None)
KINDS = ["bucket", "number", "string", "boolean"]
"""The order of values of different kinds; null is last wherever it is."""


class Row:
    """A live record of a dataset, with what can be asked of it."""

    def __init__(self, version: Version) -> None:
        assert version.content is not None
        self.id = version.id
        self.content: Content = with_defaults(version.type, version.content)
        self.moment: int = self.content[TIME[version.type]]
        self.version = version

    def values(self, field: str, zone: ZoneInfo) -> list[Value]:
        """All that the row has of a field: nothing, one value, or several labels."""
        if field in TIME_BUCKETS:
            return [Value("bucket", bucket_at(self.moment, field, zone))]
        if field == "hour_of_day":
            return [Value("number", local(self.moment, zone).hour)]
        if field == "day_of_week":
            return [Value("number", local(self.moment, zone).isoweekday())]
        if field == "label":
            return [Value("string", label) for label in self.content.get("labels", ())]
        found = self.value(field)
        return [] if found.kind == "null" else [found]

    def value(self, field: str) -> Value:
        if field == "sentiment_band":
            score = self.content.get("sentiment")
            return NULL if score is None else Value("string", BANDS[min(int(score * 5), 4)])
        if field.startswith("event."):
            return Value("number", self.events(field.removeprefix("event.")))
        if field.startswith("payload."):
            key = field.removeprefix("payload.")
            return Value(*self.content.get("payload", {}).get(key, NULL))
        return plain(self.content.get(field))

    def events(self, name: str) -> int:
        return int(self.content.get("events", {}).get(name, 0))

    @property
    def is_converted(self) -> bool:
        return self.content["status"] == "FINISHED" and self.content.get("converted") is True


def plain(value: Any) -> Value:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return Value("boolean", value)
    if is_number(value):
        return Value("number", exact(value))
    return Value("string", value)


def shown(value: Value) -> Any:
    """A value as an answer has it."""
    return value.value.label if isinstance(value.value, Bucket) else value.value


def ascending(value: Value) -> tuple[int, Any]:
    """A key that sorts values that are not null."""
    return KINDS.index(value.kind), value.value


# ------------------------------------------------------------------ conditions


def holds(condition: dict[str, Any], row: Row, zone: ZoneInfo) -> bool:
    if "any" in condition:
        return any(holds(each, row, zone) for each in condition["any"])
    if "all" in condition:
        return all(holds(each, row, zone) for each in condition["all"])
    if "not" in condition:
        return not holds(condition["not"], row, zone)
    field, op = condition["field"], condition["op"]
    values = row.values(field, zone)
    if op == "is_null":
        return not values
    if op == "not_null":
        return bool(values)
    wanted = condition["value"]
    if op in ("eq", "ne", "in", "not_in"):
        choices = wanted if op in ("in", "not_in") else [wanted]
        is_among = any(value == asked(field, choice) for value in values for choice in choices)
        return is_among if op in ("eq", "in") else not is_among
    if op in ("contains", "starts_with"):
        texts = [value.value for value in values if value.kind == "string"]
        if op == "contains":
            return any(wanted in text for text in texts)
        return any(text.startswith(wanted) for text in texts)
    numbers = [value.value for value in values if value.kind == "number"]
    return any(compares(op, number, wanted) for number in numbers)


def asked(field: str, value: Any) -> Value:
    """A value of a condition, to be compared with those of rows."""
    return Value("string", identifier(value, field)) if field in ID_FIELDS else plain(value)


def compares(op: str, number: Decimal, wanted: Any) -> bool:
    if op == "between":
        least, most = map(exact, wanted)
        return least <= number <= most
    limit = exact(wanted)
    match op:
        case "lt":
            return number < limit
        case "lte":
            return number <= limit
        case "gt":
            return number > limit
        case "gte":
            return number >= limit
    raise AssertionError(op)


def all_hold(conditions: Sequence[dict[str, Any]], row: Row, zone: ZoneInfo) -> bool:
    return all(holds(each, row, zone) for each in conditions)
