"""The state of an organisation's rebuild, as one item beside the organisation.

The item is kept when the rebuild is done, because it holds the largest epoch number ever used. The
event source of the update function filters it out by its sort key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rollcall.domain.errors import CorruptItem
from rollcall.domain.organisations import tenant
from rollcall.maintenance.rebuilds import Phase, RebuildRun
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import with_retries
from rollcall.storage.run_store import RUN_ID, RunWriter, run_id_of, run_is


class RebuildStore:
    """The rebuilds of all organisations (`rollcall.maintenance.ports.Rebuilds`)."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._backoff = backoff
        self._writer: RunWriter[RebuildRun | None] = RunWriter(
            backoff, self.read, lambda stored: stored
        )

    def read(self, org_id: str) -> RebuildRun | None:
        """The last rebuild, read consistently. Raises CorruptItem."""
        key = keys.rebuild(org_id)
        with tenant(org_id):
            answer = with_retries(
                self._backoff,
                lambda: self._client.get_item(
                    TableName=self._table,
                    Key=key.attributes(),
                    ConsistentRead=True,
                ),
            )
        item = answer.get("Item")
        return run_of_item(item) if item else None

    def begin(self, org_id: str, run: RebuildRun, replacing: RebuildRun | None) -> None:
        """Store the first state of a run in place of `replacing`; see `Rebuilds.begin`."""
        replaced = run_id_of(replacing)

        def is_done(stored: RebuildRun | None) -> bool:
            return run_id_of(stored) == run.run_id

        self._put(org_id, run, replaced, is_done)

    def save(self, org_id: str, run: RebuildRun) -> None:
        """Store the progress of a run; see `Rebuilds.save`."""

        def is_done(stored: RebuildRun | None) -> bool:
            return stored == run

        self._put(org_id, run, run.run_id, is_done)

    def _put(
        self,
        org_id: str,
        run: RebuildRun,
        expected: str | None,
        is_done: Callable[[RebuildRun | None], bool],
    ) -> None:
        request = {
            "TableName": self._table,
            "Item": item_of_run(keys.rebuild(org_id), run),
            **run_is(expected),
        }
        self._writer.write(
            org_id,
            lambda: self._client.put_item(**request),
            expected=expected,
            is_done=is_done,
        )


def item_of_run(key: keys.Key, run: RebuildRun) -> Item:
    """A rebuild as it is stored."""
    return av.to_item(
        {
            keys.PK: key.pk,
            keys.SK: key.sk,
            RUN_ID: run.run_id,
            "phase": run.phase.value,
            "epoch": run.epoch,
            "version": run.version,
            "buckets": None if run.buckets == 1 else run.buckets,
            "old_epoch": run.old_epoch,
            "old_version": run.old_version,
            "started_at_ms": run.started_at_ms,
            "cursor": run.cursor,
            "facts": run.facts,
            "rows": run.rows,
            "damaged": run.damaged,
            "switched_at_ms": run.switched_at_ms,
            "dropped_at_ms": run.dropped_at_ms,
            "looked_at_ms": run.looked_at_ms,
            "empty_since_ms": run.empty_since_ms,
            "removed": run.removed,
            "finished_at_ms": run.finished_at_ms,
        }
    )


def run_of_item(item: Item) -> RebuildRun:
    """The inverse of `item_of_run`. Raises CorruptItem on anything else."""
    try:
        phase = Phase(av.text(item, "phase"))
    except ValueError:
        raise CorruptItem("attribute 'phase' is not a phase of a rebuild") from None
    return RebuildRun(
        run_id=av.text(item, RUN_ID),
        phase=phase,
        epoch=av.integer(item, "epoch"),
        version=av.integer(item, "version"),
        buckets=av.optional_integer(item, "buckets") or 1,
        old_epoch=av.integer(item, "old_epoch"),
        old_version=av.integer(item, "old_version"),
        started_at_ms=av.integer(item, "started_at_ms"),
        cursor=av.text(item, "cursor") if "cursor" in item else None,
        facts=av.integer(item, "facts"),
        rows=av.integer(item, "rows"),
        damaged=av.integer(item, "damaged"),
        switched_at_ms=av.optional_integer(item, "switched_at_ms"),
        dropped_at_ms=av.optional_integer(item, "dropped_at_ms"),
        looked_at_ms=av.optional_integer(item, "looked_at_ms"),
        empty_since_ms=av.optional_integer(item, "empty_since_ms"),
        removed=av.integer(item, "removed"),
        finished_at_ms=av.optional_integer(item, "finished_at_ms"),
    )
