"""The values of a dimension, the most frequent first, with the names that records give them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Final

from rollcall.domain.errors import MAX_GROUPS, TooManyGroups, TooManyNames, TooManyValues
from rollcall.domain.time.periods import Bounds
from rollcall.query.coding import GroupValue
from rollcall.query.datasets import Dataset
from rollcall.query.fields import Field
from rollcall.query.lookups import Lookup
from rollcall.query.model import Reading, Selection
from rollcall.query.reports.query import RecordQuery, ReportQuery

MAX_LOOKUPS: Final = 5_000
_LOOKUPS_AT_ONCE: Final = 500

# The records that name the values of a dimension: their type, and the first field of these that a
# record has.
_NAMED_BY: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "space_token": ("space", ("name",)),
    "campaign_id": ("campaign", ("name",)),
    "workspace_id": ("workspace", ("name",)),
    "label": ("label", ("name",)),
    "room_id": ("room", ("display_name", "name")),
    "booking_page_id": ("booking_page", ("title",)),
}


@dataclass(frozen=True, slots=True)
class ValuesQuery:
    """The values that records of a selection have in a field.

    With `part`, only values are listed that have it in their text or in their name, in any case.
    """

    dataset: Dataset
    field: Field
    selection: Selection
    bounds: Bounds
    part: str
    limit: int


@dataclass(frozen=True, slots=True)
class NamedValue:
    """A value, its name (None if no record gives it one), and how many records have the value."""

    value: GroupValue
    name: str | None
    count: int


class ReportValues:
    """Lists values."""

    def __init__(self, report: ReportQuery, look_up: Lookup) -> None:
        self._report = report
        self._look_up = look_up

    def __call__(self, reading: Reading, query: ValuesQuery) -> list[NamedValue]:
        """At most `limit` values, the most frequent first, and equally frequent ones by value.

        Raises TooManyRows; TooManyValues if there are more than `MAX_GROUPS`; and TooManyNames if
        more than `MAX_LOOKUPS` names are needed to find those with `part`.
        """
        values = self._counted(reading, query)
        found: list[NamedValue] = []
        seen = 0
        at_once = _LOOKUPS_AT_ONCE if query.part else query.limit
        while len(found) < query.limit and (some := list(islice(values, at_once))):
            seen += len(some)
            if query.field.name in _NAMED_BY and seen > MAX_LOOKUPS:
                raise TooManyNames(MAX_LOOKUPS)
            names = self._names(reading, query.field, [value for value, _ in some])
            named = (NamedValue(value, names.get(value), count) for value, count in some)
            found += [each for each in named if _has_part(each, query.part)]
        return found[: query.limit]

    def _counted(self, reading: Reading, query: ValuesQuery) -> Iterator[tuple[GroupValue, int]]:
        """(value, count) in order, without null."""
        measure, *_ = query.dataset.measures.values()
        counts = RecordQuery(
            query.dataset,
            measures=(measure,),
            dimensions=(query.field,),
            selection=query.selection,
            bounds=query.bounds,
            previous=None,
            order=(),
            first_row=0,
            limit=MAX_GROUPS,
            has_others=False,
        )
        try:
            report = self._report(reading, counts)
        except TooManyGroups:
            raise TooManyValues from None
        for row in report.rows:
            (value,), (count,) = row.values, row.measures
            if value is not None:
                yield value, int(count or 0)

    def _names(
        self, reading: Reading, field: Field, values: Sequence[GroupValue]
    ) -> dict[GroupValue, str]:
        if field.name not in _NAMED_BY:
            return {}
        record_type, columns = _NAMED_BY[field.name]
        names: dict[GroupValue, str] = {}
        facts = self._look_up(reading, record_type, [str(value) for value in values])
        for fact in facts.values():
            # A tombstone has no record, and so no name.
            given = (getattr(fact.record, column, None) for column in columns)
            name = next((text for text in given if text is not None), None)
            if name is not None:
                names[fact.id] = name
        return names


def _has_part(named: NamedValue, part: str) -> bool:
    texts = (_text(named.value), named.name or "")
    return any(part.casefold() in text.casefold() for text in texts)


def _text(value: GroupValue) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
    return str(value)
