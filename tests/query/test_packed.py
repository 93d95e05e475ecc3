"""Equal texts have equal numbers in a table that grows, for any hashes."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.query import packed
from rollcall.query.packed import PackedNumbers

pytestmark = pytest.mark.property

# Texts of several widths: the hash of a text must not depend on that of the others.
ALPHABETS = ("ab", "a\0")
TEXTS = st.one_of(
    st.sampled_from(["", "a", "a" * 36, "a" * 64, "a" * 8 + "\0" * 8 + "a"]),
    *(st.text(letters, max_size=20) for letters in ALPHABETS),
).map(lambda text: text.rstrip("\0"))  # bytes of equal width lose zeros at their end
BATCHES = st.lists(st.lists(TEXTS, min_size=1, max_size=30), max_size=10)


def check(batches: list[list[str]]) -> None:
    numbers = PackedNumbers()
    number_of: dict[str, int] = {}
    for texts in batches:
        found = numbers.numbers(np.array(texts, dtype=np.bytes_), len(number_of)).tolist()
        for text, number in zip(texts, found, strict=True):
            assert number_of.setdefault(text, number) == number
    assert sorted(number_of.values()) == list(range(1, len(number_of) + 1))
    for text, number in number_of.items():
        assert numbers.text(number) == text


@given(BATCHES)
def test_texts_have_one_number_each(batches: list[list[str]]) -> None:
    check(batches)


@given(BATCHES)
def test_texts_of_equal_hashes_have_numbers_of_their_own(batches: list[list[str]]) -> None:
    with patch.object(packed, "_FACTOR", np.uint64(0)):
        check(batches)


def test_a_table_that_grows_keeps_its_numbers() -> None:
    check(
        [
            [f"lead-{n * 7 % 9_000}" for n in range(first, first + 1_000)]
            for first in range(9_000)[::500]
        ]
    )


def test_a_number_without_a_text_is_an_error() -> None:
    with pytest.raises(KeyError):
        PackedNumbers().text(1)
