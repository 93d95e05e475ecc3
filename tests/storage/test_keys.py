"""Keys: injective for any ids, inside DynamoDB's limits, prefixes that never match a longer id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.measures import ALL, RollupKey
from rollcall.storage import keys

pytestmark = pytest.mark.property


components = st.one_of(
    st.text(st.sampled_from("#~-ab1"), min_size=1, max_size=8),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=128),
)
scopes = st.one_of(
    st.just(("ORG",)),
    st.tuples(st.sampled_from(["SPACE", "TEMPLATE", "WORKSPACE"]), components),
    st.tuples(st.just("CAMPAIGN"), st.sampled_from(["inbound", "outbound"]), components),
)
rollups = st.builds(
    RollupKey,
    st.sampled_from(["calls", "known", "known.call"]),
    scopes,
    st.sampled_from([ALL, "2026-11-21", "2026-11-22"]),
)
facts = st.tuples(components, st.sampled_from(["call", "contact", "contact_event"]), components)


@given(components)
def test_escape_round_trip(component: str) -> None:
    escaped = keys.escape(component)
    assert "#" not in escaped
    assert keys.unescape(escaped) == component


@given(facts, facts, st.integers(1, 16))
def test_fact_keys_are_injective_and_can_be_parsed(
    a: tuple[str, str, str], b: tuple[str, str, str], buckets: int
) -> None:
    key_a, key_b = keys.fact(*a, buckets), keys.fact(*b, buckets)
    assert (key_a == key_b) == (a == b)
    assert keys.parse_fact(*key_a) == a
    assert len(key_a.pk.encode()) <= 2_048
    assert len(key_a.sk.encode()) <= 1_024


@given(components, components, st.integers(0, 20), st.integers(0, 20), rollups, rollups)
def test_rollup_keys_are_injective(
    org_a: str, org_b: str, epoch_a: int, epoch_b: int, a: RollupKey, b: RollupKey
) -> None:
    key_a, key_b = keys.rollup(org_a, epoch_a, a), keys.rollup(org_b, epoch_b, b)
    assert (key_a == key_b) == ((org_a, epoch_a, a) == (org_b, epoch_b, b))
    assert len(key_a.pk.encode()) <= 2_048


@given(components, components)
def test_no_organisation_is_a_prefix_of_another(a: str, b: str) -> None:
    assert keys.org_prefix(b).startswith(keys.org_prefix(a)) == (a == b)


def test_scopes_end_with_the_separator() -> None:
    one = keys.rollup("org", 0, RollupKey("workspace", ("WORKSPACE", "1"), ALL)).pk
    ten = keys.rollup("org", 0, RollupKey("workspace", ("WORKSPACE", "10"), ALL)).pk
    assert not ten.startswith(one)
