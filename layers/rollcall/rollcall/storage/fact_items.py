"""Facts as items: written, and parsed strictly from the table and from stream images."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from rollcall.domain.decimals import canonical
from rollcall.domain.errors import CorruptItem
from rollcall.domain.facts import MAX_LEFT_BEHIND, REV_LIMIT, Fact, Merges, StreamFact, state_of
from rollcall.domain.ids import IntegerId
from rollcall.domain.records import RECORD_TYPES, Column, Kind, RecordType
from rollcall.domain.time.calendar import LAST_MS
from rollcall.domain.validation import (
    MAX_ID_LENGTH,
    MAX_INTEGER,
    MAX_LABELS,
    MAX_PAYLOAD_KEYS,
    PAYLOAD_KEY,
    check_text,
    is_id,
)
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Attribute, Item
from rollcall.storage.merge_items import merges_of, stored_merges

# DynamoDB's limits for keys.
_MAX_PK_BYTES: Final = 2_048
_MAX_SK_BYTES: Final = 1_024

# The key of the map in which a reference that was sent as an integer is stored.
_INTEGER: Final = "integer"
_HASH: Final = re.compile("[0-9a-f]{64}")
_IS_INTEGER: Final = re.compile(rf"-?[0-9]{{1,{MAX_ID_LENGTH}}}")


def item_of_fact(key: keys.Key, fact: Fact) -> Item:
    """A fact as it is stored. A tombstone keeps no value but what later merges have set."""
    return av.to_item(
        {
            keys.PK: key.pk,
            keys.SK: key.sk,
            "type": fact.type,
            "id": fact.id,
            "id_is_integer": isinstance(fact.id, IntegerId) or None,
            "time_ms": fact.time_ms,
            "updated_at_ms": fact.updated_at_ms,
            "rev": fact.rev,
            "deleted": fact.record is None or None,
            # Left out when empty: DynamoDB Local's streams lose an empty map.
            "record": _stored_values(fact) or None,
            "defaulted": sorted(fact.defaulted) or None,
            "left_behind": fact.left_behind or None,
            "moved_rev": fact.moved_rev,
            "merges": stored_merges(fact.merges) if fact.merges else None,
            "withheld": _stored_columns(fact.type, fact.withheld) or None,
        }
    )


def _stored_values(fact: Fact) -> dict[str, Any]:
    names = fact.record.__dataclass_fields__ if fact.record is not None else ()
    return _stored_columns(fact.type, {name: getattr(fact.record, name) for name in names})


def _stored_columns(type_name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    stored = {}
    for column in RECORD_TYPES[type_name].columns:
        value = values.get(column.name)
        if value not in (None, (), {}):
            stored[column.name] = _stored(column, value)
    return stored


def _stored(column: Column, value: Any) -> Any:
    match column.kind:
        case Kind.ID:
            return _stored_id(value)
        case Kind.IDS:
            return [_stored_id(each) for each in value]
    return value


def _stored_id(text: str) -> Any:
    """A map for an integer: a number attribute would keep 38 digits, and an id can have more."""
    return {_INTEGER: text} if isinstance(text, IntegerId) else text


def stream_fact(record: Mapping[str, Any]) -> StreamFact | None:
    """The fact in a record of the table's stream; None if the record is a removal.

    Raises CorruptItem when the new image is not a whole fact under its own key.
    """
    if record.get("eventName") == "REMOVE":
        return None
    try:
        return own_fact(dict(record["dynamodb"]["NewImage"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptItem(f"not the stream record of a fact: {type(error).__name__}") from error


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
        raise CorruptItem("the fact is stored under the key of another fact")
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
        id=(IntegerId if av.flag(item, "id_is_integer") else str)(av.text(item, "id")),
        time_ms=av.optional_integer(item, "time_ms"),
        updated_at_ms=av.integer(item, "updated_at_ms"),
        rev=av.integer(item, "rev"),
        record=record,
        defaulted=_defaulted(record_type, item) if record is not None else frozenset(),
        left_behind=_left_behind(item),
        moved_rev=av.optional_integer(item, "moved_rev"),
        merges=_merges(record_type, item),
    )
    if record is not None and fact.time_ms != record_type.time_ms(record):
        raise CorruptItem("the time of the fact is not the time of its record")
    _check_identity(fact)
    return fact


def _check_identity(fact: Fact) -> None:
    if not 0 <= (fact.time_ms or 0) <= LAST_MS or not 0 < fact.rev < REV_LIMIT:
        raise CorruptItem("time or revision out of range")
    if fact.left_behind and fact.time_ms in (None, *fact.left_behind):
        raise CorruptItem("the fact is at a time that it has left, or at none")
    if fact.moved_rev is not None and not 0 < fact.moved_rev <= fact.rev:
        raise CorruptItem("the revision of the last move is out of range")
    _check_merges(fact)
    if not is_id(fact.id):
        raise CorruptItem("the id is not valid")


def _check_merges(fact: Fact) -> None:
    if fact.merges and fact.updated_at_ms != state_of(fact).greatest.updated_at_ms:
        raise CorruptItem("the fact has another time of its last change than its merges")
    if fact.withheld and fact.record is not None:
        raise CorruptItem("a live fact withholds values")


def times_of(item: Item) -> frozenset[int]:
    """Every time at which a stored fact has been; none if they cannot be read."""
    try:
        time_ms, left_behind = av.optional_integer(item, "time_ms"), _left_behind(item)
    except CorruptItem:
        return frozenset()
    return frozenset(left_behind if time_ms is None else (time_ms, *left_behind))


def _defaulted(record_type: RecordType, item: Item) -> frozenset[str]:
    names = frozenset(entry.get("S") for entry in item.get("defaulted", {"L": []})["L"])
    if not names <= {column.name for column in record_type.columns if column.is_completed}:
        raise CorruptItem(f"a field without a default value is said to have one: {sorted(names)}")
    return names


def _left_behind(item: Item) -> tuple[int, ...]:
    try:
        times = tuple(int(entry["N"]) for entry in item.get("left_behind", {"L": []})["L"])
        _require(len(times) <= MAX_LEFT_BEHIND and list(times) == sorted(set(times)))
        _require(all(0 <= time_ms <= LAST_MS for time_ms in times))
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptItem("the times that the fact has left are not valid") from error
    return times


def _merges(record_type: RecordType, item: Item) -> Merges | None:
    if "merges" not in item and "withheld" not in item:
        return None
    withheld = _values_of(record_type, item.get("withheld", {"M": {}}).get("M"))
    return merges_of(record_type, item.get("merges", {}), withheld)


def _record_of(record_type: RecordType, stored: Any) -> Any:
    values = _values_of(record_type, stored)
    for column in record_type.columns:
        if column.required and column.name not in values:
            raise CorruptItem(f"a {record_type.name} has no {column.name!r}")
    return record_type.cls(**values)


def _values_of(record_type: RecordType, stored: Any) -> dict[str, Any]:
    if not isinstance(stored, dict):
        raise CorruptItem("a live fact has no record")
    unknown = stored.keys() - {column.name for column in record_type.columns}
    if unknown:
        raise CorruptItem(f"unknown fields of a {record_type.name}")
    values = {}
    for column in record_type.columns:
        attribute = stored.get(column.name)
        if attribute is not None:
            try:
                values[column.name] = _PARSERS[column.kind](column, attribute)
            except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
                raise CorruptItem(f"field {column.name!r} of a {record_type.name}") from error
    return values


# -- one stored field; each raises ValueError, TypeError or KeyError when the format is broken ------
def _parse_text(column: Column, attribute: Attribute) -> str:
    text = check_text(_text(attribute["S"]))
    _require(not column.choices or text in column.choices)
    return text


def _parse_ids(_column: Column, attribute: Attribute) -> tuple[str, ...]:
    ids = tuple(_id(entry) for entry in attribute["L"])
    _require(len(ids) <= MAX_LABELS and list(ids) == sorted(set(ids)))
    return ids


def _parse_counts(column: Column, attribute: Attribute) -> dict[str, int]:
    counts = {name: _integer(count, 1) for name, count in attribute["M"].items()}
    _require(counts.keys() <= set(column.choices))
    return counts


def _parse_payload(_column: Column, attribute: Attribute) -> dict[str, Any]:
    payload = {key: _payload_value(value) for key, value in attribute["M"].items()}
    _require(len(payload) <= MAX_PAYLOAD_KEYS and all(map(PAYLOAD_KEY.fullmatch, payload)))
    return payload


def _parse_hash(_column: Column, attribute: Attribute) -> str:
    text = _text(attribute["S"])
    _require(_HASH.fullmatch(text) is not None)
    return text


_PARSERS: Final[Mapping[Kind, Callable[[Column, Attribute], Any]]] = {
    Kind.INTEGER: lambda _column, attribute: _integer(attribute, 0),
    Kind.FLAG: lambda _column, attribute: _typed(attribute["BOOL"], bool),
    Kind.TEXT: _parse_text,
    Kind.ID: lambda _column, attribute: _id(attribute),
    Kind.IDS: _parse_ids,
    Kind.COUNTS: _parse_counts,
    Kind.PAYLOAD: _parse_payload,
    Kind.DETAIL: _parse_hash,
}


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError


def _integer(attribute: Attribute, least: int) -> int:
    value = int(attribute["N"])
    _require(least <= value <= MAX_INTEGER)
    return value


def _id(attribute: Attribute) -> str:
    if "M" in attribute:
        ((name, sent),) = attribute["M"].items()
        _require(name == _INTEGER and _IS_INTEGER.fullmatch(sent["S"]) is not None)
        return IntegerId(sent["S"])
    text = _text(attribute["S"])
    _require(is_id(text))
    return text


def _text(value: Any) -> str:
    text: str = _typed(value, str)
    text.encode()  # refuse a lone surrogate, which JSON can contain but DynamoDB cannot store
    return text


def _typed(value: Any, expected: type) -> Any:
    if not isinstance(value, expected):
        raise TypeError
    return value


def _payload_value(attribute: Attribute) -> Any:
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
