"""Audits as items beside the organisation: the last finished one, and the unfinished one.

They hold counts and no values of records (`rollcall.maintenance.audits`). The event source of the
update function filters them out by their sort keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from rollcall.domain.errors import CorruptItem
from rollcall.domain.organisations import tenant
from rollcall.maintenance.audits import COUNTED, MAX_KEPT, Audit, Difference
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Attribute, Item
from rollcall.storage.queries import batch_get
from rollcall.storage.run_store import RUN_ID, RunWriter, run_id_of, run_is


class Stored(NamedTuple):
    """The audits of an organisation."""

    last: Audit | None
    running: Audit | None


class AuditStore:
    """The audits of all organisations (`rollcall.maintenance.ports.Audits`)."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._backoff = backoff
        self._writer: RunWriter[Stored] = RunWriter(
            backoff, self.both, lambda stored: stored.running
        )

    # -- reading -----------------------------------------------------------------------------
    def last(self, org_id: str) -> Audit | None:
        """The last finished audit, read consistently. Raises CorruptItem."""
        return self._read(org_id, keys.audit(org_id)).last

    def running(self, org_id: str) -> Audit | None:
        """The unfinished audit, read consistently. Raises CorruptItem."""
        return self._read(org_id, keys.audit_run(org_id)).running

    def both(self, org_id: str) -> Stored:
        """Both audits, in one request.

        An audit that finishes meanwhile may be missing, or be returned as both.
        """
        return self._read(org_id, keys.audit(org_id), keys.audit_run(org_id))

    def _read(self, org_id: str, *wanted: keys.Key) -> Stored:
        with tenant(org_id):
            items = batch_get(self._client, self._table, wanted, self._backoff)
        found = {av.text(item, keys.SK): audit_of_item(item) for item in items}
        return Stored(found.get(keys.audit(org_id).sk), found.get(keys.audit_run(org_id).sk))

    # -- writing -----------------------------------------------------------------------------
    def begin(self, org_id: str, audit: Audit, replacing: Audit | None) -> None:
        """Store the first state of a run in place of `replacing`; see `Audits.begin`."""
        replaced = run_id_of(replacing)
        put = self._put(keys.audit_run(org_id), audit)

        def is_done(stored: Stored) -> bool:
            # A run that resumes under its own id cannot be distinguished from the one it replaces.
            return run_id_of(stored.running) == audit.run_id != replaced

        self._writer.write(
            org_id,
            lambda: self._client.put_item(**put, **run_is(replaced)),
            expected=replaced,
            is_done=is_done,
        )

    def save(self, org_id: str, audit: Audit) -> None:
        """Store the progress of a run; see `Audits.save`."""
        own = run_is(audit.run_id)
        put = self._put(keys.audit_run(org_id), audit)

        def is_done(_stored: Stored) -> bool:
            return False  # saving twice is harmless, so it is retried in any case

        self._writer.write(
            org_id,
            lambda: self._client.put_item(**put, **own),
            expected=audit.run_id,
            is_done=is_done,
        )

    def finish(self, org_id: str, audit: Audit) -> None:
        """Store a run as the last audit and remove the unfinished one; see `Audits.finish`."""
        run = keys.audit_run(org_id)
        end = {"TableName": self._table, "Key": run.attributes(), **run_is(audit.run_id)}
        both = [{"Put": self._put(keys.audit(org_id), audit)}, {"Delete": end}]

        def is_done(stored: Stored) -> bool:
            return run_id_of(stored.last) == audit.run_id

        self._writer.write(
            org_id,
            lambda: self._client.transact_write_items(TransactItems=both),
            expected=audit.run_id,
            is_done=is_done,
        )

    def _put(self, key: keys.Key, audit: Audit) -> dict[str, Any]:
        return {"TableName": self._table, "Item": item_of_audit(key, audit)}


# -- items -----------------------------------------------------------------------------------
def item_of_audit(key: keys.Key, audit: Audit) -> Item:
    """An audit as it is stored: at most MAX_KEPT differences, without their names."""
    kept = audit.differences[:MAX_KEPT]
    return av.to_item(
        {
            keys.PK: key.pk,
            keys.SK: key.sk,
            RUN_ID: audit.run_id,
            "started_at_ms": audit.started_at_ms,
            "checked_at_ms": audit.checked_at_ms,
            "finished_at_ms": audit.finished_at_ms,
            "exact_at_ms": audit.exact_at_ms,
            "repairing": audit.is_repairing or None,
            **{name: getattr(audit, name) for name in COUNTED},
            # Left out when empty: DynamoDB Local's streams lose an empty map.
            "drift": audit.drift or None,
            "differences": [_map_of(difference) for difference in kept] or None,
            "cursor": audit.cursor,
        }
    )


def _map_of(difference: Difference) -> dict[str, Any]:
    return {
        "kind": difference.kind,
        "epoch": difference.epoch,
        "subject": difference.subject,
        "bucket": difference.bucket,
        # As a string: the difference of a damaged rollup may have more digits than a number can.
        "amount": str(difference.amount),
        "since_ms": difference.since_ms,
        "repaired": difference.is_repaired,
    }


def audit_of_item(item: Item) -> Audit:
    """The inverse of `item_of_audit`. Raises CorruptItem on anything else."""
    return Audit(
        run_id=av.text(item, RUN_ID),
        started_at_ms=av.integer(item, "started_at_ms"),
        checked_at_ms=av.integer(item, "checked_at_ms"),
        finished_at_ms=av.optional_integer(item, "finished_at_ms"),
        exact_at_ms=av.optional_integer(item, "exact_at_ms"),
        is_repairing=av.flag(item, "repairing"),
        **{name: av.integer(item, name) for name in COUNTED},
        drift=_drift(item),
        differences=tuple(map(_difference, _entries(item))),
        cursor=av.text(item, "cursor") if "cursor" in item else None,
    )


def _drift(item: Item) -> Mapping[str, int]:
    counts = item.get("drift", {"M": {}}).get("M")
    if not isinstance(counts, dict):
        raise CorruptItem("attribute 'drift' is not a map")
    return {kind: av.integer(counts, kind) for kind in counts}


def _entries(item: Item) -> list[Attribute]:
    entries = item.get("differences", {"L": []}).get("L")
    if not isinstance(entries, list):
        raise CorruptItem("attribute 'differences' is not a list")
    return entries


def _difference(entry: Attribute) -> Difference:
    stored = entry.get("M")
    if not isinstance(stored, dict):
        raise CorruptItem("a difference is not a map")
    return Difference(
        kind=av.text(stored, "kind"),
        epoch=av.integer(stored, "epoch"),
        subject=av.text(stored, "subject"),
        bucket=av.text(stored, "bucket"),
        amount=_amount(stored),
        since_ms=av.integer(stored, "since_ms"),
        is_repaired=av.flag(stored, "repaired"),
    )


def _amount(stored: Item) -> int:
    try:
        return int(av.text(stored, "amount"))
    except ValueError:
        raise CorruptItem("the amount of a difference is not an integer") from None
