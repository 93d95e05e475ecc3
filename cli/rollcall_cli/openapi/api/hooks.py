"""The operations of hooks: deliveries of providers, and the list."""

from __future__ import annotations

from typing import Any

from rollcall.dialects.rollcall.hooks import (
    Delivered,
    DeliveryRefused,
    HookFound,
    HookList,
    ProviderDelivery,
)
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, Problem
from rollcall.hooks.delivery import MAX_BODY_BYTES
from rollcall.hooks.maps import PROVIDERS
from rollcall_cli.openapi.operation import UNAVAILABLE, Answer, Operation, Parameter
from rollcall_cli.openapi.schemas import name_of

TAG = "Hooks"
ABOUT = "Calls that arrive from providers by themselves."

_RECEIVE = Operation(
    tag=TAG,
    summary="Receive an event of a call from its provider",
    description=f"""For providers, not for clients: `rollcall hook create` prints the address to paste. \
The body is what the provider sends, up to {MAX_BODY_BYTES:,} bytes, in the provider's own format and with \
its own signature, which is checked over the bytes that were sent. No token is taken.

An authentic delivery is answered 200 once it is recorded or kept. Twilio gets an empty body. An unknown
hook, a hook of another provider, and a missing, wrong or old signature get the same 401.""",
    body=ProviderDelivery,
    parameters=(
        Parameter(
            "provider",
            "path",
            "The provider.",
            schema={"type": "string", "examples": list(PROVIDERS)},
        ),
        Parameter("hook_id", "path", "The id of the hook."),
    ),
    answers={
        200: Answer("The delivery is recorded, or ignored for the reason given.", Delivered),
        401: Answer("The delivery is not authentic, or there is no such hook.", DeliveryRefused),
        500: Answer("Internal error; `detail` has the request's id.", Problem, PROBLEM_TYPE),
        503: Answer(
            "The delivery could neither be recorded nor kept; the provider sends it again.",
            Problem,
            PROBLEM_TYPE,
        ),
    },
)

_LIST = Operation(
    tag=TAG,
    summary="The hooks of the organisation",
    description="""Each with its counts of deliveries and the time of the last one. Ids and secrets are not \
shown. A hook that was just created may be missing for a second; a count may be off by one after a \
failure.""",
    answers={
        200: Answer("The hooks, oldest first.", HookList),
        400: Answer(
            "The request has a query string, and this route takes none.", Problem, PROBLEM_TYPE
        ),
        500: Answer("Internal error; `detail` has the request's id.", Problem, PROBLEM_TYPE),
        503: Answer(UNAVAILABLE, Problem, PROBLEM_TYPE),
    },
)

OPERATIONS = {"receive_hook": _RECEIVE, "list_hooks": _LIST}


def refine(schemas: dict[str, Any]) -> None:
    """List the providers."""
    schemas[name_of(TAG, ProviderDelivery)]["additionalProperties"] = True
    known = {"type": "string", "enum": list(PROVIDERS)}
    schemas[name_of(TAG, HookFound)]["properties"]["provider"] = known
