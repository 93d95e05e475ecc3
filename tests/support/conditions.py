"""Generated conditions on calls, and calls whose few values they hit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from rollcall.domain.facts import payload_text
from rollcall.domain.records import Call
from rollcall.query.conditions import AllOf, AnyOf, Comparison, Not
from rollcall.query.fields import SENTIMENT_BANDS, Op, fields_of, payload_field

FIELDS = fields_of("call")
ZONE = "Australia/Lord_Howe"
TEXTS = ["", "a", "A", "ab", "ä", "1"]
PAYLOADS: list[Any] = [None, True, False, "1", "", "ab", Decimal(1), Decimal("1.5"), Decimal(-2)]
MOMENTS = [0, 3_600_000 * 5, 1_712_400_000_000, 1_712_415_600_000, 1_759_590_000_000]

calls = st.builds(
    Call,
    started_at_ms=st.sampled_from(MOMENTS),
    status=st.sampled_from(["completed", "failed"]),
    outcome=st.sampled_from([None, *TEXTS]),
    duration_seconds=st.sampled_from([None, 0, 1, 60]),
    sentiment_milli=st.sampled_from([None, 0, 199, 200, 500, 1000]),
    attempt=st.integers(1, 12),
    answered=st.booleans(),
    labels=st.lists(st.sampled_from(["a", "ab", "ä"]), unique=True).map(lambda v: tuple(sorted(v))),
    events=st.dictionaries(st.just("sms_sent"), st.integers(1, 3)),
    payload=st.dictionaries(st.just("k"), st.sampled_from(PAYLOADS)),
)
numbers = st.sampled_from(
    [Decimal(text) for text in ("0", "0.5", "1", "0.1995", "1.5", "-2", "60")]
)


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    names = ["outcome", "duration_seconds", "sentiment", "sentiment_band", "attempt", "answered"]
    names += ["label", "event.sms_sent", "hour_of_day", "day_of_week", "payload.k"]
    name = draw(st.sampled_from(names))
    field = payload_field(name) or FIELDS[name]
    op = draw(st.sampled_from(field.ops))
    if op in (Op.IS_NULL, Op.NOT_NULL):
        return Comparison(field, op)
    if op in (Op.CONTAINS, Op.STARTS_WITH):
        return Comparison(field, op, (draw(st.sampled_from(TEXTS)),))
    if op in (Op.LT, Op.LTE, Op.GT, Op.GTE):
        return Comparison(field, op, (draw(numbers),))
    if op is Op.BETWEEN:
        return Comparison(field, op, tuple(sorted(draw(st.tuples(numbers, numbers)))))
    values: Any = {
        "answered": st.booleans(),
        "sentiment_band": st.sampled_from(SENTIMENT_BANDS),
        "outcome": st.sampled_from(TEXTS),
        "label": st.sampled_from(TEXTS),
        "payload.k": st.sampled_from(PAYLOADS[1:]).map(payload_text),
    }.get(name, numbers)
    several = 3 if op in (Op.IN, Op.NOT_IN) else 1
    return Comparison(field, op, tuple(draw(st.lists(values, min_size=1, max_size=several))))


conditions = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda found: AllOf(tuple(found))),
        st.lists(inner, max_size=3).map(lambda found: AnyOf(tuple(found))),
        inner.map(Not),
    ),
    max_leaves=6,
)
