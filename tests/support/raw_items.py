"""Raw items of both tables, read by hand into the forms that the oracle knows.

Shares no code with what writes them, so that it cannot repeat its mistakes; the ledger pages, whose
format is the codec's alone, are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from rollcall.domain.measures import RollupKey
from tests.support.oracle import TYPES, Oracle
from tests.support.rollup_items import measures_of

Item = Mapping[str, Mapping[str, Any]]

_WRITTEN_AS = {
    "started_at_ms": "started_at",
    "created_at_ms": "created_at",
    "occurred_at_ms": "occurred_at",
    "sentiment_milli": "sentiment",
    "cost_micros": "cost",
}
_EMPTY: dict[str, Any] = {"labels": frozenset(), "events": {}, "payload": {}}


def unescaped(component: str) -> str:
    """`~~` is `~`, and `~-` is `#`."""
    return component.replace("~~", "\0").replace("~-", "#").replace("\0", "~")


def scanned(client: Any, table: str, org_id: str) -> list[Item]:
    """Every item of one organisation in a table."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    prefix = f"ORG#{org_id}#"
    return [item for page in pages for item in page["Items"] if item["PK"]["S"].startswith(prefix)]


def rollups_of(items: Iterable[Item]) -> Iterator[tuple[RollupKey, dict[str, int]]]:
    """The rollups among the items of one organisation's one epoch."""
    for item in items:
        parts = item["PK"]["S"].split("#")
        # An epoch of one bucket does not name it.
        kind, family, *scope = parts[4 if parts[3].startswith("B") else 3 : -1]
        if kind == "ROLLUP":
            bucket = item["SK"]["S"].removeprefix("DAY#")
            yield RollupKey(family, tuple(map(unescaped, scope)), bucket), measures_of(item)
        else:
            assert kind in ("LEDGER", "IDENTITIES")


def facts_of(items: Iterable[Item]) -> dict[tuple[str, str], tuple[int, Any]]:
    """(type, id) → (updated_at in ms, content as the oracle keeps it). Each is there once."""
    found = {}
    for item in items:
        if not item["SK"]["S"].startswith("FACT#"):
            continue
        key = item["type"]["S"], item["id"]["S"]
        assert unescaped(item["SK"]["S"].removeprefix("FACT#")) == key[1]
        assert item["PK"]["S"].split("#")[2] == key[0]
        assert key not in found, f"{key} is stored twice"
        is_deleted = item.get("deleted", {}).get("BOOL", False)
        content = None if is_deleted else _content(key[0], item.get("record", {"M": {}})["M"])
        found[key] = int(item["updated_at_ms"]["N"]), content
    return found


def expected_facts(oracle: Oracle) -> dict[tuple[str, str], tuple[int, Any]]:
    """What `facts_of` must give."""
    return {key: (fact.updated_at, fact.content) for key, fact in oracle.facts.items()}


def _content(kind: str, record: Mapping[str, Any]) -> dict[str, Any]:
    names = (*TYPES[kind].required, *TYPES[kind].optional)
    content = {name: _EMPTY.get(name) for name in names}
    for stored_name, attribute in record.items():
        name = _WRITTEN_AS.get(stored_name, stored_name)
        assert name in content, stored_name
        match name:
            case "labels":
                content[name] = frozenset(_reference(entry) for entry in attribute["L"])
            case "events":
                content[name] = {event: int(count["N"]) for event, count in attribute["M"].items()}
            case "payload":
                content[name] = {key: _payload(value) for key, value in attribute["M"].items()}
            case _:
                ((shape, value),) = attribute.items()
                content[name] = int(value) if shape == "N" else _reference(attribute)
    return content


def _reference(attribute: Mapping[str, Any]) -> Any:
    """A string, or the text of an id that was sent as an integer; another value as it is."""
    ((shape, value),) = attribute.items()
    return value["integer"]["S"] if shape == "M" else value


def _payload(attribute: Mapping[str, Any]) -> tuple[str, Any]:
    ((shape, value),) = attribute.items()
    match shape:
        case "S":
            return "string", value
        case "N":
            return "number", Decimal(value)
        case "BOOL":
            return "boolean", value
    assert shape == "NULL"
    return "null", None
