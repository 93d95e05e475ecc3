"""Reading rollups."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from rollcall.domain.measures import Measures, RollupKey
from rollcall.domain.metering import ReadMeter
from rollcall.ledger.backoff import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.reads import batch_get

VERSION: Final = "v"
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
    ) -> dict[RollupKey, Measures]:
        """The stored rollups among `wanted`; what nothing was ever counted in is left out."""
        meter.used_rollups = True
        key_of = {keys.rollup(org_id, epoch, key): key for key in wanted}
        found: dict[RollupKey, Measures] = {}
        for item in batch_get(self._client, self._table, key_of, self._backoff, meter):
            meter.saw(av.integer(item, APPLIED_AT))
            key = key_of[keys.Key(av.text(item, keys.PK), av.text(item, keys.SK))]
            found[key] = measures_of_item(item)
        return found


def measures_of_item(item: Item) -> dict[str, int]:
    """The measures of a stored rollup."""
    return {
        name: int(value["N"])
        for name, value in item.items()
        if name not in _META and not name.startswith(SPILLED_PREFIX)
    }
