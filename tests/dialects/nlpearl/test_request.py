"""The range of campaign analytics: inclusive, and of less than 91 days."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.dialects.nlpearl.request import MAX_DAYS, PeriodBody, parse_period
from rollcall.domain.errors import MalformedQuery
from rollcall.domain.time.calendar import MS_PER_DAY, format_instant
from rollcall.domain.time.periods import Period

instants = st.integers(0, 100 * MS_PER_DAY)


@pytest.mark.property
@given(instants, instants)
def test_a_range_includes_both_of_its_bounds(first_ms: int, last_ms: int) -> None:
    body = {"from": format_instant(first_ms), "to": format_instant(last_ms)}
    if 0 <= last_ms - first_ms < MAX_DAYS * MS_PER_DAY:
        assert parse_period(body) == Period(first_ms, last_ms + 1)
    else:
        with pytest.raises(MalformedQuery, match="must"):
            parse_period(body)


def test_a_bound_without_a_fraction_covers_its_whole_second() -> None:
    same = {"from": "1970-01-01T00:00:05Z", "to": "1970-01-01T00:00:05Z"}
    assert parse_period(same) == Period(5_000, 6_000)
    assert parse_period({**same, "to": "1970-01-01T00:00:05.000Z"}) == Period(5_000, 5_001)


GOOD = {"from": "2024-01-01T00:00:00Z", "to": "2024-01-02T00:00:00Z"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, "The body must be an object."),
        ([], "The body must be an object."),
        ({"from": GOOD["from"]}, "to is required."),
        ({**GOOD, "tags": []}, "tags is not a known field."),
        ({**GOOD, "x" * 99: 1}, f"{'x' * 64} is not a known field."),
        ({**GOOD, "from": 5}, "from must be an RFC 3339 instant."),
        ({**GOOD, "to": "2024-01-02"}, "to must be an RFC 3339 date and time."),
        ({**GOOD, "to": "2024-01-02T00:00:00"}, "to must have Z or an offset."),
        ({**GOOD, "to": "2024-04-01T00:00:00Z"}, "to must be less than 91 days after from."),
        ({"from": GOOD["to"], "to": GOOD["from"]}, "from must not be after to."),
    ],
)
def test_a_refusal_names_the_field_and_the_rule(body: Any, message: str) -> None:
    with pytest.raises(MalformedQuery) as refused:
        parse_period(body)
    assert str(refused.value) == message


def test_the_schema_names_the_fields_as_they_are_sent() -> None:
    schema = PeriodBody.model_json_schema()
    assert schema["properties"].keys() == {"from", "to"}
    assert set(schema["required"]) == {"from", "to"}
