"""Raw items as the checker reads them: keys, facts, page rows and rollups, by their description.

Imports nothing of rollcall. Contents come out in the oracle's form.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from tests.simulation.pages import decode_page, decode_segment
from tests.support.neutral import measure
from tests.support.oracle import TYPES, detail_object, with_defaults
from tests.support.rollup_items import marks_of, measures_of

FIRST = "0" * 15 + "." + "0" * 16
END = "~"
_STORED_NAMES = {
    "started_at": "started_at_ms",
    "created_at": "created_at_ms",
    "occurred_at": "occurred_at_ms",
    "sentiment": "sentiment_milli",
    "cost": "cost_micros",
}


class FactName(NamedTuple):
    org_id: str
    type: str
    id: str


@dataclass(frozen=True)
class StoredFact:
    """A fact item. `content` is None for a tombstone.

    `left` are the times that it says it has left, `moved_rev` the revision of its last move.
    """

    name: FactName
    rev: int
    updated_at: int
    time: int | None
    content: dict[str, Any] | None
    left: frozenset[int]
    moved_rev: int

    @property
    def has_position(self) -> bool:
        return self.time is not None or TYPES[self.name.type].time is None

    def rows(self) -> list[StoredRow]:
        """The rows that the ledger must hold of it: its own, and a tombstone where it has been."""
        if not self.has_position:
            return []
        own = StoredRow(self.name.id, self.rev, self.time or 0, paged(self))
        return [own, *(StoredRow(own.id, self.moved_rev, time, None) for time in sorted(self.left))]


@dataclass(frozen=True)
class StoredRow:
    """A row of a ledger page."""

    id: str
    rev: int
    time: int
    content: dict[str, Any] | None

    @property
    def position(self) -> str:
        return f"{self.time:015d}.{hashlib.blake2b(self.id.encode(), digest_size=8).hexdigest()}"


@dataclass(frozen=True)
class StoredPage:
    start: str
    end: str
    rows: tuple[StoredRow, ...]


class RollupName(NamedTuple):
    family: str
    scope: tuple[str, ...]
    bucket: str


@dataclass(frozen=True)
class StoredRollup:
    """Measures in the neutral form, none of which is zero, and the breakdowns that are spilled."""

    measures: dict[Any, int]
    spilled: frozenset[str]


@functools.cache
def unescaped(component: str) -> str:
    return "~".join(part.replace("~-", "#") for part in component.split("~~"))


def fact_name(pk: str, sk: str) -> FactName:
    """What a fact's key says."""
    org, org_id, type, bucket, rest = pk.split("#")
    assert org == "ORG"
    assert rest == ""
    assert bucket.isdecimal()
    return FactName(unescaped(org_id), type, unescaped(sk.removeprefix("FACT#")))


def bucket_of(fact_id: str, count: int) -> int:
    """The bucket of an epoch to which a fact belongs (docs/data-model.md)."""
    digest = hashlib.blake2b(fact_id.encode(), digest_size=4, person=b"bucket").digest()
    return int.from_bytes(digest, "big") % count


def fact_of(item: dict[str, Any]) -> StoredFact:
    name = fact_name(item["PK"]["S"], item["SK"]["S"])
    assert (item["type"]["S"], item["id"]["S"]) == (name.type, name.id), item
    content = None
    if "deleted" not in item:
        stored = item.get("record", {"M": {}})["M"]
        content = {
            field: _value(field, stored[column])
            for field in (*TYPES[name.type].required, *TYPES[name.type].optional)
            if (column := _stored_name(field)) in stored
        }
        assert len(content) == len(stored), stored
        content = with_defaults(name.type, content)
    time = int(item["time_ms"]["N"]) if "time_ms" in item else None
    rev = int(item["rev"]["N"])
    left = [int(entry["N"]) for entry in item.get("left_behind", {"L": []})["L"]]
    assert len(left) == len({*left, time} - {time}), item
    moved_rev = int(item["moved_rev"]["N"]) if "moved_rev" in item else rev
    updated_at = int(item["updated_at_ms"]["N"])
    return StoredFact(name, rev, updated_at, time, content, frozenset(left), moved_rev)


def travelled(versions: Iterable[StoredFact]) -> list[StoredFact]:
    """The versions of one fact, oldest first, with what their times say about its moves."""
    found: list[StoredFact] = []
    times: set[int] = set()
    last_time, moved_rev = None, 0
    for version in versions:
        if version.time is not None and version.time != last_time:
            times.add(version.time)
            last_time, moved_rev = version.time, version.rev
        left = frozenset(times - {version.time})
        found.append(
            dataclasses.replace(version, left=left, moved_rev=moved_rev if left else version.rev)
        )
    return found


