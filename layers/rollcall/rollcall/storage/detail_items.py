"""The item beside a fact that holds its detail: compressed JSON, and the hash of the JSON."""

from __future__ import annotations

import json
import zlib
from decimal import Decimal
from typing import Any, Final

from rollcall.domain.errors import CorruptItem
from rollcall.domain.facts import detail_hash
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item

# More than any detail has, with the escapes of its JSON.
_MOST_BYTES: Final = 1_048_576


def item_of_detail(fact_key: keys.Key, detail: str) -> Item:
    """The item of a detail, from its JSON text."""
    key = keys.detail(fact_key)
    content = zlib.compress(detail.encode())
    return av.to_item(
        {keys.PK: key.pk, keys.SK: key.sk, "hash": detail_hash(detail), "detail": content}
    )


def detail_of_item(item: Item) -> tuple[str, dict[str, Any]]:
    """The hash and the detail that `item_of_detail` stored. Raises CorruptItem on anything else."""
    stored = av.text(item, "hash")
    try:
        inflate = zlib.decompressobj()
        content = inflate.decompress(bytes(item["detail"]["B"]), _MOST_BYTES)
        text = content.decode()
        detail = json.loads(text, parse_float=Decimal)
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise CorruptItem(f"not a detail: {type(error).__name__}") from error
    if not inflate.eof or not isinstance(detail, dict) or detail_hash(text) != stored:
        raise CorruptItem("a detail does not have its hash")
    return stored, detail
