"""Breeze's types of query: their rows for any figures, and what their declarations promise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.dialects.breeze.query_type import CountsType, OverTimeType, TotalsType
from rollcall.dialects.breeze.query_types import QUERY_TYPE_OF, QUERY_TYPES
from rollcall.domain.time.buckets import Bucket
from rollcall.query.components import Cell, Values
from rollcall.query.datasets import DATASETS
from rollcall.query.fields import Type
from tests.support.groups import groups

TOTALS_TYPES = [each for each in QUERY_TYPES if isinstance(each, TotalsType)]
COUNTS_TYPES = [each for each in QUERY_TYPES if isinstance(each, CountsType)]
OVER_TIME_TYPES = [each for each in QUERY_TYPES if isinstance(each, OverTimeType)]


@st.composite
def cells(draw: st.DrawFn, of: TotalsType[Any]) -> Cell:
    """Any figures of the components of a type."""
    counts = st.dictionaries(st.integers(0, 999), st.integers(1, 9), max_size=3)
    amounts = {each: 0 for each in of.components if not isinstance(each, Values)}
    values = {each: draw(counts) for each in of.components if isinstance(each, Values)}
    chosen = draw(st.dictionaries(st.sampled_from([*amounts]), st.integers(0, 1_000)))
    return groups(None, of.components, (0, (), amounts | chosen, values)).whole()


@st.composite
def counts(draw: st.DrawFn, of: CountsType[Any]) -> dict[Any, int]:
    """Any counts by the field of a type."""
    values: list[Any] = [*(of.by.choices or ("a", "", "é", "N/A"))]
    if of.by.type is Type.NUMBER:
        values = [*range(of.by.least, of.by.most + 1)]
    elif not of.is_about_leads:
        values.append(None)
    return draw(st.dictionaries(st.sampled_from(values), st.integers(1, 1_000), max_size=12))


def check(query_type: Any, rows: list[Any]) -> None:
    for row in rows:
        assert list(row) == list(query_type.row.__annotations__)
        assert all(value >= 0 for name, value in row.items() if name in ("count", "calls", "total"))
    if "rank" in query_type.row.__annotations__:
        assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))


@pytest.mark.property
@pytest.mark.parametrize("query_type", TOTALS_TYPES, ids=lambda each: each.name)
@given(st.data())
def test_rows_of_totals_have_the_declared_fields_and_sane_figures(
    query_type: Any, data: st.DataObject
) -> None:
    check(query_type, query_type.rows(data.draw(cells(query_type))))


@pytest.mark.property
@pytest.mark.parametrize("query_type", COUNTS_TYPES, ids=lambda each: each.name)
@given(st.data())
def test_rows_of_counts_have_the_declared_fields_and_count_every_record(
    query_type: Any, data: st.DataObject
) -> None:
    found = data.draw(counts(query_type))
    rows = query_type.rows(found)
    check(query_type, rows)
    if query_type.name in ("top_outcomes", "sentiment_distribution"):
        found.pop(None, None)
    assert sum(row["count"] for row in rows) == sum(found.values())
    if query_type.by.choices or query_type.by.type is Type.NUMBER:
        assert len(rows) == (len(query_type.by.choices) or query_type.by.most + 1)
    else:
        ordered = [row["count"] for row in rows]
        assert ordered == sorted(ordered, reverse=True)


@pytest.mark.parametrize("query_type", OVER_TIME_TYPES, ids=lambda each: each.name)
def test_a_row_over_time_has_its_bucket_and_its_count(query_type: OverTimeType[Any]) -> None:
    for count, seconds in ((0, 0), (4, 10)):
        amounts = (count, seconds)[: len(query_type.components)]
        row = query_type.row_of(Bucket(7, "2024-02-29"), *amounts)
        assert list(row) == list(query_type.row.__annotations__)
        assert (row["date"], row["count"]) == ("2024-02-29", count)
        if query_type.where is not None:
            assert row["avg_duration"] == (2.5 if count else None)


def test_every_type_is_declared_once_with_what_it_needs() -> None:
    assert len(QUERY_TYPE_OF) == len(QUERY_TYPES)
    for name, query_type in QUERY_TYPE_OF.items():
        assert query_type.name == name
        assert query_type.description
        assert query_type.row.__annotations__
    for counts_type in COUNTS_TYPES:
        dataset = DATASETS["leads" if counts_type.is_about_leads else "calls"]
        assert dataset.fields[counts_type.by.name] == counts_type.by
