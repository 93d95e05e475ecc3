"""Reads rollups."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from rollcall.domain.errors import CorruptItem
from rollcall.domain.measures import Rollup, RollupKey, Scope, breakdowns_of
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
_META: Final = frozenset({keys.PK, keys.SK, keys.GSI1PK, keys.GSI1SK, VERSION, APPLIED_AT, WHOLE})
# What every answer needs beside the measures.
_ALWAYS: Final = (keys.PK, keys.SK, VERSION, WHOLE, APPLIED_AT)


class RollupStore:
    """Rollups of all organisations; every request is checked against the current one."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._backoff = backoff

    def read(
        self,
        org_id: str,
        epoch: int,
        wanted: Collection[RollupKey],
        meter: ReadMeter,
        *,
        names: Collection[str],
    ) -> dict[RollupKey, Rollup]:
        """The stored rollups among `wanted`; a rollup without any counts is not stored.

        `names` are the closed measures and the letters of the open breakdowns to read.
        """
        meter.used_rollups = True
        wanted_key = {keys.rollup(org_id, epoch, key): key for key in wanted}
        found: dict[RollupKey, Rollup] = {}
        projection = projected((*_ALWAYS, *attributes_of(names)))
        for item in batch_get(
            self._client, self._table, wanted_key, self._backoff, meter, projection
        ):
            meter.saw(av.integer(item, APPLIED_AT))
            key = wanted_key[key_of(item)]
            found[key] = _read(key, item, names)
        return found

    def days(
        self,
        org_id: str,
        epoch: int,
        family: str,
        scope: Scope,
        days: range,
        meter: ReadMeter,
        *,
        names: Collection[str],
    ) -> Iterator[tuple[int, Rollup]]:
        """The stored rollups of a scope's days, by day number in ascending order, read consistently.

        `names` as for `read`. `days` must not be empty. One answer of DynamoDB (1 MB) is in memory
        at a time.
        """
        meter.used_rollups = True
        first, last = (
            keys.rollup(org_id, epoch, RollupKey(family, scope, day_text(day)))
            for day in (days[0], days[-1])
        )
        # The capacity units are the same, but parsing dozens of numbers per day is expensive.
        projection = projected((*_ALWAYS, *attributes_of(names)))
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
                day = _day_of(item)
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


def _read(key: RollupKey, item: Item, names: Collection[str]) -> Rollup:
    stored = stored_rollup(key, item)
    return Rollup(stored.measures, stored.spilled.intersection(names))


def _day_of(item: Item) -> int:
    day = parse_date(keys.day_of_rollup(av.text(item, keys.SK)))
    if day is None:
        raise CorruptItem("a day's rollup has no day in its key")
    return day
