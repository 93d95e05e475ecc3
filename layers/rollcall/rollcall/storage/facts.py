"""Facts as items: written under optimistic locking, read in batches, parsed from stream images."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from botocore.exceptions import ClientError

from rollcall.domain.errors import Conflict, CorruptItem, Unavailable
from rollcall.domain.facts import Change, Fact, Outcome, content_hash, judge
from rollcall.domain.numbers import canonical
from rollcall.domain.records import RECORD_TYPES, Column, Kind, RecordType
from rollcall.ledger.backoff import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import translated_errors
from rollcall.storage.reads import batch_get
from rollcall.usecases.update import StreamFact

_INT64: Final = 2**63


class FactStore:
    """The facts of all organisations; every request is checked against the current one."""

    def __init__(
        self, client: Any, table: str, now_us: Callable[[], int], backoff: Backoff
    ) -> None:
        self._client = client
        self._table = table
        self._now_us = now_us
        self._backoff = backoff

    def read(
        self, org_id: str, buckets: int, facts: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], Fact]:
        """The stored facts among the given (type, id) pairs, read consistently."""
        wanted = [keys.fact(org_id, type_, fact_id, buckets) for type_, fact_id in facts]
        items = batch_get(self._client, self._table, wanted, self._backoff)
        return {(fact.type, fact.id): fact for fact in map(fact_of_item, items)}

    def write(
        self, org_id: str, buckets: int, stored: Fact | None, change: Change
    ) -> tuple[Outcome, Fact | None]:
        """Judge a change and make it durable if it wins: the outcome, and what is stored now.

        `stored` is what was last read (None: nothing); where it has changed since, the change is
        judged again. Raises Unavailable when the store stays busy; the change may be sent again.
        """
        key = keys.fact(org_id, change.type, change.id, buckets)
        failures = 0
        while True:
            verdict = judge(stored, change, self._now_us())
            fact = verdict.fact
            if fact is None:
                return verdict.outcome, stored
            try:
                found = self._put(key, fact, stored.rev if stored else None)
            except (Conflict, Unavailable) as error:
                failures += 1
                self._backoff.pause(failures, error)
                continue
            if found is _WRITTEN:
                return Outcome.ACCEPTED, fact
            stored = fact_of_item(found) if found else None
            if stored is not None and _is_same_write(stored, fact):
                return Outcome.ACCEPTED, stored
            failures += 1
            self._backoff.pause(failures, Conflict("another version was written first"))

    def _put(self, key: keys.Key, fact: Fact, rev_read: int | None) -> Item:
        """Put the fact if the stored revision is still the one read; the item found otherwise."""
        nobody_wrote_it = "attribute_not_exists(#pk)"
        nobody_changed_it = "#rev = :rev"
        request: dict[str, Any] = {
            "TableName": self._table,
            "Item": item_of_fact(key, fact),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if rev_read is None:
            request["ConditionExpression"] = nobody_wrote_it
            request["ExpressionAttributeNames"] = {"#pk": keys.PK}
        else:
            request["ConditionExpression"] = nobody_changed_it
            request["ExpressionAttributeNames"] = {"#rev": "rev"}
            request["ExpressionAttributeValues"] = {":rev": {"N": str(rev_read)}}
        with translated_errors():
            try:
                self._client.put_item(**request)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                return dict(error.response.get("Item", {}))
        return _WRITTEN


_WRITTEN: Final[Item] = {}


def _is_same_write(stored: Fact, attempted: Fact) -> bool:
    """Whether the SDK repeated our own write after its first reply was lost."""
    return (stored.rev, stored.updated_at_ms, content_hash(stored.record)) == (
        attempted.rev,
        attempted.updated_at_ms,
        content_hash(attempted.record),
    )


def item_of_fact(key: keys.Key, fact: Fact) -> Item:
    """A fact as it is stored. A tombstone keeps no value of the record."""
    return av.to_item(
        {
            keys.PK: key.pk,
            keys.SK: key.sk,
            "type": fact.type,
            "id": fact.id,
            "id_is_integer": fact.id_is_integer or None,
            "time_ms": fact.time_ms,
            "updated_at_ms": fact.updated_at_ms,
            "rev": fact.rev,
            "deleted": fact.record is None or None,
            # Left out when empty: DynamoDB Local's streams lose an empty map.
            "record": _attributes_of(fact) or None,
        }
    )


def _attributes_of(fact: Fact) -> dict[str, Any]:
    if fact.record is None:
        return {}
    values = ((c.name, getattr(fact.record, c.name)) for c in RECORD_TYPES[fact.type].columns)
    return {name: value for name, value in values if value not in (None, (), {})}


def stream_fact(image: Mapping[str, Any]) -> StreamFact:
    """The fact in a stream record's new image. Raises CorruptItem when it is not a whole fact."""
    item = dict(image)
    try:
        key = keys.parse_fact(av.text(item, keys.PK), av.text(item, keys.SK))
    except ValueError as error:
        raise CorruptItem(str(error)) from error
    fact = fact_of_item(item)
    if (key.type, key.id) != (fact.type, fact.id):
        raise CorruptItem("the fact is stored under another fact's key")
    return StreamFact(key.org_id, fact)


