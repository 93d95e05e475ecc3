"""The answer to a query as a table, and as bars beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rich.cells import cell_len, chop_cells

from rollcall.query.fields import PAYLOAD_PREFIX
from rollcall_cli.console import print_table, stdout_columns, stdout_is_terminal
from rollcall_cli.text import printable

_GAP = 2  # between two columns
_LEAST_BAR = 8
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LIKE_JSON = re.compile(r"|null|true|false|-?[0-9].*")


def print_answer(
    answer: dict[str, Any], dimensions: Sequence[str], measures: Sequence[str]
) -> None:
    """Print an answer as tables that fit stdout, the last row with the totals.

    Null is printed as `null`. With a comparison, `previous.<measure>` follows each measure. On a
    terminal, one measure by one dimension has bars.
    """
    keys, figures = _columns(answer, dimensions, measures)
    width = stdout_columns()
    for n, panel in enumerate(_panels(keys, figures, width)):
        if n:
            print()
        bars = []
        if len(keys) == len(figures) == 1 and stdout_is_terminal():
            bars = _bars(answer["rows"], measures[0], width - _width(panel))
        _print_columns([*panel, *bars], {column.title for column in keys}, width)
    print()
    for line in _footer(answer, dimensions):
        print(line)


def _print_columns(columns: Sequence[_Column], keys: Collection[str], width: int) -> None:
    print_table(
        [column.title for column in columns],
        list(zip(*(column.cells for column in columns), strict=True)),
        wrapped=[c.title for c in columns if c.title in keys or c.width > width // 2],
        right=[column.title for column in columns if column.is_number],
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """A column with its cells from top to bottom; numbers are at the right."""

    title: str
    cells: tuple[str, ...]
    is_number: bool

    @property
    def width(self) -> int:
        """The width in characters of a terminal."""
        return max(map(cell_len, (*self.title.split("\n"), *self.cells)))


def _columns(
    answer: dict[str, Any], dimensions: Sequence[str], measures: Sequence[str]
) -> tuple[list[_Column], list[_Column]]:
    """(the columns of dimensions, those of measures)."""
    rows = answer["rows"]
    keys = [_dimension(name, rows, is_first=n == 0) for n, name in enumerate(dimensions)]
    figures = []
    for name in measures:
        figures.append(_measure(name, [*rows, *([answer["totals"]] if dimensions else [])], name))
        if "previous_totals" in answer:
            compared = [row["previous"] for row in rows]
            compared += [answer["previous_totals"]] if dimensions else []
            figures.append(_measure(f"previous.{name}", compared, name))
    return keys, figures


def _panels(keys: list[_Column], figures: list[_Column], width: int) -> Iterator[list[_Column]]:
    """Tables that fit a width: as many measures as possible beside the dimensions.

    Dimensions are wrapped if they take more than half of the width.
    """
    figures = [_narrowed(column, width // 4) for column in figures]
    of_keys = min(_width(keys), width // 2)
    panel: list[_Column] = []
    for column in figures:
        if panel and of_keys + _width([*panel, column]) - _GAP > width:
            yield [*keys, *panel]
            panel = []
        panel.append(column)
    yield [*keys, *panel]


def _bars(rows: Sequence[dict[str, Any]], measure: str, width: int) -> list[_Column]:
    """A column with a bar for each row, the greatest as wide as possible.

    Nothing if no amount is above zero, or if there is too little room.
    """
    amounts = [max(0, row[measure] or 0) for row in rows]
    most = max(amounts, default=0)
    if not most or width < _LEAST_BAR:
        return []
    drawn = [_bar(amount, most, width) for amount in amounts]
    return [_Column("", (*drawn, ""), is_number=False)]


def _footer(answer: dict[str, Any], dimensions: Sequence[str]) -> Iterator[str]:
    for name in ("period", "previous_period"):
        if name in answer:
            start = answer[name]["from"] or "the first record"
            end = answer[name]["to"] or "the last record"
            yield f"{name.removesuffix('_period'):<8}  {start} to {end}"
    for row in answer["rows"]:
        if row.get("complete") is False:
            yield f"open      {shown(row[dimensions[0]])}"


def shown(value: Any, name: str = "") -> str:
    """A value in a cell; a text that could be taken for null or for a number is quoted."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            is_ambiguous = value in ("", "null") or (
                name.startswith(PAYLOAD_PREFIX) and _LIKE_JSON.fullmatch(value) is not None
            )
            return json.dumps(value, ensure_ascii=False) if is_ambiguous else printable(value)
        case Decimal():
            return format(value, "f")
    return str(value)


def _dimension(name: str, rows: Sequence[dict[str, Any]], *, is_first: bool) -> _Column:
    cells = ["(others)" if row.get("others") else shown(row[name], name) for row in rows]
    present = [row[name] for row in rows if row[name] is not None]
    is_number = bool(present) and all(map(_is_number, present))
    return _Column(name, (*cells, "TOTAL" if is_first else ""), is_number)


def _measure(title: str, rows: Sequence[dict[str, Any]], name: str) -> _Column:
    values = [row[name] for row in rows]
    places = max((_places(value) for value in values), default=0)
    cells = ("null" if value is None else f"{value:,.{places}f}" for value in map(_exact, values))
    return _Column(title, tuple(cells), is_number=True)


def _exact(value: Any) -> Any:
    """The number as a Decimal, because an integer would be formatted as a float."""
    return Decimal(value) if isinstance(value, int) else value


def _places(value: Any) -> int:
    return max(0, -int(value.as_tuple().exponent)) if isinstance(value, Decimal) else 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _narrowed(column: _Column, width: int) -> _Column:
    """The column with its title in several lines if it is wider than its cells."""
    least = max(width, *map(cell_len, column.cells)) if column.cells else width
    return _Column("\n".join(chop_cells(column.title, least)), column.cells, column.is_number)


def _width(columns: Sequence[_Column]) -> int:
    return sum(column.width + _GAP for column in columns)


def _bar(amount: int | Decimal, most: int | Decimal, width: int) -> str:
    whole, rest = divmod(Fraction(amount) * 8 * width // Fraction(most), 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")
