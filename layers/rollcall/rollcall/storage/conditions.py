"""Condition expressions, named for what they assert about the stored item."""

from __future__ import annotations

from typing import Any, Final

from rollcall.storage import keys
from rollcall.storage.attributes import Attribute

VERSION: Final = "v"

# The clause of a condition with several: something is stored under the key. `#pk` is the partition key.
ITEM_EXISTS: Final = "attribute_exists(#pk)"


def item_absent() -> dict[str, Any]:
    """Nothing is stored under the key."""
    return {
        "ConditionExpression": "attribute_not_exists(#pk)",
        "ExpressionAttributeNames": {"#pk": keys.PK},
    }


def attribute_equals(name: str, value: Attribute) -> dict[str, Any]:
    """An attribute of the stored item still has a value."""
    return {
        "ConditionExpression": "#read = :read",
        "ExpressionAttributeNames": {"#read": name},
        "ExpressionAttributeValues": {":read": value},
    }


def number_unchanged(name: str, read: int | None) -> dict[str, Any]:
    """A number is unchanged since it was read; for None, the item is still absent."""
    return item_absent() if read is None else attribute_equals(name, {"N": str(read)})


def version_unchanged(read: int) -> dict[str, Any]:
    """The version is unchanged since the item was read; for 0, the item is still absent."""
    return number_unchanged(VERSION, read or None)


def text_unchanged(name: str, read: str | None) -> dict[str, Any]:
    """A string is unchanged since it was read; for None, the item is still absent."""
    return item_absent() if read is None else attribute_equals(name, {"S": read})
