"""Reads rollups."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from rollcall.domain.errors import CorruptItem
from rollcall.domain.measures import Rollup, RollupKey, Scope
from rollcall.domain.time.calendar import day_text, parse_date
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.conditions import VERSION
from rollcall.storage.queries import (
    batch_get,
    consumed_units,
    key_of,
    keys_between,
    pages_of,
)

APPLIED_AT: Final = "applied_at"
SPILLED_PREFIX: Final = "spilled."
_META: Final = frozenset({keys.PK, keys.SK, keys.GSI1PK, keys.GSI1SK, VERSION, APPLIED_AT})


class RollupStore:
    """Rollups of all organisations; every request is checked against the current one."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._backoff = backoff

    def read(
        self, org_id: str, epoch: int, wanted: Collection[RollupKey], meter: ReadMeter
    ) -> dict[RollupKey, Rollup]:
        """The stored rollups among `wanted`; a rollup without any counts is not stored."""
        meter.used_rollups = True
        wanted_key = {keys.rollup(org_id, epoch, key): key for key in wanted}
        found: dict[RollupKey, Rollup] = {}
        for item in batch_get(self._client, self._table, wanted_key, self._backoff, meter):
            meter.saw(av.integer(item, APPLIED_AT))
            found[wanted_key[key_of(item)]] = rollup_of_item(item)
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
        names: Collection[str] | None,
    ) -> Iterator[tuple[int, Rollup]]:
        """The stored rollups of a scope's days, by day number in ascending order, read consistently.

        `names` are the closed measures to read; None reads the open breakdowns instead. `days` must
        not be empty. One answer of DynamoDB (1 MB) is in memory at a time.
        """
        meter.used_rollups = True
        first, last = (
            keys.rollup(org_id, epoch, RollupKey(family, scope, day_text(day), names is None))
            for day in (days[0], days[-1])
        )
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "ReturnConsumedCapacity": "TOTAL",
            **keys_between(first.pk, first.sk, last.sk),
        }
        if names is not None:
            # The capacity units are the same, but parsing dozens of numbers per day is expensive.
            wanted = {f"#{n}": name for n, name in enumerate((APPLIED_AT, *names))}
            request["ProjectionExpression"] = ", ".join(("#sk", *wanted))
            request["ExpressionAttributeNames"] |= wanted
        for answer in pages_of(self._client, request, self._backoff):
            meter.count(len(answer["Items"]), consumed_units(answer))
            for item in answer["Items"]:
                meter.saw(av.integer(item, APPLIED_AT))
                yield _day_of(item), rollup_of_item(item)


def rollup_of_item(item: Item) -> Rollup:
    """A stored rollup, or its sibling with the open breakdowns. Raises CorruptItem."""
    try:
        measures = {
            name: int(value["N"])
            for name, value in item.items()
            if name not in _META and not name.startswith(SPILLED_PREFIX)
        }
    except (KeyError, TypeError, ValueError):
        raise CorruptItem("a measure of a rollup is not an integer") from None
    spilled = frozenset(
        name.removeprefix(SPILLED_PREFIX) for name in item if name.startswith(SPILLED_PREFIX)
    )
    return Rollup(measures, spilled)


def _day_of(item: Item) -> int:
    day = parse_date(keys.day_of_rollup(av.text(item, keys.SK)))
    if day is None:
        raise CorruptItem("a day's rollup has no day in its key")
    return day
