"""Condition expressions, named for what they assert about the stored item."""

from __future__ import annotations

from typing import Any, Final

from rollcall.storage import keys
from rollcall.storage.attributes import Attribute

VERSION: Final = "v"


def item_absent() -> dict[str, Any]:
    """Nothing is stored under the key."""
    return {
        "ConditionExpression": "attribute_not_exists(#pk)",
        "ExpressionAttributeNames": {"#pk": keys.PK},
    }


def attribute_equals(name: str, value: Attribute) -> dict[str, Any]:
    """An attribute of the stored item still has the value that was read."""
    return {
        "ConditionExpression": "#read = :read",
        "ExpressionAttributeNames": {"#read": name},
        "ExpressionAttributeValues": {":read": value},
    }


def number_unchanged(name: str, read: int | None) -> dict[str, Any]:
    """A number still is the one that was read; None: nothing was stored, and still nothing is."""
    return item_absent() if read is None else attribute_equals(name, {"N": str(read)})


def version_unchanged(read: int) -> dict[str, Any]:
    """The item still has the version that was read; 0: nothing was stored, and still nothing is."""
    return number_unchanged(VERSION, read or None)


def text_unchanged(name: str, read: str | None) -> dict[str, Any]:
    """A text still is the one that was read; None: nothing was stored, and still nothing is."""
    return item_absent() if read is None else attribute_equals(name, {"S": read})
