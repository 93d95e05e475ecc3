"""Counting and adding up by integer key, exactly, whatever the size of the sums."""

from __future__ import annotations

from typing import Final

import numpy as np

from rollcall.ledger.columns import Int32s, Int64s

# The lower part of a value when it is split: sums of 2^20 of them are exact in a double.
_LOW_BITS: Final = 32
_LOW_MASK: Final = 2**_LOW_BITS - 1


def count_by(keys: Int64s | Int32s) -> tuple[Int64s, Int64s]:
    """(distinct keys in ascending order, how often each occurs)."""
    low, span = _span(keys)
    if span > 4 * len(keys) + 1024:
        found, counts = np.unique(keys, return_counts=True)
        return found.astype(np.int64), counts.astype(np.int64)
    counts = np.bincount(keys - low, minlength=0)
    present = np.flatnonzero(counts)
    return present + low, counts[present].astype(np.int64)


def sum_by(keys: Int64s, values: Int64s) -> tuple[Int64s, list[int]]:
    """(distinct keys in ascending order, the exact sum of the values of each).

    At most 2^20 values at once, none negative and each below 2^63.
    """
    found, inverse = np.unique(keys, return_inverse=True)
    # numpy adds weights as doubles, which are exact up to 2^53.
    low = np.bincount(inverse, weights=values & _LOW_MASK)
    high = np.bincount(inverse, weights=values >> _LOW_BITS)
    return found, [
        (int(upper) << _LOW_BITS) + int(lower)
        for upper, lower in zip(high.tolist(), low.tolist(), strict=True)
    ]


def _span(keys: Int64s | Int32s) -> tuple[int, int]:
    low = int(keys.min())
    return low, int(keys.max()) - low + 1
