"""Breeze's dialect, as tests know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from tests.support.dialect import Dialect
from tests.support.oracle import Oracle
from tests.support.oracle_breeze import CALL_TYPES, GRANULARITIES, LEAD_TYPES, breeze
from tests.support.scenes import (
    BAD_BOUNDS,
    DAY_MS,
    DURATIONS,
    END_MS,
    HOUR_MS,
    OWNERS,
    PAYLOAD_KEYS,
    PAYLOAD_VALUES,
    SECOND_MS,
    SENTIMENTS,
    Content,
    Query,
    Scene,
    bound,
    happens,
    moment,
    some,
    time_of,
)

BAD_IDS = ["", "x" * 129, "a\x00", Decimal("5.0"), 10**128, None, True, [], {}]
BAD_DURATIONS = [-1, Decimal("-0.001"), "5", None, True, [1]]
BAD_SENTIMENTS = [-1, Decimal("1.0001"), "0.5", None, False]
BAD_FILTERS: dict[str, Sequence[Any]] = {
    **dict.fromkeys(OWNERS, BAD_IDS),
    "date_from": BAD_BOUNDS,
    "date_to": BAD_BOUNDS,
    "min_duration": BAD_DURATIONS,
    "max_duration": BAD_DURATIONS,
    "sentiment_min": BAD_SENTIMENTS,
    "sentiment_max": BAD_SENTIMENTS,
    "payload_filters": [None, [], "a", {"a": []}, {"a": {}}],
    "unknown": [1],
}
BAD_OTHERS: dict[str, Sequence[Any]] = {
    "page": [0, -1, "1", Decimal("1.0"), None, True],
    "page_size": [0, 1001, "1", Decimal("2.5"), None, False],
    "granularity": ["year", "", None, 1, ["day"]],
    "timezone": ["Europe/Atlantis", "", "+01:00", None, 0, "europe/berlin", "Europe", "../UTC"],
    "query_type": ["calls", None, 1, ["call_count"]],
    "filters": [None, [], "date_from"],
    "unknown": [None],
}


OVER_TIME = ["calls_over_time", "avg_duration_over_time"]


def one_of(random: Random, choices: Mapping[str, Sequence[Any]]) -> Content:
    name = random.choice(list(choices))
    return {name: random.choice(choices[name])}


def breeze_body(random: Random, scene: Scene) -> Content:
    zone = random.choice([*list(scene.zones) * 4, "UTC", "Africa/Abidjan"])
    body: Content = {"query_type": random.choice([*CALL_TYPES, *LEAD_TYPES, *OVER_TIME * 2])}
    if happens(random, 90):
        kind = "lead" if body["query_type"] in LEAD_TYPES else "call"
        like = [each for each in scene.records if each["type"] == kind]
        body["filters"] = breeze_filters(random, scene, zone, like)
    body |= some(random, {"granularity": GRANULARITIES}, 65)
    body |= some(random, {"page": [1, 2, 3, 4]}, 25)
    body |= some(random, {"page_size": [1, 2, 7, 1000]}, 35)
    if happens(random, 85 if zone != "UTC" else 20):
        body["timezone"] = zone
    if happens(random, 4):
        body |= one_of(random, BAD_OTHERS)
    return body


def breeze_filters(random: Random, scene: Scene, zone: str, records: Sequence[Content]) -> Content:
    """Any filters; mostly some that one of the records passes."""
    like = random.choice(records) if records and happens(random, 80) else {}
    filters: Content = {}
    if happens(random, 70):
        moments = [moment(random, scene), moment(random, scene)]
        if like and happens(random, 70):
            span = [0, 0, 1, 999, SECOND_MS, HOUR_MS, DAY_MS, 9 * DAY_MS, 40 * DAY_MS]
            span += [400 * DAY_MS, 1_500 * DAY_MS, 12_000 * DAY_MS]
            before, after = (random.choice(span) for _ in range(2))
            moments = [max(time_of(like) - before, 0), min(time_of(like) + after, END_MS - 1)]
        elif happens(random, 90):
            moments.sort()
        bounds = [bound(random, zone, each) for each in moments]
        filters = dict(zip(["date_from", "date_to"], bounds, strict=True))
        if happens(random, 30):
            del filters[random.choice(["date_from", "date_to"])]
    kind = random.randint(0, 9)
    if kind in (3, 4, 5):
        filters |= owner_filters(random, like, 1)
    if kind in (6, 9):
        filters |= owner_filters(random, like, random.randint(0, 3))
    if kind in (7, 8, 9):
        filters |= value_filters(random, like)
    if happens(random, 4):
        filters |= one_of(random, BAD_FILTERS)
    return filters


def owner_filters(random: Random, like: Content, count: int) -> Content:
    """Some owners: those of a record, or any."""
    names = [name for name in OWNERS if name in like] or list(OWNERS)
    chosen = {random.choice(names) for _ in range(count)}
    return {name: like.get(name, random.choice(OWNERS[name])) for name in sorted(chosen)}


def value_filters(random: Random, like: Content) -> Content:
    """Some limits and payload values: those of a record, around them, or any."""
    filters: Content = {}
    for field_, least, most, values, largest in (
        ("duration_seconds", "min_duration", "max_duration", DURATIONS, 10**30),
        ("sentiment", "sentiment_min", "sentiment_max", SENTIMENTS, 1),
    ):
        if happens(random, 30):
            value = like.get(field_, random.choice(values))
            filters |= some(random, {least: [0, value, value], most: [largest, value, value]})
    if happens(random, 60):
        payload = dict(like.get("payload", {}))
        if not payload or happens(random, 20):
            key = random.choice([*PAYLOAD_KEYS, "none such"])
            payload[key] = random.choice([*PAYLOAD_VALUES, Decimal("1E+101"), "x" * 257])
        elif happens(random, 20):
            payload.popitem()
        filters["payload_filters"] = payload
    return filters


def _generate(random: Random, scene: Scene) -> Query:
    return Query("query_analytics", body=breeze_body(random, scene))


def _answer(oracle: Oracle, query: Query) -> tuple[int, Any]:
    return breeze(oracle, query.body)


DIALECT = Dialect(
    {"query_analytics": "/analytics"},
    error_key="detail",
    share=11,
    generate=_generate,
    answer=_answer,
)
