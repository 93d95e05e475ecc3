"""Lay out JSON and aligned lines for a terminal. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

WIDTH = 96


def pretty(
    value: Any, width: int = WIDTH, *, most: int | None = None, indent: int = 0, taken: int = 0
) -> str:
    """JSON in which every value that fits on the rest of its line stays on it.

    A list of more than `most` entries is cut to about that many lines: its first entries, how many
    are left out (if three or more), and its last entry. `taken` is how many characters of the first
    line are in use, including the indentation.
    """
    flat = json.dumps(value, ensure_ascii=False)
    if taken + len(flat) <= width or not (isinstance(value, dict | list) and value):
        return flat
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    inner = indent + 2
    entries = [
        (label, pretty(item, width, most=most, indent=inner, taken=inner + len(label) + 1))
        for label, item in _labelled(value)
    ]
    if all(not isinstance(item, dict | list) for _, item in _labelled(value)):
        lines = _filled([label + text for label, text in entries], width - inner)
    else:
        lines = [f"{label}{text}," for label, text in entries]
        lines[-1] = lines[-1].removesuffix(",")
        if isinstance(value, list) and most is not None:
            lines = _cut(lines, most)
    margin = "\n" + " " * inner
    return f"{opening}{margin}{margin.join(lines)}\n{' ' * indent}{closing}"


def _labelled(value: dict[str, Any] | list[Any]) -> list[tuple[str, Any]]:
    """The items of a value, each with its label: the name of a field, or nothing."""
    if isinstance(value, dict):
        return [(f"{json.dumps(name, ensure_ascii=False)}: ", item) for name, item in value.items()]
    return [("", item) for item in value]


def _cut(entries: list[str], most: int) -> list[str]:
    if len(entries) <= most:
        return entries
    room = most - _lines(entries[-1])
    kept = 0
    for entry in entries:
        room -= _lines(entry)
        if room < 0:
            break
        kept += 1
    kept = max(1, kept)
    left_out = len(entries) - kept - 1
    return entries if left_out < 3 else [*entries[:kept], f"… {left_out} more", entries[-1]]


def _lines(text: str) -> int:
    return text.count("\n") + 1


def _filled(entries: Sequence[str], width: int) -> list[str]:
    """The entries, separated by commas, in as few lines as possible."""
    lines = [entries[0]]
    for entry in entries[1:]:
        # The comma that follows counts too.
        if len(lines[-1]) + len(entry) + 3 <= width:
            lines[-1] += f", {entry}"
        else:
            lines[-1] += ","
            lines.append(entry)
    return lines


def aligned(rows: Sequence[tuple[str, str]], indent: str = "  ") -> str:
    """A line for each (name, value), with the values in one column."""
    widest = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{indent}{name:<{widest}}  {value}" for name, value in rows)


def costs(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The X-Rollcall headers: the cost of an answer, and how fresh it is."""
    return [(name, value) for name, value in headers if name.lower().startswith("x-rollcall-")]
