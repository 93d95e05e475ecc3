"""Reads rollups."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from itertools import groupby, pairwise, product
from typing import Any, Final

from rollcall.at_once import at_once, begun_at_once
from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.errors import CorruptItem
from rollcall.domain.measures import Rollup, RollupKey, Scope, breakdowns_of, total
from rollcall.domain.time.calendar import day_text, parse_date
from rollcall.ledger.rollups import StoredRollup
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Attribute, Item
from rollcall.storage.conditions import VERSION
from rollcall.storage.measure_names import attributes_of, measure_of
from rollcall.storage.queries import (
    batch_get,
    chunks,
    consumed_units,
    key_of,
    keys_between,
    pages_of,
    projected,
)

APPLIED_AT: Final = "applied_at"
# The version with which an item was last put whole. An earlier release adds to the version alone.
WHOLE: Final = "whole"
SPILLED: Final[Attribute] = {"BOOL": True}
# Fewer days are not worth a request of their own.
_LEAST_DAYS: Final = 64
_META: Final = frozenset({keys.PK, keys.SK, keys.GSI1PK, keys.GSI1SK, VERSION, APPLIED_AT, WHOLE})
# What every answer needs beside the key and the measures.
_ALWAYS: Final = (VERSION, WHOLE, APPLIED_AT)


class RollupStore:
    """Rollups of all organisations; every request is checked against the current one."""

    def __init__(self, client: Any, table: str, executor: Executor, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._executor = executor
        self._backoff = backoff

    def read(
        self,
        epoch: Epoch,
        wanted: Collection[RollupKey],
        meter: ReadMeter,
        *,
        names: Collection[str],
    ) -> dict[RollupKey, Rollup]:
        """The stored rollups among `wanted`, each the sum of those of all buckets.

        A rollup without any counts is not stored.

        `names` are the closed measures and the letters of the open breakdowns to read.
        """
        meter.used_rollups = True
        wanted_key = {keys.rollup(bucket, key): key for bucket in epoch.buckets for key in wanted}
        projection = projected((keys.PK, keys.SK, *_ALWAYS, *attributes_of(names)))

        def read(some: Sequence[keys.Key]) -> tuple[list[Item], ReadMeter]:
            own = ReadMeter()  # a meter is for one thread
            items = batch_get(self._client, self._table, some, self._backoff, own, projection)
            return items, own

        found: dict[RollupKey, list[Rollup]] = {}
        parts = list(chunks(wanted_key))
        for items, own in at_once(self._executor, [partial(read, part) for part in parts]):
            meter.count(own.items, own.units)
            for item in items:
                meter.saw(av.integer(item, APPLIED_AT))
                key = wanted_key[key_of(item)]
                found.setdefault(key, []).append(_read(key, item, names))
        return {key: _sum_of(of_buckets) for key, of_buckets in found.items()}

    def days(
        self,
        epoch: Epoch,
        family: str,
        scope: Scope,
        days: range,
        meter: ReadMeter,
        *,
        names: Collection[str],
        requests: int = 1,
    ) -> Iterator[tuple[int, Rollup]]:
        """The stored rollups of a scope's days, by day number in ascending order, read consistently.

        Rollups and `names` are as for `read`. `days` must not be empty. A long range is read in as many
        parts at once as `requests` allows for all buckets together. One answer of DynamoDB (1 MB) of
        each part and bucket is in memory at a time.
        """
        meter.used_rollups = True
        parts = _parts(days, requests // len(epoch.buckets))
        meters = [ReadMeter() for _ in epoch.buckets for _ in parts]
        streams = [
            self._days_of(bucket, family, scope, part, own, names=names)
            for (bucket, part), own in zip(product(epoch.buckets, parts), meters, strict=True)
        ]
        try:
            merged = heapq.merge(*begun_at_once(self._executor, streams), key=_day_of)
            for day, found in groupby(merged, key=_day_of):
                yield day, _sum_of([rollup for _, rollup in found])
        finally:
            for own in meters:
                meter.add(own)

    def _days_of(
        self,
        bucket: Bucket,
        family: str,
        scope: Scope,
        days: range,
        meter: ReadMeter,
        *,
        names: Collection[str],
    ) -> Iterator[tuple[int, Rollup]]:
        first, last = (
            keys.rollup(bucket, RollupKey(family, scope, day_text(day)))
            for day in (days[0], days[-1])
        )
        # The capacity units are the same, but parsing dozens of numbers per day is expensive.
        projection = projected((keys.SK, *_ALWAYS, *attributes_of(names)))
        between = keys_between(first.pk, first.sk, last.sk)
        projection["ExpressionAttributeNames"] |= between["ExpressionAttributeNames"]
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "ReturnConsumedCapacity": "TOTAL",
            **between,
            **projection,
        }
        for answer in pages_of(self._client, request, self._backoff):
            meter.count(len(answer["Items"]), consumed_units(answer))
            for item in answer["Items"]:
                meter.saw(av.integer(item, APPLIED_AT))
                day = _day_in(item)
                yield day, _read(RollupKey(family, scope, day_text(day)), item, names)


def stored_rollup(key: RollupKey, item: Item) -> StoredRollup:
    """A stored rollup, or the part of it that was read, with its version. Raises CorruptItem.

    An item that an earlier release wrote, or has changed since it was put whole, has its closed
    measures; all of its breakdowns count as spilled, so that queries read them from the ledger.
    """
    version, allowed = av.integer(item, VERSION), breakdowns_of(key)
    measures = item.keys() - _META
    found = measures & allowed
    spilled = {each for each in found if item[each] == SPILLED}
    if av.optional_integer(item, WHOLE) != version:
        spilled, found = set(allowed), spilled
    counts: dict[str, int] = {}
    for name in measures - allowed:
        measure = measure_of(name)
        counts[measure] = counts.get(measure, 0) + av.integer(item, name)
    return StoredRollup(
        counts,
        {name: av.binary(item, name) for name in found - spilled},
        frozenset(spilled),
        version,
    )


def _parts(days: range, most: int) -> list[range]:
    """Cut days into at most `most` parts of about equal length, none shorter than `_LEAST_DAYS`.

    There is always one part.
    """
    count = max(1, min(most, len(days) // _LEAST_DAYS))
    cuts = [len(days) * n // count for n in range(count + 1)]
    return [days[start:end] for start, end in pairwise(cuts)]


def _read(key: RollupKey, item: Item, names: Collection[str]) -> Rollup:
    stored = stored_rollup(key, item)
    return Rollup(stored.measures, stored.spilled.intersection(names))


def _sum_of(rollups: Sequence[Rollup]) -> Rollup:
    return rollups[0] if len(rollups) == 1 else total(rollups)


def _day_of(found: tuple[int, Rollup]) -> int:
    return found[0]


def _day_in(item: Item) -> int:
    day = parse_date(keys.day_of_rollup(av.text(item, keys.SK)))
    if day is None:
        raise CorruptItem("a day's rollup has no day in its key")
    return day
