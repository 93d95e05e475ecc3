"""The stores of a hook in memory, each of which can be made to fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rollcall.domain.errors import Conflict
from rollcall.domain.hooks import Hook, SealedSecret, hook_key, new_hook_id
from rollcall.hooks.receive import ReceiveHook
from rollcall.hooks.recording import RecordCalls
from rollcall.ingest.ingest import Receipt, Refusal
from rollcall.retry import Backoff
from rollcall_cli.hooks.signing import signed
from tests.support.hook_events import START_MS

NOW_MS = START_MS + 60_000
BODY = json.dumps(
    {
        "event": "call_ended",
        "call": {
            "call_id": "r-1",
            "start_timestamp": START_MS,
            "call_status": "ended",
            "disconnection_reason": "user_hangup",
        },
    }
).encode()


class World:
    """Stores in memory, each of which can be made to fail."""

    def __init__(
        self, provider: str = "retell", own: str = "{}", *, keeps_detail: bool = True
    ) -> None:
        self.id = new_hook_id()
        key = hook_key(self.id)
        address = f"https://e.com/v1/hooks/{provider}"
        self.stored = Hook(key, "org", provider, address, own, (SealedSecret(b"s3cret"),), 1)
        self.states: dict[str, tuple[str, int]] = {}
        self.open_since: dict[str, int] = {}
        self.kept: dict[str, bytes] = {}
        self.facts: dict[str, Any] = {}
        self.counted: list[tuple[str | None, int | None]] = []
        self.failing: dict[str, list[Exception]] = {}
        self.refusals: list[Refusal] = []
        self.record = RecordCalls(self, self.ingest, Backoff(tries=4, sleep=lambda _seconds: None))
        self.receive = ReceiveHook(
            self, self.record, lambda: self, lambda: self, lambda: NOW_MS, keeps_detail=keeps_detail
        )

    def _may_fail(self, what: str) -> None:
        if self.failing.get(what):
            raise self.failing[what].pop(0)

    def hook(self, key: str) -> Hook | None:
        return self.stored if key == self.stored.key else None

    def count(self, key: str, outcome: str | None, at_ms: int | None) -> None:
        self._may_fail("count")
        self.counted.append((outcome, at_ms))

    def read(self, org_id: str, key: str, call_id: str) -> tuple[str | None, int]:
        self._may_fail("read")
        return self.states.get(call_id, (None, 0))

    def write(
        self,
        org_id: str,
        key: str,
        call_id: str,
        text: str,
        version: int,
        open_since_ms: int | None,
    ) -> None:
        self._may_fail("write")
        if self.states.get(call_id, ("", 0))[1] != version:
            raise Conflict("another version")
        self.states[call_id] = (text, version + 1)
        self.open_since.pop(call_id, None)
        if open_since_ms is not None:
            self.open_since[call_id] = open_since_ms

    def open_calls(self, org_id: str, key: str, before_ms: int) -> Iterator[str]:
        self._may_fail("open_calls")
        yield from sorted(c for c, since_ms in self.open_since.items() if since_ms < before_ms)

    def open(self, sealed: bytes, key: str) -> str:
        assert key == self.stored.key
        return sealed.decode()

    def seal(self, text: str, key: str) -> bytes:
        raise AssertionError("nothing is encrypted here")

    def keep(self, name: str, document: bytes) -> None:
        self._may_fail("keep")
        self.kept[name] = document

    def names(self, prefix: str) -> Iterator[str]:
        self._may_fail("names")
        yield from [name for name in self.kept if name.startswith(prefix)]

    def read_kept(self, name: str) -> Any:
        self._may_fail("read_kept")
        return json.loads(self.kept[name]) if name in self.kept else None

    def remove(self, name: str) -> None:
        self._may_fail("remove")
        self.kept.pop(name, None)

    def ingest(self, org_id: str, changes: Any) -> Receipt:
        self._may_fail("ingest")
        receipt = Receipt(refusals=list(self.refusals))
        for _, change in changes:
            self.facts[change.id] = change
        return receipt

    def send(self, body: bytes = BODY, provider: str | None = None, at_ms: int = NOW_MS) -> Any:
        headers = signed("retell", "s3cret", "", body, at_ms)
        named = {name.lower(): [value] for name, value in headers.items()}
        return self.receive(provider or self.stored.provider, self.id, body, named, {})
