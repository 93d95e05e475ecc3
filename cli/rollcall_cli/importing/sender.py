"""Send batches of records to POST /v1/records, with a bounded number of retries."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

import urllib3
from pydantic import TypeAdapter, ValidationError

from rollcall.api import strict_json
from rollcall.dialects.rollcall.records import Verdicts
from rollcall_cli.errors import CommandError
from rollcall_cli.loopback import is_loopback

MAX_BODY_BYTES = 2_097_152
MAX_RECORDS = 500

_HEAD, _TAIL = b'{"records":[', b"]}"
_ATTEMPTS = 8
_FIRST_PAUSE_SECONDS = 0.5
_MAX_PAUSE_SECONDS = 20.0
_VERDICTS = TypeAdapter(Verdicts)


class Interrupted(Exception):
    """Ctrl-C was pressed while the sender waited before a retry; nothing was acknowledged."""


@dataclass(slots=True)
class Receipt:
    """The result of one batch; `rejected` has (index in the batch, field, message)."""

    accepted: int = 0
    unchanged: int = 0
    stale: int = 0
    rejected: list[tuple[int, str, str]] = field(default_factory=list)


def body_bytes(records: Sequence[bytes]) -> int:
    """The size of the body that holds these records."""
    return len(_HEAD) + len(_TAIL) + sum(map(len, records)) + max(0, len(records) - 1)


class Sender:
    """Sends batches to one API with one token.

    `pause` waits so many seconds, and returns True to stop. Unless `is_insecure`, the token is sent
    to other machines over HTTPS only. Raises CommandError for a bad URL.
    """

    def __init__(
        self,
        api: str,
        token: str,
        *,
        pause: Callable[[float], bool],
        jitter: Callable[[], float] = random.random,
        is_insecure: bool = False,
    ) -> None:
        address = _address(api)
        if address.scheme == "http" and not is_loopback(address.hostname or "") and not is_insecure:
            raise CommandError(
                f"--api: {api} is not encrypted, so the network could read the token;"
                " use https, or pass --insecure to send it anyway"
            )
        self._api = api.rstrip("/")
        self._url = f"{self._api}/v1/records"
        self._pause = pause
        self._jitter = jitter
        self._has_succeeded = False
        self._http = urllib3.PoolManager(
            headers={"Authorization": f"Token {token}", "Content-Type": "application/json"},
            retries=False,
            timeout=urllib3.Timeout(connect=5, read=60),
        )

    def send(self, records: Sequence[bytes]) -> Receipt:
        """Send one batch. Raises CommandError when it cannot be delivered, and Interrupted."""
        status, body = self._post(_HEAD + b",".join(records) + _TAIL)
        if status in (400, 413):
            return self._send_in_parts(records, body)
        receipt = _receipt(body, len(records)) if status in (200, 207, 422) else None
        if receipt is None:
            raise CommandError(
                f"{self._url} answered {status} without a receipt for the"
                f" {len(records)} records sent: {_message(body)}"
            )
        return receipt

    def _send_in_parts(self, records: Sequence[bytes], body: bytes) -> Receipt:
        """Send a refused batch in two halves, to find the record at fault and accept the others."""
        if len(records) == 1:
            return Receipt(rejected=[(0, "record", _message(body))])
        middle = len(records) // 2
        first, second = self.send(records[:middle]), self.send(records[middle:])
        return Receipt(
            accepted=first.accepted + second.accepted,
            unchanged=first.unchanged + second.unchanged,
            stale=first.stale + second.stale,
            rejected=first.rejected + [(i + middle, f, m) for i, f, m in second.rejected],
        )

    def _post(self, body: bytes) -> tuple[int, bytes]:
        reason = ""
        for attempt in range(_ATTEMPTS):
            retry_after = 0.0
            try:
                reply = self._http.request("POST", self._url, body=body)
            except urllib3.exceptions.LocationParseError as error:
                raise CommandError(f"--api: {self._api} is not a URL") from error
            except urllib3.exceptions.HTTPError as error:
                reason = _reason(error)
                if not self._has_succeeded and _is_hopeless(error):
                    raise CommandError(f"cannot reach {self._api}: {reason}") from error
            else:
                self._refuse_if_final(reply.status, reply.data)
                if reply.status != 429 and reply.status < 500:
                    self._has_succeeded = True
                    return reply.status, reply.data
                reason = f"it answered {reply.status}: {_message(reply.data)}"
                retry_after = _seconds(reply.headers.get("Retry-After"))
            longest = min(_MAX_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
            pause = max(longest * (0.5 + 0.5 * self._jitter()), retry_after)
            if attempt + 1 < _ATTEMPTS and self._pause(pause):
                raise Interrupted
        raise CommandError(
            f"{self._url} failed {_ATTEMPTS} times: {reason}; acknowledged records are stored, run"
            " the command again to resume"
        )

    def _refuse_if_final(self, status: int, body: bytes) -> None:
        match status:
            case 401:
                raise CommandError(
                    f"{self._api} does not accept the token: it is unknown, expired or revoked"
                )
            case 403:
                raise CommandError(
                    f"{self._api} refuses the token: it needs the scope ingest ({_message(body)})"
                )
            case 404:
                raise CommandError(f"there is no Rollcall at {self._api}: no /v1/records (404)")


def _address(api: str) -> SplitResult:
    try:
        address = urlsplit(api)
    except ValueError as error:
        raise CommandError(f"--api: {api} is not a URL") from error
    if address.scheme not in ("http", "https") or not address.hostname:
        raise CommandError(f"--api: {api} is not a URL")
    return address


def _receipt(body: bytes, count: int) -> Receipt | None:
    """The receipt in a body; None unless it accounts for each of `count` records."""
    try:
        verdicts = _VERDICTS.validate_python(strict_json.loads(body), strict=True)
    except (strict_json.MalformedJson, ValidationError):
        return None
    receipt = Receipt(
        accepted=verdicts["accepted"],
        unchanged=verdicts["unchanged"],
        stale=verdicts["stale"],
        rejected=[(each["index"], each["field"], each["message"]) for each in verdicts["rejected"]],
    )
    counts = (receipt.accepted, receipt.unchanged, receipt.stale)
    refused = {index for index, _, _ in receipt.rejected}
    is_whole = sum(counts) + len(refused) == count
    return receipt if min(counts) >= 0 and refused <= set(range(count)) and is_whole else None


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _message(body: bytes) -> str:
    answer = _parsed(body)
    for key in ("detail", "message", "error", "title"):
        if isinstance(answer.get(key), str):
            return str(answer[key])
    return body[:200].decode("utf-8", "replace") or "no reason given"


def _reason(error: Exception) -> str:
    inner = error.__cause__ or error.__context__ or error
    return str(getattr(inner, "strerror", None) or str(inner) or type(error).__name__)


def _is_hopeless(error: Exception) -> bool:
    """Whether the URL is probably wrong: there is no such host, or it refuses connections."""
    refused = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.SSLError)
    return isinstance(error, refused)


def _seconds(header: str | None) -> float:
    if header is None or not header.strip().isdecimal():
        return 0.0
    return min(float(header.strip()), 60.0)
