"""The bytes of open breakdowns, against a reader of their description."""

from __future__ import annotations

import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import CorruptItem
from rollcall.domain.rules import open_name
from rollcall.ledger.breakdowns import decode, encode
from tests.support.rollup_items import measures_of, with_measures

texts = st.none() | st.text(max_size=8)
seconds = st.integers(0, 10**7).map(str)
amounts = st.integers(-(10**6), 10**18).filter(bool)
breakdowns = st.sampled_from("oplerb").flatmap(
    lambda letter: st.tuples(st.just(letter), st.dictionaries(texts, amounts, min_size=1))
) | st.tuples(st.just("t"), st.dictionaries(seconds, amounts, min_size=1))


@pytest.mark.property
@given(breakdowns)
def test_what_is_encoded_is_read_back_by_us_and_by_its_description(
    found: tuple[str, dict[str | None, int]],
) -> None:
    letter, values = found
    counts = {open_name(letter, value): count for value, count in values.items()}
    data = encode(letter, counts)
    assert decode(letter, data) == counts
    assert measures_of({letter: {"B": data}}) == counts
    assert decode(letter, with_measures({}, counts)[letter]["B"]) == counts
    assert encode(letter, dict(reversed(counts.items()))) == data


@pytest.mark.property
@given(st.sampled_from("ot"), st.binary(max_size=12))
def test_damaged_bytes_are_an_error(letter: str, data: bytes) -> None:
    for damaged in (data, b"\x01" + data, encode(letter, {f"{letter}=7": 3})[:-3] + data):
        with suppress(CorruptItem):  # and no other error
            assert all(isinstance(count, int) for count in decode(letter, damaged).values())


def test_bytes_of_another_format_or_shape_are_an_error() -> None:
    good = encode("o", {"o=a": 1})
    with pytest.raises(CorruptItem, match="breakdown 'o' of a rollup has an unknown format"):
        decode("o", b"\x02" + good[1:])
    for text in (b"[[1]]", b"{}", b'[["a"],[1,2]]', b'[["a"],["x"]]', b"[[1],[1]]", b"7"):
        packer = zlib.compressobj(wbits=-15)
        with pytest.raises(CorruptItem, match="is damaged"):
            decode("o", b"\x01" + packer.compress(text) + packer.flush())
