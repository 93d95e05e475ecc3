"""UUIDs in 16 bytes are the texts that they stand for, one by one and all together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.ledger.words import Uuids


def uuids_of(texts: list[str]) -> Uuids:
    return Uuids(memoryview(bytes.fromhex("".join(texts).replace("-", ""))), len(texts))


@pytest.mark.property
@given(st.lists(st.uuids().map(str), max_size=20), st.slices(20))
def test_uuids_are_a_sequence_of_their_texts(texts: list[str], part: slice) -> None:
    uuids = uuids_of(texts)
    assert list(uuids) == texts
    assert [uuids[place] for place in range(-len(texts), len(texts))] == [*texts, *texts]
    assert uuids[part] == texts[part]
    assert [text.decode() for text in uuids.packed().tolist()] == texts


@pytest.mark.parametrize("place", [-2, 1])
def test_a_place_beyond_the_last_is_an_error(place: int) -> None:
    with pytest.raises(IndexError):
        uuids_of(["00000000-0000-0000-0000-00000000000a"])[place]


@pytest.mark.parametrize("size", [0, 31, 33])
def test_bytes_of_another_number_of_uuids_are_an_error(size: int) -> None:
    with pytest.raises(ValueError, match="are not 2 UUIDs"):
        Uuids(memoryview(bytes(size)), 2)
