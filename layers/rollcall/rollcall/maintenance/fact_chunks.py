"""Reads all facts of an organisation in chunks, resumable at a cursor."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TypeAlias

from rollcall.domain.facts import Fact
from rollcall.domain.organisations import Organisation, tenant
from rollcall.domain.records import RECORD_TYPES
from rollcall.maintenance.ports import ListedFacts

_Partition: TypeAlias = tuple[str, int]  # a record type and a bucket of facts


@dataclass(slots=True)
class Chunk:
    """Facts of one partition, the (record type, sort key) of damaged ones, and the next cursor.

    `cursor` is None for the last chunk.
    """

    facts: list[Fact] = field(default_factory=list)
    damaged: list[tuple[str, str]] = field(default_factory=list)
    cursor: str | None = None


def read_chunk(
    facts: ListedFacts, organisation: Organisation, cursor: str | None, most: int
) -> Chunk:
    """The facts after a cursor (None: from the start): `most` and up to a page (1 MB) more.

    Raises Unavailable when the store stays busy.
    """
    partitions = [
        (record_type, bucket)
        for record_type in sorted(RECORD_TYPES)
        for bucket in range(organisation.buckets)
    ]
    after = None
    if cursor is not None:
        name, number, sort_key = cursor.split("/", 2)
        partitions = partitions[partitions.index((name, int(number))) :]
        after = sort_key or None
    chunk = Chunk()
    for partition, following in zip_longest(partitions, partitions[1:]):
        last = _fill(chunk, facts, organisation.id, partition, after, most)
        if last is not None:
            chunk.cursor = _cursor(partition, last)
            break
        if following is not None and (chunk.facts or chunk.damaged):
            chunk.cursor = _cursor(following, "")
            break
        after = None
    return chunk


def _fill(
    chunk: Chunk,
    facts: ListedFacts,
    org_id: str,
    partition: _Partition,
    after: str | None,
    most: int,
) -> str | None:
    """Add facts of a partition to a chunk; returns the last sort key if more may follow."""
    record_type, bucket = partition
    with tenant(org_id):
        for page in facts.listed(org_id, bucket, record_type, after):
            chunk.facts += page.facts
            chunk.damaged += [(record_type, sort_key) for sort_key in page.damaged]
            if page.last is not None and len(chunk.facts) >= most:
                return page.last
    return None


def _cursor(partition: _Partition, sort_key: str) -> str:
    record_type, bucket = partition
    return f"{record_type}/{bucket}/{sort_key}"
