"""Every fact has one bucket, which its id alone decides, and buckets are of about equal size."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.epochs import MAX_BUCKETS, Bucket, Epoch, share_of

counts = st.integers(1, MAX_BUCKETS)


@given(st.text(), counts)
def test_a_fact_has_one_of_the_buckets(fact_id: str, count: int) -> None:
    epoch = Epoch("org", 3, count)
    assert epoch.bucket_of(fact_id) in epoch.buckets
    assert epoch.bucket_of(fact_id).number == share_of(fact_id, count)


@given(counts)
def test_the_buckets_of_an_epoch_are_numbered_from_zero(count: int) -> None:
    epoch = Epoch("org", 3, count)
    assert epoch.buckets == tuple(Bucket(epoch, number) for number in range(count))
    assert all(bucket.is_only == (count == 1) for bucket in epoch.buckets)


@given(st.text(), st.sampled_from([1, 2, 4, 8, 16]), st.sampled_from([1, 2, 4]))
def test_more_shards_than_buckets_feed_one_bucket_each(
    fact_id: str, buckets: int, times: int
) -> None:
    """So that writers of different shards share no item where one number divides the other."""
    assert share_of(fact_id, buckets * times) % buckets == share_of(fact_id, buckets)


@pytest.mark.parametrize("count", [2, 16, 64])
def test_the_shares_are_of_about_equal_size(count: int) -> None:
    sizes = Counter(share_of(f"call-{number}", count) for number in range(count * 500))
    assert len(sizes) == count
    assert 400 < min(sizes.values()) <= max(sizes.values()) < 600


def test_the_share_of_an_id_stays_the_same_for_ever() -> None:
    """Facts and rows are stored by it."""
    assert [share_of("call-1", count) for count in (1, 16, 64)] == [0, 9, 25]
