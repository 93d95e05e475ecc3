"""Accept a delivery: check its signature, fold it into the state of its call, and write the record.

What was answered without an error is never lost: it is in the state and the record of its call, or it
is kept whole in the failure destination, from where it can be replayed.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rollcall.domain.errors import CorruptItem
from rollcall.domain.facts import MAX_CLOCK_SKEW_MS
from rollcall.domain.hooks import Hook, hook_key, is_hook_id
from rollcall.domain.time.calendar import format_instant
from rollcall.hooks.delivery import Delivery, Unmappable
from rollcall.hooks.events import DETAIL, Event, HookMap, Ignored
from rollcall.hooks.maps import has_empty_answer, hook_table, schemes_of
from rollcall.hooks.ports import Cipher, Hooks, Inbox
from rollcall.hooks.recording import RecordCalls, change_of
from rollcall.hooks.signatures import Unauthentic, authenticate
from rollcall.hooks.state import CallState
from rollcall.mapping.fields import joined
from rollcall.mapping.maps import BadMap
from rollcall.retry import time_limit
from rollcall.telemetry import logger

# Until then a delivery is recorded; what remains of the invocation's time is for keeping it.
RECORDING_SECONDS = 12.0

# Some messages show a value whole, which may be as long as the body.
_REASON_CHARACTERS = 1_000

# What an event has to be a record that can be judged: fields that another event may give.
_STAND_IN = {
    "started_at": '"2000-01-01T00:00:00Z"',
    "status": '"queued"',
    "direction": '"inbound"',
}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an authentic delivery.

    `outcome` is `recorded`, `ignored` or `failed`: what failed is kept whole, for the reason. The
    reason may show parts of the delivery; it has no lone surrogates and is not long.
    """

    outcome: str
    reason: str = ""
    has_empty_answer: bool = False


class ReceiveHook:
    """Accepts deliveries; `cipher` and `inbox` are called when they are needed.

    Unless `keeps_detail`, what was said is dropped before anything is stored of it.
    """

    def __init__(
        self,
        hooks: Hooks,
        record_call: RecordCalls,
        cipher: Callable[[], Cipher],
        inbox: Callable[[], Inbox],
        now_ms: Callable[[], int],
        *,
        keeps_detail: bool = True,
    ) -> None:
        self._hooks = hooks
        self._cipher = cipher
        self._inbox = inbox
        self._now_ms = now_ms
        self._record_call = record_call
        self._keeps_detail = keeps_detail

    def __call__(
        self,
        provider: str,
        hook_id: str,
        body: bytes,
        headers: Mapping[str, Sequence[str]],
        query: Mapping[str, Sequence[str]],
    ) -> Result:
        """Accept a delivery to a hook. Header names are in lower case.

        Raises Unauthentic for an unknown hook, another provider's, and a bad signature alike, and
        Unavailable or BrokenDestination when the delivery could be neither recorded nor kept.
        """
        hook = self._hooks.hook(hook_key(hook_id)) if is_hook_id(hook_id) else None
        if hook is None or hook.provider != provider:
            raise Unauthentic
        now_ms = self._now_ms()
        delivery = Delivery(f"{hook.address}/{hook_id}", body, headers, query, now_ms)
        opened = self._cipher().open
        secrets = [opened(sealed, hook.key) for sealed in hook.valid_secrets(now_ms)]
        try:
            signed_at_ms = authenticate(schemes_of(provider), delivery, secrets)
        except Unauthentic:
            self._count(hook, "refused", None)
            raise
        result = self._settled(hook, delivery, signed_at_ms)
        self._count(hook, result.outcome, now_ms)
        return result

    def redeliver(self, document: Mapping[str, Any]) -> str | None:
        """Record a kept delivery; returns why it cannot be, or None. Raises CorruptItem, Unavailable."""
        hook_key_, delivery, signed_at_ms = kept_delivery(document)
        hook = self._hooks.hook(hook_key_)
        if hook is None:
            return "the hook was deleted"
        try:
            self._record(hook, delivery, signed_at_ms)
        except Ignored:
            pass
        except (Unmappable, BadMap) as error:
            return _reason(error)
        return None

    def _settled(self, hook: Hook, delivery: Delivery, signed_at_ms: int | None) -> Result:
        is_empty = has_empty_answer(hook.provider)
        try:
            with time_limit(RECORDING_SECONDS):
                self._record(hook, delivery, signed_at_ms)
        except Ignored as ignored:
            return Result("ignored", _reason(ignored), is_empty)
        except (Unmappable, BadMap) as error:
            self._keep(hook, delivery, signed_at_ms, _reason(error))
            return Result("failed", _reason(error), is_empty)
        except Exception as error:  # noqa: BLE001 - what is authentic must not be lost for any error
            # A replay records it.
            logger.exception("a delivery is not recorded")
            self._keep(hook, delivery, signed_at_ms, f"{type(error).__name__}: not recorded yet")
            return Result("failed", "", is_empty)
        return Result("recorded", "", is_empty)

    def _record(self, hook: Hook, delivery: Delivery, signed_at_ms: int | None) -> None:
        """Fold a delivery into the state of its call, and write the record of the state."""
        event = _event(hook, delivery, signed_at_ms)
        if event.time_ms > self._now_ms() + MAX_CLOCK_SKEW_MS:
            raise Unmappable("the time of the event is more than 5 minutes in the future")
        event = _with_detail(event, self._keeps_detail)
        _judge(event)
        self._record_call(hook, event.call_id, lambda state: state.folded(event))

    def _keep(self, hook: Hook, delivery: Delivery, signed_at_ms: int | None, reason: str) -> None:
        document = delivery_document(hook, delivery, signed_at_ms, reason)
        name = f"hooks/{hook.key}/{delivery.digest()[:32]}.json"
        self._inbox().keep(name, json.dumps(document).encode())

    def _count(self, hook: Hook, outcome: str, at_ms: int | None) -> None:
        try:
            self._hooks.count(hook.key, outcome, at_ms)
        except Exception:  # noqa: BLE001 - counts inform; a delivery never fails for them
            logger.exception("a delivery is not counted")


