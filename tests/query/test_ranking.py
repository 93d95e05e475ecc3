"""The order of values by count."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.query.ranking import by_count


@pytest.mark.property
@given(st.dictionaries(st.text(max_size=3), st.integers(0, 3), max_size=8))
def test_the_most_frequent_comes_first_and_ties_by_code_point(counts: dict[str, int]) -> None:
    found = by_count(counts)
    assert dict(found) == counts
    for (one, many), (other, fewer) in pairwise(found):
        assert many > fewer or (many == fewer and one < other)
