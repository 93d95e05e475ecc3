"""The limits of a transaction, and the versions of the pages that it writes."""

from __future__ import annotations

from dataclasses import replace

from rollcall.domain.measures import RollupKey
from rollcall.ledger.page import Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.rollups import RollupDelete, RollupPut
from rollcall.ledger.transaction import MAX_ITEMS, PageWrite, Transaction
from rollcall.ledger.tree import EncodedPage

KEY = RollupKey("calls", ("ORG",), "2026-01-01")


def put(number: int, size: int = 0) -> RollupPut:
    key = KEY._replace(bucket=f"{number}")
    return RollupPut(key, {"calls": 1}, {"o": b"x" * size}, frozenset(), 1)


def page(size: int) -> PageWrite:
    return PageWrite("call", EncodedPage(FIRST, END, Rows.empty("call"), b"x" * size), 0)


def test_a_transaction_has_as_many_items_as_dynamodb_allows() -> None:
    most = [put(number) for number in range(MAX_ITEMS - 1)]
    full = Transaction.of([page(9)], most)
    assert (full.item_count, full.fits) == (MAX_ITEMS, True)
    for write in (RollupDelete(KEY, 1), put(MAX_ITEMS)):
        assert not Transaction.of([page(9)], [*most, write]).fits


def test_a_transaction_has_as_many_bytes_as_dynamodb_allows() -> None:
    """Items of every kind count, with their keys, up to 4 MB."""
    assert Transaction.of([page(350 * 1024)] * 10, []).fits
    assert not Transaction.of([page(350 * 1024)] * 11, []).fits
    puts = [put(number, 32 * 1024) for number in range(96)]
    assert Transaction.of([], puts).fits
    assert not Transaction.of([page(350 * 1024)] * 2, puts).fits


def test_a_written_page_has_the_next_version() -> None:
    write = replace(page(3), version_read=4)
    assert (write.version, write.written.version) == (5, 5)
    assert (write.written.start, write.written.end) == (FIRST, END)
