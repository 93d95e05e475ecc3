"""Deliveries in the failure destination: their names and their documents.

Those that wait for a passing cause have a place of their own, so that a schedule lists them alone.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from rollcall.domain.errors import CorruptItem
from rollcall.domain.hooks import Hook
from rollcall.domain.time.calendar import format_instant
from rollcall.hooks.delivery import Delivery

WAITING: Final = "hooks/waiting/"
_DIGEST_CHARACTERS: Final = 32


def failed_name(key: str, delivery: Delivery) -> str:
    """Where a delivery of a hook is kept that cannot be mapped: the same for repetitions."""
    return f"hooks/{key}/{delivery.digest()[:_DIGEST_CHARACTERS]}.json"


def waiting_name(key: str, delivery: Delivery) -> str:
    """Where a delivery of a hook waits.

    A repetition has another name: it never replaces one that a replay is about to remove.
    """
    digest = delivery.digest()[:_DIGEST_CHARACTERS]
    return f"{WAITING}{key}/{digest}-{delivery.received_at_ms}.json"


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
