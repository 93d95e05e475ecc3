"""Send batches of records to POST /v1/records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from rollcall.api import strict_json
from rollcall.dialects.rollcall.records import Verdicts
from rollcall_cli.api_client import ApiClient, NoAnswer, Reply
from rollcall_cli.errors import CommandError

MAX_BODY_BYTES = 2_097_152
MAX_RECORDS = 500

_PATH = "/v1/records"
_HEAD, _TAIL = b'{"records":[', b"]}"
_VERDICTS = TypeAdapter(Verdicts)


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
    """Sends batches with a client."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    def send(self, records: Sequence[bytes]) -> Receipt:
        """Send one batch. Raises CommandError when it cannot be delivered, and Interrupted."""
        reply = self._post(_HEAD + b",".join(records) + _TAIL)
        if reply.status in (400, 413):
            return self._send_in_parts(records, reply)
        receipt = _receipt(reply.body, len(records)) if reply.status in (200, 207, 422) else None
        if receipt is None:
            raise CommandError(
                f"{self._client.url(_PATH)} answered {reply.status} without a receipt for the"
                f" {len(records)} records sent: {reply.message}"
            )
        return receipt

    def _post(self, body: bytes) -> Reply:
        try:
            return self._client.post(_PATH, body)
        except NoAnswer as error:
            raise CommandError(
                f"{error}; acknowledged records are stored, run the command again to resume"
            ) from error

    def _send_in_parts(self, records: Sequence[bytes], reply: Reply) -> Receipt:
        """Send a refused batch in two halves, to find the record at fault and accept the others."""
        if len(records) == 1:
            return Receipt(rejected=[(0, "record", reply.message)])
        middle = len(records) // 2
        first, second = self.send(records[:middle]), self.send(records[middle:])
        return Receipt(
            accepted=first.accepted + second.accepted,
            unchanged=first.unchanged + second.unchanged,
            stale=first.stale + second.stale,
            rejected=first.rejected + [(i + middle, f, m) for i, f, m in second.rejected],
        )


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
