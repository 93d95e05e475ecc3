"""Positions: the place of a row in the ledger, as a sortable string.

A position is the fact's time in milliseconds and a hash of its id, both of fixed width, so that
string order is (time, hash) order. Rows of types whose time is optional are at time 0.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

FIRST: Final = "000000000000000.0000000000000000"
END: Final = "~"


class Span(NamedTuple):
    """The positions from `start` to just before `end`."""

    start: str
    end: str


def position(time_ms: int, fact_id: str) -> str:
    """The position of a fact; `FIRST` ≤ position < `END` always."""
    return f"{time_ms:015d}.{hashlib.blake2b(fact_id.encode(), digest_size=8).hexdigest()}"


def floor(time_ms: int) -> str:
    """A string that sorts after all positions before `time_ms`, and before all others."""
    return f"{time_ms:015d}"


def just_before(text: str) -> str:
    """A string that sorts before a position or a `floor`, and after all positions before it."""
    return f"{text[:-1]}{chr(ord(text[-1]) - 1)}{END}"


def time_of(position_text: str) -> int:
    """The time of a position, or of a `floor`."""
    return int(position_text[:15])
