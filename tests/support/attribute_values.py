"""Strategies for items of DynamoDB."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
# Names of kinds of values are names of attributes too.
NAMES = st.sampled_from(["B", "BS", "M", "S", "data"]) | TEXTS
_NUMBERS = st.integers().map(str)

Item = dict[str, dict[str, Any]]


def items(binaries: st.SearchStrategy[Any]) -> st.SearchStrategy[Item]:
    """Items with attributes of all kinds; `binaries` gives their binary values."""
    attributes = st.recursive(
        st.one_of(
            st.builds(lambda text: {"S": text}, TEXTS),
            st.builds(lambda number: {"N": number}, _NUMBERS),
            st.builds(lambda data: {"B": data}, binaries),
            st.builds(lambda flag: {"BOOL": flag}, st.booleans()),
            st.just({"NULL": True}),
            st.builds(lambda texts: {"SS": texts}, st.lists(TEXTS, min_size=1, max_size=3)),
            st.builds(lambda numbers: {"NS": numbers}, st.lists(_NUMBERS, min_size=1, max_size=3)),
            st.builds(lambda data: {"BS": data}, st.lists(binaries, min_size=1, max_size=3)),
        ),
        lambda inner: st.one_of(
            st.builds(lambda values: {"L": values}, st.lists(inner, max_size=3)),
            st.builds(lambda values: {"M": values}, st.dictionaries(NAMES, inner, max_size=3)),
        ),
        max_leaves=6,
    )
    return st.dictionaries(NAMES, attributes, max_size=4)
