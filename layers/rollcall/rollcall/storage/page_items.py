"""Ledger pages as items of DynamoDB."""

from __future__ import annotations

import base64
from typing import Final

from rollcall.domain.errors import CorruptItem
from rollcall.ledger.page import Rows
from rollcall.ledger.tree import Page
from rollcall.storage import attributes as av
from rollcall.storage.attributes import Item
from rollcall.storage.conditions import VERSION

DATA: Final = "data"


def page_of_item(record_type: str, item: Item) -> Page:
    """A stored page. Raises CorruptItem, which names the page, on a format it does not know."""
    start = av.text(item, "start")
    try:
        rows = Rows.decode(record_type, binary(item, DATA))
    except CorruptItem as error:
        raise CorruptItem(f"the {record_type} page at {start}: {error}") from error
    return Page(start, av.text(item, "end"), av.integer(item, VERSION), rows)


def binary(item: Item, name: str) -> bytes:
    """A binary attribute. Raises CorruptItem when it is missing or of another type."""
    data = item.get(name, {}).get("B")
    if isinstance(data, str):  # as Lambda and the CLI print binary attributes
        data = base64.b64decode(data)
    if not isinstance(data, bytes):
        raise CorruptItem(f"attribute {name!r} is not binary")
    return data
