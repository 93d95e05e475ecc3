"""Equal values have equal numbers, in a dict and packed."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import TooManyGroups
from rollcall.ledger.columns import NULL
from rollcall.query import numbering
from rollcall.query.numbering import Numbering, TextNumbering

pytestmark = pytest.mark.property

# Bytes of equal width lose zeros at the end, and have no letters that are not ASCII.
TEXTS = st.one_of(
    st.sampled_from(["", "a", "a\0", "\0", "\0a", "é", "e", "z" * 64, "z" * 65, "z" * 66]),
    st.text("ab", max_size=9),
    st.text(max_size=3),
)
PAGES = st.lists(st.lists(TEXTS, max_size=12, unique=True), max_size=12)


@pytest.mark.parametrize("in_dict", [0, 3, 1_000])
@given(pages=PAGES, data=st.data())
def test_texts_have_one_number_each(in_dict, pages, data):
    numbers = TextNumbering()
    number_of: dict[str, int] = {}
    with patch.object(numbering, "_IN_DICT", in_dict):
        for words in pages:
            codes = data.draw(st.lists(st.integers(0, len(words)), max_size=20))
            found = numbers.of_texts(np.array(codes, dtype=np.int32), words)
            for code, number in zip(codes, found.tolist(), strict=True):
                assert (number == 0) is (code == 0)
                if code:
                    assert number_of.setdefault(words[code - 1], number) == number
            for text in words[:1]:
                number = numbers.number(text)
                assert number_of.setdefault(text, number) == number
    assert sorted(number_of.values()) == list(range(1, len(number_of) + 1))
    for text, number in number_of.items():
        assert numbers.value(number) == text


def test_a_text_without_a_number_is_an_error():
    with pytest.raises(KeyError):
        TextNumbering().value(1)


@pytest.mark.parametrize("count", [1, 300_000])
def test_many_texts_have_one_number_each(count):
    numbers = TextNumbering()
    words = [f"lead-{place}" for place in range(count)]
    seen = np.zeros(count, dtype=np.int64)
    for start in range(0, count, 50_000):
        part = words[start : start + 50_000]
        codes = np.arange(1, len(part) + 1, dtype=np.int32)
        seen[start : start + len(part)] = numbers.of_texts(codes, part)
    again = numbers.of_texts(np.arange(1, count + 1, dtype=np.int32), words)
    assert (again == seen).all()
    assert len(set(seen.tolist())) == count
    assert numbers.value(int(seen[-1])) == words[-1]


@given(values=st.lists(st.integers(0, 5) | st.text("ab", max_size=2), max_size=20))
def test_values_are_numbered_in_the_order_in_which_they_appear(values):
    numbers = Numbering()
    order = list(dict.fromkeys(values))
    assert [numbers.number(value) for value in values] == [1 + order.index(v) for v in values]
    assert [numbers.value(1 + place) for place in range(len(order))] == order
    assert numbers.value(0) is None


@given(st.lists(st.sampled_from([NULL, 0, 1, 5, 10**12])))
def test_integers_are_numbered_as_what_they_stand_for(values: list[int]) -> None:
    numbers = Numbering()
    found = numbers.of_integers(np.array(values, dtype=np.int64), str)
    decoded = [numbers.value(number) for number in found.tolist()]
    assert decoded == [None if value == NULL else str(value) for value in values]


def test_a_limited_numbering_refuses_one_more():
    numbers = Numbering(most=2)
    assert [numbers.number(value) for value in ("a", "b", "a")] == [1, 2, 1]
    with pytest.raises(TooManyGroups):
        numbers.number("c")


@given(pages=st.lists(st.lists(st.text("ab", min_size=1, max_size=20)), max_size=8), data=st.data())
def test_packed_texts_have_the_numbers_of_texts(pages, data):
    numbers = TextNumbering()
    number_of: dict[str, int] = {}
    for words in pages:  # with words that come more than once, as of several pages
        codes = np.array(data.draw(st.lists(st.integers(0, len(words)))), dtype=np.int32)
        as_bytes = np.array(words or [b""], dtype=np.bytes_)
        first, second = data.draw(st.permutations([numbers.of_packed, numbers.of_texts]))
        found = first(codes, as_bytes if first == numbers.of_packed else words).tolist()
        assert second(codes, as_bytes if second == numbers.of_packed else words).tolist() == found
        for code, number in zip(codes.tolist(), found, strict=True):
            assert (number == 0) is (code == 0)
            if code:
                assert number_of.setdefault(words[code - 1], number) == number
    assert sorted(number_of.values()) == list(range(1, len(number_of) + 1))
    for text, number in number_of.items():
        assert numbers.value(number) == text
