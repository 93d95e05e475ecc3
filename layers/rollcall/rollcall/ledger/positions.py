"""Positions: where a fact lives in its ledger, as a sortable text.

A position is the fact's time in milliseconds and a hash of its id, both of fixed width, so that
text order is (time, hash) order. Types whose time is optional sit at time 0.
"""

from __future__ import annotations

import hashlib
from typing import Final

FIRST: Final = "000000000000000.0000000000000000"
END: Final = "~"


def position(time_ms: int, fact_id: str) -> str:
    """The position of a fact; `FIRST` ≤ position < `END` always."""
    return f"{time_ms:015d}.{hashlib.blake2b(fact_id.encode(), digest_size=8).hexdigest()}"


def floor(time_ms: int) -> str:
    """A text that sorts after every position before `time_ms`, and before every one from it on."""
    return f"{time_ms:015d}"


def time_of(position_text: str) -> int:
    """The time of a position, or of a `floor`."""
    return int(position_text[:15])
