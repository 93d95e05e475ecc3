"""JSON values that are records already: passed on as they are, if they are strict JSON objects."""

from __future__ import annotations

import json

from rollcall.api import strict_json
from rollcall.mapping.fields import NOT_UTF_8, Fault


class Documents:
    """Checks records; `record_type` is the type of those without one."""

    def __init__(self, record_type: str | None) -> None:
        self._head = b'{"type":' + json.dumps(record_type).encode() if record_type else None

    def convert(self, content: bytes) -> bytes | tuple[Fault, ...]:
        """The bytes of a strict JSON object; any other value would make its batch malformed."""
        value = parsed(content)
        if isinstance(value, Fault):
            return (value,)
        if self._head is None or "type" in value:
            return content
        return self._head + (b"," if value else b"") + content[1:].lstrip(b" \t\r\n")


def parsed(content: bytes) -> dict[str, object] | Fault:
    """The JSON object, or the fault."""
    try:
        value = strict_json.loads(content)
    except strict_json.MalformedJson as error:
        message = str(error).replace("the body ", "")
        return Fault("record", NOT_UTF_8 if message == "is not UTF-8" else message)
    if not isinstance(value, dict):
        return Fault("record", "is not a JSON object")
    return value