def with_detail(fact: StoredFact, beside: dict[str, Any] | None) -> StoredFact:
    """The fact with the detail that the item beside it holds, in place of the hash of it.

    Raises AssertionError unless the item is there exactly if the fact has a hash, and has it.
    """
    content = fact.content or {}
    hash_of_detail = content.get("detail")
    assert (hash_of_detail is None) == (beside is None), ("one without the other", fact, beside)
    if beside is None:
        return fact
    text = zlib.decompress(beside["detail"]["B"])
    assert hashlib.sha256(text).hexdigest() == hash_of_detail == beside["hash"]["S"], fact
    detail = detail_object(json.loads(text, parse_float=Decimal), "detail")
    return dataclasses.replace(fact, content={**content, "detail": detail})


def paged(fact: StoredFact) -> dict[str, Any] | None:
    """The content that the row of a fact has: all but the detail."""
    if fact.content is None or "detail" not in fact.content:
        return fact.content
    return {**fact.content, "detail": None}


def _stored_name(field: str) -> str:
    if field == "duration_seconds":
        return field
    return _STORED_NAMES.get(field, field)


def _value(field: str, attribute: dict[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return int(value)
        case "L":
            return frozenset(entry["S"] for entry in value)
        case "M" if field == "payload":
            return {key: _payload(entry) for key, entry in value.items()}
        case "M":
            return {key: int(entry["N"]) for key, entry in value.items()}
    return value


def _payload(attribute: dict[str, Any]) -> tuple[str, Any]:
    ((kind, value),) = attribute.items()
    readers: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "S": ("string", str),
        "N": ("number", Decimal),
        "BOOL": ("boolean", bool),
        "NULL": ("null", lambda _value: None),
    }
    name, read = readers[kind]
    return name, read(value)


def page_of(type: str, item: dict[str, Any]) -> StoredPage:
    rows = decode_page(item["data"]["B"])
    assert len(rows) == int(item["n"]["N"])
    assert item["SK"]["S"] == item["start"]["S"]
    return StoredPage(
        item["start"]["S"], item["end"]["S"], tuple(_row(type, cells) for cells in rows)
    )


def segment_of(type: str, values: dict[str, Any], identities: dict[str, Any]) -> StoredPage:
    rows = decode_segment(values, identities)
    assert len(rows) == int(values["n"]["N"])
    assert values["SK"]["S"] == values["start"]["S"] == identities["SK"]["S"]
    return StoredPage(
        values["start"]["S"], values["end"]["S"], tuple(_row(type, cells) for cells in rows)
    )


def texts_of(item: dict[str, Any]) -> str:
    """Every text in the columns of an item of a segment."""
    bodies = [value["B"] for name, value in item.items() if name == "directory" or name[:2] == "c."]
    return b" ".join(zlib.decompress(body, -15) for body in bodies).decode(errors="replace")


def _row(type: str, cells: dict[str, Any]) -> StoredRow:
    time = cells["time"]
    if "tombstone" in cells:
        assert cells.keys() == {"id", "rev", "time", "tombstone"}, cells
        return StoredRow(cells["id"], cells["rev"], time, None)
    content: dict[str, Any] = {}
    used = {"id", "rev", "time"}
    for field in (*TYPES[type].required, *TYPES[type].optional):
        if field == TYPES[type].time:
            content[field] = time
            continue
        column = _stored_name(field)
        if field in ("payload", "events"):
            inner = {name for name in cells if name.startswith(f"{field}.")}
            used |= inner
            values = {name.removeprefix(f"{field}."): cells[name] for name in inner}
            content[field] = values
            if field == "payload":
                shared = cells.get("payload", {})
                used |= {"payload"} if shared else set()
                assert not shared.keys() & values.keys(), cells
                values |= shared
                content[field] = {key: _payload_text(text) for key, text in values.items()}
        elif column in cells:
            used.add(column)
            value = cells[column]
            if field == "labels":
                value = frozenset(value)
            elif field in ("answered", "converted"):
                value = bool(value)
            content[field] = value
    assert cells.keys() == used, cells.keys() ^ used
    return StoredRow(cells["id"], cells["rev"], time, with_defaults(type, content))


def _payload_text(text: str) -> tuple[str, Any]:
    named = {"null": ("null", None), "true": ("boolean", True), "false": ("boolean", False)}
    if text in named:
        return named[text]
    if text[0] == "s":
        return "string", text[1:]
    assert text[0] == "n"
    return "number", Decimal(text[1:])


def rollup_name(rest: str, sk: str) -> RollupName:
    """What the key of a rollup says behind its epoch."""
    kind, family, *scope = rest.removesuffix("#").split("#")
    assert kind == "ROLLUP"
    components = [unescaped(component) for component in scope]
    bucket = sk.removeprefix("DAY#")
    return RollupName(family, (components[0].lower(), *components[1:]), bucket)


def rollup_of(name: RollupName, item: dict[str, Any]) -> StoredRollup:
    assert item["whole"] == item["v"], item
    family = name.family.partition(".")[0]
    counted = measures_of(item)
    assert all(counted.values()), item
    measures = {measure(family, each): count for each, count in counted.items()}
    return StoredRollup(measures, frozenset(marks_of(item)))
