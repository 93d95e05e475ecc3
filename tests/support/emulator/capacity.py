"""DynamoDB's published rules: how large an item is, and how many units a request takes.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from __future__ import annotations

from typing import Any


def number_bytes(number: str) -> int:
    """One byte for two significant digits, and one more; another for a minus sign."""
    digits = number.lstrip("-").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + number.startswith("-")


def value_bytes(attribute: dict[str, Any]) -> int:
    """An attribute's value; binary as in JSON, in base64."""
    kind, value = next(iter(attribute.items()))
    match kind:
        case "S":
            return len(str(value).encode())
        case "N":
            return number_bytes(value)
        case "B":
            if isinstance(value, bytes):
                return len(value)
            return len(value) // 4 * 3 - str(value[-2:]).count("=")
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + value_bytes(item) for item in value)
        case "M":
            return 3 + sum(
                1 + len(name.encode()) + value_bytes(item) for name, item in value.items()
            )
    raise ValueError(kind)


def item_bytes(item: dict[str, dict[str, Any]]) -> int:
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def write_units(size: int) -> int:
    """A plain write of an item of this size (the larger of before and after)."""
    return max(1, -(-size // 1024))


def transactional_write_units(size: int) -> int:
    """A write within TransactWriteItems: twice a plain one."""
    return 2 * write_units(size)


def consistent_read_units(size: int) -> int:
    """A strongly consistent read; of an item that is not there, one unit."""
    return max(1, -(-size // 4096))


def eventual_read_units(size: int) -> float:
    """An eventually consistent read, of one item or of all that one Query returns."""
    return consistent_read_units(size) / 2
