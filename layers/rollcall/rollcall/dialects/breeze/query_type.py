"""What a type of query is: its name, the components that it needs, and its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from rollcall.query.components import Cell, Component, Count, Sum
from rollcall.query.conditions import Condition
from rollcall.query.fields import Field

RowT = TypeVar("RowT", bound=Mapping[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsType(Generic[RowT]):
    """A type of query whose rows are made from all selected records together.

    `description` says in the API reference what the rows are, and in which order. `row` is the
    TypedDict of a row, and `rows` makes all rows from a cell of `components`.
    """

    name: str
    description: str
    components: tuple[Component, ...]
    row: type[RowT]
    rows: Callable[[Cell], list[RowT]]
    is_about_leads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsType(Generic[RowT]):
    """A type of query that counts records by a field. `rows` makes all rows from the counts.

    No count is zero, and None is "no value".
    """

    name: str
    description: str
    by: Field
    row: type[RowT]
    rows: Callable[[Mapping[Any, int]], list[RowT]]
    is_about_leads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTimeType(Generic[RowT]):
    """A type of query with a row per bucket of local time, of the calls for which `where` holds.

    `row_of` makes a row from a bucket and the amount of each of the `components`.
    """

    name: str
    description: str
    components: tuple[Count | Sum, ...]
    row: type[RowT]
    row_of: Callable[..., RowT]
    where: Condition | None = None
    is_about_leads: bool = False


QueryType: TypeAlias = TotalsType[Any] | CountsType[Any] | OverTimeType[Any]
