"""What the demo prints: the answers as they came, laid out for people; never any I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

WIDTH = 96


def pretty(value: Any, width: int = WIDTH, indent: int = 0, taken: int = 0) -> str:
    """JSON in which whatever fits on the rest of a line stays on it.

    `taken` is how much of the first line is used already, the indentation included.
    """
    flat = json.dumps(value, ensure_ascii=False)
    if taken + len(flat) <= width or not (isinstance(value, dict | list) and value):
        return flat
    inner = indent + 2
    lines = []
    if isinstance(value, dict):
        for name, item in value.items():
            label = f"{json.dumps(name, ensure_ascii=False)}: "
            lines.append(label + pretty(item, width, inner, inner + len(label) + 1))
        opening, closing = "{}"
    else:
        lines = [pretty(item, width, inner, inner + 1) for item in value]
        opening, closing = "[]"
    margin = "\n" + " " * inner
    return f"{opening}{margin}{f',{margin}'.join(lines)}\n{' ' * indent}{closing}"


def aligned(rows: Sequence[tuple[str, str]], indent: str = "  ") -> str:
    """A line for each (name, value), the values below one another."""
    widest = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{indent}{name:<{widest}}  {value}" for name, value in rows)


def costs(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The X-Rollcall headers, which say what an answer cost and how fresh it is."""
    return [(name, value) for name, value in headers if name.lower().startswith("x-rollcall-")]