def _event(hook: Hook, delivery: Delivery, signed_at_ms: int | None) -> Event:
    try:
        return _hook_map(hook.provider, hook.own).event(delivery, signed_at_ms)
    except RecursionError:
        raise Unmappable("the body is nested too deeply") from None


def _reason(error: Exception) -> str:
    """The message of an error as an answer can have it: not too long, and `?` for a lone surrogate."""
    text = str(error)
    cut = text[:_REASON_CHARACTERS] + ("…" if len(text) > _REASON_CHARACTERS else "")
    return cut.encode("utf-8", "replace").decode()


@functools.lru_cache(maxsize=64)
def _hook_map(provider: str, own: str) -> HookMap:
    return HookMap(hook_table(provider, json.loads(own)))


def _judge(event: Event) -> None:
    """Raise Unmappable for a value that no record may have, before any state holds it."""
    alone = replace(event, values=_STAND_IN | dict(event.values))
    record = CallState().folded(alone).record(event.call_id)
    if record is not None:
        change_of(record)


def _with_detail(event: Event, keeps_detail: bool) -> Event:
    """The event with those parts of a detail that are kept and that a record may have."""
    kept = {
        name: value
        for name, value in event.values.items()
        if not name.startswith(DETAIL) or (keeps_detail and _is_valid(name, value))
    }
    return replace(event, values=kept)


def _is_valid(name: str, value: str) -> bool:
    """Whether a record may have a value as the only one of its field."""
    record = joined({"type": '"call"', "id": '"c"', **_STAND_IN, name: value})
    try:
        return isinstance(record, bytes) and change_of(record) is not None
    except Unmappable:
        return False


# ------------------------------------------------------------------------ what is kept
def delivery_document(
    hook: Hook, delivery: Delivery, signed_at_ms: int | None, reason: str
) -> dict[str, Any]:
    """A delivery as it is kept: whole, but without its headers, which may hold a secret."""
    return {
        "reason": reason,
        "kept_at": format_instant(delivery.received_at_ms),
        "delivery": {
            "org_id": hook.org_id,
            "hook": hook.key,
            "provider": hook.provider,
            "query": {name: list(values) for name, values in delivery.query.items()},
            "received_at_ms": delivery.received_at_ms,
            "signed_at_ms": signed_at_ms,
            "body": base64.b64encode(delivery.body).decode(),
        },
    }


def kept_delivery(document: Mapping[str, Any]) -> tuple[str, Delivery, int | None]:
    """The key of the hook, the delivery, and when it was signed. Raises CorruptItem."""
    try:
        kept = document["delivery"]
        delivery = Delivery(
            "",
            base64.b64decode(kept["body"], validate=True),
            {},
            {str(name): list(values) for name, values in kept["query"].items()},
            int(kept["received_at_ms"]),
        )
        signed_at_ms = kept["signed_at_ms"]
        return str(kept["hook"]), delivery, None if signed_at_ms is None else int(signed_at_ms)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptItem(f"not a kept delivery: {error}") from None
