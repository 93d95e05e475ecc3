"""Results: tallies add up in any order, and a series has zeros where nothing is."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.measures import DURATION, OUTCOME
from rollcall.query.results import Series, Tally, by_count, total

pytestmark = pytest.mark.property

measures = st.dictionaries(
    st.sampled_from(["calls", "o=a", "o", "seconds"]), st.integers(0, 9), max_size=4
)
durations = st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted)


def tally(counts: dict[str, int], extremes: list[int] | None) -> Tally:
    return Tally(Counter(counts), *(extremes or (None, None)))


tallies = st.builds(tally, measures, durations)


@given(st.lists(tallies, max_size=5), st.randoms())
def test_the_sum_of_tallies_does_not_depend_on_their_order(
    parts: list[Tally], random: object
) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = total(dict(enumerate(parts))), total(dict(enumerate(shuffled)))
    assert one == other
    for name in ("calls", "o=a", "o", "seconds", "unknown"):
        assert one[name] == sum(part[name] for part in parts)
    assert one.shortest == min((p.shortest for p in parts if p.shortest is not None), default=None)
    assert one.longest == max((p.longest for p in parts if p.longest is not None), default=None)


@given(measures)
def test_the_values_of_a_breakdown_have_no_zeros(counts: dict[str, int]) -> None:
    found = tally(counts, None).values(OUTCOME)
    assert found == {
        value: counts[name] for name, value in (("o=a", "a"), ("o", None)) if counts.get(name)
    }


@given(st.dictionaries(st.integers(0, 99), st.integers(0, 3), max_size=5))
def test_of_a_histogram_of_durations_the_extremes_are_kept(histogram: dict[int, int]) -> None:
    found = Tally()
    found.add_breakdown(DURATION, {f"t={seconds}": count for seconds, count in histogram.items()})
    there = [seconds for seconds, count in histogram.items() if count]
    assert (found.shortest, found.longest) == (min(there, default=None), max(there, default=None))
    assert not found.measures


@given(
    st.dictionaries(
        st.integers(0, 30), st.tuples(st.integers(1, 9), st.integers(0, 9)), max_size=6
    ),
    st.integers(0, 31),
)
def test_a_bucket_without_calls_has_zeros(buckets: dict[int, tuple[int, int]], key: int) -> None:
    keys = sorted(buckets)
    series = Series(keys, [buckets[k][0] for k in keys], [buckets[k][1] for k in keys], None, None)
    assert series.at(key) == buckets.get(key, (0, 0))


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 3), max_size=8))
def test_the_most_frequent_comes_first_and_ties_by_code_point(counts: dict[str, int]) -> None:
    found = by_count(counts)
    assert dict(found) == counts
    for (one, many), (other, fewer) in pairwise(found):
        assert many > fewer or (many == fewer and one < other)
