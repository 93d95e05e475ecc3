"""A segment that is skipped has no row that matches, for any rows and conditions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.facts import payload_text
from rollcall.domain.records import Call
from rollcall.domain.time.periods import EVER
from rollcall.domain.time.zones import Zone
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.segments import Directory, encode
from rollcall.ledger.tree import Page
from rollcall.query.conditions import AllOf, AnyOf, Comparison, Condition, Not
from rollcall.query.fields import Op, fields_of, payload_field
from rollcall.query.filtering import PageRead, RowFilter
from rollcall.query.model import Selection
from rollcall.query.zones import SegmentFilter
from tests.support.cases import cases
from tests.support.conditions import ZONE, calls, conditions

pytestmark = pytest.mark.property
FIELDS = fields_of("call")


def rows_of(records: list[Call | None]) -> Rows:
    made = [
        Row(str(n), 1, 5 if record is None else record.started_at_ms, record)
        for n, record in enumerate(records)
    ]
    return Rows.empty("call").with_rows({}, made)


def directory_of(rows: Rows) -> Directory:
    return Directory.decode(encode(FIRST, END, rows).directory)


def can_match(selection: Selection, directory: Directory) -> bool:
    return SegmentFilter(selection).can_match(directory)


def matches(rows: Rows, selection: Selection) -> bool:
    _, selected = RowFilter(selection).select(PageRead(Page(FIRST, END, 1, rows), EVER, 0))
    return selected is not None


@cases(150)
@given(
    found=st.lists(st.one_of(st.none(), calls), min_size=1, max_size=5),
    wanted=st.lists(conditions, min_size=1, max_size=3),
)
def test_what_cannot_match_has_no_row_that_matches(
    found: list[Call | None], wanted: list[Condition]
) -> None:
    rows = rows_of(found)
    selection = Selection("call", tuple(wanted), Zone(ZONE))
    assert can_match(selection, directory_of(rows)) or not matches(rows, selection)


def test_many_payload_keys_share_a_column_that_is_never_skipped() -> None:
    keys = {f"k{n}": "x" for n in range(40)}
    found = [
        Call(n, "busy", answered=False, attempt=1, payload={f"k{n}": "x"}) for n in range(len(keys))
    ]
    directory = directory_of(rows_of(list(found)))
    for name, expected in (("k3", True), ("other", True)):
        assert (
            can_match(selecting(f"payload.{name}", Op.EQ, payload_text("x")), directory) is expected
        )


def selecting(name: str, op: Op, *values: Any) -> Selection:
    return Selection("call", (comparing(name, op, *values),))


def comparing(name: str, op: Op, *values: Any) -> Comparison:
    return Comparison(payload_field(name) or FIELDS[name], op, values)


CALLS = [
    Call(
        5,
        "busy",
        answered=False,
        attempt=1,
        outcome="won",
        labels=("a", "b"),
        payload={"k": "x"},
        cost_micros=7,
    ),
    Call(
        9,
        "failed",
        answered=False,
        attempt=3,
        duration_seconds=30,
        sentiment_milli=450,
        lead_id="l1",
    ),
]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (comparing("status", Op.EQ, "busy"), True),
        (comparing("status", Op.EQ, "completed"), False),
        (comparing("status", Op.IN, "completed", "no-answer"), False),
        (comparing("status", Op.NE, "busy"), True),
        (comparing("outcome", Op.CONTAINS, "o"), True),
        (comparing("outcome", Op.CONTAINS, "z"), False),
        (comparing("outcome", Op.IS_NULL), True),
        (comparing("provider", Op.NOT_NULL), False),
        (comparing("provider", Op.NE, "1"), True),
        (comparing("label", Op.EQ, "b"), True),
        (comparing("label", Op.EQ, "c"), False),
        (comparing("lead_id", Op.EQ, "l1"), True),
        (comparing("lead_id", Op.EQ, "l2"), False),
        (comparing("attempt", Op.EQ, Decimal(2)), True),
        (comparing("attempt", Op.GT, Decimal(3)), False),
        (comparing("attempt", Op.LTE, Decimal(1)), True),
        (comparing("duration_seconds", Op.BETWEEN, Decimal(31), Decimal(99)), False),
        (comparing("sentiment", Op.GTE, Decimal("0.45")), True),
        (comparing("sentiment", Op.GTE, Decimal("0.451")), False),
        (comparing("sentiment_band", Op.EQ, "neutral"), True),
        (comparing("sentiment_band", Op.EQ, "positive"), False),
        (comparing("answered", Op.EQ, True), False),
        (comparing("event.sms_sent", Op.EQ, Decimal(0)), True),
        (comparing("event.sms_sent", Op.GT, Decimal(0)), False),
        (Not(comparing("event.sms_sent", Op.EQ, Decimal(0))), False),
        (comparing("event.sms_sent", Op.IS_NULL), False),
        (comparing("payload.k", Op.EQ, payload_text("x")), True),
        (comparing("payload.k", Op.EQ, payload_text("y")), False),
        (comparing("payload.other", Op.NOT_NULL), False),
        (AllOf((comparing("status", Op.EQ, "busy"), comparing("label", Op.EQ, "c"))), False),
        (AnyOf((comparing("status", Op.EQ, "busy"), comparing("label", Op.EQ, "c"))), True),
        (AnyOf(()), False),
        (Not(AnyOf(())), True),
        (comparing("hour_of_day", Op.EQ, Decimal(23)), True),
    ],
)
def test_zones_exclude_what_they_can(condition: Condition, expected: bool) -> None:
    assert (
        can_match(Selection("call", (condition,)), directory_of(rows_of(list(CALLS)))) is expected
    )


def test_integers_without_a_zone_are_never_skipped() -> None:
    directory = directory_of(rows_of(list(CALLS)))
    entry = directory.columns["duration_seconds"]
    directory.columns["duration_seconds"] = entry._replace(stored_zone=None)
    assert can_match(selecting("duration_seconds", Op.EQ, Decimal(31)), directory)
    assert not can_match(selecting("cost", Op.EQ, Decimal(31)), directory)


def test_texts_beyond_the_limit_of_a_zone_are_never_skipped() -> None:
    many = [Call(n, "busy", answered=False, attempt=1, outcome=f"o{n}") for n in range(17)]
    assert can_match(selecting("outcome", Op.EQ, "none"), directory_of(rows_of(list(many))))
