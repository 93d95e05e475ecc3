"""The bytes of an open breakdown of a rollup: its values, and the count of each.

They are a byte for the format, and compressed JSON: a list of the values and a list of their counts.
Integers ascend, each as the difference from the one before; null is "no value". No numpy: most
functions that read rollups do without it, and a breakdown of a few values is faster that way. See
docs/adr/0029-one-item-per-rollup.md for the figures.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from itertools import accumulate, pairwise
from operator import index
from typing import Final

from rollcall.domain.errors import CorruptItem
from rollcall.domain.measures import DURATION
from rollcall.domain.rules import open_name

FORMAT: Final = b"\x01"
# The breakdowns whose values are integers.
_OF_INTEGERS: Final = frozenset({DURATION})


def encode(breakdown: str, counts: Mapping[str, int]) -> bytes:
    """The bytes of counts by measure, all of one breakdown; equal counts have equal bytes."""
    values: list[str | int | None]
    if breakdown in _OF_INTEGERS:
        named = sorted((int(name[2:]), name) for name in counts)
        integers = [value for value, _ in named]
        names = [name for _, name in named]
        values = [*integers[:1], *(after - before for before, after in pairwise(integers))]
    else:
        names = sorted(counts)
        values = [name[2:] if name != breakdown else None for name in names]
    listed = [values, [counts[name] for name in names]]
    text = json.dumps(listed, ensure_ascii=False, separators=(",", ":"))
    return FORMAT + zlib.compress(text.encode(), wbits=-zlib.MAX_WBITS)


def decode(breakdown: str, data: bytes) -> dict[str, int]:
    """The counts by measure, without zeros. Raises CorruptItem on damaged or unknown bytes."""
    if data[:1] != FORMAT:
        raise CorruptItem(f"breakdown {breakdown!r} of a rollup has an unknown format")
    try:
        values, counts = json.loads(zlib.decompress(data[1:], -zlib.MAX_WBITS))
        if breakdown in _OF_INTEGERS:
            values = list(map(str, accumulate(values)))
        names = [_name(breakdown, value) for value in values]
        return dict(zip(names, map(index, counts), strict=True))
    except (zlib.error, ValueError, TypeError) as error:
        raise CorruptItem(f"breakdown {breakdown!r} of a rollup is damaged: {error}") from error


def _name(breakdown: str, value: object) -> str:
    if value is None or isinstance(value, str):
        return open_name(breakdown, value)
    raise TypeError("a value is not a text")
