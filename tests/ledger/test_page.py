"""Pages: what is encoded is decoded, for any rows; damaged bytes are an error, never rows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import CorruptItem
from rollcall.domain.records import RECORD_TYPES
from rollcall.ledger.columns import compress, decompress
from rollcall.ledger.page import Row, Rows
from tests.support.cases import cases
from tests.support.rows import by_id, rows_of, type_names

pytestmark = pytest.mark.property


@pytest.mark.slow
@cases(200)
@given(data=st.data(), type_name=type_names)
def test_round_trip(data: st.DataObject, type_name: str) -> None:
    rows = data.draw(rows_of(type_name))
    page = Rows.empty(type_name).with_rows({}, rows)
    decoded = Rows.decode(type_name, page.encode())
    assert by_id(decoded) == by_id(rows)
    assert [row.time_ms for row in decoded] == sorted(row.time_ms for row in rows)
    assert decoded.encode() == page.encode()


@cases(100)
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


def test_erased_values_leave_the_bytes() -> None:
    call = RECORD_TYPES["call"].cls(
        started_at_ms=5, status="completed", answered=True, attempt=1, lead_id="someone"
    )
    page = Rows.empty("call").with_rows({}, [Row("a", 1, 5, call), Row("b", 2, 5, None)])
    page = page.with_rows({0: Row("a", 3, 5, None)}, [])
    decoded = Rows.decode("call", page.encode())
    assert decoded.names == {"id", "rev", "time", "tombstone"}


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


def test_a_column_of_another_kind_is_damage() -> None:
    page = Rows.empty("label").with_rows({}, [Row("a", 1, 0, None)])
    with pytest.raises(CorruptItem, match="'id' does not hold integers"):
        page.integers("id")
    with pytest.raises(CorruptItem, match="'rev' does not hold strings"):
        page.texts("rev")


def test_an_unknown_encoding_is_damage() -> None:
    data = Rows.empty("label").with_rows({}, [Row("a", 1, 0, None)]).encode()
    size = int.from_bytes(data[5:9], "little")
    directory = decompress(data[9 : 9 + size])
    assert directory[:3] == b"\x02id"
    packed = compress(directory[:3] + b"\x63" + directory[4:])
    page = Rows.decode(
        "label", data[:5] + len(packed).to_bytes(4, "little") + packed + data[9 + size :]
    )
    with pytest.raises(CorruptItem, match="unknown column encoding 99"):
        page.ids()
