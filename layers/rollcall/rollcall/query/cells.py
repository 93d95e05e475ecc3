"""The components of one group of rows, as measures read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from rollcall.ledger.columns import Int64s
from rollcall.query.coding import ValueCoder
from rollcall.query.components import Count, Sum, Values

# A sum has two halves; the lower one has this many bits per row.
LOW_BITS: Final = 32


class CountedValues:
    """The distinct values of a group of rows, with the number of rows of each."""

    def __init__(self, codes: Int64s, counts: Int64s, coder: ValueCoder) -> None:
        self._codes = codes
        self._counts = counts
        self._coder = coder

    @property
    def distinct(self) -> int:
        """The number of distinct values."""
        return len(self._codes)

    @property
    def count(self) -> int:
        """The number of rows that have a value."""
        return int(self._counts.sum())

    def texts(self) -> dict[str, int]:
        """The number of rows of each value of a field of texts or of lists."""
        pairs = zip(self._codes.tolist(), self._counts.tolist(), strict=True)
        return {self._coder.text(code): count for code, count in pairs}

    def integers(self) -> dict[int, int]:
        """The number of rows of each value of a field of integers."""
        return dict(zip(self._codes.tolist(), self._counts.tolist(), strict=True))

    @property
    def total(self) -> Decimal:
        """The exact sum of the values of all rows; 0 if there are none."""
        return self._coder.total(self._codes, self._counts)

    def percentile(self, percent: int) -> Decimal | None:
        """The smallest value that at least `percent` percent of the rows do not exceed."""
        if not len(self._codes):
            return None
        codes, counts = self._coder.ordered(self._codes, self._counts)
        running = np.cumsum(counts)
        rank = max(1, -(-percent * int(running[-1]) // 100))
        place = int(np.searchsorted(running, rank))
        return self._coder.decoded(int(codes[place]))


class GroupCell:
    """The components of one group."""

    def __init__(
        self,
        slot_of: Mapping[Count | Sum, int],
        amounts: Sequence[int],
        values: Mapping[Values, Sequence[Int64s]],
        coders: Mapping[Values, ValueCoder],
    ) -> None:
        self._slot_of = slot_of
        self._amounts = amounts
        self._values = values
        self._coders = coders

    def integer(self, component: Count | Sum) -> int:
        """A count or a sum, exact."""
        slot = self._slot_of[component]
        low = self._amounts[slot]
        if isinstance(component, Sum):
            return (self._amounts[slot + 1] << LOW_BITS) + low
        return low

    def values(self, component: Values) -> CountedValues:
        """The values of a field."""
        codes, counts = self._values[component]
        return CountedValues(codes, counts, self._coders[component])
