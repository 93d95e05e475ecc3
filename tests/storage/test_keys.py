"""Keys: injective for any ids, inside DynamoDB's limits, prefixes that never match a longer id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.epochs import Bucket, Epoch
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


buckets = st.builds(
    lambda org, number, count, of: Bucket(Epoch(org, number, count), of % count),
    components,
    st.integers(0, 20),
    st.sampled_from([1, 2, 16, 64]),
    st.integers(0, 63),
)


def place_of(bucket: Bucket) -> tuple[str, int, int | None]:
    """What the keys of a bucket show of it."""
    return bucket.epoch.org_id, bucket.epoch.number, None if bucket.is_only else bucket.number


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


@given(buckets, buckets, rollups, rollups)
def test_rollup_keys_are_injective(
    bucket_a: Bucket, bucket_b: Bucket, a: RollupKey, b: RollupKey
) -> None:
    key_a, key_b = keys.rollup(bucket_a, a), keys.rollup(bucket_b, b)
    # An epoch has one number of buckets for ever.
    is_same = place_of(bucket_a) == place_of(bucket_b)
    assert (key_a == key_b) == (is_same and a == b)
    assert keys.parse_rollup(bucket_a, key_a) == a
    assert keys.bucket_of(bucket_a.epoch, key_a.pk) == bucket_a
    assert len(key_a.pk.encode()) <= 2_048


@given(components, components)
def test_no_organisation_is_a_prefix_of_another(a: str, b: str) -> None:
    assert keys.org_prefix(b).startswith(keys.org_prefix(a)) == (a == b)


def test_the_keys_of_an_only_bucket_are_those_of_before_there_were_several() -> None:
    """Stored items stay where they are."""
    only, key = Bucket(Epoch("o#1", 3)), RollupKey("calls", ("SPACE", "s"), "2024-03-01")
    assert keys.ledger(only, "call") == "ORG#o~-1#E3#LEDGER#call#"
    assert keys.identities(keys.ledger(only, "call")) == "ORG#o~-1#E3#IDENTITIES#call#"
    assert keys.rollup(only, key) == ("ORG#o~-1#E3#ROLLUP#calls#SPACE#s#", "DAY#2024-03-01")
    assert keys.index_partition(only) == "ORG#o~-1#E3#"
    assert keys.index_sort(only, keys.PAGE) == "PAGE#"
    assert keys.index_sort(only, keys.ROLLUP, "ALL") == "ROLLUP#ALL"


def test_one_of_several_buckets_has_its_number_in_every_key() -> None:
    one = Bucket(Epoch("o", 3, 16), 5)
    assert keys.ledger(one, "call") == "ORG#o#E3#B5#LEDGER#call#"
    assert keys.identities(keys.ledger(one, "call")) == "ORG#o#E3#B5#IDENTITIES#call#"
    assert keys.ledger_of(keys.identities(keys.ledger(one, "call"))) == keys.ledger(one, "call")
    assert keys.index_partition(one) == "ORG#o#E3#"  # so that an epoch is removed as a whole
    assert keys.index_sort(one, keys.ROLLUP, "ALL") == "B5#ROLLUP#ALL"


def test_scopes_end_with_the_separator() -> None:
    one = keys.rollup(Bucket(Epoch("org", 0)), RollupKey("workspace", ("WORKSPACE", "1"), ALL)).pk
    ten = keys.rollup(Bucket(Epoch("org", 0)), RollupKey("workspace", ("WORKSPACE", "10"), ALL)).pk
    assert not ten.startswith(one)
