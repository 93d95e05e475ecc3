"""An id that was sent as an integer is its text everywhere, and an integer where it is sent back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.ids import IntegerId, id_as_sent
from rollcall.domain.validation import MAX_ID_LENGTH, parse_id

pytestmark = pytest.mark.property

LIMIT = 10**MAX_ID_LENGTH - 1


@given(st.integers(-LIMIT, LIMIT))
def test_an_integer_is_its_text_and_comes_back_as_an_integer(number: int) -> None:
    parsed = parse_id(number)
    assert isinstance(parsed, IntegerId)
    assert parsed == str(number)
    assert hash(parsed) == hash(str(number))
    assert id_as_sent(parsed) == number


@given(st.integers(-(LIMIT // 10), LIMIT).map(str) | st.text("abc-/", min_size=1))
def test_a_text_comes_back_as_a_text(text: str) -> None:
    assert id_as_sent(parse_id(text)) == text