def fact_of_item(item: Item) -> Fact:
    """The fact that `item_of_fact` stored. Raises CorruptItem on anything else."""
    type_name = av.text(item, "type")
    record_type = RECORD_TYPES.get(type_name)
    if record_type is None:
        raise CorruptItem("unknown record type")
    record = None
    if not av.flag(item, "deleted"):
        record = _record_of(record_type, item.get("record", {"M": {}}).get("M"))
    fact = Fact(
        type=type_name,
        id=av.text(item, "id"),
        id_is_integer=av.flag(item, "id_is_integer"),
        time_ms=av.optional_integer(item, "time_ms"),
        updated_at_ms=av.integer(item, "updated_at_ms"),
        rev=av.integer(item, "rev"),
        record=record,
    )
    if record is not None and fact.time_ms != record_type.time_ms(record):
        raise CorruptItem("the fact's time is not its record's")
    if not 0 <= (fact.time_ms or 0) < 10**15 or not 0 < fact.rev < _INT64:
        raise CorruptItem("time or revision out of range")
    return fact


def _record_of(record_type: RecordType, stored: Any) -> Any:
    if not isinstance(stored, dict):
        raise CorruptItem("a live fact without its record")
    unknown = stored.keys() - {column.name for column in record_type.columns}
    if unknown:
        raise CorruptItem(f"unknown fields of a {record_type.name}")
    values = {}
    for column in record_type.columns:
        attribute = stored.get(column.name)
        if attribute is not None:
            try:
                values[column.name] = _value_of(column, attribute)
            except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
                raise CorruptItem(f"field {column.name!r} of a {record_type.name}") from error
        elif column.required:
            raise CorruptItem(f"a {record_type.name} without {column.name!r}")
    return record_type.cls(**values)


def _value_of(column: Column, attribute: dict[str, Any]) -> Any:
    match column.kind:
        case Kind.INTEGER:
            value = int(attribute["N"])
            if not 0 <= value < _INT64:
                raise ValueError
            return value
        case Kind.FLAG:
            return _typed(attribute["BOOL"], bool)
        case Kind.TEXT:
            text = _typed(attribute["S"], str)
            if column.choices and text not in column.choices:
                raise ValueError
            return text
        case Kind.TEXTS:
            return tuple(_typed(entry["S"], str) for entry in attribute["L"])
        case Kind.COUNTS:
            counts = {name: int(count["N"]) for name, count in attribute["M"].items()}
            if not counts.keys() <= set(column.choices) or min(counts.values(), default=1) < 1:
                raise ValueError
            return counts
        case Kind.PAYLOAD:
            return {key: _payload_value(value) for key, value in attribute["M"].items()}


def _typed(value: Any, expected: type) -> Any:
    if not isinstance(value, expected):
        raise TypeError
    return value


def _payload_value(attribute: dict[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return _typed(value, str)
        case "N":
            return canonical(Decimal(value))
        case "BOOL":
            return _typed(value, bool)
        case "NULL":
            return None
    raise ValueError(kind)
