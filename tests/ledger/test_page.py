"""Pages: what is encoded is decoded, for any rows; damaged bytes are an error, never rows."""

from __future__ import annotations

from math import log2
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.domain.decimals import canonical
from rollcall.domain.errors import CorruptItem
from rollcall.domain.facts import payload_text, payload_value
from rollcall.domain.records import CALL_EVENTS, RECORD_TYPES, Column, Kind
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST, position
from rollcall.ledger.tree import MAX_PAGES, split

pytestmark = pytest.mark.property


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ids = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda u: str(u).upper()),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=128),
    st.integers(-(10**127), 10**127).map(str),
)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=6).map(canonical)
payload_values = st.one_of(st.none(), st.booleans(), texts, numbers)
payload_keys = st.text("abcXYZ019_.-", min_size=1, max_size=64)
times = st.one_of(st.integers(0, 253_370_764_799_999), st.just(1_763_000_000_000))


def values(column: Column) -> st.SearchStrategy[Any]:
    match column.kind:
        case Kind.INTEGER:
            strategy: st.SearchStrategy[Any] = st.integers(0, 10**15)
        case Kind.FLAG:
            strategy = st.booleans()
        case Kind.TEXT:
            strategy = st.sampled_from(column.choices) if column.choices else texts
        case Kind.ID:
            strategy = ids
        case Kind.IDS:
            return st.sets(ids, max_size=5).map(lambda labels: tuple(sorted(labels)))
        case Kind.COUNTS:
            counts = st.dictionaries(st.sampled_from(CALL_EVENTS), st.integers(1, 10**15))
            return counts.map(lambda c: {name: c[name] for name in CALL_EVENTS if name in c})
        case Kind.PAYLOAD:
            payloads = st.dictionaries(payload_keys, payload_values, max_size=4)
            return payloads.map(lambda payload: dict(sorted(payload.items())))
    return strategy if column.required else st.none() | strategy


@st.composite
def rows_of(draw: st.DrawFn, type_name: str, most: int = 12) -> list[Row]:
    record_type = RECORD_TYPES[type_name]
    rows = []
    for fact_id in draw(st.lists(ids, max_size=most, unique=True)):
        time_ms = draw(times) if record_type.time_column else 0
        record = None
        if draw(st.integers(0, 5)):
            fields = {c.name: draw(values(c)) for c in record_type.columns}
            if record_type.time_column:
                fields[record_type.time_column] = time_ms
            record = record_type.cls(**fields)
        rows.append(Row(fact_id, draw(st.integers(1, 2**60)), time_ms, record))
    return rows


type_names = st.sampled_from(sorted(RECORD_TYPES))


def by_id(rows: Any) -> dict[str, Row]:
    return {row.id: row for row in rows}


@pytest.mark.slow
@settings(max_examples=200)
@given(data=st.data(), type_name=type_names)
def test_round_trip(data: st.DataObject, type_name: str) -> None:
    rows = data.draw(rows_of(type_name))
    page = Rows.empty(type_name).with_rows({}, rows)
    decoded = Rows.decode(type_name, page.encode())
    assert by_id(decoded) == by_id(rows)
    assert [row.time_ms for row in decoded] == sorted(row.time_ms for row in rows)
    assert decoded.encode() == page.encode()


@settings(max_examples=100)
@given(data=st.data(), type_name=type_names)
def test_replacing_and_adding_rows(data: st.DataObject, type_name: str) -> None:
    first = data.draw(rows_of(type_name))
    second = by_id(data.draw(rows_of(type_name)))
    changes = data.draw(rows_of(type_name, most=len(first)))
    page = Rows.decode(type_name, Rows.empty(type_name).with_rows({}, first).encode())
    stored = page.ids()
    replaced = {
        index: Row(stored[index], row.rev, page.row(index).time_ms, None)
        for index, row in enumerate(changes[: len(stored)])
    }
    added = [row for fact_id, row in second.items() if fact_id not in stored]
    grown = Rows.decode(type_name, page.with_rows(replaced, added).encode())
    expected = by_id(first) | by_id(replaced.values()) | by_id(added)
    assert by_id(grown) == expected


@settings(max_examples=60)
@given(data=st.data(), type_name=type_names, target=st.integers(1, 2_000))
def test_a_split_tiles_and_loses_nothing(data: st.DataObject, type_name: str, target: int) -> None:
    rows = data.draw(rows_of(type_name, most=25))
    pages = split(FIRST, END, Rows.empty(type_name).with_rows({}, rows), target)
    assert [page.start for page in pages] == [FIRST, *(page.end for page in pages[:-1])]
    assert pages[-1].end == END
    found = {}
    for page in pages:
        for row in Rows.decode(type_name, page.data):
            assert page.start <= row.position < page.end
            assert row.id not in found
            found[row.id] = row
        # A leaf of the deepest split may be left over; it has at least four siblings.
        is_left_over = len(pages) > log2(MAX_PAGES)
        is_one_position = len({row.position for row in page.rows}) <= 1
        assert len(page.data) <= target or is_one_position or is_left_over
    assert found == by_id(rows)


def test_erased_values_leave_the_bytes() -> None:
    call = RECORD_TYPES["call"].cls(
        started_at_ms=5, status="completed", answered=True, attempt=1, lead_id="someone"
    )
    page = Rows.empty("call").with_rows({}, [Row("a", 1, 5, call), Row("b", 2, 5, None)])
    page = page.with_rows({0: Row("a", 3, 5, None)}, [])
    decoded = Rows.decode("call", page.encode())
    assert decoded.names == {"id", "rev", "time", "tombstone"}


@given(payload_values)
def test_payload_text_is_injective(value: Any) -> None:
    back = payload_value(payload_text(value))
    assert (type(back), back) == (type(value), value)


@given(st.lists(st.tuples(times, ids), min_size=2, max_size=2, unique=True))
def test_positions_sort_by_time_and_lie_inside(pairs: list[tuple[int, str]]) -> None:
    (time_a, id_a), (time_b, id_b) = sorted(pairs)
    a, b = position(time_a, id_a), position(time_b, id_b)
    assert FIRST <= a < END
    assert time_a == time_b or a < b


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"\x02" + data[1:],
        lambda data: data[:-1],
        lambda data: data + b"\x00",
        lambda data: data[:9] + b"\xff" * 8 + data[17:],
    ],
)
def test_damaged_pages_are_errors(damage: Any) -> None:
    call = RECORD_TYPES["call"].cls(started_at_ms=5, status="queued", answered=False, attempt=1)
    data = Rows.empty("call").with_rows({}, [Row("a", 1, 5, call)]).encode()
    with pytest.raises(CorruptItem):
        list(Rows.decode("call", damage(data)))


def test_columns_decode_only_when_asked() -> None:
    call = RECORD_TYPES["call"].cls(
        started_at_ms=5, status="queued", answered=False, attempt=1, duration_seconds=7,
        payload={"plan": "pro"},
    )  # fmt: skip
    data = Rows.empty("call").with_rows({}, [Row("a", 1, 5, call)]).encode()
    page = Rows.decode("call", data)
    assert page.integers("duration_seconds").values.tolist() == [7]
    assert page._columns.keys() == {"duration_seconds"}
