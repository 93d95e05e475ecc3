"""Send a provider's samples through a hook, and show what they changed."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from rollcall.domain.hooks import Hook
from rollcall.hooks.maps import schemes_of
from rollcall_cli.api_client import ApiClient
from rollcall_cli.console import notice
from rollcall_cli.credentials import read_token
from rollcall_cli.demo_client import Request, send
from rollcall_cli.errors import CommandError
from rollcall_cli.hooks.signing import signed
from rollcall_cli.local.project import find_template
from rollcall_cli.local.sample_hook import PATH as SAMPLE_HOOK
from rollcall_cli.loopback import is_loopback

SAMPLES = Path("events/hooks")
_PLACEHOLDER = "SAMPLE-CALL"
_MEASURES = ["calls", "completed", "failed", "successful", "talk_seconds", "cost"]
_COUNTED_SECONDS = 60.0

Access = tuple[str | None, Path | None, bool]


@dataclass(frozen=True, slots=True)
class Receiver:
    """A hook's provider, its address with its id, and a secret that signs deliveries to it."""

    provider: str
    url: str
    secret: str


def run_trial(receiver: Receiver, files: Sequence[Path], client: ApiClient | None) -> None:
    """Send the samples of the hook's provider, or files, and print what they changed.

    Without a client, which reads the record and the numbers, only the answers are printed.
    Raises CommandError for the first delivery that is not answered 200.
    """
    call_id = f"sample-{secrets.token_hex(4)}"
    bodies = [_content(file) for file in files] or list(_samples(receiver.provider, call_id))
    before = _numbers(client)
    for number, body in enumerate(bodies, 1):
        print(f"delivery {number} of {len(bodies)}: {_sent(receiver, body)}")
    if client is None:
        notice("the record and the numbers need a token: pass --token-file FILE")
        return
    record = None if files else _counted(client, call_id)
    if record is not None:
        print(json.dumps(record, indent=2, ensure_ascii=False))
    for name, value in _numbers(client).items():
        if value != before[name]:
            print(f"{name}: {before[name]} → {value}")


def local_receiver(api: str, provider: str) -> tuple[Receiver, ApiClient]:
    """A hook to try of the local stack at an address, and a client of its organisation.

    Raises CommandError.
    """
    if not is_loopback(urlsplit(api).hostname or ""):
        raise CommandError(
            f"{api} is not on this machine: create a hook, and use rollcall hook test"
        )
    try:
        answer = send(api, Request("POST", SAMPLE_HOOK, {}, {"provider": provider}))
    except CommandError as error:
        message = f"no stack answers at {api}: start rollcall demo, or pass its address with --api"
        raise CommandError(message) from error
    match answer.status, answer.json():
        case 200, {"url": str(url), "secret": str(secret), "token": str(token)}:
            return Receiver(provider, url, secret), ApiClient(api, token, "read")
        case _, {"message": str(message)}:
            raise CommandError(message)
    raise CommandError(f"{api} is not a local stack of Rollcall")


def reader(hook: Hook, access: Access) -> ApiClient | None:
    """A client with the given token; None without one."""
    token, token_file, is_insecure = access
    if token is None and token_file is None:
        return None
    address = hook.address.removesuffix(f"/v1/hooks/{hook.provider}")
    return ApiClient(address, read_token(token, token_file), "read", is_insecure=is_insecure)


def _samples(provider: str, call_id: str) -> Iterator[bytes]:
    path = find_template().parent / SAMPLES / f"{provider}.json"
    if not path.is_file():
        raise CommandError(f"there are no samples of {provider}; pass --file FILE")
    for sample in json.loads(path.read_text("utf-8").replace(_PLACEHOLDER, call_id)):
        body = urlencode(sample["form"]) if "form" in sample else json.dumps(sample["json"])
        yield body.encode()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"--file {path}: {error.strerror}") from error


def _sent(receiver: Receiver, body: bytes) -> str:
    url, scheme = receiver.url, schemes_of(receiver.provider)[0]
    headers = signed(scheme, receiver.secret, url, body, time.time_ns() // 1_000_000)
    try:
        answer = urllib3.request("POST", url, body=body, headers=headers, retries=False, timeout=30)
    except urllib3.exceptions.HTTPError as error:
        raise CommandError(f"cannot reach {url.partition('/hk_')[0]}/…: {error}") from error
    text = answer.data.decode("utf-8", "replace")
    if answer.status != 200:
        raise CommandError(f"the delivery was answered {answer.status}: {text[:300]}")
    return f"{answer.status} {text}".rstrip()


def _numbers(client: ApiClient | None) -> dict[str, Any]:
    if client is None:
        return {}
    reply = client.post("/v1/query", json.dumps({"measures": _MEASURES}).encode())
    if reply.status != 200:
        raise CommandError(f"the numbers cannot be read: {reply.message}")
    totals: dict[str, Any] = json.loads(reply.body)["totals"]
    return totals


def _counted(client: ApiClient, call_id: str) -> Any:
    """The record of a call, once the figures hold it. Raises CommandError."""
    path = f"/v1/calls/{quote(call_id, safe='')}"
    ends_at = time.monotonic() + _COUNTED_SECONDS
    while True:
        reply = client.get(path)
        if reply.status != 200:
            raise CommandError(
                f"the record of {call_id} cannot be read: {reply.status} {reply.message}"
            )
        found = json.loads(reply.body)
        if found["counted"]:
            return found["record"]
        if time.monotonic() > ends_at:
            raise CommandError(f"the call {call_id} is not counted after {_COUNTED_SECONDS:.0f} s")
        time.sleep(0.1)  # the API has no notification that a call is counted, so it is asked again
