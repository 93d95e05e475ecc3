"""Audits to test with, and a way to have them stored where a running stack finds them."""

from __future__ import annotations

import json
from dataclasses import replace

from rollcall.maintenance.audits import Audit, Difference
from rollcall.retry import Backoff
from rollcall.storage.audits import AuditStore
from tests.support.stack import ORGANISATIONS, Organisation

# As docs/api/examples/get_audit/exact.json has it.
EXACT = Audit(
    run_id="run-1",
    started_at_ms=1_795_230_002_000,
    checked_at_ms=1_795_230_041_000,
    finished_at_ms=1_795_230_041_250,
    facts=120_431,
    rows=120_409,
    pages=318,
    rollups=2_077,
)


def difference(**fields: object) -> Difference:
    """A rollup of one day that is off by two."""
    default = Difference("rollup_differs", 0, "calls", "2026-11-20", 2, 1_795_219_200_000)
    return replace(default, **fields)  # type: ignore[arg-type]


def store_of(org: Organisation) -> tuple[AuditStore, str]:
    """The audits in the tables of an organisation's stack, and the organisation's id there."""
    store = AuditStore(org.stack.client, org.stack.ready["records_table"], Backoff())
    [entry] = json.loads(org.send("GET", ORGANISATIONS).body)["data"]
    return store, entry["id"]


def have_audited(org: Organisation, audit: Audit) -> None:
    """Store an audit as one that began and finished."""
    store, org_id = store_of(org)
    store.begin(org_id, replace(audit, finished_at_ms=None), replacing=store.running(org_id))
    store.finish(org_id, audit)
