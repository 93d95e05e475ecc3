"""Values in JSON: each is returned in its one stored form, or refused with the rule that it breaks."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollcall.domain.validation import (
    MAX_ID_LENGTH,
    MAX_TEXT_LENGTH,
    check_text,
    is_id,
    parse_id,
    parse_instant_text,
    parse_payload_number,
    parse_payload_value,
)

texts = st.text(max_size=200)
integers = st.integers(-(10**140), 10**140)
significant = st.integers(-(10**38) + 1, 10**38 - 1)
numbers = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), significant, st.integers(-60, 60)
)


@given(integers)
def test_an_integer_is_the_id_of_its_digits(value: int) -> None:
    if len(str(abs(value))) > MAX_ID_LENGTH:
        with pytest.raises(ValueError, match="must be an integer of at most 128 digits"):
            parse_id(value)
    else:
        assert parse_id(value) == str(value)
        assert is_id(str(value))


@given(texts)
def test_a_string_that_is_sent_is_kept_or_refused(text: str) -> None:
    if 1 <= len(text) <= MAX_ID_LENGTH and not any(unicodedata.category(c) == "Cc" for c in text):
        assert parse_id(text) == text
    else:
        with pytest.raises(ValueError, match="must"):
            parse_id(text)


@given(texts | integers.map(str))
def test_what_can_be_sent_can_be_an_id_and_nothing_else(text: str) -> None:
    assert is_id(text) == (can_be_sent(text) or (is_written(text) and can_be_sent(int(text))))


def can_be_sent(value: str | int) -> bool:
    try:
        parse_id(value)
    except ValueError:
        return False
    return True


def is_written(text: str) -> bool:
    """Whether a text is an integer as it is written."""
    return re.fullmatch("0|-?[1-9][0-9]*", text) is not None


def test_a_negative_integer_may_have_a_sign_beside_its_128_digits() -> None:
    longest = -(10**MAX_ID_LENGTH - 1)
    assert is_id(parse_id(longest))
    with pytest.raises(ValueError, match="at most 128 digits"):
        parse_id(longest - 1)
    assert not is_id(str(longest - 1))


@pytest.mark.parametrize("value", [True, False, None, 1.0, Decimal(1), [], {}])
def test_nothing_else_is_an_id(value: Any) -> None:
    with pytest.raises(ValueError, match="must be a string or an integer"):
        parse_id(value)


@pytest.mark.parametrize("value", [None, True, 0, Decimal(0), [], {}])
def test_an_instant_is_a_string(value: Any) -> None:
    with pytest.raises(ValueError, match="must be an RFC 3339 instant"):
        parse_instant_text(value)


def test_an_instant_is_read_from_its_text() -> None:
    assert parse_instant_text("1970-01-01T01:00:00.5+01:00") == 500


@given(st.text(max_size=MAX_TEXT_LENGTH + 5))
@example("x" * MAX_TEXT_LENGTH)
@example("x" * (MAX_TEXT_LENGTH + 1))
def test_a_text_is_kept_as_it_is_or_refused_for_its_length(text: str) -> None:
    if len(text) <= MAX_TEXT_LENGTH:
        assert check_text(text) == text
        assert parse_payload_value(text) == text
    else:
        for check in (check_text, parse_payload_value):
            with pytest.raises(ValueError, match="at most 256 characters"):
                check(text)


# ------------------------------------------------------------------ payload values
@given(numbers)
def test_a_payload_number_is_kept_exactly(number: Decimal) -> None:
    assert parse_payload_number(number) == number
    if number == number.to_integral_value():
        assert parse_payload_number(int(number)) == number


@given(numbers, st.integers(0, 30))
def test_equal_payload_numbers_have_one_form(number: Decimal, zeros: int) -> None:
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    longer = Decimal((sign, digits + (0,) * zeros, exponent - zeros))
    assert longer == number
    assert str(parse_payload_number(longer)) == str(parse_payload_number(number))


def test_zero_has_no_sign_and_no_exponent() -> None:
    for text in ("-0", "0e500", "-0.00", "0E-999999"):
        assert str(parse_payload_number(Decimal(text))) == "0"


@pytest.mark.parametrize(
    "text", ["1.0000000000000000000000000000000000001e100", "-1.1e100", "1e101"]
)
def test_a_payload_number_just_past_the_largest(text: str) -> None:
    assert parse_payload_number(Decimal("1e100")) == Decimal("1e100")
    with pytest.raises(ValueError, match="magnitude"):
        parse_payload_number(Decimal(text))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e-101", "1e999999"])
def test_a_payload_number_out_of_reach(text: str) -> None:
    with pytest.raises(ValueError, match="magnitude"):
        parse_payload_number(Decimal(text))


def test_a_payload_number_has_38_significant_digits() -> None:
    assert parse_payload_number(Decimal("9" * 38 + "000")) == Decimal("9" * 38 + "000")
    with pytest.raises(ValueError, match="at most 38 significant digits"):
        parse_payload_number(Decimal("9" * 39))


@pytest.mark.parametrize("value", [None, True, False])
def test_a_payload_value_that_is_no_number_is_kept(value: Any) -> None:
    assert parse_payload_value(value) is value


@pytest.mark.parametrize("value", [[], {}, 1.5, b""])
def test_nothing_else_is_a_payload_value(value: Any) -> None:
    with pytest.raises(ValueError, match="must be a string, a number, a boolean or null"):
        parse_payload_value(value)
