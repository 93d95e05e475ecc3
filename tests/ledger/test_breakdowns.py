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
seconds = (st.integers(0, 300) | st.integers(0, 10**7)).map(str)
amounts = st.integers(1, 300) | st.integers(-(10**6), 10**20).filter(bool)
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
    good = [encode(letter, {f"{letter}=7": count}) for count in (3, -3)]
    for damaged in (data, b"\x01" + data, b"\x02" + data, *(each[:-3] + data for each in good)):
        with suppress(CorruptItem):  # and no other error
            assert all(isinstance(count, int) for count in decode(letter, damaged).values())


def deflated(raw: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(raw) + packer.flush()


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x03"])
def test_bytes_of_another_format_are_an_error(data: bytes) -> None:
    with pytest.raises(CorruptItem, match="breakdown 'o' of a rollup has an unknown format"):
        decode("o", data + encode("o", {"o=a": 1})[1:] if data else data)


@pytest.mark.parametrize(
    ("letter", "data"),
    [
        *(
            ("o", b"\x01" + deflated(text))
            for text in (b"[[1]]", b"{}", b'[["a"],[1,2]]', b'[["a"],["x"]]', b"[[1],[1]]", b"7")
        ),
        ("o", b"\x02"),
        ("o", b"\x02\x04\x01" + deflated(b"\x01a")),  # one text, two counts
        ("o", b"\x02\x02\x01" + deflated(b"\x01ab")),
        ("o", b"\x02\x02\x01" + deflated(b"\x02a")),
        ("o", b"\x02\x02\x01" + deflated(b"\x01\xff")),
        ("o", b"\x02\x02\x00" + deflated(b"\x01a")),  # a count of zero
        ("o", b"\x02\x04\x01\x01" + deflated(b"\x01\x01aa")),  # a text twice
        ("t", b"\x02\x05"),
        ("t", b"\x02\x05\x00" + deflated(b"\x01")),
        ("t", b"\x02\x05\x09" + deflated(bytes(9))),
        ("t", b"\x02\x05\x02" + deflated(b"\x01\x00\x01")),
    ],
)
def test_bytes_of_another_shape_are_an_error(letter: str, data: bytes) -> None:
    with pytest.raises(CorruptItem, match=f"breakdown '{letter}' of a rollup is damaged"):
        decode(letter, data)


def test_integers_far_apart_take_no_count_for_each_between_them() -> None:
    assert len(encode("t", {"t=0": 1, "t=1000000000000": 1})) < 40
