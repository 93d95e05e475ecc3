"""Strict JSON: only what RFC 8259 calls interoperable.

UTF-8, no duplicate keys, no NaN or Infinity, no lone surrogates, at most 16 levels deep. Numbers
with a fraction or an exponent become Decimal, so that nothing is rounded before a rule says so.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 16
# Integers beyond this many digits are refused by every field; as Decimal they cost nothing.
_MAX_INTEGER_DIGITS: Final = 400
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class MalformedJson(ValueError):
    """The body is not strict JSON; the message says why."""


class _Number(Decimal):
    """A number that keeps the text it was sent as, so that it can go back unchanged."""

    text: str


def loads(data: bytes) -> Any:
    """The value of a strict JSON text. Raises MalformedJson."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedJson("the body is not UTF-8") from None
    if not text.strip(" \t\r\n"):
        raise MalformedJson("the body is empty")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=number,
            parse_int=_integer,
        )
    except RecursionError:
        raise MalformedJson(_TOO_DEEP) from None
    except MalformedJson:
        raise
    except ValueError as error:
        raise MalformedJson(f"the body is not JSON: {error}") from None
    _check_depth(value, 1)
    if _SURROGATE_ESCAPE.search(text):
        _check_surrogates(value)
    return value


_TOO_DEEP: Final = f"the body is nested more than {MAX_DEPTH} levels deep"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        repeated = next(key for key, count in counts.items() if count > 1)
        raise MalformedJson(f"the key {repeated[:64]!r} is repeated")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson(f"{name} is not a JSON number")


def number(text: str) -> Decimal:
    """A JSON number of any size as a Decimal that keeps the text it was sent as."""
    try:
        made = _Number(text)
    except InvalidOperation:
        made = _beyond_reach(text)
    made.text = text
    return made


def _beyond_reach(text: str) -> _Number:
    """A stand-in for a number whose exponent no Decimal holds: 0, next to 0, or infinite.

    It is JSON all the same, so the field refuses it, not the whole body.
    """
    mantissa, _, exponent = text.lower().partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    if not mantissa.strip("-.0"):
        return _Number(0)
    return _Number(sign + ("1e-999999" if exponent.startswith("-") else "Infinity"))


def _integer(text: str) -> int | Decimal:
    if text == "-0":
        return 0
    return int(text) if len(text) <= _MAX_INTEGER_DIGITS else number(text)


def _check_depth(value: Any, depth: int) -> None:
    if not isinstance(value, dict | list):
        return
    if depth > MAX_DEPTH:
        raise MalformedJson(_TOO_DEEP)
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            _check_depth(item, depth + 1)


def _check_surrogates(value: Any) -> None:
    match value:
        case str():
            if not value.isascii():
                try:
                    value.encode()
                except UnicodeEncodeError:
                    raise MalformedJson("a string contains a lone surrogate") from None
        case dict():
            for key, item in value.items():
                _check_surrogates(key)
                _check_surrogates(item)
        case list():
            for item in value:
                _check_surrogates(item)


# `json.dumps` makes an encoder for every value.
_encoded: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def dumps(value: Any) -> str:
    """Compact JSON; decimals are exact, and numbers out of `loads` go out as they came in."""
    match value:
        case _Number():
            return value.text
        case Decimal():
            return format(value, "f")
        case dict():
            return "{" + ",".join(f"{_encoded(k)}:{dumps(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(dumps, value)) + "]"
    return _encoded(value)
