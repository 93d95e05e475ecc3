"""The laws of merging: a join is commutative, associative and idempotent for all writes."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.ids import IntegerId
from rollcall.domain.merging import NEVER, Key, State, join

pytestmark = pytest.mark.property

FIELDS = ("status", "outcome", "labels")
VALUES = [None, "5", IntegerId("5"), "b", ("5",), (IntegerId("5"),)]


def _content(values: dict[str, Any]) -> bytes:
    """Equal for equal content, in any form."""
    return repr({name: values[name] and str(values[name]) for name in sorted(values)}).encode()


def _write(at: int, progress: int, values: dict[str, Any], is_merge: bool) -> State:
    key = Key(at, False, progress, _content(values))
    present = {name: value for name, value in values.items() if value is not None}
    if is_merge:
        return State(NEVER, dict.fromkeys(values, key), present)
    return State(key, {}, present)


def _deletion(at: int) -> State:
    return State(Key(at, True, -1, b""))


times = st.integers(0, 2)
named = st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(VALUES), min_size=1)
whole = st.fixed_dictionaries({name: st.sampled_from(VALUES) for name in FIELDS})
writes = st.one_of(
    st.builds(_write, times, st.integers(-1, 1), named, st.just(True)),
    st.builds(_write, times, st.integers(-1, 1), whole, st.just(False)),
    st.builds(_deletion, times),
)
states = st.lists(writes, max_size=5).map(lambda some: reduce(join, some, State()))


def same(one: State, other: State) -> bool:
    return one == other and one.forms == other.forms


@given(states, states)
def test_a_join_is_commutative(one: State, other: State) -> None:
    assert same(join(one, other), join(other, one))


@given(states, states, states)
def test_a_join_is_associative(one: State, two: State, three: State) -> None:
    assert same(join(join(one, two), three), join(one, join(two, three)))


@given(states, states)
def test_a_join_is_idempotent(one: State, other: State) -> None:
    both = join(one, other)
    assert same(join(both, one), both)
    assert same(join(both, other), both)
    assert same(join(both, both), both)


@given(states)
def test_a_join_with_nothing_changes_nothing(state: State) -> None:
    assert same(join(state, State()), state)


@given(st.lists(writes, min_size=1, max_size=6))
def test_each_field_has_the_value_of_its_greatest_write(some: list[State]) -> None:
    state = reduce(join, some)
    for name in FIELDS:
        setters = [write for write in some if name in write.merged or not write.merged]
        if setters:
            greatest = max(write.key(name) for write in setters)
            assert state.key(name) == greatest
            assert state.values.get(name) in [
                write.values.get(name) for write in setters if write.key(name) == greatest
            ]
    assert all(state.has(write) for write in some if write.greatest == state.greatest)
