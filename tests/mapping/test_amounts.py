"""Numbers and lengths of time as people and programs write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.mapping.amounts import read_duration, read_number


@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("12", ".", "12"),
        ("-0.0085", ".", "-0.0085"),
        ("$1,234.50", ".", "1234.50"),
        ("-$0.05", ".", "-0.05"),
        ("$-0.05", ".", "-0.05"),
        ("USD 3", ".", "3"),
        ("3.5 EUR", ".", "3.5"),
        ("1.234,50 €", ",", "1234.50"),
        ("0,05", ",", "0.05"),
        (".5", ".", "0.5"),
        ("1e-7", ".", "1E-7"),
        ("1 234 567.8", ".", "1234567.8"),
    ],
)
def test_a_number(text, mark, number):
    assert read_number(text, mark) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    ["", "-", "x", "1,2", "1,23.4", "0,068", "00,068", "000,123", "0,05", "1.2.3", "NaN", "٣", "$"],
)
def test_what_is_no_number(text):
    with pytest.raises(ValueError, match="must be a number"):
        read_number(text)


@pytest.mark.parametrize(
    ("text", "unit", "seconds"),
    [
        ("67", "seconds", "67"),
        ("1.5", "minutes", "90"),
        ("67500", "milliseconds", "67.5"),
        ("2", "hours", "7200"),
        ("05:25", "minutes", "325"),
        ("1:02:03", "seconds", "3723"),
        ("0:07.5", "seconds", "7.5"),
        ("1h 2m", "seconds", "3720"),
        ("1 hour, 2 minutes 3 seconds", "seconds", "3723"),
        ("3.25s", "milliseconds", "3.25"),
        ("90m", "seconds", "5400"),
    ],
)
def test_a_length_of_time(text, unit, seconds):
    assert read_duration(text, unit) == Decimal(seconds)


@pytest.mark.parametrize("text", ["", "h", "m 5", "5:2", "-1:02", "2m 1h", "x", "1:02:03:04"])
def test_what_is_no_length_of_time(text):
    with pytest.raises(ValueError, match="must be a length of time"):
        read_duration(text)


@pytest.mark.property
@given(st.integers(0, 10**6))
def test_a_length_of_time_in_every_form(total):
    hours, rest = divmod(total, 3_600)
    minutes, seconds = divmod(rest, 60)
    texts = [f"{hours}:{minutes:02}:{seconds:02}", f"{hours}h {minutes}m {seconds}s", f"{total:,}"]
    assert {read_duration(text) for text in texts} == {Decimal(total)}
