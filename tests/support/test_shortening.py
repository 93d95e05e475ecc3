"""A shortened answer is equal to its example only if the example shows entries of it, in order."""

from __future__ import annotations

import pytest

from tests.support.shortening import shortened

ANSWER = {"sets": [{"name": "a", "of": [1, 2]}, {"name": "b", "of": [3]}], "limit": 5}


@pytest.mark.parametrize(
    "shown",
    [
        ANSWER,
        {"sets": [{"name": "b", "of": [3]}], "limit": 5},
        {"sets": [{"name": "a", "of": [2]}, {"name": "b", "of": []}], "limit": 5},
        {"sets": [], "limit": 5},
    ],
)
def test_an_example_of_fewer_entries(shown: object) -> None:
    assert shortened(ANSWER, shown) == shown


@pytest.mark.parametrize(
    "shown",
    [
        {"sets": [], "limit": 6},
        {"sets": []},
        {"sets": [], "limit": 5, "more": 1},
        {"sets": [{"name": "c", "of": []}], "limit": 5},
        {"sets": [{"name": "b", "of": [3]}, {"name": "a", "of": [1]}], "limit": 5},
        {"sets": [{"name": "a"}], "limit": 5},
    ],
)
def test_an_example_of_something_else(shown: object) -> None:
    assert shortened(ANSWER, shown) != shown
