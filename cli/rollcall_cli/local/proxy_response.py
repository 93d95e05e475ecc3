"""Parse a function's answer as API Gateway's Lambda proxy integration does. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

_KEYS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Lambda delivers no larger answer: "Response payload size exceeded maximum allowed payload size".
MAX_PAYLOAD_BYTES = 6_291_556
# The gateway writes these itself.
_OWN_HEADERS = {"content-length", "transfer-encoding", "connection"}


class MalformedAnswer(ValueError):
    """The function's answer is not a Lambda proxy response; the client gets a 5xx."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response to the client."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def parse_answer(answer: Any, *, decodes_binary: bool) -> HttpResponse:
    """The HTTP response that a function's answer describes. Raises MalformedAnswer.

    `decodes_binary` is whether the client accepts one of the API's binary media types; if not, a
    base64 body is sent without decoding.
    """
    if not isinstance(answer, dict):
        raise MalformedAnswer(f"expected an object, not {type(answer).__name__}")
    if (
        len(json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        > MAX_PAYLOAD_BYTES
    ):
        raise MalformedAnswer(
            f"more than {MAX_PAYLOAD_BYTES:,} bytes, which Lambda does not deliver"
        )
    if set(answer) - _KEYS:
        raise MalformedAnswer(f"unknown keys {', '.join(sorted(set(answer) - _KEYS))}")
    status = _status(answer.get("statusCode"))
    headers = _headers(answer)
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    body = answer.get("body")
    if body is None:
        body = ""
    if not isinstance(body, str):
        raise MalformedAnswer("body must be a string or null")
    encoded = answer.get("isBase64Encoded", False)
    if not isinstance(encoded, bool):
        raise MalformedAnswer("isBase64Encoded must be a boolean")
    try:
        if encoded and decodes_binary:
            content = base64.b64decode(body, validate=True)
        else:
            content = body.encode("utf-8")
    except (binascii.Error, UnicodeEncodeError) as error:
        raise MalformedAnswer(f"body: {error}") from error
    return HttpResponse(status, tuple(headers), content)


def _status(value: Any) -> int:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 200 <= value <= 599:
        raise MalformedAnswer("statusCode must be an integer from 200 to 599")
    return value


def _headers(answer: dict[str, Any]) -> list[tuple[str, str]]:
    single, multiple = (
        {} if answer.get(key) is None else answer[key] for key in ("headers", "multiValueHeaders")
    )
    if not isinstance(single, dict) or not isinstance(multiple, dict):
        raise MalformedAnswer("headers and multiValueHeaders must be objects")
    return [
        (name, _header_value(name, value))
        for name, value in _header_pairs(single, multiple)
        if name.lower() not in _OWN_HEADERS
    ]


def _header_pairs(single: dict[str, Any], multiple: dict[str, Any]) -> list[tuple[str, Any]]:
    """The headers of both objects, without the single ones that the other object repeats."""
    pairs: list[tuple[str, Any]] = []
    for name, values in multiple.items():
        if not isinstance(values, list):
            raise MalformedAnswer(f"multiValueHeaders.{name} must be a list")
        pairs += [(name, value) for value in values]
    taken = {(name.lower(), str(value)) for name, value in pairs}
    return pairs + [(n, v) for n, v in single.items() if (n.lower(), str(v)) not in taken]


def _header_value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        value = str(value).lower()
    if not isinstance(value, str | int | float):
        raise MalformedAnswer(f"header {name} must be a string, number or boolean")
    text = str(value)
    is_printable = all(character == "\t" or " " <= character != "\x7f" for character in text)
    if not _HEADER_NAME.fullmatch(name) or not is_printable or max(text, default=" ") > "\xff":
        raise MalformedAnswer(f"header {name!r} cannot be sent")
    return text
