"""The map of an import: a file of the user, or one that ships with Rollcall."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from rollcall.mapping.maps import BadMap, Map, parse_map, preset_text
from rollcall.mapping.times import zone_named
from rollcall_cli.errors import CommandError


@dataclass(frozen=True, slots=True)
class NamedMap:
    """A map, and the name of its file or preset for messages.

    `content` is all that it follows from. A field in `asked` must have a column.
    """

    name: str
    map: Map = field(repr=False)
    content: str
    asked: tuple[str, ...] = ()


def read_map(path: Path, *, by_row: bool = False) -> NamedMap:
    """The map in a file; `by_row` is one that joins no rows, although its file says so.

    Raises CommandError, which names each key that is wrong, and the rule.
    """
    try:
        content = path.read_text("utf-8")
    except OSError as error:
        raise CommandError(f"--map {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"--map {path} is not UTF-8") from error
    try:
        chosen = parse_map(content, f"--map {path}")
    except BadMap as error:
        raise CommandError(str(error)) from error
    return _named(path.name, chosen, content, by_row=by_row)


def read_preset(name: str, *, by_row: bool = False) -> NamedMap:
    """A map that ships with Rollcall; `by_row` as in `read_map`. Raises CommandError."""
    try:
        content = preset_text(name)
        chosen = parse_map(content, name)
    except BadMap as error:
        raise CommandError(f"--from: {error}") from error
    return _named(name, chosen, content, by_row=by_row)


def _named(name: str, chosen: Map, content: str, *, by_row: bool) -> NamedMap:
    if not by_row:
        return NamedMap(name, chosen.joining, content)
    if chosen.join is None:
        raise CommandError(f"--legs: {name} joins no rows")
    return NamedMap(name, chosen.by_row, content + "by row")


def in_currency(named: NamedMap, code: str) -> NamedMap:
    """The map with the currency of a `--currency`. Raises CommandError."""
    if not re.fullmatch("[A-Z]{3}", code):
        raise CommandError(f"--currency: {code} is no code of a currency, such as EUR")
    if named.map.currency is None:
        raise CommandError(f"--currency: {named.name} reads no currency")
    changed = named.map.model_copy(update={"currency": code})
    return replace(named, map=changed, content=named.content + code)


def zone_option(name: str | None) -> ZoneInfo | None:
    """The zone of a `--timezone`; None if none is named. Raises CommandError."""
    try:
        return zone_named(name)
    except ValueError as error:
        raise CommandError(f"--timezone: {error}") from error
