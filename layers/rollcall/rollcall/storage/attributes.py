"""DynamoDB's typed JSON to Python values and back.

Not `boto3.dynamodb.types`, because that would import all of boto3 when a function starts.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from rollcall.domain.errors import CorruptItem

Attribute: TypeAlias = dict[str, Any]
Item: TypeAlias = dict[str, Attribute]


def to_attribute(value: Any) -> Attribute:
    """One value as a DynamoDB attribute."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | Decimal():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case Mapping():
            return {"M": {key: to_attribute(item) for key, item in value.items()}}
        case list() | tuple():
            return {"L": [to_attribute(item) for item in value]}
    raise TypeError(f"no DynamoDB attribute for {type(value).__name__}")


def to_item(values: Mapping[str, Any]) -> Item:
    """A mapping as a DynamoDB item; None values are left out."""
    return {name: to_attribute(value) for name, value in values.items() if value is not None}


def text(item: Item, name: str) -> str:
    """A string attribute. Raises CorruptItem when it is missing or of another type."""
    value = item.get(name, {}).get("S")
    if not isinstance(value, str):
        raise CorruptItem(f"attribute {name!r} is not a string")
    return value


def integer(item: Item, name: str) -> int:
    """An integer attribute. Raises CorruptItem when it is missing or of another type."""
    found = optional_integer(item, name)
    if found is None:
        raise CorruptItem(f"attribute {name!r} is missing")
    return found


def optional_integer(item: Item, name: str) -> int | None:
    """An integer attribute, or None if it is missing."""
    if name not in item:
        return None
    try:
        return int(item[name]["N"])
    except (KeyError, TypeError, ValueError):
        raise CorruptItem(f"attribute {name!r} is not an integer") from None


def binary(item: Item, name: str) -> bytes:
    """A binary attribute. Raises CorruptItem when it is missing or of another type."""
    value = item.get(name, {}).get("B")
    if isinstance(value, str):  # as Lambda and the CLI print binary attributes
        value = base64.b64decode(value)
    if not isinstance(value, bytes):
        raise CorruptItem(f"attribute {name!r} is not binary")
    return value


def flag(item: Item, name: str) -> bool:
    """A boolean attribute; absent is False."""
    value = item.get(name, {"BOOL": False}).get("BOOL")
    if not isinstance(value, bool):
        raise CorruptItem(f"attribute {name!r} is not a boolean")
    return value
