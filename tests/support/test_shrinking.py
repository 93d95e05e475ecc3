"""The fewest elements with which a check still fails."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.shrinking import shrunk


@given(st.lists(st.integers(0, 200), unique=True, max_size=40), st.data())
def test_exactly_the_elements_that_the_failure_needs_are_left(
    elements: list[int], data: st.DataObject
) -> None:
    needed = set(data.draw(st.lists(st.sampled_from(elements)))) if elements else set()

    found = shrunk(elements, lambda part: needed <= set(part))

    assert found == [each for each in elements if each in needed]
