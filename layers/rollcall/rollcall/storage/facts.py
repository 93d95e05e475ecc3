"""Facts as items: written under optimistic locking, read in batches, parsed from stream images."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from botocore.exceptions import ClientError

from rollcall.domain.decimals import canonical
from rollcall.domain.errors import Conflict, CorruptItem, Unavailable
from rollcall.domain.facts import (
    REV_LIMIT,
    Change,
    Fact,
    Outcome,
    StreamFact,
    content_hash,
    resolve,
)
from rollcall.domain.organisations import MAX_BUCKETS
from rollcall.domain.records import RECORD_TYPES, Column, Kind, RecordType
from rollcall.domain.time.calendar import LAST_MS
from rollcall.domain.validation import (
    MAX_INTEGER,
    MAX_LABELS,
    MAX_PAYLOAD_KEYS,
    PAYLOAD_KEY,
    check_text,
    is_id,
)
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import translated_errors
from rollcall.storage.conditions import number_unchanged
from rollcall.storage.queries import batch_get, key_of, keys_between, pages_of

# What DynamoDB takes as a key.
_MAX_PK_BYTES: Final = 2_048
_MAX_SK_BYTES: Final = 1_024


class FactPage(NamedTuple):
    """Some facts, the sort keys of items that are none, and where to go on (None: at the end)."""

    facts: list[Fact]
    damaged: list[str]
    last: str | None


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
        """The stored facts among the given (type, id) pairs, read consistently.

        One that is damaged is left out: `write` finds it and raises CorruptItem for it alone.
        """
        wanted = [keys.fact(org_id, type_, fact_id, buckets) for type_, fact_id in facts]
        found = {}
        for item in batch_get(self._client, self._table, wanted, self._backoff):
            with contextlib.suppress(CorruptItem):
                fact = fact_of_item(item)
                found[fact.type, fact.id] = fact
        return found

    def look_up(
        self,
        org_id: str,
        buckets: int,
        record_type: str,
        ids: Collection[str],
        meter: ReadMeter,
    ) -> dict[str, Fact]:
        """The stored facts of one type among `ids`, read consistently. Raises CorruptItem."""
        wanted = [keys.fact(org_id, record_type, fact_id, buckets) for fact_id in ids]
        items = batch_get(self._client, self._table, wanted, self._backoff, meter)
        return {fact.id: fact for fact in map(fact_of_item, items)}

    @staticmethod
    def bucket_of(fact_id: str, buckets: int) -> int:
        """The bucket in which the fact of an id belongs."""
        return keys.bucket_of(fact_id, buckets)

    def misplaced(self, org_id: str, buckets: int, record_type: str, fact_id: str) -> list[int]:
        """The buckets in which an item lies under a fact's sort key, where no key leads."""
        home = keys.fact(org_id, record_type, fact_id, buckets)
        places = {
            keys.Key(keys.facts(org_id, record_type, bucket), home.sk): bucket
            for bucket in range(MAX_BUCKETS)
        }
        del places[home]
        found = batch_get(self._client, self._table, places, self._backoff)
        return sorted(places[key_of(item)] for item in found)

    def listed(
        self,
        org_id: str,
        bucket: int,
        record_type: str,
        after: str | None = None,
    ) -> Iterator[FactPage]:
        """The facts of one type in one bucket, read consistently, by id, 1 MB at a time.

        `after` is the `last` of a page to go on behind (None: from the beginning). What is written
        meanwhile may be in its state of before or after. Raises Unavailable.
        """
        partition = keys.facts(org_id, record_type, bucket)
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            **keys_between(partition, keys.FACT_SK_PREFIX, keys.FACT_SK_END),
        }
        if after is not None:
            request["ExclusiveStartKey"] = {keys.PK: {"S": partition}, keys.SK: {"S": after}}
        for answer in pages_of(self._client, request, self._backoff):
            page = FactPage([], [], None)
            for item in answer["Items"]:
                try:
                    page.facts.append(own_fact(item)[1])
                except CorruptItem:
                    page.damaged.append(av.text(item, keys.SK))
            last = answer.get("LastEvaluatedKey")
            yield page._replace(last=av.text(last, keys.SK) if last else None)

    def places(
        self, org_id: str, buckets: int, record_type: str, ids: Collection[str]
    ) -> dict[str, int | None]:
        """The `time_ms` of the stored facts of one type among `ids`, damaged ones too.

        Read consistently. What cannot be read of a damaged one is None.
        """
        wanted = {keys.fact(org_id, record_type, id_, buckets): id_ for id_ in ids}
        found: dict[str, int | None] = {}
        for item in batch_get(self._client, self._table, wanted, self._backoff):
            with contextlib.suppress(CorruptItem):
                found[wanted[key_of(item)]] = None
                found[wanted[key_of(item)]] = av.optional_integer(item, "time_ms")
        return found

    def restate(self, org_id: str, buckets: int, stored: Fact | None, fact: Fact) -> None:
        """Put a fact in the place of what was read (None: nothing). Raises Conflict, Unavailable."""
        key = keys.fact(org_id, fact.type, fact.id, buckets)
        is_written, _ = self._put(key, fact, stored.rev if stored else None)
        if not is_written:
            raise Conflict("another version was written first")

    def write(
        self, org_id: str, buckets: int, stored: Fact | None, change: Change
    ) -> tuple[Outcome, Fact | None]:
        """Judge a change and make it durable if it wins: the outcome, and what is stored now.

        `stored` is what was last read (None: nothing); where it has changed since, the change is
        judged again. Raises Unavailable when the store stays busy; the change may be sent again.
        Raises CorruptItem when what is stored cannot be judged.
        """
        key = keys.fact(org_id, change.type, change.id, buckets)
        retries = self._backoff.attempts()
        attempts: dict[int, Fact] = {}
        while True:
            if stored is not None and _is_same(stored, attempts.get(stored.rev)):
                # Our own write: it was made, and only its reply was lost.
                return Outcome.ACCEPTED, stored
            verdict = resolve(stored, change, self._now_us())
            fact = verdict.fact
            if fact is None:
                return verdict.outcome, stored
            attempts[fact.rev] = fact
            try:
                is_written, found = self._put(key, fact, stored.rev if stored else None)
            except (Conflict, Unavailable) as error:
                retries.failed(error)
                continue
            if is_written:
                return Outcome.ACCEPTED, fact
            stored = fact_of_item(found) if found else None
            retries.failed(Conflict("another version was written first"))

    def _put(self, key: keys.Key, fact: Fact, rev_read: int | None) -> tuple[bool, Item]:
        """Put the fact if the stored revision is still the one read.

        Gives (True, {}), or (False, the item found instead, empty where there is none).
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "Item": item_of_fact(key, fact),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **number_unchanged("rev", rev_read),
        }
        with translated_errors():
            try:
                self._client.put_item(**request)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                return False, error.response.get("Item", {})
        return True, {}


def _is_same(stored: Fact, attempted: Fact | None) -> bool:
    return attempted is not None and (
        stored.rev,
        stored.updated_at_ms,
        content_hash(stored.record),
    ) == (
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


def stream_fact(record: Mapping[str, Any]) -> StreamFact | None:
    """The fact that a record of the table's stream brings; None when it tells of a removal.

    Raises CorruptItem when the new image is not a whole fact under its own key.
    """
    if record.get("eventName") == "REMOVE":
        return None
    try:
        return own_fact(dict(record["dynamodb"]["NewImage"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptItem(f"not a fact's stream record: {type(error).__name__}") from error


def own_fact(item: Item) -> StreamFact:
    """A fact with its organisation. Raises CorruptItem unless it is whole and under its own key."""
    try:
        pk, sk = av.text(item, keys.PK), av.text(item, keys.SK)
        _require(len(pk.encode()) <= _MAX_PK_BYTES and len(sk.encode()) <= _MAX_SK_BYTES)
        key = keys.parse_fact(pk, sk)
        fact = fact_of_item(item)
    except (TypeError, ValueError, AttributeError) as error:
        raise CorruptItem(f"not a fact: {type(error).__name__}") from error
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
    if not 0 <= (fact.time_ms or 0) <= LAST_MS or not 0 < fact.rev < REV_LIMIT:
        raise CorruptItem("time or revision out of range")
    if not is_id(fact.id):
        raise CorruptItem("the id is none")
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
            except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
                raise CorruptItem(f"field {column.name!r} of a {record_type.name}") from error
        elif column.required:
            raise CorruptItem(f"a {record_type.name} without {column.name!r}")
    return record_type.cls(**values)


def _value_of(column: Column, attribute: dict[str, Any]) -> Any:
    """One stored field. Raises ValueError, TypeError or KeyError when it breaks the format."""
    match column.kind:
        case Kind.INTEGER:
            return _integer(attribute, 0)
        case Kind.FLAG:
            return _typed(attribute["BOOL"], bool)
        case Kind.TEXT:
            text = check_text(_text(attribute["S"]))
            _require(not column.choices or text in column.choices)
            return text
        case Kind.ID:
            return _id(attribute)
        case Kind.IDS:
            ids = tuple(_id(entry) for entry in attribute["L"])
            _require(len(ids) <= MAX_LABELS and list(ids) == sorted(set(ids)))
            return ids
        case Kind.COUNTS:
            counts = {name: _integer(count, 1) for name, count in attribute["M"].items()}
            _require(counts.keys() <= set(column.choices))
            return counts
        case Kind.PAYLOAD:
            payload = {key: _payload_value(value) for key, value in attribute["M"].items()}
            _require(len(payload) <= MAX_PAYLOAD_KEYS and all(map(PAYLOAD_KEY.fullmatch, payload)))
            return payload


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError


def _integer(attribute: dict[str, Any], least: int) -> int:
    value = int(attribute["N"])
    _require(least <= value <= MAX_INTEGER)
    return value


def _id(attribute: dict[str, Any]) -> str:
    text = _text(attribute["S"])
    _require(is_id(text))
    return text


def _text(value: Any) -> str:
    text: str = _typed(value, str)
    text.encode()  # a lone surrogate, which JSON can name, is in no text that can be stored
    return text


def _typed(value: Any, expected: type) -> Any:
    if not isinstance(value, expected):
        raise TypeError
    return value


def _payload_value(attribute: dict[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return check_text(_text(value))
        case "N":
            number = Decimal(value)
            _require(number.is_finite())
            return canonical(number)
        case "BOOL":
            return _typed(value, bool)
        case "NULL":
            return None
    raise ValueError(kind)
