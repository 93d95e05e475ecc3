"""Transcripts as platforms export them, as the turns of a call's detail."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

# `Agent: Hello.` A role of more words is probably part of what was said.
_ROLE = re.compile(r"\s*([^\s:]{1,32})\s*:\s+(.*)", re.DOTALL)
_ROLES = ("role", "user", "speaker")
_TEXTS = ("text", "message", "content")
_TIMES = ("at_seconds", "time_in_call_secs", "secondsFromStart")


def turns_of(value: object) -> list[dict[str, Any]]:
    """The turns of a list of objects, or of a text with a turn on each line.

    An entry without words, such as the call of a tool, is left out. A line without a role belongs to
    the turn before it. Raises ValueError for any other value.
    """
    if isinstance(value, str):
        return _of_lines(value)
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return [turn for each in value if (turn := _of_object(each)) is not None]
    raise ValueError("must be a text or a list of objects")


def _of_lines(text: str) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    for line in filter(str.strip, text.splitlines()):
        match = _ROLE.fullmatch(line)
        if match is not None:
            turns.append({"role": match[1], "text": match[2].strip()})
        elif turns:
            turns[-1]["text"] += f"\n{line.strip()}"
        else:
            turns.append({"role": "", "text": line.strip()})
    return turns


def _of_object(entry: dict[str, Any]) -> dict[str, Any] | None:
    text = _first(entry, _TEXTS, str)
    if not text:
        return None
    turn = {"role": _first(entry, _ROLES, str) or "", "text": text}
    at = _first(entry, _TIMES, int | Decimal)
    return turn if at is None or isinstance(at, bool) or at < 0 else {**turn, "at_seconds": at}


def _first(entry: dict[str, Any], names: tuple[str, ...], kind: Any) -> Any:
    """The first value of a kind under any of the names."""
    return next((entry[name] for name in names if isinstance(entry.get(name), kind)), None)
