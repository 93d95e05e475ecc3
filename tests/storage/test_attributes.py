"""Attributes against boto3's own, and strict reading: what is missing or of another type is damage."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import CorruptItem
from rollcall.storage import attributes as av

numbers = st.integers(-(10**30), 10**30) | st.decimals(-(10**9), 10**9, places=5)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=5) | st.binary(max_size=5),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=3), each, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.property
@given(values)
def test_a_value_is_written_as_boto3_writes_it(value: Any) -> None:
    written = av.to_attribute(value)
    assert written == TypeSerializer().serialize(value)
    back = TypeDeserializer().deserialize(written)
    assert TypeSerializer().serialize(back) == written


@pytest.mark.property
@given(st.dictionaries(st.text(min_size=1, max_size=3), values, max_size=4))
def test_an_item_has_no_nulls(item: dict[str, Any]) -> None:
    assert av.to_item(item) == {
        name: av.to_attribute(value) for name, value in item.items() if value is not None
    }


def test_a_tuple_is_a_list_and_no_other_type_is_written() -> None:
    assert av.to_attribute(("a", Decimal(1))) == {"L": [{"S": "a"}, {"N": "1"}]}
    for value in (1.5, {1, 2}, object()):
        with pytest.raises(TypeError, match="no DynamoDB attribute for"):
            av.to_attribute(value)


READERS: dict[str, tuple[Callable[..., Any], Any]] = {
    "S": (av.text, "x"),
    "N": (av.integer, 7),
    "BOOL": (av.flag, True),
}
GARBAGE: list[Any] = [
    {},
    {"S": 1},
    {"N": "x"},
    {"N": None},
    {"BOOL": "true"},
    {"NULL": True},
    {"L": []},
]


@pytest.mark.parametrize("kind", READERS)
def test_an_attribute_is_read_by_its_type(kind: str) -> None:
    read, value = READERS[kind]
    assert read({"a": av.to_attribute(value)}, "a") == value
    others = [av.to_attribute(other) for each, (_, other) in READERS.items() if each != kind]
    for attribute in (*others, *GARBAGE):
        with pytest.raises(CorruptItem, match="attribute 'a'"):
            read({"a": attribute}, "a")


def test_what_is_missing_is_damage_unless_it_is_optional() -> None:
    for read in (av.text, av.integer):
        with pytest.raises(CorruptItem, match="attribute 'a' is"):
            read({}, "a")
    assert av.optional_integer({}, "a") is None
    assert av.flag({}, "a") is False
