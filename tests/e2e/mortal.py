"""One function's process that kills itself at a given request: `python -m tests.e2e.mortal JOB`.

The job is a file of JSON: the handler to run, the events to give it one after the other, and when
to die, as {"request": k, "of": operation or null, "when": "before" or "after"}, or null. Each answer
goes to stdout as soon as it is known; so does the place of the death, just before it. A `mutant`
commits a page and its rollups in two transactions, so that a crash between them does harm. The clock is
`hours_ahead`, so that pages are at rest.

`before`: the request is built and signed, and not one byte of it has left. `after`: the answer has
arrived and been parsed, and the function has not read it.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import itertools
import json
import os
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rollcall import bootstrap
from rollcall.clock import now_ms
from rollcall.ledger.transaction import Transaction
from rollcall.storage.pages import PageStore

ROOT = Path(__file__).resolve().parents[2]
CONTEXT = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 120_000)


def handler(function: str) -> Any:
    path = ROOT / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"mortal_{function}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.lambda_handler


class Reaper:
    """Kills this process at the k-th of its requests that are counted."""

    def __init__(self, death: dict[str, Any]) -> None:
        self._at = death["request"]
        self._of = death["of"]
        self._when = death["when"]
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def listen(self, client: Any) -> None:
        event = "before-send" if self._when == "before" else "after-call"
        client.meta.events.register(f"{event}.dynamodb", self._count)

    def _count(self, event_name: str, **_: Any) -> None:
        operation = event_name.rpartition(".")[2]
        if self._of not in (None, operation):
            return
        with self._lock:  # requests of ingest run side by side
            if next(self._numbers) == self._at:
                say({"died": [self._when, operation]})
                os.kill(os.getpid(), signal.SIGKILL)


def commit_in_two_parts(mutant: str) -> None:
    """Take the page out of its rollups' transaction."""
    commit = PageStore.commit

    def broken(store: PageStore, transaction: Transaction) -> None:
        page = dataclasses.replace(transaction, puts=(), deletes=())
        rollups = dataclasses.replace(transaction, pages=())
        for part in (rollups, page) if mutant == "rollups first" else (page, rollups):
            if part.item_count:
                commit(store, part)

    PageStore.commit = broken


def say(what: Any) -> None:
    """One line, in one write, so that it survives the process."""
    os.write(1, json.dumps(what).encode() + b"\n")


def main(job: dict[str, Any]) -> None:
    ahead_ms = job["hours_ahead"] * 3_600_000
    bootstrap.now_ms = lambda: now_ms() + ahead_ms
    handle = handler(job["function"])
    if job["mutant"] is not None:
        commit_in_two_parts(job["mutant"])
    if job["death"] is not None:
        Reaper(job["death"]).listen(bootstrap.dynamodb())
    for number, event in enumerate(job["events"]):
        say({"event": number, "answer": handle(event, CONTEXT)})
    say({"done": True})


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
