"""The generator of refused bodies, and the check of what names their faults."""

from random import Random
from typing import Any

import pytest

from tests.support.query_faults import FAULTS, MALFORMED, OUT_OF_RANGE, Invalid, fault_of, invalid


def test_a_seed_repeats_a_body() -> None:
    assert invalid(Random(3)) == invalid(Random(3))


def test_every_fault_is_generated_in_its_place() -> None:
    seen = set()
    for seed in range(2_000):
        made = invalid(Random(seed))
        seen.add(len(made.places))
        assert made.status in (MALFORMED, OUT_OF_RANGE)
        assert all(made.places)
        # No two faults of a body share a place, so that each has to be named.
        assert len(set().union(*made.places)) == sum(map(len, made.places))
    assert seen == {1, 2, 3, 4}
    assert {fault.status for fault in FAULTS} == {MALFORMED, OUT_OF_RANGE}


@pytest.mark.parametrize(
    ("status", "pointers", "is_right"),
    [
        (400, ["/limit", "/filters/0/op"], True),
        (400, ["/limit", "/filters/0/op", "/limit"], True),
        (422, ["/limit", "/filters/0/op"], False),
        (400, ["/limit"], False),
        (400, ["/limit", "/filters/0/op", "/order"], False),
        (400, [], False),
    ],
)
def test_every_fault_is_to_be_named_and_nothing_else(
    status: Any, pointers: Any, is_right: Any
) -> None:
    expected = Invalid({}, 400, [{"/limit"}, {"/filters/0/op", "/filters/0/value"}])
    assert (fault_of(status, pointers, expected) is None) == is_right
