"""Segments as two items of DynamoDB with one version.

*Values* is in the ledger's partition, under the start position, like a page. *Identities* has the same
sort key in a partition of its own, so that a query does not pay for it. Both are always written and
deleted in one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from rollcall.domain.epochs import Bucket
from rollcall.domain.errors import CorruptItem
from rollcall.ledger.segments import (
    FORMAT_VERSION,
    IDENTITIES,
    Directory,
    EncodedSegment,
    rows_of,
)
from rollcall.ledger.tree import Page
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.conditions import VERSION
from rollcall.storage.page_items import DATA, binary
from rollcall.storage.rollups import APPLIED_AT

SEGMENT: Final = "segment"  # the version of the format
DIRECTORY: Final = "directory"
COLUMN_PREFIX: Final = "c."


def identities_key(ledger: str, start: str) -> keys.Key:
    """The key of the identities of the segment at `start` of a ledger."""
    return keys.Key(keys.identities(ledger), start)


def values_item(
    bucket: Bucket, record_type: str, segment: EncodedSegment, version: int, applied_at_ms: int
) -> Item:
    """The item of the values."""
    return {
        **keys.Key(keys.ledger(bucket, record_type), segment.start).attributes(),
        keys.GSI1PK: {"S": keys.index_partition(bucket)},
        keys.GSI1SK: {"S": keys.index_sort(bucket, keys.SEGMENT)},
        "start": {"S": segment.start},
        "end": {"S": segment.end},
        "n": {"N": str(segment.count)},
        VERSION: {"N": str(version)},
        APPLIED_AT: {"N": str(applied_at_ms)},
        SEGMENT: {"N": str(FORMAT_VERSION)},
        DIRECTORY: {"B": segment.directory},
        **_columns(segment.values),
    }


def identities_item(
    bucket: Bucket, record_type: str, segment: EncodedSegment, version: int
) -> Item:
    """The item of the identities, beside the values."""
    return {
        **identities_key(keys.ledger(bucket, record_type), segment.start).attributes(),
        keys.GSI1PK: {"S": keys.index_partition(bucket)},
        keys.GSI1SK: {"S": keys.index_sort(bucket, keys.IDENTITIES)},
        VERSION: {"N": str(version)},
        SEGMENT: {"N": str(FORMAT_VERSION)},
        **_columns(segment.identities),
    }


def is_segment(item: Item) -> bool:
    """Whether an item of a ledger is a segment and not a page."""
    return SEGMENT in item


def directory_of(values: Item) -> Directory:
    """The directory of a segment. Raises CorruptItem, which names it, also on an unknown format."""
    with naming(values):
        _check_format(values)
        directory = Directory.decode(binary(values, DIRECTORY))
        if directory.count != av.integer(values, "n"):
            raise CorruptItem("the number of rows is not that of the directory")
        return directory


def page_of_parts(
    record_type: str,
    directory: Directory,
    values: Item,
    identities: Item | None,
    columns: Collection[str] | None,
) -> Page:
    """The segment of two items, with `columns`, or with all of them.

    `identities` may be None if `columns` has none of theirs. Raises CorruptItem, which names the
    segment, when an item is damaged or has an unknown format; damage inside a column is found when
    the column is used.
    """
    with naming(values):
        if identities is not None:
            _check_format(identities)
        bodies = {}
        for column in directory.columns if columns is None else directory.named(columns):
            part = (identities or {}) if column in IDENTITIES else values
            bodies[column] = binary(part, COLUMN_PREFIX + column)
        return Page(
            start=av.text(values, "start"),
            end=av.text(values, "end"),
            version=av.integer(values, VERSION),
            rows=rows_of(record_type, directory, bodies, name_of(values)),
            segment_bytes=max(1, sum(map(len, bodies.values()))),
        )


@contextmanager
def naming(values: Item) -> Iterator[None]:
    """Let a CorruptItem name the segment."""
    try:
        yield
    except CorruptItem as error:
        raise CorruptItem(f"{name_of(values)}: {error}") from error


def name_of(item: Item) -> str:
    """What errors call a segment: its key."""
    return f"segment {av.text(item, keys.PK)} {av.text(item, keys.SK)}"


def projection(columns: Iterable[str] | None) -> dict[str, Any]:
    """What a Query for some columns of pages and segments reads of each item; None: all of it.

    To be added to a Query that names the keys (`rollcall.storage.queries`).
    """
    if columns is None:
        return {}
    names = ("start", "end", "n", VERSION, APPLIED_AT, DATA, SEGMENT, DIRECTORY)
    of_columns = (COLUMN_PREFIX + name for name in sorted(set(columns) - IDENTITIES))
    aliases = {f"#p{number}": name for number, name in enumerate((*names, *of_columns))}
    return {
        "ProjectionExpression": ", ".join(("#pk", "#sk", *aliases)),
        "ExpressionAttributeNames": {"#pk": keys.PK, "#sk": keys.SK, **aliases},
    }


def _check_format(item: Item) -> None:
    version = av.integer(item, SEGMENT)
    if version != FORMAT_VERSION:
        raise CorruptItem(f"unknown segment format {version}")


def _columns(bodies: Mapping[str, bytes]) -> Item:
    return {COLUMN_PREFIX + name: {"B": body} for name, body in bodies.items()}
