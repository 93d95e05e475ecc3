"""Answers as CSV, read back and compared with rows of the query oracle.

It imports nothing of `rollcall`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.oracle import is_number
from tests.support.oracle_zones import local
from tests.support.query_oracle import Query
from tests.support.query_records import Content

ESCAPED = ("=", "+", "-", "@", "\t", "\r")


def table_difference(text: str, query: Query, rows: Sequence[Content]) -> str | None:
    """Where CSV differs from the rows of an answer: RFC 4180, a header, numbers by value."""
    header = [*query.dimensions, *query.measures]
    if query.has_comparison:
        header += [f"previous.{name}" for name in query.measures]
    found = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    if not text.endswith("\r\n") or found[:1] != [header]:
        return f"header {found[:1]}, expected {header}"
    if len(found) - 1 != len(rows):
        return f"{len(found) - 1} lines, expected {len(rows)}"
    for line, row in zip(found[1:], rows, strict=True):
        values = [row[name] for name in [*query.dimensions, *query.measures]]
        values += row.get("previous", {}).values()
        if len(line) != len(values) or not all(map(is_cell_of, line, values)):
            return f"line {line}, expected {values}"
    return None


def is_cell_of(cell: str, value: Any) -> bool:
    if value is None:
        return cell == ""
    if isinstance(value, bool):
        return cell == ("true" if value else "false")
    if is_number(value):
        try:
            return bool(Decimal(cell) == value)
        except InvalidOperation:
            return False
    text = str(value)
    return cell == (f"'{text}" if text.startswith(ESCAPED) else text)


def file_name(query: Query) -> str:
    """`rollcall-<dataset>-<from>_<to>.csv`, with local dates."""
    ends = [local_date(end, query.zone) for end in query.span]
    return f"rollcall-{query.dataset}-{ends[0]}_{ends[1]}.csv"


def local_date(moment: int | None, zone: ZoneInfo) -> str:
    return "all" if moment is None else local(moment, zone).date().isoformat()
