"""Which keys a Query asks for."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_CONDITION = re.compile(r"(#?\w+) = (:\w+)(?: AND (.+))?")
_BETWEEN = re.compile(r"(#?\w+) BETWEEN (:\w+) AND (:\w+)")
_BEGINS = re.compile(r"begins_with\((#?\w+), ?(:\w+)\)")
_COMPARED = re.compile(r"(#?\w+) (<|<=|=|>=|>) (:\w+)")

_Test = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """A partition key and a range of sort keys: all that are neither before nor after it."""

    pk: str
    is_before: _Test = lambda _key: False
    is_after: _Test = lambda _key: False

    def holds(self, sk: str) -> bool:
        return not self.is_before(sk) and not self.is_after(sk)

    def range_in(self, order: Sequence[str]) -> range:
        """The places of the range in sorted keys."""
        first = bisect_left(order, True, key=lambda key: not self.is_before(key))
        return range(first, bisect_left(order, True, lo=first, key=self.is_after))


def key_condition(asked: Mapping[str, Any], pk_name: str, sk_name: str) -> KeyCondition:
    """A request's KeyConditionExpression over keys of these names."""
    names = asked.get("ExpressionAttributeNames", {})
    values = {name: value["S"] for name, value in asked["ExpressionAttributeValues"].items()}
    expression = asked["KeyConditionExpression"]
    whole = _CONDITION.fullmatch(expression)
    if whole is None or names.get(whole[1], whole[1]) != pk_name:
        raise NotImplementedError(expression)
    pk, rest = values[whole[2]], whole[3]
    if rest is None:
        return KeyCondition(pk)
    for pattern in (_BETWEEN, _BEGINS, _COMPARED):
        if match := pattern.fullmatch(rest):
            break
    else:
        raise NotImplementedError(expression)
    if names.get(match[1], match[1]) != sk_name:
        raise NotImplementedError(expression)
    if pattern is _BETWEEN:
        first, last = values[match[2]], values[match[3]]
        return KeyCondition(pk, lambda key: key < first, lambda key: key > last)
    if pattern is _BEGINS:
        prefix = values[match[2]]
        return KeyCondition(
            pk, lambda key: key < prefix, lambda key: key > prefix and not key.startswith(prefix)
        )
    return _compared(pk, match[2], values[match[3]])


def _compared(pk: str, sign: str, value: str) -> KeyCondition:
    match sign:
        case "<":
            return KeyCondition(pk, is_after=lambda key: key >= value)
        case "<=":
            return KeyCondition(pk, is_after=lambda key: key > value)
        case ">":
            return KeyCondition(pk, is_before=lambda key: key <= value)
        case ">=":
            return KeyCondition(pk, is_before=lambda key: key < value)
    return KeyCondition(pk, lambda key: key < value, lambda key: key > value)
