"""Conditions of the query oracle, each over a few calls."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.builders import call
from tests.support.query_oracle import QueryOracle


def count(records: Any, *filters: Any) -> Any:
    body = {"measures": ["calls"], "filters": list(filters)}
    return QueryOracle(records).answer(body, 0)["totals"]["calls"]


def where(field: Any, op: Any, *value: Any) -> Any:
    return {"field": field, "op": op, **({"value": value[0]} if value else {})}


LEADS = [
    call(1, lead_id=5),
    call(2, lead_id="5"),
    call(3, lead_id="6", events={"sms_sent": 3}),
]
OUTCOMES = [call(1, outcome="sold"), call(2, outcome="Sold out"), call(3), call(4, outcome="")]
SCORES = [call(1, sentiment=Decimal("0.2")), call(2, sentiment=1), call(3)]
MIX = [
    call(n, payload={"k": value}) for n, value in enumerate([1, "1", True, None, Decimal("1.5")])
]
MIX.append(call("none"))


@pytest.mark.parametrize(
    ("records", "condition", "expected"),
    [
        (OUTCOMES, where("outcome", "eq", "sold"), 1),
        (OUTCOMES, where("outcome", "ne", "sold"), 3),
        (OUTCOMES, where("outcome", "in", ["sold", ""]), 2),
        (OUTCOMES, where("outcome", "not_in", ["sold", ""]), 2),
        (OUTCOMES, where("outcome", "contains", "old"), 2),
        (OUTCOMES, where("outcome", "contains", ""), 3),
        (OUTCOMES, where("outcome", "starts_with", "s"), 1),
        (OUTCOMES, where("outcome", "is_null"), 1),
        (OUTCOMES, where("outcome", "not_null"), 3),
        (OUTCOMES, {"not": where("outcome", "contains", "old")}, 2),
        (OUTCOMES, {"any": [where("outcome", "eq", ""), where("outcome", "is_null")]}, 2),
        (OUTCOMES, {"all": [where("outcome", "ne", ""), where("outcome", "not_null")]}, 2),
        (SCORES, where("sentiment", "lt", Decimal("0.2000000000000001")), 1),
        (SCORES, where("sentiment", "lte", Decimal("0.1999999999999999")), 0),
        (SCORES, where("sentiment", "gt", Decimal("0.2")), 1),
        (SCORES, where("sentiment", "gte", Decimal("0.2")), 2),
        (SCORES, where("sentiment", "between", [Decimal("0.2"), 1]), 2),
        (SCORES, {"not": where("sentiment", "gte", 0)}, 1),
        (SCORES, where("sentiment_band", "eq", "slightly_negative"), 1),
        (MIX, where("payload.k", "eq", 1), 1),
        (MIX, where("payload.k", "eq", "1"), 1),
        (MIX, where("payload.k", "eq", True), 1),
        (MIX, where("payload.k", "ne", 1), 5),
        (MIX, where("payload.k", "in", [1, True, "x"]), 2),
        (MIX, where("payload.k", "lte", Decimal("1.5")), 2),
        (MIX, where("payload.k", "contains", "1"), 1),
        (MIX, where("payload.k", "is_null"), 2),
        (MIX, where("payload.nothing", "not_null"), 0),
        (LEADS, where("lead_id", "eq", 5), 2),
        (LEADS, where("lead_id", "in", ["5", 6]), 3),
        (LEADS, where("event.sms_sent", "eq", 0), 2),
        (LEADS, where("event.sms_sent", "is_null"), 0),
        (LEADS, where("attempt", "eq", 1), 3),
        (LEADS, where("hour_of_day", "between", [12, 13]), 3),
    ],
)
def test_conditions(records: Any, condition: Any, expected: Any) -> None:
    assert count(records, condition) == expected


def test_labels_in_conditions() -> None:
    records = [call(1, labels=["x", "y"]), call(2, labels=[7]), call(3, labels=[])]
    assert count(records, where("label", "eq", "x")) == 1
    assert count(records, where("label", "ne", "x")) == 2
    assert count(records, where("label", "in", ["y", 7])) == 2
    assert count(records, where("label", "is_null")) == 1
    assert count(records, where("label", "contains", "7")) == 1


def test_conditions_of_a_list_all_hold() -> None:
    assert count(OUTCOMES, where("outcome", "contains", "old"), where("outcome", "ne", "sold")) == 1
