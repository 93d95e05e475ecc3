"""Narrowing a failure down: which of some rows cannot be applied, while the others are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from rollcall.domain.errors import LastingConflict
from rollcall.ledger.page import Row

Rows: TypeAlias = Sequence[tuple[str, Row]]

# Enough to find several rows among the 1,000 of a batch; half a second of reads.
MAX_ATTEMPTS: Final = 64


def isolate(
    rows: Rows, apply: Callable[[Rows], None], may_pass: Callable[[Exception], bool]
) -> list[tuple[Rows, Exception]]:
    """Apply rows, and return the parts that cannot be applied, each with its error.

    A part that fails is halved until single rows are left. After MOST_ATTEMPTS a part that fails is
    returned whole, with rows in it that could be applied alone. Raises the first error that may
    pass: some rows may be in then, and all may safely be applied again.
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
            # A LastingConflict took every retry, with their pauses: its halves would take as long.
            is_slow = isinstance(error, LastingConflict)
            if len(part) == 1 or is_slow or attempts >= MAX_ATTEMPTS:
                failed.append((part, error))
            else:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
    return failed
