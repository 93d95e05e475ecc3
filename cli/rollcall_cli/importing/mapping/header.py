"""Compare the header of a CSV file with a map, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence

from rollcall.mapping.fields import nearest
from rollcall.mapping.maps import Map
from rollcall_cli.errors import CommandError
from rollcall_cli.importing.columns import UnknownColumns
from rollcall_cli.importing.mapping.map_file import NamedMap
from rollcall_cli.text import printable


def check_columns(file_name: str, columns: Sequence[str], named: NamedMap) -> list[str]:
    """What to report of a header. Raises UnknownColumns where the map and the header do not meet.

    That is a required field without any of its columns, and a column that the map neither reads nor
    skips.
    """
    chosen = named.map
    _check_joined(file_name, columns, named)
    missing = _missing(chosen, [*chosen.required, *named.asked], columns)
    if missing:
        raise UnknownColumns(
            f"{file_name}: no column for {len(missing)} required fields with {named.name};"
            " nothing was sent",
            [(name, f"the map reads {_listed(_sources(chosen, name))}") for name in missing],
            f"the header has {_listed(columns)}",
        )
    if "*" not in chosen.skip:
        _check_skipped(file_name, columns, named)
    absent = _missing(chosen, list(chosen.fields), columns)
    return [f"{file_name} has no column for {_listed(absent)}"] if absent else []


def _check_joined(file_name: str, columns: Sequence[str], named: NamedMap) -> None:
    join = named.map.join
    for name in (join.start, join.length) if join else ():
        if name not in columns:
            raise CommandError(
                f"{file_name} has no column {name}, by which {named.name} joins rows;"
                " nothing was sent"
            )


def _check_skipped(file_name: str, columns: Sequence[str], named: NamedMap) -> None:
    chosen = named.map
    unknown = [name for name in columns if name not in {*chosen.reads, *chosen.skip}]
    if unknown:
        raise UnknownColumns(
            f"{file_name}: {named.name} neither reads nor skips {len(unknown)} columns;"
            " nothing was sent",
            [(name, f"nearest are {nearest(name, chosen.reads)}") for name in unknown],
            'add them to skip, or skip = "*" for all others',
        )


def _missing(chosen: Map, fields: Sequence[str], columns: Sequence[str]) -> list[str]:
    return [name for name in fields if not _has_source(chosen, name, columns)]


def _sources(chosen: Map, name: str) -> list[str]:
    return [source for rule in chosen.fields.get(name, []) for source in rule.sources]


def _has_source(chosen: Map, name: str, columns: Sequence[str]) -> bool:
    """Whether a field has a constant, a fixed value, or a column of these."""
    has_value = any(rule.value is not None for rule in chosen.fields.get(name, []))
    return name in chosen.constants or has_value or bool({*_sources(chosen, name)} & {*columns})


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(printable, names)) or "nothing"
