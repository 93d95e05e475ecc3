"""Groups hold what adding up row by row gives, however rows are split into chunks."""

from __future__ import annotations

import gc
import weakref
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import TooManyGroups
from rollcall.domain.records import Call
from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.periods import EVER
from rollcall.ledger.page import Row, Rows
from rollcall.query import chunks, grouping, pairs, sums
from rollcall.query.coding import ValueCoder
from rollcall.query.components import ALL_ROWS, Component, Count, Sum, Values
from rollcall.query.conditions import equals
from rollcall.query.datasets import PAYLOAD_AGGREGATES, call_field, payload_measure
from rollcall.query.fields import field_of_key
from rollcall.query.filtering import Selected
from rollcall.query.grouping import GroupBuilder, GroupedRows
from rollcall.query.model import Aggregation, Dimension, Selection, TimeBucket

DAY = 86_400_000
ANSWERED = Count(equals(call_field("answered"), True))
COST = Sum(call_field("cost"))
DURATIONS = Values(call_field("duration_seconds"))
LEADS = Values(call_field("lead_id"))
LABELS = Values(call_field("label"))
NUMBERS = Values(field_of_key("n"))
COMPONENTS: tuple[Component, ...] = (ANSWERED, COST, DURATIONS, LEADS, NUMBERS)
DIMENSIONS = {
    "day": TimeBucket(Granularity.DAY),
    "outcome": call_field("outcome"),
    "attempt": call_field("attempt"),
    "answered": call_field("answered"),
    "label": call_field("label"),
    "n": field_of_key("n"),
}
# Some fit into 62 bits with nine decimals, and some do not.
PAYLOADS: list[Any] = [
    None,
    "1",
    True,
    *map(Decimal, ("1", "0.1", "-2.5", "1E+30", "1E-30", "7E+9")),
]

calls = st.builds(
    Call,
    started_at_ms=st.integers(0, 3).map(lambda day: day * DAY + 1),
    status=st.just("completed"),
    outcome=st.sampled_from([None, "a", "b"]),
    lead_id=st.sampled_from([None, "1", "2", "3"]),
    duration_seconds=st.sampled_from([None, 0, 5, 10**9]),
    cost_micros=st.sampled_from([None, 0, 1, 2**62, 2**53 + 1]),
    attempt=st.integers(1, 3),
    answered=st.booleans(),
    labels=st.lists(st.sampled_from("xyz"), unique=True).map(lambda v: tuple(sorted(v))),
    payload=st.dictionaries(st.just("n"), st.sampled_from(PAYLOADS)),
)


def selected(found: list[Call], first: int = 0) -> Selected:
    rows = [Row(str(first + n), 1, call.started_at_ms, call) for n, call in enumerate(found)]
    return Selected(Rows.empty("call").with_rows({}, rows), None)


def stored(page: Selected) -> Selected:
    return Selected(Rows.decode("call", page.rows.encode()), page.indices)


def builder(*dimensions: Dimension) -> GroupBuilder:
    return GroupBuilder(Aggregation(Selection("call"), EVER, dimensions, COMPONENTS))


