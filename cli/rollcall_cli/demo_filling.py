"""Fill a running stack as a client would: an organisation, a token, records over HTTP, then wait."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rollcall_cli.demo_client import Request, send
from rollcall_cli.demo_data import Record
from rollcall_cli.demo_progress import progress
from rollcall_cli.deployment import administration, deployment
from rollcall_cli.errors import CommandError
from rollcall_cli.importing.sender import Sender
from rollcall_cli.local.stack import LocalStack

HANDLE = "demo"
NAME = "Demo Voice Agents"

# Small enough for moto on a busy machine to answer well before the gateway's 29 seconds.
_RECORDS_A_REQUEST = 250
_DRAIN_SECONDS = 600
_LOOK_SECONDS = 0.5
_TALLY = "/api/v2/platform/organisation/analytics/"


@dataclass(frozen=True, slots=True)
class Tenant:
    """The demo's organisation."""

    api_url: str
    handle: str
    token: str

    def headers(self) -> dict[str, str]:
        """What every request of the organisation carries."""
        return {"Authorization": f"Token {self.token}", "Org-Handle": self.handle}


@dataclass(frozen=True, slots=True)
class Filled:
    """How long it took."""

    sending_seconds: float
    settling_seconds: float  # from the last acknowledgement until the numbers were complete


def new_tenant(api_url: str) -> Tenant:
    """An organisation and a token, made as `rollcall org` and `rollcall token` make them.

    Works on the tables that the environment names. An endpoint that ran before may have a demo's
    organisation already; this one gets another handle then.
    """
    with administration() as admin:
        taken = {organisation.handle for organisation in admin.organisations()}
        numbered = (f"{HANDLE}-{number}" for number in itertools.count(2))
        handle = next(h for h in itertools.chain([HANDLE], numbered) if h not in taken)
        admin.create_organisation(handle, NAME)
        issued = admin.issue_token(handle, ("read", "ingest", "admin"))
    return Tenant(api_url, handle, issued.text)


def by_time(records: Sequence[Record]) -> list[Record]:
    """The records in the order in which they would have come in; those without a time first.

    Neighbours then touch the same days, which makes far fewer writes of the same rollups.
    """
    times = ("started_at", "occurred_at", "created_at")
    return sorted(records, key=lambda r: next((r[name] for name in times if name in r), ""))


def fill(stack: LocalStack, tenant: Tenant, records: Sequence[Record]) -> Filled:
    """Send the records, and return when every one of them is in the numbers."""
    calls = sum(record["type"] == "call" for record in records)
    sender = Sender(tenant.api_url, tenant.token, pause=_wait)
    begun = time.monotonic()
    counted = 0
    with progress(len(records), calls) as show:
        for start in range(0, len(records), _RECORDS_A_REQUEST):
            batch = records[start : start + _RECORDS_A_REQUEST]
            _accept(sender, batch)
            counted = _calls_counted(tenant, counted)
            show(start + len(batch), counted)
        sent = time.monotonic()
        while not stack.drain(_LOOK_SECONDS):
            counted = _calls_counted(tenant, counted)
            show(len(records), counted)
            if time.monotonic() > sent + _DRAIN_SECONDS:
                raise CommandError(f"the numbers are not complete after {_DRAIN_SECONDS} s")
        settled = time.monotonic()
        show(len(records), _calls_counted(tenant, counted))
    return Filled(sent - begun, settled - sent)


def audit(tenant: Tenant) -> str:
    """Compare the organisation's facts, pages and rollups, as `rollcall reconcile` does.

    The result is stored, for GET /v1/audit, and returned as one line.
    """
    with deployment() as bootstrap:
        directory = bootstrap.directory()
        organisation = directory.organisation(directory.org_id_of_handle(tenant.handle))
        found = bootstrap.reconcile()(organisation, is_repairing=False)
    compared = f"{found.facts:,} facts, {found.pages:,} pages, {found.rollups:,} rollups"
    if found.is_exact:
        return f"{compared}: nothing differs"
    return f"{compared}: {found.drift_count:,} differ, {found.unsettled:,} unsettled"


def _accept(sender: Sender, batch: Sequence[Record]) -> None:
    receipt = sender.send([json.dumps(record).encode() for record in batch])
    if receipt.rejected:
        index, field, message = receipt.rejected[0]
        raise CommandError(f"POST /v1/records refused {batch[index]}: {field} {message}")


def _calls_counted(tenant: Tenant, before: int) -> int:
    """How many calls are in the numbers now; `before`, when the stack is too busy to say."""
    answer = send(tenant.api_url, Request("GET", _TALLY, tenant.headers()))
    if answer.status >= 500:  # moto on a busy machine; only the progress bar waits for it
        return before
    if answer.status != 200:
        raise CommandError(f"GET {_TALLY} answered {answer.status}: {answer.text[:500]}")
    return int(answer.json()["data"]["total_calls"])


def _wait(seconds: float) -> bool:
    """Between two tries; Ctrl-C ends it by an exception, so it never asks to stop."""
    time.sleep(seconds)
    return False
