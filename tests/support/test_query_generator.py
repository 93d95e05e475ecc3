"""The generator of queries: a seed repeats it, and its queries find planted faults.

Each fault breaks one clause of the contract in the oracle itself. A generator that does not show it
would not show it in an engine either.
"""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support import query_calendar, query_measures, query_oracle, query_records, query_values
from tests.support.oracle_breeze import hour_label
from tests.support.query_calendar import Bucket, Span
from tests.support.query_generator import generate
from tests.support.query_oracle import QueryOracle
from tests.support.query_values import Row, Value

SCENARIOS = 150
DAY = timedelta(days=1)


def test_a_seed_repeats_a_scenario() -> None:
    assert generate(Random(3)) == generate(Random(3)) != generate(Random(4))


def test_generated_queries_hit_data() -> None:
    hits = asked = 0
    for seed in range(12):
        scenario = generate(Random(seed))
        oracle = QueryOracle(scenario.records)
        for body in scenario.queries:
            found = oracle.answer(body, scenario.now_ms)
            hits += found["totals"][body["measures"][0]] not in (None, 0)
            asked += 1
            assert len(found["rows"]) <= body.get("limit", 1_000) + 1
    assert asked == 240
    assert hits > asked // 4


# ------------------------------------------------------------------ planted faults

holds, dates_of, bucket_of = query_values.holds, query_calendar.dates_of, query_calendar.bucket_of
moved, compared, wins = query_calendar.moved, query_calendar.compared, query_records.wins
ascending, sort = query_values.ascending, query_oracle.sort
compares, a_year_earlier = query_values.compares, query_calendar.a_year_earlier
others = query_oracle.others
row_of, keys_of, values = query_oracle.row_of, query_oracle.keys_of, Row.values


def only_with_a_value(condition: Any, row: Row, zone: Any) -> bool:
    """`ne` and `not_in` do not hold for rows without the value."""
    if condition.get("op") in ("ne", "not_in") and not row.values(condition["field"], zone):
        return False
    return holds(condition, row, zone)


def without_case(condition: Any, row: Row, zone: Any) -> bool:
    if condition.get("op") not in ("contains", "starts_with"):
        return holds(condition, row, zone)
    texts = [v.value.lower() for v in row.values(condition["field"], zone) if v.kind == "string"]
    return any(condition["value"].lower() in text for text in texts)


def exclusive(op: str, number: Any, wanted: Any) -> bool:
    return compares({"lte": "lt", "gte": "gt"}.get(op, op), number, wanted)


def sorted_with_nulls_first(query: Any, groups: Any, by: str, *, descending: bool) -> None:
    sort(query, groups, by, descending=descending)
    if descending and by in query.dimensions:
        place = query.dimensions.index(by)
        groups.sort(key=lambda group: group.key[place] != query_values.NULL)


def weeks_from_sunday(day: date, name: str) -> Bucket:
    if name != "week":
        return bucket_of(day, name)
    sunday = day - (day.isoweekday() % 7) * DAY
    return Bucket(sunday.toordinal(), sunday.isoformat())


def hour_without_offset(hour: int, offset_ms: int) -> str:
    return hour_label(hour, offset_ms)[:19]


def in_order_of_text(value: Value) -> Any:
    is_bucket = value.kind == "bucket"
    return (0, value.value.label) if is_bucket else ascending(value)


def until_today(period: str, today: date) -> tuple[date, date]:
    first, last = dates_of(period, today)
    return first, min(last, today)


def before_today(period: str, today: date) -> tuple[date, date]:
    return dates_of(period, today - DAY if period.startswith("last_") else today)


def others_of_each_row(groups: Any) -> Any:
    made = others([])
    made.rows = [row for group in groups for row in group.rows]
    made.previous = [row for group in groups for row in group.previous]
    return made


def paired_by_label(oracle: Any, query: Any, found: Any) -> None:
    before = oracle.matching(query, query.previous)
    for row in before:
        for key in keys_of(query, row):
            found.setdefault(key, query_oracle.Group(key)).previous.append(row)


def last_bucket_is_open(query: Any, group: Any) -> Any:
    row = row_of(query, group)
    row.pop("complete", None)
    return row


def averages_over_all(rows: Any, field: str) -> list[Any]:
    return [row.content.get(field) or 0 for row in rows]


def half_even(number: Fraction, places: int) -> Any:
    exact = number * 10**places
    return Decimal(round(exact)).scaleb(-places)


