"""The epochs of an organisation, and the buckets of each: ledgers that share no item.

A fact belongs to one bucket of an epoch, by a hash of its id, as it belongs to one shard of the records
table: with as many buckets as shards, each bucket is fed by one shard of each type. Measures of buckets
are added, and distinct values united.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

MAX_BUCKETS: Final = 64


class Epoch(NamedTuple):
    """An epoch of an organisation; fixed for the whole of an answer."""

    org_id: str
    number: int
    bucket_count: int = 1

    @property
    def buckets(self) -> tuple[Bucket, ...]:
        """All buckets, in the order of their numbers."""
        return tuple(Bucket(self, number) for number in range(self.bucket_count))

    def bucket_of(self, fact_id: str) -> Bucket:
        """The bucket to which a fact belongs."""
        return Bucket(self, share_of(fact_id, self.bucket_count))


class Bucket(NamedTuple):
    """One ledger of an epoch: the pages and rollups of its share of the facts."""

    epoch: Epoch
    number: int = 0

    @property
    def is_only(self) -> bool:
        """Whether the epoch has no other bucket."""
        return self.epoch.bucket_count == 1


def share_of(fact_id: str, shares: int) -> int:
    """The number of the share to which a fact belongs, of `shares` of about equal size."""
    if shares == 1:
        return 0
    digest = hashlib.blake2b(fact_id.encode(), digest_size=4, person=b"bucket").digest()
    return int.from_bytes(digest, "big") % shares
