"""Rollup items, read and written by their description in docs/data-model.md.

Imports nothing of rollcall.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from itertools import accumulate, pairwise
from typing import Any

Item = Mapping[str, Mapping[str, Any]]

META = frozenset({"PK", "SK", "GSI1PK", "GSI1SK", "v", "whole", "applied_at"})
MARK = {"BOOL": True}
_OF_INTEGERS = "t"


def measures_of(item: Item) -> dict[str, int]:
    """Every measure, closed and open, by its name."""
    found: dict[str, int] = {}
    for name, value in item.items():
        if name in META or value == MARK:
            continue
        if "N" in value:
            found[name] = int(value["N"])
        else:
            found |= _decoded(name, value["B"])
    return found


def marks_of(item: Item) -> set[str]:
    """The breakdowns that are marked as spilled."""
    return {name for name, value in item.items() if name not in META and value == MARK}


def with_measures(item: Item, measures: Mapping[str, int]) -> dict[str, Any]:
    """The item with exactly these measures beside its marks; one of a JSON tool if it was one."""
    is_text = any(isinstance(value.get("B"), str) for value in item.values())
    found = {name: value for name, value in item.items() if name in META or value == MARK}
    opened: dict[str, dict[str, int]] = {}
    for name, count in measures.items():
        if name[1:2] in ("", "="):
            opened.setdefault(name[0], {})[name] = count
        else:
            found[name] = {"N": str(count)}
    for letter, counts in opened.items():
        data = _encoded(letter, counts)
        found[letter] = {"B": base64.b64encode(data).decode() if is_text else data}
    return found


def _decoded(letter: str, data: bytes | str) -> dict[str, int]:
    raw = base64.b64decode(data) if isinstance(data, str) else data
    assert raw[0] == 1
    values, counts = json.loads(zlib.decompress(raw[1:], wbits=-15))
    assert len(values) == len(counts) > 0
    if letter == _OF_INTEGERS:
        assert all(step > 0 for step in values[1:])
        values = list(accumulate(values))
    assert len(set(values)) == len(values)
    assert 0 not in counts
    names = [letter if value is None else f"{letter}={value}" for value in values]
    return dict(zip(names, counts, strict=True))


def _encoded(letter: str, counts: Mapping[str, int]) -> bytes:
    values: list[Any] = [name[2:] if name != letter else None for name in counts]
    if letter == _OF_INTEGERS:
        ascending = sorted((int(value), counts[f"{letter}={value}"]) for value in values)
        integers = [value for value, _ in ascending]
        values = [*integers[:1], *(b - a for a, b in pairwise(integers))]
        listed = [values, [count for _, count in ascending]]
    else:
        listed = [values, list(counts.values())]
    packer = zlib.compressobj(wbits=-15)
    return b"\x01" + packer.compress(json.dumps(listed).encode()) + packer.flush()
