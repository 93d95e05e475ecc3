"""Rollup items, read and written by their description in docs/data-model.md.

Imports nothing of rollcall.
"""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections.abc import Mapping
from itertools import accumulate, pairwise
from typing import Any

Item = Mapping[str, Mapping[str, Any]]

META = frozenset({"PK", "SK", "GSI1PK", "GSI1SK", "v", "whole", "applied_at"})
MARK = {"BOOL": True}
# Calls by status, calls by disposition, and events, in the order of docs/data-model.md.
SHORT = {
    "s": "qu queued ri ringing ip in_progress co completed fa failed bu busy na no_answer ca canceled",
    "d": "nr need_retry wc wrong_country_code nf need_follow_up vl voicemail_left su successful "
    "us unsuccessful wn wrong_number co completed ur unreachable er error",
    "e": "tm take_message ss sms_sent ct call_transferred cb calendar_booked es email_sent",
}
_OF_INTEGERS = "t"


def measures_of(item: Item) -> dict[str, int]:
    """Every measure, closed and open, by its name in full."""
    found: dict[str, int] = {}
    for name, value in item.items():
        if name in META or value == MARK:
            continue
        if "N" in value:
            measure = _in_full(name)
            found[measure] = found.get(measure, 0) + int(value["N"])
        else:
            found |= _decoded(name, value["B"])
    return found


def marks_of(item: Item) -> set[str]:
    """The breakdowns that are marked as spilled."""
    return {name for name, value in item.items() if name not in META and value == MARK}


def with_measures(item: Item, measures: Mapping[str, int]) -> dict[str, Any]:
    """The item with exactly these measures beside its marks; one of a JSON tool if it was one.

    In the form before format 2 and short names, which is read as well.
    """
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


def _in_full(name: str) -> str:
    letter, dot, short = name.partition(".")
    words = SHORT.get(letter, "").split() if dot else []
    in_full = dict(zip(words[::2], words[1::2], strict=True))
    return letter + dot + in_full.get(short, short)


def _decoded(letter: str, data: bytes | str) -> dict[str, int]:
    raw = base64.b64decode(data) if isinstance(data, str) else data
    if raw[0] == 1:
        values, counts = json.loads(zlib.decompress(raw[1:], wbits=-15))
        if letter == _OF_INTEGERS:
            assert all(step > 0 for step in values[1:])
            values = list(accumulate(values))
    else:
        assert raw[0] == 2
        values, counts = (_integers if letter == _OF_INTEGERS else _texts)(io.BytesIO(raw[1:]))
    assert len(values) == len(counts) > 0
    assert len(set(values)) == len(values)
    assert 0 not in counts
    names = [letter if value is None else f"{letter}={value}" for value in values]
    return dict(zip(names, counts, strict=True))


def _integers(data: io.BytesIO) -> tuple[list[Any], list[int]]:
    """The least integer, the width of a count, and the counts, all lowest bytes first."""
    first, width = _integer(data), _integer(data)
    planes = zlib.decompress(data.read(), wbits=-15)
    size = len(planes) // width
    assert len(planes) == width * size
    dense = [int.from_bytes(planes[n::size], "little") for n in range(size)]
    assert dense[0]
    assert dense[-1]
    found = [(first + n, count) for n, count in enumerate(dense) if count]
    return [value for value, _ in found], [count for _, count in found]


def _texts(data: io.BytesIO) -> tuple[list[Any], list[int]]:
    """Twice their number, and one more if the first is null; the counts; lengths and UTF-8."""
    number, has_null = divmod(_integer(data), 2)
    counts = [_integer(data) for _ in range(number)]
    texts = io.BytesIO(zlib.decompress(data.read(), wbits=-15))
    lengths = [_integer(texts) for _ in range(number - has_null)]
    values = [texts.read(length).decode() for length in lengths]
    assert not texts.read()
    return [None] * has_null + values, counts


def _integer(data: io.BytesIO) -> int:
    byte = data.read(1)[0]
    return byte if byte < 128 else byte - 128 + 128 * _integer(data)


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
