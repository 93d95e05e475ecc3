"""Adds up columns by key, in numpy and exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rollcall.ledger.columns import Indices, Int64s
from rollcall.query.masks import Mask
from rollcall.query.numbering import is_dense

# A table of columns, row by row: its rows are equally long.
Rows: TypeAlias = list[Int64s]
# Amounts of rows: integers, whether a row is counted, or None where each row counts one.
Amounts: TypeAlias = Int64s | Mask | None

# The number of columns, at least, that are merged at once.
MERGED_AT_ONCE: Final = 65_536
_NARROW: Final = 2**31


def narrow(values: Int64s) -> Int64s:
    """The integers, as 32 bits if all of them fit."""
    found: NDArray[Any] = values
    if int(values.min()) > -_NARROW and int(values.max()) < _NARROW:
        found = values.astype(np.int32, copy=False)
    return found


def added_up(rows: Rows, key_rows: int) -> Rows:
    """Add up the columns whose first `key_rows` rows are equal; ascending by those rows.

    The rows in the list are replaced one by one, so that memory never holds all of them twice.
    """
    if len(rows[0]) < 2:
        return rows
    keys = rows[:key_rows]
    # A constant key has nothing to sort: the totals of a query have one group.
    varying = [row for row in keys if row.min() != row.max()] or [keys[0]]
    order = _order(varying)
    del keys, varying
    begins = np.zeros(len(order), dtype=np.bool_)
    begins[0] = True
    for n in range(key_rows):
        rows[n] = rows[n][order]
        begins[1:] |= rows[n][1:] != rows[n][:-1]
    starts = np.flatnonzero(begins)
    for n, row in enumerate(rows):
        rows[n] = (
            row[starts] if n < key_rows else np.add.reduceat(row[order], starts, dtype=np.int64)
        )
    return rows


def _order(keys: Rows) -> Indices:
    """What sorts columns by one or two rows of keys."""
    if len(keys) == 1:
        return np.argsort(keys[0], kind="stable")
    first, second = (row.astype(np.int64, copy=False) for row in keys)
    low, width = int(second.min()), int(second.max()) - int(second.min()) + 1
    start = int(first.min())
    if (int(first.max()) - start + 1) * width >= 2**62:
        return np.lexsort((second, first))
    # One row is sorted in a tenth of the time: what is merged is mostly in order.
    return np.argsort((first - start) * width + (second - low), kind="stable")


def by_key(keys: Int64s) -> tuple[Int64s, Callable[[Amounts], Int64s]]:
    """(distinct keys in ascending order, what adds up amounts of the rows by key).

    Amounts are below 2^32, and rows at most 2^20.
    """
    low, high = int(keys.min()), int(keys.max())
    if low == high:
        one = keys[:1]
        return one, lambda of: np.full_like(one, len(keys) if of is None else of.sum())
    if is_dense(high - low, len(keys)):
        places = keys - low
        counts = np.bincount(places)
        present = np.flatnonzero(counts)
        found = present + low
    else:
        found, places, counts = np.unique(keys, return_inverse=True, return_counts=True)
        present = np.arange(len(found))

    def added(amounts: Amounts) -> Int64s:
        sums: Int64s = counts if amounts is None else np.bincount(places, weights=amounts)
        return sums[present].astype(np.int64)

    return found, added


def count_by(keys: Int64s) -> tuple[Int64s, Int64s]:
    """(distinct keys in ascending order, the number of times that each occurs)."""
    low = int(keys.min())
    if not is_dense(int(keys.max()) - low, len(keys)):
        found, counts = np.unique(narrow(keys), return_counts=True)  # 32 bits are sorted sooner
        return found.astype(np.int64), counts
    counts = np.bincount(keys - low)
    present = np.flatnonzero(counts)
    return present + low, counts[present]
