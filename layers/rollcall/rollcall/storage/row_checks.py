"""Decodes every row of a stored page or segment, and checks that a fact can have it."""

from __future__ import annotations

import struct
from collections.abc import Collection
from decimal import InvalidOperation
from typing import Final

from rollcall.domain.errors import CorruptItem
from rollcall.domain.facts import REV_LIMIT
from rollcall.domain.records import Kind, RecordType
from rollcall.domain.time.calendar import LAST_MS
from rollcall.domain.validation import is_id
from rollcall.ledger.page import Row
from rollcall.ledger.tree import Page

# The errors that damaged bytes of a column can cause when its rows are decoded.
DAMAGE: Final = (
    CorruptItem,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    StopIteration,
    InvalidOperation,
    struct.error,
)


def checked_rows(page: Page, record_type: RecordType) -> list[Row]:
    """The rows of a page. Raises an error of `DAMAGE` when no fact can have such a row."""
    _decode_columns(page, record_type)
    required = [column.name for column in record_type.paged if column.required]
    rows = list(page.rows)
    for row in rows:
        _check_row(row, required)
    return rows


def _decode_columns(page: Page, record_type: RecordType) -> None:
    for column in record_type.paged:
        if column.kind in (Kind.INTEGER, Kind.FLAG):
            page.rows.integers(column.name)
        elif column.kind in (Kind.TEXT, Kind.ID):
            page.rows.texts(column.name)
        elif column.kind is Kind.IDS:
            page.rows.lists(column.name)


def _check_row(row: Row, required: Collection[str]) -> None:
    if not (0 <= row.time_ms <= LAST_MS and 0 < row.rev < REV_LIMIT and is_id(row.id)):
        raise CorruptItem("the id, time or revision of a row is out of range")
    if row.record and any(getattr(row.record, name) is None for name in required):
        raise CorruptItem("a row lacks a required field")
