"""What a type of query is: its name, the measures that it needs, and its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from rollcall.domain.measures import Group
from rollcall.domain.time.buckets import Bucket
from rollcall.query.results import Tally

RowT = TypeVar("RowT", bound=Mapping[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyType(Generic[RowT]):
    """A type of query whose rows are made from the measures of all selected records together.

    `description` says in the API reference what the rows are, and in which order. `row` is the
    TypedDict of a row, and `rows` makes all rows from a tally of `groups`.
    """

    name: str
    description: str
    groups: tuple[Group, ...]
    row: type[RowT]
    rows: Callable[[Tally], list[RowT]]
    is_about_leads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTimeType(Generic[RowT]):
    """A type of query with a row per bucket of local time.

    With `is_timed`, only calls with a duration are counted, and their seconds are added up; without
    it, all calls are counted. `row_of` makes a row from a bucket, its count and its seconds.
    """

    name: str
    description: str
    is_timed: bool
    row: type[RowT]
    row_of: Callable[[Bucket, int, int], RowT]
    is_about_leads: bool = False


QueryType: TypeAlias = TallyType[Any] | OverTimeType[Any]
