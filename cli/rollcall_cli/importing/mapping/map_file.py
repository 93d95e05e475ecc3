"""The map of an import: a file of the user, or one that ships with Rollcall."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from rollcall.mapping.maps import BadMap, Map, parse_map, preset_text
from rollcall.mapping.times import zone_named
from rollcall_cli.errors import CommandError


@dataclass(frozen=True, slots=True)
class NamedMap:
    """A map, and the name of its file or preset for messages."""

    name: str
    map: Map = field(repr=False)
    content: str


def read_map(path: Path) -> NamedMap:
    """The map in a file. Raises CommandError, which names each key that is wrong, and the rule."""
    try:
        content = path.read_text("utf-8")
    except OSError as error:
        raise CommandError(f"--map {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"--map {path} is not UTF-8") from error
    try:
        return NamedMap(path.name, parse_map(content, f"--map {path}"), content)
    except BadMap as error:
        raise CommandError(str(error)) from error


def read_preset(name: str) -> NamedMap:
    """A map that ships with Rollcall. Raises CommandError."""
    try:
        content = preset_text(name)
        return NamedMap(name, parse_map(content, name), content)
    except BadMap as error:
        raise CommandError(f"--from: {error}") from error


def zone_option(name: str | None) -> ZoneInfo | None:
    """The zone of a `--timezone`; None if none is named. Raises CommandError."""
    try:
        return zone_named(name)
    except ValueError as error:
        raise CommandError(f"--timezone: {error}") from error
