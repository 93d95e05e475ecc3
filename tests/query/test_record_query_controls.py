"""Planted faults in Rollcall's own queries: the comparison with brute force must find each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from rollcall.dialects.rollcall.queries import filters, ranges
from rollcall.domain.time import named_periods
from rollcall.domain.time.periods import Period, Plan, plan
from rollcall.query import (
    cells,
    coding,
    datasets,
    filtering,
    group_planner,
    masks,
    scopes,
    values,
)
from rollcall.query.conditions import Comparison
from rollcall.query.fields import Op
from rollcall.query.filtering import RowFilter
from rollcall.query.grouping import GroupedRows
from rollcall.query.reports import query as report
from rollcall.query.rollup_shapes import AllRows, ByValue
from tests.long_run import NOW_MS
from tests.support.agreement import Disagreement
from tests.support.answering import deployed
from tests.support.query_agreement import ask_everything, organisation_with
from tests.support.query_generator import generate

pytestmark = pytest.mark.property

SCENARIOS = 120

masking, matcher, stored_ranges = masks.masking, masks._matcher, masks.ranges_of
matches_decimal, by, others_have = masks._decimal_matcher, report._by, report._has_one_of
bucket_of, entries_of = coding.bucket_of, coding.DimensionCoder.entries
entries_of_rows, sorted_scopes = report._Rows._entries, scopes._sorted
select, integers_of, payload_text = RowFilter.select, values.integers_of, filters.payload_text
days_before, year_before = named_periods.days_before, named_periods.year_before


def without_edges(period: Period) -> Plan:
    return plan(period)._replace(edges=())


def end_included(self: RowFilter, read: Any) -> Any:
    clip = Period(read.clip.start_ms, read.clip.end_ms + 1)
    return select(self, read._replace(clip=clip))


def weeks_from_sunday(granularity: Any, local_ms: Any, offset_ms: Any) -> Any:
    is_week = granularity.value == "week"
    return bucket_of(granularity, local_ms + (86_400_000 if is_week else 0), offset_ms)


def without_nulls(condition: Any, zone: Any) -> Any:
    holds = masking(condition, zone)
    if not isinstance(condition, Comparison) or condition.op not in (Op.NE, Op.NOT_IN):
        return holds
    is_null = masking(Comparison(condition.field, Op.IS_NULL), zone)
    return lambda columns: holds(columns) & ~is_null(columns)


def exclusive(comparison: Any) -> Any:
    op = {Op.LTE: Op.LT, Op.GTE: Op.GT}.get(comparison.op, comparison.op)
    return stored_ranges(Comparison(comparison.field, op, comparison.values))


def without_case(comparison: Any) -> Any:
    if comparison.op not in (Op.CONTAINS, Op.STARTS_WITH):
        return matcher(comparison)
    lower = Comparison(comparison.field, comparison.op, (comparison.values[0].lower(),))
    of_lower = matcher(lower)
    return lambda text: of_lower(text.lower())


def null_first(entries: Any, keys: Any, *, is_descending: bool) -> Any:
    ordered = by(entries, keys, is_descending=is_descending)
    nulls = sum(key is None for key in keys)
    if not is_descending or not nulls:
        return ordered
    return ordered[-nulls:] + ordered[:-nulls]


def one_rank_lower(counted: Any, percent: int) -> Decimal | None:
    codes, counts = counted._coder.ordered(counted._codes, counted._counts)
    every = np.repeat(codes, counts)
    if not len(every):
        return None
    place = max(0, percent * len(every) // 100 - 1)
    return counted._coder.decoded(int(every[place]))  # type: ignore[no-any-return]


def first_entry_alone(coder: Any, columns: Any) -> Any:
    rows, numbers = entries_of(coder, columns)
    _, first = np.unique(rows, return_index=True)
    return rows[first], numbers[first]


def of_all_groups(grouped: Any) -> Any:
    return grouped._table.merged(np.arange(len(grouped)))


def uncounted(field: Any, columns: Any, zone: Any) -> Any:
    if field.source is values.Source.COUNT:
        return columns.integers(field.column)
    return integers_of(field, columns, zone)


def with_data_alone(rows: Any) -> Any:
    return [entry for entry in entries_of_rows(rows) if entry.now is not None]


def by_label(rows: Any, found: Any, _timeline: Any) -> Any:
    return tuple((type(value), value) for value in found)


def milliseconds_before(period: Period, _zone: Any) -> Period:
    length = period.end_ms - period.start_ms
    return Period(period.start_ms - length, period.start_ms)


def one_week_before(period: Period, zone: Any) -> Period:
    week = 7 * 86_400_000
    return named_periods._moved(period, zone, lambda local_ms: local_ms - week)


def a_year_of_days_before(period: Period, zone: Any) -> Period:
    year = 365 * 86_400_000
    return named_periods._moved(period, zone, lambda local_ms: local_ms - year)


def until_today(today: dt.date) -> tuple[dt.date, dt.date]:
    return today.replace(day=1), today


def before_today(today: dt.date) -> tuple[dt.date, dt.date]:
    return today - dt.timedelta(7), today - dt.timedelta(1)


def cut_off(part: int, whole: int, places: int = 2) -> Decimal:
    return Decimal(part * 10**places // whole).scaleb(-places)


def percent_cut_off(part: int, whole: int) -> Decimal:
    return cut_off(100 * part, whole)


FAULTS: dict[str, Callable[[], Any]] = {
    "partial days forgotten": lambda: patch.object(group_planner, "plan", without_edges),
    "end of a period included": lambda: patch.object(RowFilter, "select", end_included),
    "tombstones counted": lambda: patch.object(filtering, "TOMBSTONE", "no such column"),
    "spilled breakdowns cut short": lambda: patch.object(
        ByValue, "lacks", lambda _self, _rollup: False
    ),
    "spilled durations cut short": lambda: patch.object(
        AllRows, "lacks", lambda _self, _rollup: False
    ),
    "the first of several scopes": lambda: patch.object(
        scopes, "_sorted", lambda allowed: sorted_scopes(allowed)[:1]
    ),
    "weeks from Sunday": lambda: patch.object(coding, "bucket_of", weeks_from_sunday),
    "hours of UTC": lambda: patch.object(values, "offsets_ms", lambda _zone, _instants: 0),
    "ne needs a value": lambda: patch.object(filtering, "masking", without_nulls),
    "bounds are exclusive": lambda: patch.object(masks, "ranges_of", exclusive),
    "texts without case": lambda: patch.object(masks, "_matcher", without_case),
    "null of a payload is a value": lambda: patch.object(masks, "_NULL_TEXT", "none such"),
    "numbers compared with texts": lambda: patch.object(
        filters, "payload_text", lambda value: payload_text(value).replace("n", "s", 1)
    ),
    "ids compared by type": lambda: patch.dict(
        filters._PARSERS, id=lambda _, sent: f"{type(sent).__name__}:{sent}"
    ),
    "an event that is not named is null": lambda: patch.object(masks, "integers_of", uncounted),
    "null first": lambda: patch.object(report, "_by", null_first),
    "booleans before texts": lambda: patch.object(report, "_TYPE_ORDER", {bool: 1, str: 2}),
    "percentile one rank lower": lambda: patch.object(
        cells.CountedValues, "percentile", one_rank_lower
    ),
    "averages cut off": lambda: patch.object(datasets, "divide", cut_off),
    "rates cut off": lambda: patch.object(datasets, "percentage", percent_cut_off),
    "sums of 32 bits": lambda: patch.object(cells, "LOW_BITS", 0),
    "the first label alone": lambda: patch.object(
        coding.DimensionCoder, "entries", first_entry_alone
    ),
    "totals count each label": lambda: patch.object(GroupedRows, "whole", of_all_groups),
    "others lack the calls without a label": lambda: patch.object(
        report,
        "_has_one_of",
        lambda field, found: others_have(field, [each for each in found if each is not None]),
    ),
    "empty buckets left out": lambda: patch.object(report._Rows, "_entries", with_data_alone),
    "no bucket is open": lambda: patch.object(
        report._Rows, "mark_open", lambda _self, _page, _now_ms: None
    ),
    "counterparts by label": lambda: patch.object(report._Rows, "_place", by_label),
    "rows of the comparison alone left out": lambda: patch.object(
        report._Rows, "_in_this_period", lambda _self, _values, _place: None
    ),
    "previous days are milliseconds": lambda: patch.dict(
        named_periods.COMPARISONS, previous_period=milliseconds_before
    ),
    "one week before": lambda: patch.dict(
        named_periods.COMPARISONS, previous_weekdays=one_week_before
    ),
    "365 days before": lambda: patch.dict(
        named_periods.COMPARISONS, previous_year=a_year_of_days_before
    ),
    "this month ends today": lambda: patch.dict(named_periods._NAMED, this_month=until_today),
    "last days end yesterday": lambda: patch.dict(named_periods._NAMED, last_7_days=before_today),
    "a day ends as it begins": lambda: patch.object(ranges, "parse_end", ranges.parse_start),
}


@pytest.mark.slow
def test_planted_faults_are_found() -> None:
    undetected = dict(FAULTS)
    with deployed(NOW_MS) as deployment:
        for number in range(SCENARIOS):
            if not undetected:
                break
            scenario = generate(Random(f"controls/{number}"), queries=12)
            oracle, org_id = organisation_with(deployment, scenario, NOW_MS)
            ask_everything(deployment, org_id, oracle, scenario)  # without a fault they agree
            for name, fault in list(undetected.items()):
                with fault():
                    try:
                        ask_everything(deployment, org_id, oracle, scenario)
                    except Disagreement:
                        print(f"{name}: found by scenario {number}", flush=True)
                        del undetected[name]
    assert not undetected, sorted(undetected)
