"""Accept a delivery: check its signature, fold it into the state of its call, and write the record.

What was answered without an error is never lost: it is in the state and the record of its call, or it
is kept whole in the failure destination. What waits there is replayed on a schedule; what cannot be
mapped, by a person.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rollcall.domain.facts import MAX_CLOCK_SKEW_MS
from rollcall.domain.hooks import Hook, hook_key, is_hook_id
from rollcall.hooks.delivery import Delivery, Unmappable
from rollcall.hooks.events import DETAIL, Event, HookMap, Ignored
from rollcall.hooks.kept import delivery_document, failed_name, kept_delivery, waiting_name
from rollcall.hooks.maps import has_empty_answer, hook_table, schemes_of
from rollcall.hooks.ports import Cipher, Hooks, Inbox
from rollcall.hooks.recording import RecordCalls, change_of
from rollcall.hooks.signatures import Unauthentic, authenticate
from rollcall.hooks.state import CallState
from rollcall.invocation import Metric, count
from rollcall.mapping.fields import joined
from rollcall.mapping.maps import BadMap
from rollcall.retry import time_limit
from rollcall.telemetry import error_fields, logger

# Until then a delivery is recorded; what remains of the invocation's time is for keeping it.
RECORDING_SECONDS = 12.0

HOOK_DELETED = "the hook was deleted"

# Some messages show a value whole, which may be as long as the body.
_REASON_CHARACTERS = 1_000

# What completes an event to a record that can be checked: fields that another event may give.
_STAND_IN = {
    "started_at": '"2000-01-01T00:00:00Z"',
    "status": '"queued"',
    "direction": '"inbound"',
}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an authentic delivery.

    `outcome` is `recorded`, `ignored`, `waiting` or `failed`. What failed cannot be mapped, for the
    reason; what waits could not be recorded yet, for the error. Both are kept whole. The reason may
    show parts of the delivery; it has no lone surrogates and is not long.
    """

    outcome: str
    reason: str = ""
    has_empty_answer: bool = False
    error: Exception | None = None

    @property
    def fault(self) -> Exception | None:
        """The error, unless it is only that another event of the call is missing."""
        return None if isinstance(self.error, NotYet) else self.error


class NotYet(Exception):
    """A delivery is part of what is known of its call, which has no record before another one comes."""


_METRICS = {
    "recorded": Metric.DELIVERIES_RECORDED,
    "ignored": Metric.DELIVERIES_IGNORED,
    "refused": Metric.DELIVERIES_REFUSED,
    "waiting": Metric.DELIVERIES_WAITING,
    "failed": Metric.DELIVERIES_FAILED,
}


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
            count(Metric.DELIVERIES_REFUSED, 1)
            raise Unauthentic
        now_ms = self._now_ms()
        delivery = Delivery(f"{hook.address}/{hook_id}", body, headers, query, now_ms)
        opened = self._cipher().open
        secrets = [opened(sealed, hook.key) for sealed in hook.valid_secrets(now_ms)]
        try:
            signed_at_ms = authenticate(schemes_of(provider), delivery, secrets)
        except Unauthentic:
            self.count(hook, "refused", None)
            raise
        with time_limit(RECORDING_SECONDS):
            result = self.settle(hook, delivery, signed_at_ms)
        if result.fault is not None:
            logger.error("a delivery is not recorded", extra=error_fields(result.fault))
        if result.outcome == "waiting":
            self._keep(waiting_name(hook.key, delivery), hook, delivery, signed_at_ms, result)
        elif result.outcome == "failed":
            self._keep(failed_name(hook.key, delivery), hook, delivery, signed_at_ms, result)
        self.count(hook, result.outcome, now_ms)
        return result

    def redeliver(self, document: Mapping[str, Any]) -> str | None:
        """Record a kept delivery; returns why it cannot be, or None.

        Raises CorruptItem, Unavailable, and every other error of the recording.
        """
        key, delivery, signed_at_ms = kept_delivery(document)
        hook = self.hook(key)
        if hook is None:
            return HOOK_DELETED
        result = self.settle(hook, delivery, signed_at_ms)
        if result.fault is not None:
            raise result.fault
        return reason_of(result) if result.outcome in {"waiting", "failed"} else None

    def hook(self, key: str) -> Hook | None:
        """The hook with a key, or None."""
        return self._hooks.hook(key)

    def settle(self, hook: Hook, delivery: Delivery, signed_at_ms: int | None) -> Result:
        """Record a delivery if it can be; the caller keeps what is `waiting` or `failed`."""
        is_empty = has_empty_answer(hook.provider)
        try:
            self._record(hook, delivery, signed_at_ms)
        except Ignored as ignored:
            return Result("ignored", _reason(ignored), is_empty)
        except NotYet as not_yet:
            return Result("waiting", "", is_empty, not_yet)
        except (Unmappable, BadMap) as error:
            return Result("failed", _reason(error), is_empty)
        except Exception as error:  # noqa: BLE001 - what is authentic must not be lost for any error
            return Result("waiting", "", is_empty, error)
        return Result("recorded", "", is_empty)

    def count(self, hook: Hook, outcome: str, at_ms: int | None) -> None:
        """Count a delivery of a hook that came at a time; one that waits is counted once it settles."""
        count(_METRICS[outcome], 1)
        try:
            self._hooks.count(hook.key, None if outcome == "waiting" else outcome, at_ms)
        except Exception:  # noqa: BLE001 - counts inform; a delivery never fails for them
            logger.exception("a delivery is not counted")

    def _record(self, hook: Hook, delivery: Delivery, signed_at_ms: int | None) -> None:
        """Fold a delivery into the state of its call, and write the record of the state."""
        event = _event(hook, delivery, signed_at_ms)
        if event.time_ms > self._now_ms() + MAX_CLOCK_SKEW_MS:
            raise Unmappable("the time of the event is more than 5 minutes in the future")
        event = _with_detail(event, self._keeps_detail)
        _check(event)
        recorded = self._record_call(hook, event.call_id, lambda state: state.folded(event))
        if recorded.state.has_ended and not recorded.is_written:
            raise NotYet("the call ended, and no event gave its start yet")

    def _keep(
        self,
        name: str,
        hook: Hook,
        delivery: Delivery,
        signed_at_ms: int | None,
        result: Result,
    ) -> None:
        document = delivery_document(hook, delivery, signed_at_ms, reason_of(result))
        self._inbox().keep(name, json.dumps(document).encode())


def reason_of(result: Result) -> str:
    """Why a delivery is kept."""
    if result.fault is not None:
        return f"{type(result.fault).__name__}: not recorded yet"
    return result.reason if result.error is None else str(result.error)


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


def _check(event: Event) -> None:
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
