"""What merges have set in a fact, as an attribute of its item: written, and parsed strictly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollcall.domain.errors import CorruptItem
from rollcall.domain.facts import KEY_BYTES, Merges
from rollcall.domain.merging import NEVER, Key
from rollcall.domain.records import RecordType
from rollcall.storage import attributes as av
from rollcall.storage.attributes import Attribute, Item


def stored_merges(merges: Merges) -> dict[str, Any]:
    """The merges as they are stored, without the values that a tombstone withholds."""
    fields: dict[Key, list[str]] = {}
    for name, key in sorted(merges.keys.items()):
        fields.setdefault(key, []).append(name)
    writes = [_stored_key(key) | {"fields": names} for key, names in sorted(fields.items())]
    base = {} if merges.base == NEVER else {"base": _stored_key(merges.base)}
    return base | {"writes": writes}


def merges_of(record_type: RecordType, attribute: Attribute, withheld: Mapping[str, Any]) -> Merges:
    """The merges that `stored_merges` stored. Raises CorruptItem on anything else."""
    try:
        stored = attribute["M"]
        base = _key_of(stored["base"]["M"]) if "base" in stored else NEVER
        keys = {
            _name(record_type, field): _key_of(write["M"])
            for write in stored["writes"]["L"]
            for field in write["M"]["fields"]["L"]
        }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CorruptItem("the merges of the fact are not valid") from error
    if not keys or min(keys.values()) <= base or any(key.is_deletion for key in keys.values()):
        raise CorruptItem("a merge of the fact has not set any field, or is no merge")
    if not withheld.keys() <= keys.keys():
        raise CorruptItem("a tombstone withholds a value that no merge has set")
    return Merges(base, keys, withheld)


def _stored_key(key: Key) -> dict[str, Any]:
    stored: dict[str, Any] = {"updated_at_ms": key.updated_at_ms}
    if key.is_deletion:
        return stored | {"deleted": True}
    # In hexadecimal digits: a binary value is something else in the table than in its stream.
    stored["content"] = key.content.hex()
    return stored if key.progress == NEVER.progress else stored | {"progress": key.progress}


def _key_of(stored: Item) -> Key:
    updated_at_ms = av.integer(stored, "updated_at_ms")
    if av.flag(stored, "deleted"):
        return Key(updated_at_ms, True, NEVER.progress, b"")
    content = bytes.fromhex(av.text(stored, "content"))
    progress = av.optional_integer(stored, "progress")
    if len(content) != KEY_BYTES or updated_at_ms < 0:
        raise ValueError
    return Key(updated_at_ms, False, NEVER.progress if progress is None else progress, content)


def _name(record_type: RecordType, field: Attribute) -> str:
    name: str = field["S"]
    if name not in {column.name for column in record_type.columns}:
        raise ValueError
    return name
