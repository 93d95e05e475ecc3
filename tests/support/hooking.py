"""Hooks of an organisation whose deliveries are signed and sent through the real route."""

from __future__ import annotations

import json
import time
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from rollcall.hooks.maps import hook_table
from rollcall_cli.hooks.signing import signed
from tests.support import stack as stacks
from tests.support.hook_events import OWN, SECRETS, START_MS


class Hooked(NamedTuple):
    """A hook of an organisation, with what signs its deliveries."""

    organisation: Any
    provider: str
    created: Any
    secret: str

    @property
    def path(self) -> str:
        return str(urlsplit(self.created.url).path)

    def signed(self, body: bytes, query: str = "", secret: str | None = None) -> list[Any]:
        scheme = hook_table(self.provider, {}).schemes[0]
        url = self.created.url + query
        now_ms = time.time_ns() // 1_000_000
        return [*signed(scheme, secret or self.secret, url, body, now_ms).items()]

    def send(
        self, body: bytes, headers: Any = None, path: str | None = None, query: str = ""
    ) -> stacks.Response:
        sent = self.signed(body, query) if headers is None else headers
        return stacks.request(
            self.organisation.stack.api, "POST", (path or self.path) + query, sent, body
        )

    def call(self, call_id: str) -> Any:
        answer = self.organisation.send("GET", f"/v1/calls/{quote(call_id, safe='')}")
        return answer.json["record"] if answer.status == 200 else None

    def counts(self) -> dict[str, int]:
        found = self.organisation.stack.hooks.find(self.created.id)
        return {n: getattr(found, n) for n in ("recorded", "ignored", "refused", "failed")}


def hooked(organisation: Any, provider: str, own: Any = None, secret: str | None = None) -> Hooked:
    secret = secret or SECRETS[provider]
    created = organisation.stack.hooks.create(
        organisation.handle,
        provider,
        secret,
        organisation.stack.api,
        OWN.get(provider, {}) if own is None else own,
    )
    return Hooked(organisation, provider, created, secret)


def retell_body(call_id: str, event: str = "call_ended", **call: Any) -> bytes:
    known = {
        "call_id": call_id,
        "start_timestamp": START_MS,
        "call_status": "ended",
        "disconnection_reason": "user_hangup",
    }
    return json.dumps({"event": event, "call": {**known, **call}}).encode()
