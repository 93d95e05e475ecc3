"""Masks hold exactly where conditions do, row by row."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.facts import payload_text
from rollcall.domain.records import Call
from rollcall.domain.time.zones import Zone
from rollcall.ledger.page import Row, Rows
from rollcall.query.conditions import AllOf, AnyOf, Comparison, Condition, Not
from rollcall.query.fields import SENTIMENT_BANDS, Op, Source
from rollcall.query.filtering import Selected
from rollcall.query.masks import masking
from tests.support.conditions import ZONE, calls, conditions


def values_of(call: Call, comparison: Comparison) -> list[Any]:
    """The values of a field of a call, as the API shows them; none for null."""
    field = comparison.field
    clock = dt.datetime.fromtimestamp(call.started_at_ms / 1000, ZoneInfo(ZONE))
    match field.source:
        case Source.LIST:
            return list(call.labels)
        case Source.PAYLOAD:
            value = call.payload.get("k")
            return [] if value is None else [value]
        case Source.COUNT:
            return [call.events.get("sms_sent", 0)]
        case Source.HOUR_OF_DAY:
            return [clock.hour]
        case Source.DAY_OF_WEEK:
            return [clock.isoweekday()]
        case Source.SENTIMENT_BAND:
            milli = call.sentiment_milli
            return [] if milli is None else [SENTIMENT_BANDS[min(milli // 200, 4)]]
    value = getattr(call, field.column)
    if value is None:
        return []
    return [Decimal(value) / 1000 if field.name == "sentiment" else value]


def compares(op: Op, value: Any, given_values: tuple[Any, ...], *, is_payload: bool) -> bool:
    match op:
        case Op.EQ | Op.IN:
            return (payload_text(value) if is_payload else value) in given_values
        case Op.CONTAINS:
            return isinstance(value, str) and given_values[0] in value
        case Op.STARTS_WITH:
            return isinstance(value, str) and value.startswith(given_values[0])
    if isinstance(value, bool | str):
        return False
    low, high = given_values[0], given_values[-1]
    return bool(
        {
            Op.LT: value < low,
            Op.LTE: value <= low,
            Op.GT: value > low,
            Op.GTE: value >= low,
            Op.BETWEEN: low <= value <= high,
        }[op]
    )


def holds(condition: Condition, call: Call) -> bool:
    match condition:
        case AllOf(inner):
            return all(holds(each, call) for each in inner)
        case AnyOf(inner):
            return any(holds(each, call) for each in inner)
        case Not(inner):
            return not holds(inner, call)
    values = values_of(call, condition)
    opposites = {Op.NE: Op.EQ, Op.NOT_IN: Op.IN, Op.NOT_NULL: Op.IS_NULL}
    if condition.op in opposites:
        return not holds(
            Comparison(condition.field, opposites[condition.op], condition.values), call
        )
    if condition.op is Op.IS_NULL:
        return not values
    is_payload = condition.field.source is Source.PAYLOAD
    return any(compares(condition.op, v, condition.values, is_payload=is_payload) for v in values)


@given(st.lists(calls, min_size=1, max_size=12), conditions)
def test_a_mask_is_the_condition_of_each_row(found: list[Call], condition: Condition) -> None:
    made = [Row(str(n), 1, call.started_at_ms, call) for n, call in enumerate(found)]
    rows = Rows.empty("call").with_rows({}, made)
    in_order = [row.record for row in rows]
    selected = Selected(rows, None)
    holds_for = masking(condition, Zone(ZONE))
    assert holds_for(selected).tolist() == [holds(condition, call) for call in in_order]
    # The rows that were selected before are masked in the same way.
    indices = np.arange(0, len(found), 2)
    assert holds_for(Selected(rows, indices)).tolist() == [
        holds(condition, call) for call in in_order[::2]
    ]
