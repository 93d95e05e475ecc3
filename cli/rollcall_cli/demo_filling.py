"""Fill a running stack as a client does: create an organisation and a token, and send records."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rollcall_cli.api_client import ApiClient
from rollcall_cli.demo_client import Request, send
from rollcall_cli.demo_data import Record
from rollcall_cli.demo_progress import progress
from rollcall_cli.deployment import administration, deployment
from rollcall_cli.errors import CommandError
from rollcall_cli.importing.sender import Sender
from rollcall_cli.local.stack import LocalStack

HANDLE = "demo"
NAME = "Demo Voice Agents"

# moto on a busy machine answers so many records well before the gateway's limit of 29 seconds.
_MAX_BATCH = 250
_DRAIN_SECONDS = 600
_REFRESH_SECONDS = 0.5
_TOTALS = "/api/v2/platform/organisation/analytics/"


@dataclass(frozen=True, slots=True)
class Tenant:
    """The demo's organisation."""

    api_url: str
    handle: str
    token: str

    def headers(self) -> dict[str, str]:
        """The headers of every request of the organisation."""
        return {"Authorization": f"Token {self.token}", "Org-Handle": self.handle}


@dataclass(frozen=True, slots=True)
class Filled:
    """How long filling took."""

    sending_seconds: float
    settling_seconds: float  # from the last acknowledgement until all were counted


def new_tenant(api_url: str) -> Tenant:
    """Create an organisation and a token, in the tables that the environment names.

    If an engine that was running has an organisation of an earlier demo, the handle gets a number.
    """
    with administration() as admin:
        taken = {organisation.handle for organisation in admin.organisations()}
        numbered = (f"{HANDLE}-{number}" for number in itertools.count(2))
        handle = next(h for h in itertools.chain([HANDLE], numbered) if h not in taken)
        admin.create_organisation(handle, NAME)
        issued = admin.issue_token(handle, ("read", "ingest", "admin"))
    return Tenant(api_url, handle, issued.text)


def by_time(records: Sequence[Record]) -> list[Record]:
    """The records by time, those without one first.

    Neighbours then belong to the same days, which takes far fewer writes of rollups.
    """
    times = ("started_at", "occurred_at", "created_at")
    return sorted(records, key=lambda r: next((r[name] for name in times if name in r), ""))


def fill(stack: LocalStack, tenant: Tenant, records: Sequence[Record]) -> Filled:
    """Send the records, and return when all of them are counted."""
    calls = sum(record["type"] == "call" for record in records)
    sender = Sender(ApiClient(tenant.api_url, tenant.token, "ingest"))
    begun = time.monotonic()
    counted = 0
    with progress(len(records), calls) as show:
        for start in range(0, len(records), _MAX_BATCH):
            batch = records[start : start + _MAX_BATCH]
            _accept(sender, batch)
            counted = _calls_counted(tenant, counted)
            show(start + len(batch), counted)
        sent = time.monotonic()
        while not stack.drain(_REFRESH_SECONDS):
            counted = _calls_counted(tenant, counted)
            show(len(records), counted)
            if time.monotonic() > sent + _DRAIN_SECONDS:
                raise CommandError(f"some records are not counted after {_DRAIN_SECONDS} s")
        settled = time.monotonic()
        show(len(records), _calls_counted(tenant, counted))
    return Filled(sent - begun, settled - sent)


def audit(tenant: Tenant) -> str:
    """Compare the organisation's facts, pages and rollups, as `rollcall reconcile` does.

    The result is stored for GET /v1/audit, and returned as one line.
    """
    with deployment() as bootstrap:
        directory = bootstrap.directory()
        organisation = directory.organisation(directory.org_id_of_handle(tenant.handle))
        found = bootstrap.reconcile()(organisation, is_repairing=False)
    compared = f"{found.facts:,} facts, {found.pages:,} pages, {found.rollups:,} rollups"
    if found.is_exact:
        return f"{compared}: no drift"
    return f"{compared}: {found.drift_count:,} drifted, {found.unsettled:,} unverified"


def _accept(sender: Sender, batch: Sequence[Record]) -> None:
    receipt = sender.send([json.dumps(record).encode() for record in batch])
    if receipt.rejected:
        first = receipt.rejected[0][0]
        faults = [f"{name} {text}" for index, name, text in receipt.rejected if index == first]
        raise CommandError(f"POST /v1/records refused {batch[first]}: {'; '.join(faults)}")


def _calls_counted(tenant: Tenant, before: int) -> int:
    """How many calls are counted now; `before` if the stack is too busy to answer."""
    answer = send(tenant.api_url, Request("GET", _TOTALS, tenant.headers()))
    if answer.status >= 500:  # moto on a busy machine; only the progress bar waits for it
        return before
    if answer.status != 200:
        raise CommandError(f"GET {_TOTALS} answered {answer.status}: {answer.text[:500]}")
    return int(answer.json()["data"]["total_calls"])
