"""`--where`: examples of the notation, and every condition written in it and read back."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollcall.api import strict_json
from rollcall.dialects.rollcall.queries.request import parse_query
from rollcall_cli.errors import CommandError
from rollcall_cli.querying.conditions import parse_condition


def plain(field: str, op: str, *value: Any) -> dict[str, Any]:
    return {"field": field, "op": op} | ({"value": value[0]} if value else {})


EXAMPLES: dict[str, dict[str, Any]] = {
    "outcome=booked": plain("outcome", "eq", "booked"),
    "outcome!=booked": plain("outcome", "ne", "booked"),
    "template_id=a,b": plain("template_id", "in", ["a", "b"]),
    "template_id!=a,b": plain("template_id", "not_in", ["a", "b"]),
    "outcome=null": plain("outcome", "is_null"),
    "outcome!=null": plain("outcome", "not_null"),
    "outcome=a,null": {"any": [plain("outcome", "eq", "a"), plain("outcome", "is_null")]},
    "outcome!=a,null": {"not": {"any": [plain("outcome", "eq", "a"), plain("outcome", "is_null")]}},
    "outcome~book": plain("outcome", "contains", "book"),
    "outcome~a,b=c": plain("outcome", "contains", "a,b=c"),
    "lead_id^+49": plain("lead_id", "starts_with", "+49"),
    "duration_seconds=60": plain("duration_seconds", "eq", 60),
    "duration_seconds=60..": plain("duration_seconds", "gte", 60),
    "duration_seconds=..60": plain("duration_seconds", "lte", 60),
    "duration_seconds=60..120": plain("duration_seconds", "between", [60, 120]),
    "duration_seconds!=60..120": {"not": plain("duration_seconds", "between", [60, 120])},
    "sentiment=0.25..0.5": plain("sentiment", "between", [Decimal("0.25"), Decimal("0.5")]),
    "duration_seconds>60": plain("duration_seconds", "gt", 60),
    "duration_seconds>=60": plain("duration_seconds", "gte", 60),
    "duration_seconds<60": plain("duration_seconds", "lt", 60),
    "duration_seconds<=60": plain("duration_seconds", "lte", 60),
    "duration_seconds = 60": plain("duration_seconds", "eq", 60),
    "answered=true": plain("answered", "eq", True),
    # An id and a text are no numbers; a payload value is what it looks like.
    "lead_id=12": plain("lead_id", "eq", "12"),
    "outcome=true": plain("outcome", "eq", "true"),
    "outcome=1..2": plain("outcome", "eq", "1..2"),
    "payload.plan=12": plain("payload.plan", "eq", 12),
    "payload.plan=true": plain("payload.plan", "eq", True),
    'payload.plan="12"': plain("payload.plan", "eq", "12"),
    "payload.plan=gold": plain("payload.plan", "eq", "gold"),
    'outcome="a,b",c': plain("outcome", "in", ["a,b", "c"]),
    'outcome="null"': plain("outcome", "eq", "null"),
    # What the API refuses, and for which it names what it knows.
    "outcom=1": plain("outcom", "eq", "1"),
    "duration_seconds=long": plain("duration_seconds", "eq", "long"),
}


@pytest.mark.parametrize(("text", "condition"), EXAMPLES.items(), ids=EXAMPLES)
def test_examples(text: str, condition: dict[str, Any]) -> None:
    found = parse_condition(text, "calls")
    assert strict_json.dumps(found) == strict_json.dumps(condition)


@pytest.mark.parametrize(
    "text", [t for t in EXAMPLES if not re.search(r'[<> "]', t)], ids=lambda text: text
)
def test_only_redirections_and_double_quotes_need_quoting(text: str, tmp_path: Path) -> None:
    printed = subprocess.run(
        ["bash", "-c", f"printf %s {text}"], cwd=tmp_path, capture_output=True, check=True
    )
    assert printed.stdout.decode() == text
    assert shlex.split(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "outcome",
            "=booked",
            "outcome=",
            "outcome!=",
            "outcome~",
            "outcome^",
            "a=b,",
            "a=,b",
        ),
        *('a="b', 'a="b"c', 'a="\\x"', 'a~"b"c', "a>", "a>1,2", "a>null", 'a="\\ud800"'),
    ],
)
def test_what_is_no_condition_is_refused_by_name(text: str) -> None:
    with pytest.raises(CommandError, match="--where"):
        parse_condition(text, "calls")


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
NUMBERS = st.integers(-(10**20), 10**20) | st.decimals(
    -1000, 1000, places=4, allow_nan=False, allow_infinity=False
)
FIELDS = {
    "outcome": TEXTS,
    "lead_id": TEXTS,
    "duration_seconds": NUMBERS,
    "answered": st.booleans(),
    "payload.k": TEXTS | NUMBERS | st.booleans(),
}
ONE = {"eq": "=", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def written(value: Any) -> str:
    """A value in the notation; texts are quoted, as JSON quotes them."""
    return json.dumps(value) if isinstance(value, str | bool) else strict_json.dumps(value)


@st.composite
def conditions(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """(the notation, the condition)"""
    field = draw(st.sampled_from(list(FIELDS)))
    values = FIELDS[field]
    numbers = NUMBERS if field in ("duration_seconds", "payload.k") else None
    op = draw(st.sampled_from([*ONE, "in", "not_in", "between", "contains", "is_null", "not_null"]))
    if op in ("is_null", "not_null"):
        return f"{field}{'=' if op == 'is_null' else '!='}null", plain(field, op)
    if op == "contains":
        text = draw(TEXTS)
        return f"{field}~{written(text)}", plain(field, op, text)
    if op in ("in", "not_in"):
        several = draw(st.lists(values, min_size=2, max_size=5))
        sign = "=" if op == "in" else "!="
        return f"{field}{sign}{','.join(map(written, several))}", plain(field, op, several)
    if numbers is not None and op == "between":
        bounds = [draw(numbers), draw(numbers)]
        return f"{field}={written(bounds[0])}..{written(bounds[1])}", plain(field, op, bounds)
    op = op if op in ONE else "eq"
    value = draw(values)
    return f"{field}{ONE[op]}{written(value)}", plain(field, op, value)


@pytest.mark.property
@given(conditions())
@example(('outcome="a\\"b,c"', plain("outcome", "eq", 'a"b,c')))
def test_a_condition_that_is_written_is_read_back(case: tuple[str, dict[str, Any]]) -> None:
    text, condition = case
    assert strict_json.dumps(parse_condition(text, "calls")) == strict_json.dumps(condition)


@pytest.mark.parametrize(
    "text", [t for t in EXAMPLES if not t.startswith(("outcom=", "duration_seconds=long"))]
)
def test_the_api_accepts_the_examples(text: str) -> None:
    body = {"measures": ["calls"], "filters": [parse_condition(text, "calls")]}
    parse_query(strict_json.loads(strict_json.dumps(body).encode()), "org", 0)
