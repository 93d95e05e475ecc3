"""Chunks have the columns of their pages, one after the other."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.records import Call
from rollcall.ledger.columns import NULL
from rollcall.ledger.page import Row, Rows
from rollcall.query import chunks as module
from rollcall.query.chunks import chunks
from rollcall.query.filtering import Selected

pytestmark = pytest.mark.property

# A page in which each row has a UUID of its own stores them in 16 bytes.
UUIDS = [f"00000000-0000-0000-0000-00000000000{n}" for n in range(9)]
outcomes = st.sampled_from("abcdef") | st.sampled_from(UUIDS)
calls = st.tuples(st.none() | outcomes, st.none() | st.integers(0, 9), st.booleans())
# A page of which no row is selected is never counted.
pages = st.lists(
    st.lists(calls, max_size=8).filter(lambda page: any(c[2] for c in page)), max_size=6
)


def call(outcome: str | None, seconds: int | None) -> Call:
    return Call(0, "busy", attempt=1, answered=False, outcome=outcome, duration_seconds=seconds)


def selected(page: list[tuple[str | None, int | None, bool]]) -> Selected:
    rows = [
        Row(f"{n:02d}", 1, 0, call(outcome, seconds))
        for n, (outcome, seconds, _) in enumerate(page)
    ]
    indices = [n for n, (_, _, is_selected) in enumerate(page) if is_selected]
    all_rows = Rows.empty("call").with_rows({}, rows)
    return Selected(
        all_rows, None if len(indices) == len(page) else np.array(indices, dtype=np.intp)
    )


@given(pages, st.sampled_from([1, 5, 10_000]))
def test_a_chunk_has_the_rows_of_its_pages(
    found: list[list[tuple[str | None, int | None, bool]]], most: int
) -> None:
    with patch.object(module, "CHUNK_ROWS", most):
        made = list(chunks(map(selected, found)))
    texts: list[str | None] = []
    integers: list[int | None] = []
    for chunk in made:
        codes, words = chunk.texts("outcome")
        assert len(set(words)) == len(words)
        assert len(codes) == len(chunk.integers("duration_seconds")) == chunk.count
        texts += [words[code - 1] if code else None for code in codes.tolist()]
        seconds = chunk.integers("duration_seconds").tolist()
        integers += [None if value == NULL else value for value in seconds]
    expected = [each for each in chain.from_iterable(found) if each[2]]
    assert texts == [outcome for outcome, _, _ in expected]
    assert integers == [seconds for _, seconds, _ in expected]
    assert len(made) <= max(1, -(-sum(map(len, found)) // most))


def test_a_column_that_is_read_again_is_not_put_together_again() -> None:
    rows = [Row(str(n), 1, 0, replace(call("won", n), labels=("a", "b"))) for n in range(3)]
    chunk = next(chunks(2 * [Selected(Rows.empty("call").with_rows({}, rows), None)]))
    lengths, codes, words = chunk.lists("labels")
    assert lengths.tolist() == [2] * 6
    assert [words[code - 1] for code in codes.tolist()] == ["a", "b"] * 6
    assert chunk.lists("labels")[1] is codes
    assert chunk.texts("outcome")[0] is chunk.texts("outcome")[0]
    assert chunk.integers("duration_seconds") is chunk.integers("duration_seconds")


@given(pages)
def test_packed_texts_are_the_texts(
    found: list[list[tuple[str | None, int | None, bool]]],
) -> None:
    stored = [
        Selected(Rows.decode("call", page.rows.encode()), page.indices)
        for page in map(selected, found)
    ]
    with patch.object(module, "_MANY_WORDS", 1):
        for chunk in chunks(stored):
            codes, words = chunk.texts("outcome")
            packed = chunk.packed("outcome")
            # A column without a value has no dictionary.
            if packed is None:
                assert any(not page.texts("outcome")[1] for page in stored)
                continue
            texts = [None, *(word.decode() for word in packed[1].tolist())]
            assert [texts[code] for code in packed[0]] == [[None, *words][code] for code in codes]