def rounded_down(number: Fraction, places: int) -> Any:
    return Decimal(floor(number * 10**places)).scaleb(-places)


def in_utc(row: Row, field: str, zone: Any) -> list[Value]:
    clock = field in ("hour_of_day", "day_of_week")
    return values(row, field, ZoneInfo("UTC") if clock else zone)


def first_label_alone(row: Row, field: str, zone: Any) -> list[Value]:
    return values(row, field, zone)[:1]


def null_payload_is_a_value(row: Row, field: str, zone: Any) -> list[Value]:
    key = field.removeprefix("payload.")
    if field.startswith("payload.") and key in row.content.get("payload", {}):
        return [row.value(field)]
    return values(row, field, zone)


def same_milliseconds(span: Span, compare: Any, zone: Any) -> Span:
    if compare != "previous_period":
        return compared(span, compare, zone)
    assert span.start is not None
    assert span.end is not None
    length = span.end + 1 - span.start
    return Span(span.start - length, span.start - 1)


def one_week_back(span: Span, compare: Any, zone: Any) -> Span:
    if compare != "previous_weekdays":
        return compared(span, compare, zone)
    whole = query_calendar.whole_days(span, zone)
    return moved(span, whole, zone, query_calendar.weeks_earlier(1))


FAULTS: dict[str, tuple[Any, str, Any]] = {
    "an older version wins": (query_records, "wins", lambda new, old: not wins(new, old)),
    "a deletion is ignored": (
        query_records,
        "wins",
        lambda new, old: new.content is not None and wins(new, old),
    ),
    "ids are compared by type": (query_values, "asked", lambda _, value: query_values.plain(value)),
    "answered has no default": (query_values, "with_defaults", lambda _, content: content),
    "ne needs a value": (query_values, "holds", only_with_a_value),
    "texts without case": (query_values, "holds", without_case),
    "bounds are exclusive": (
        query_values,
        "compares",
        exclusive,
    ),
    "nulls first": (query_oracle, "sort", sorted_with_nulls_first),
    "booleans before texts": (
        query_values,
        "KINDS",
        ["bucket", "number", "boolean", "string"],
    ),
    "weeks from Sunday": (query_calendar, "bucket_of", weeks_from_sunday),
    "hours without offset": (query_calendar, "hour_label", hour_without_offset),
    "hours in order of text": (query_oracle, "ascending", in_order_of_text),
    "periods end today": (query_calendar, "dates_of", until_today),
    "last days end yesterday": (query_calendar, "dates_of", before_today),
    "others count labels twice": (query_oracle, "others", others_of_each_row),
    "pairs by label": (QueryOracle, "add_previous", paired_by_label),
    "no bucket is open": (query_oracle, "row_of", last_bucket_is_open),
    "averages over all calls": (query_measures, "given", averages_over_all),
    "halves to even": (query_measures, "rounded", half_even),
    "rounded down": (query_measures, "rounded", rounded_down),
    "percentile one rank up": (
        query_measures,
        "percentile",
        lambda numbers, share: sorted(numbers)[len(numbers) * share // 100 - (share == 100)],
    ),
    "clock of UTC": (Row, "values", in_utc),
    "the first label alone": (Row, "values", first_label_alone),
    "null of a payload is a value": (Row, "values", null_payload_is_a_value),
    "days are milliseconds": (query_oracle, "compared", same_milliseconds),
    "one week back": (query_oracle, "compared", one_week_back),
    "29 February is 1 March": (
        query_calendar,
        "a_year_earlier",
        lambda day: (day - 365 * DAY) if (day.month, day.day) == (2, 29) else a_year_earlier(day),
    ),
    "conversion without an end": (
        Row,
        "is_converted",
        property(lambda row: bool(row.content.get("converted"))),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_queries_find_planted_faults(fault: Any, monkeypatch: Any) -> None:
    place, name, broken = FAULTS[fault]
    for seed in range(SCENARIOS):
        scenario = generate(Random(f"faults/{seed}"))
        expected = answers(scenario)
        with monkeypatch.context() as patched:
            patched.setattr(place, name, broken)
            found = answers(scenario)
        if found != expected:
            print(f"found by scenario {seed}")
            return
    pytest.fail("no query shows it")


def answers(scenario: Any) -> list[Any]:
    oracle = QueryOracle(scenario.records)
    return [repr(oracle.answer(body, scenario.now_ms)) for body in scenario.queries]
