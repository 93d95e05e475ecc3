"""The names and the first rows of a file; any names are accepted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from rollcall.mapping.conversion import text_of
from rollcall.mapping.fields import Fault
from rollcall_cli.importing.delimited import read_header, read_rows
from rollcall_cli.importing.documents import parsed
from rollcall_cli.importing.json_values import Shape, read_lines, read_values, shape_of
from rollcall_cli.importing.lines import Lines
from rollcall_cli.importing.source import Position, Source


def sample_csv(
    source: Source, delimiter: str | None, count: int
) -> tuple[list[str], list[list[str]]]:
    """The names of the columns, and the cells of the first rows."""
    header = read_header(source.head, (), delimiter)
    taken: list[list[str]] = []

    def keep(cells: list[str]) -> bytes:
        taken.append(cells)
        return b""

    position = source.advance(Position.start(), header.end.offset, header.end.lines)
    if position is not None:
        list(islice(read_rows(Lines(source.chunks(), position), header, keep), count))
    return header.columns, taken


def sample_json(source: Source, format: str, count: int) -> tuple[list[str], list[list[str]]]:
    """The JSON pointers of the first values that are no objects and no lists, and those values."""
    shape = shape_of(source.head) if format == "json" else Shape("lines")
    taken: list[dict[str, str]] = []

    def keep(content: bytes) -> bytes:
        value = parsed(content)
        if not isinstance(value, Fault):
            taken.append(dict(_scalars(value, "")))
        return b""

    position = source.advance(Position.start(), shape.start, 0)
    if position is not None:
        rows = (
            read_lines(Lines(source.chunks(), position), keep)
            if shape.kind == "lines"
            else read_values(source.chunks(), position, keep, shape.kind)
        )
        list(islice(rows, count))
    names = list(dict.fromkeys(name for row in taken for name in row))
    return names, [[row.get(name, "") for name in names] for row in taken]


def sample(
    source: Source, format: str, delimiter: str | None, count: int
) -> tuple[list[str], list[list[str]]]:
    """The names and the texts of the first rows of a file of this format."""
    if format == "csv":
        return sample_csv(source, delimiter, count)
    return sample_json(source, format, count)


def _scalars(value: object, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _scalars(inner, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
    elif value is not None and not isinstance(value, list):
        yield pointer, text_of(value)