def values_of(call: Call, name: str) -> list[Any]:
    """The groups of a call; a value comes with its type, since true equals 1 in Python."""
    match name:
        case "day":
            return [(int, call.started_at_ms // DAY)]
        case "label":
            return [(str, label) for label in call.labels] or [(type(None), None)]
        case "n":
            value = call.payload.get("n")
            return [(type(value), value)]
    value = getattr(call, name)
    return [(type(value), value)]


def keys_of(call: Call, names: list[str]) -> Iterator[tuple[Any, ...]]:
    if not names:
        yield ()
        return
    for value in values_of(call, names[0]):
        for rest in keys_of(call, names[1:]):
            yield (value, *rest)


def content(found: list[Call]) -> dict[str, Any]:
    numbers = [v for call in found if isinstance(v := call.payload.get("n"), Decimal)]
    durations = [c.duration_seconds for c in found if c.duration_seconds is not None]
    return {
        "rows": len(found),
        "answered": sum(call.answered for call in found),
        "cost": sum(call.cost_micros or 0 for call in found),
        "leads": len({call.lead_id for call in found} - {None}),
        "durations": percentiles(durations),
        "numbers": percentiles(numbers),
        "total": sum(map(Fraction, numbers)),
        "count": len(numbers),
    }


def percentiles(values: list[Any]) -> list[Any]:
    ordered = sorted(values)
    ranks = [max(1, -(-percent * len(ordered) // 100)) for percent in (0, 50, 90, 99, 100)]
    return [ordered[rank - 1] for rank in ranks] if ordered else [None] * 5


def content_of(cell: Any) -> dict[str, Any]:
    return {
        "rows": cell.integer(ALL_ROWS),
        "answered": cell.integer(ANSWERED),
        "cost": cell.integer(COST),
        "leads": cell.values(LEADS).distinct,
        "durations": [cell.values(DURATIONS).percentile(p) for p in (0, 50, 90, 99, 100)],
        "numbers": [cell.values(NUMBERS).percentile(p) for p in (0, 50, 90, 99, 100)],
        "total": Fraction(cell.values(NUMBERS).total),
        "count": cell.values(NUMBERS).count,
    }


def by_type(grouped: GroupedRows) -> dict[tuple[Any, ...], int]:
    return {tuple((type(v), v) for v in values): index for values, index in grouped}


@given(
    st.lists(calls, max_size=25),
    st.lists(st.sampled_from(sorted(DIMENSIONS)), max_size=3, unique=True),
    st.integers(1, 7),
    st.integers(1, 9),
)
def test_groups_are_what_each_row_adds(
    found: list[Call], names: list[str], size: int, chunk: int
) -> None:
    expected: defaultdict[tuple[Any, ...], list[Call]] = defaultdict(list)
    for call in found:
        for key in keys_of(call, names):
            expected[key].append(call)
    with (
        patch.object(chunks, "CHUNK_ROWS", chunk),
        patch.object(sums, "MERGED_AT_ONCE", chunk),
        patch.object(pairs, "MERGED_AT_ONCE", chunk),
    ):
        adding = builder(*(DIMENSIONS[name] for name in names))
        starts = range(0, len(found), size)
        adding.add_rows(selected(found[start : start + size], start) for start in starts)
        grouped = adding.groups()
    index_of = by_type(grouped)
    assert index_of.keys() == expected.keys()
    for key, of_group in expected.items():
        assert content_of(grouped.cell(index_of[key])) == content(of_group)
    assert content_of(grouped.whole()) == content(found)


def test_memory_of_an_answer_is_freed_with_it() -> None:
    """Without the collector, which runs seldom enough to keep the texts of several answers."""
    before = {id(coder) for coder in coders()}
    adding = builder(DIMENSIONS["outcome"])
    adding.add_rows([selected([Call(1, "busy", attempt=1, answered=False, lead_id="1")])])
    grouped = adding.groups()
    made = [weakref.ref(coder) for coder in coders() if id(coder) not in before]
    assert len(made) == len([each for each in COMPONENTS if isinstance(each, Values)])
    gc.disable()
    try:
        del adding, grouped
        assert [coder for coder in made if coder() is not None] == []
    finally:
        gc.enable()


def coders() -> list[ValueCoder]:
    return [each for each in gc.get_objects() if isinstance(each, ValueCoder)]


@given(st.lists(st.lists(calls, min_size=1, max_size=5), max_size=5))
def test_packed_texts_are_distinct_values(found: list[list[Call]]) -> None:
    adding = builder()
    with patch.object(chunks, "_MANY_WORDS", 1):
        adding.add_rows(stored(selected(page, 9 * place)) for place, page in enumerate(found))
    leads = {call.lead_id for page in found for call in page} - {None}
    assert adding.groups().whole().values(LEADS).distinct == len(leads)


@given(st.lists(calls, max_size=20), st.sets(st.sampled_from(["a", "b", None])))
def test_groups_are_merged_without_loss(found: list[Call], merged: set[str | None]) -> None:
    adding = builder(DIMENSIONS["outcome"])
    if found:
        adding.add_rows([selected(found)])
    grouped = adding.groups()
    indices = [index for (outcome,), index in grouped if outcome in merged]
    assert content_of(grouped.merged(indices)) == content([c for c in found if c.outcome in merged])


@pytest.mark.parametrize("aggregate", PAYLOAD_AGGREGATES)
@given(found=st.lists(calls, max_size=20))
def test_measures_of_a_payload_key_are_of_its_numbers(aggregate: str, found: list[Call]) -> None:
    measure = payload_measure(f"{aggregate}.payload.n")
    assert measure is not None
    adding = GroupBuilder(Aggregation(Selection("call"), EVER, (), measure.needs))
    adding.add_rows([selected(found)] if found else [])
    numbers = [v for call in found if isinstance(v := call.payload.get("n"), Decimal)]
    figure = measure.of(adding.groups().whole())
    if aggregate == "sum":
        assert Fraction(figure) == sum(map(Fraction, numbers))
    elif not numbers:
        assert figure is None
    elif aggregate == "avg":
        average = sum(map(Fraction, numbers)) / len(numbers)
        assert abs(Fraction(figure) - average) <= Fraction(1, 2 * 10**6)
    else:
        percent = int({"min": "p0", "max": "p100"}.get(aggregate, aggregate)[1:])
        assert figure == sorted(numbers)[max(0, -(-percent * len(numbers) // 100) - 1)]


@pytest.mark.parametrize("at_once", [1, 1_000])
def test_parts_of_rollups_are_added_to_rows(at_once: int) -> None:
    adding = builder(DIMENSIONS["outcome"])
    call = Call(started_at_ms=5, status="failed", outcome="a", attempt=1, answered=True)
    adding.add_rows([selected([call])])
    huge = 2**80
    with patch.object(grouping, "MERGED_AT_ONCE", at_once):
        adding.add_rollup(0, ("a",), {ALL_ROWS: 2, COST: huge}, {DURATIONS: {7: 2}})
        adding.add_rollup(0, (None,), {ALL_ROWS: 3}, {})
    grouped = adding.groups()
    assert {values[0]: grouped.cell(n).integer(ALL_ROWS) for values, n in grouped} == {
        "a": 3,
        None: 3,
    }
    assert grouped.whole().integer(COST) == huge
    assert grouped.whole().values(DURATIONS).count == 2


def test_values_alone_are_added_beside_what_rollups_count() -> None:
    adding = builder(DIMENSIONS["day"])
    adding.add_rollup(0, (0,), {ALL_ROWS: 2}, {})
    call = Call(started_at_ms=5, status="failed", lead_id="1", attempt=1, answered=True)
    adding.add_rows([selected([call, call])], only=[LEADS])
    grouped = adding.groups()
    assert grouped.by_value() == {0: 2}
    assert grouped.cell(0).values(LEADS).texts() == {"1": 2}
    assert (grouped.first_ms, grouped.last_ms, grouped.buckets()) == (0, 5, (0, 0))


@pytest.mark.parametrize("name", ["outcome", "label", "n"])
def test_too_many_groups_end_early(name: str) -> None:
    with patch.object(grouping, "MAX_GROUPS", 3), patch.object(sums, "MAX_GROUPS", 2):
        adding = builder(DIMENSIONS[name])
        made = [
            Call(
                started_at_ms=1,
                status="failed",
                outcome=str(n),
                labels=(str(n),),
                payload={"n": str(n)},
                attempt=1,
                answered=False,
            )
            for n in range(4)
        ]
        with pytest.raises(TooManyGroups, match="Use fewer dimensions"):
            adding_all(adding, made)
        with pytest.raises(TooManyGroups, match="Use fewer dimensions"):
            builder(DIMENSIONS[name]).add_rows([selected(made)])


def adding_all(adding: GroupBuilder, found: list[Call]) -> None:
    for call in found:
        adding.add_rows([selected([call])])
        adding.groups()


def test_memory_grows_with_groups_and_not_with_rows() -> None:
    adding = builder(DIMENSIONS["outcome"])
    page = selected([Call(started_at_ms=1, status="failed", attempt=1, answered=False)] * 50)
    adding.add_rows([page] * 40)
    grouped = adding.groups()
    assert Counter({values: grouped.cell(n).integer(ALL_ROWS) for values, n in grouped}) == {
        (None,): 2_000
    }
    assert len(grouped) == 1


@given(st.lists(calls, max_size=15), st.sampled_from(["day", "outcome"]))
def test_entries_of_lists_are_values(found: list[Call], name: str) -> None:
    asked = Aggregation(Selection("call"), EVER, (DIMENSIONS[name],), (LABELS,))
    adding = GroupBuilder(asked)
    adding.add_rows([selected(found)] if found else [])
    grouped = adding.groups()
    for key, index in by_type(grouped).items():
        expected = Counter(
            label for call in found if values_of(call, name) == [*key] for label in call.labels
        )
        assert grouped.cell(index).values(LABELS).texts() == expected
    assert grouped.whole().values(LABELS).texts() == Counter(
        label for call in found for label in call.labels
    )


def test_entries_of_lists_are_not_counted_by_entries() -> None:
    asked = Aggregation(Selection("call"), EVER, (call_field("label"),), (LABELS,))
    with pytest.raises(TypeError, match="lists have no values"):
        GroupBuilder(asked)
