"""Components: the aggregates that measures are computed from.

Components of groups of rows can be merged, which averages and percentiles cannot. Several measures
share a component, which is then read and counted once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Protocol, TypeAlias

from rollcall.query.conditions import Condition
from rollcall.query.fields import Field


@dataclass(frozen=True, slots=True)
class Count:
    """The number of rows, or of those for which a condition holds."""

    where: Condition | None = None
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Components are looked up for every rollup, and the hash of a condition takes long.
        object.__setattr__(self, "_hash", hash(self.where))

    def __hash__(self) -> int:
        """The hash of the condition."""
        return self._hash


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of a field of integers, in stored units; null adds nothing."""

    field: Field


@dataclass(frozen=True, slots=True)
class Values:
    """The distinct values of a field, each with the number of its rows; null is left out.

    Of a list, each entry is a value. Of a payload key, only numbers are values.
    """

    field: Field


Component: TypeAlias = Count | Sum | Values

ALL_ROWS: Final = Count()


class ValueCounts(Protocol):
    """The distinct values of a group of rows, with the number of rows of each."""

    @property
    def distinct(self) -> int:
        """The number of distinct values."""

    @property
    def count(self) -> int:
        """The number of rows that have a value."""

    def texts(self) -> dict[str, int]:
        """The number of rows of each value of a field of texts or of lists."""

    def integers(self) -> dict[int, int]:
        """The number of rows of each value of a field of integers, in stored units."""

    @property
    def total(self) -> Decimal:
        """The exact sum of the values of all rows; 0 if there are none."""

    def percentile(self, percent: int) -> Decimal | None:
        """The smallest value that at least `percent` percent of the rows do not exceed.

        0 is the least value and 100 the greatest; None if there are no values.
        """


class Cell(Protocol):
    """The components of one group of rows."""

    def integer(self, component: Count | Sum) -> int:
        """A count or a sum, exact."""

    def values(self, component: Values) -> ValueCounts:
        """The values of a field."""
