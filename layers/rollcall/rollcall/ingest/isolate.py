"""Isolates the rows that cannot be applied, and applies the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from rollcall.domain.errors import LastingConflict
from rollcall.ledger.page import Row

Rows: TypeAlias = Sequence[tuple[str, Row]]

# Enough to find several rows among the 1,000 of a batch; about half a second of reads.
MAX_ATTEMPTS: Final = 64


def isolate(
    rows: Rows, apply: Callable[[Rows], None], may_pass: Callable[[Exception], bool]
) -> list[tuple[Rows, Exception]]:
    """Apply rows, and return the parts that cannot be applied, each with its error.

    A part that fails is halved until single rows are left. After MAX_ATTEMPTS a part that fails is
    returned whole, although some of its rows might be applied alone. Raises the first error for
    which `may_pass` is true: some rows may be applied then, and it is safe to apply all of them
    again.
    """
    failed: list[tuple[Rows, Exception]] = []
    parts = [rows]
    attempts = 0
    while parts:
        part = parts.pop()
        attempts += 1
        try:
            apply(part)
        except Exception as error:
            if may_pass(error):
                raise
            # A LastingConflict used every retry and its pauses; each half would take as long.
            is_slow = isinstance(error, LastingConflict)
            if len(part) == 1 or is_slow or attempts >= MAX_ATTEMPTS:
                failed.append((part, error))
            else:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
    return failed
