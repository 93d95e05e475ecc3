"""What pure functions of the product return, kept for the next world that asks the same.

Schedules write alike records into small pages, so most columns are encoded, deflated and decoded many
times over. None of these functions sees the store, the clock or the random numbers: a schedule does what it
would do without this module. Columns are immutable, so several pages may share one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any
from unittest.mock import patch

import numpy as np

from rollcall.ledger import breakdowns, encoded, page, segments
from rollcall.ledger.columns import Encoding, IntColumn, TextColumn, compress
from rollcall.ledger.page import Rows

# Of each function; the least recently used goes. Together a few ten megabytes.
_kept = lru_cache(maxsize=20_000)
_Coded = tuple[Encoding, bytes]


def _of_integers(encode: Callable[[IntColumn], _Coded]) -> Callable[[IntColumn], _Coded]:
    @_kept
    def kept(values: bytes) -> _Coded:
        return encode(IntColumn(np.frombuffer(values, dtype=np.int64)))

    return lambda column: kept(column.values.tobytes())


def _of_texts(encode: Callable[[TextColumn], _Coded]) -> Callable[[TextColumn], _Coded]:
    @_kept
    def kept(words: tuple[str, ...], codes: bytes) -> _Coded:
        return encode(TextColumn(words, np.frombuffer(codes, dtype=np.int32)))

    return lambda column: kept(tuple(column.words), column.codes.tobytes())


_deflate = _kept(compress)
_decoded = _kept(encoded.decoded)
_KEPT: tuple[tuple[Any, str, Any], ...] = (
    (IntColumn, "encode", _of_integers(IntColumn.encode)),
    (TextColumn, "encode", _of_texts(TextColumn.encode)),
    (page, "compress", _deflate),
    (segments, "compress", _deflate),
    (encoded, "decoded", _decoded),
    (segments, "decoded", _decoded),
    (Rows, "decode", staticmethod(_kept(Rows.decode))),
    (breakdowns, "_deflated", _kept(breakdowns._deflated)),
    (breakdowns, "_inflated", _kept(breakdowns._inflated)),
)


@contextmanager
def remembering() -> Iterator[None]:
    """Let what was encoded and decoded once be found the next time."""
    with ExitStack() as stack:
        for place, name, kept in _KEPT:
            stack.enter_context(patch.object(place, name, kept))
        yield
