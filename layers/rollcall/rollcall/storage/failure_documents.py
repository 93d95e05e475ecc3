"""The documents of the failure destination, as JSON: built here and parsed here.

Deliveries to hooks are built by `rollcall.hooks.receive`. Quarantined records are written by the update function. A discarded batch is written by the
event source mapping, whose format is Lambda's:
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from rollcall.domain.errors import CorruptItem
from rollcall.domain.time.calendar import parse_instant
from rollcall.maintenance.failed_records import FailedRecords, FailureKind
from rollcall.storage import keys

Document: TypeAlias = Mapping[str, Any]

_SEQUENCE: Final = re.compile(r"[0-9A-Za-z-]{1,128}")


def quarantine_name(records: Sequence[Mapping[str, Any]]) -> str:
    """The name of the object of quarantined records: always the same for the same records."""
    identities = [_identity(record) for record in records]
    if len(identities) == 1:
        return f"quarantine/{identities[0]}.json"
    return f"quarantine/{identities[0]}-{len(identities)}-{_digest(identities)}.json"


def _identity(record: Mapping[str, Any]) -> str:
    change = record.get("dynamodb")
    sequence = change.get("SequenceNumber") if isinstance(change, Mapping) else None
    identity = sequence or record.get("eventID")
    if not isinstance(identity, str) or not _SEQUENCE.fullmatch(identity):
        return _digest(record)
    return identity


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def quarantine_document(records: Sequence[Mapping[str, Any]], reason: str) -> bytes:
    """The JSON document of records that are quarantined now."""
    kept_at = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    document: dict[str, Any] = {"reason": reason, "quarantined_at": kept_at}
    if len(records) == 1:
        document["record"] = records[0]
    else:
        document["records"] = list(records)
    return json.dumps(document).encode()


def parsed(text: bytes | str) -> Document:
    """Parse a JSON object. Raises CorruptItem."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorruptItem(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise CorruptItem("not a JSON object")
    return document


def failed_records(document: Document) -> FailedRecords:
    """The records of either kind of document. Raises CorruptItem for anything else."""
    if "delivery" in document:
        records = _records([document["delivery"]])
        kind, reason = FailureKind.DELIVERY, document.get("reason")
        kept_at = document.get("kept_at")
    elif "record" in document or "records" in document:
        records = _records(document["records"] if "records" in document else [document["record"]])
        kind, reason = FailureKind.QUARANTINED, document.get("reason")
        kept_at = document.get("quarantined_at")
    elif "payload" in document:
        payload = document["payload"]
        event = parsed(payload) if isinstance(payload, str) else payload
        if not isinstance(event, Mapping) or not isinstance(event.get("Records"), list):
            raise CorruptItem("the payload is not an event with Records")
        records = _records(event["Records"])
        context = document.get("requestContext")
        kind, reason = FailureKind.BATCH, None
        if isinstance(context, Mapping):
            reason = context.get("condition")
        kept_at = document.get("timestamp")
    else:
        raise CorruptItem("neither quarantined records nor a discarded batch")
    return FailedRecords(
        kind=kind,
        reason=reason if isinstance(reason, str) else "no reason given",
        kept_at_ms=_instant_ms(kept_at),
        records=records,
        oldest_ms=min(_written_ms(records), default=None),
        org_ids=tuple(sorted(set(_org_ids(records)))),
    )


def _records(given: Any) -> list[Mapping[str, Any]]:
    if not isinstance(given, list) or not given:
        raise CorruptItem("the records are not a non-empty list")
    for index, record in enumerate(given):
        if not isinstance(record, Mapping):
            raise CorruptItem(f"record {index} is not an object")
    return given


def _instant_ms(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        return parse_instant(value)
    except ValueError:
        return None


def _written_ms(records: Iterable[Mapping[str, Any]]) -> Iterator[int]:
    for record in records:
        received_ms = record.get("received_at_ms")
        if isinstance(received_ms, int):
            yield received_ms
        change = record.get("dynamodb")
        seconds = change.get("ApproximateCreationDateTime") if isinstance(change, Mapping) else None
        if isinstance(seconds, int | float) and 0 < seconds < 1e11:
            yield round(seconds * 1000)


def _org_ids(records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for record in records:
        if isinstance(record.get("org_id"), str):
            yield record["org_id"]
            continue
        try:
            pk = record["dynamodb"]["Keys"][keys.PK]["S"]
            org_id = keys.org_id_of(pk)
            names_it = pk.startswith(keys.org_prefix(org_id))
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # a record without such a key names no organisation
        if org_id and names_it:
            yield org_id
