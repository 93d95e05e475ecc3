"""Stored items, and the answers that hold them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from tests.support.emulator import capacity

Attribute = dict[str, Any]
Attributes = dict[str, Attribute]
# Names of attributes that a request asks for; None for all.
Projection = tuple[str, ...] | None

_PROJECTED_NAME = re.compile(r"#?\w+")


class Item:
    """An item and its size in bytes. Nothing changes an item in place.

    Made of attributes, or of their JSON text, which takes a fraction of the memory. Texts and
    projections are kept, so that answering costs next to nothing the second time.
    """

    __slots__ = ("_content", "_text", "_views", "size")

    def __init__(self, content: Attributes | str, size: int) -> None:
        self._content = content
        self._text = content if isinstance(content, str) else None
        self._views: dict[Projection, Item] = {}
        self.size = size

    @classmethod
    def of(cls, attributes: Attributes) -> Item:
        return cls(attributes, capacity.item_bytes(attributes))

    @property
    def attributes(self) -> Attributes:
        if isinstance(self._content, str):
            parsed: Attributes = json.loads(self._content)
            return parsed
        return self._content

    @property
    def text(self) -> str:
        """The attributes as JSON."""
        if self._text is None:
            self._text = attributes_text(self.attributes)
        return self._text

    def view(self, names: Projection) -> Item:
        """The item with those of the attributes that it has."""
        if names is None:
            return self
        if names not in self._views:
            kept = {name: value for name, value in self.attributes.items() if name in names}
            self._views[names] = Item.of(kept)
        return self._views[names]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Item) and self.attributes == other.attributes

    def __hash__(self) -> int:
        return hash(self.text)


def key_of(attributes: Attributes) -> tuple[str, str]:
    """The partition key and the sort key."""
    return attributes["PK"]["S"], attributes["SK"]["S"]


def projection(asked: Mapping[str, Any]) -> Projection:
    """What a request's ProjectionExpression asks for: names of whole attributes."""
    if "ProjectionExpression" not in asked:
        return None
    aliases = asked.get("ExpressionAttributeNames", {})
    terms = [term.strip() for term in asked["ProjectionExpression"].split(",")]
    if not all(map(_PROJECTED_NAME.fullmatch, terms)):
        raise NotImplementedError(asked["ProjectionExpression"])
    return tuple(aliases.get(term, term) for term in terms)


def attributes_text(attributes: Attributes) -> str:
    """Attributes as JSON, binary in base64."""
    return json.dumps(attributes, separators=(",", ":"), default=_base64)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def plain(answer: Any) -> Any:
    """An answer with the attributes of every item in it."""
    match answer:
        case Item():
            return answer.attributes
        case dict():
            return {name: plain(value) for name, value in answer.items()}
        case list():
            return [plain(value) for value in answer]
    return answer


def json_text(answer: Any) -> str:
    """An answer as JSON, with the text of every item in it."""
    match answer:
        case Item():
            return answer.text
        case dict():
            members = (f"{json.dumps(name)}:{json_text(value)}" for name, value in answer.items())
            return f"{{{','.join(members)}}}"
        case list():
            return f"[{','.join(map(json_text, answer))}]"
    return json.dumps(answer)
