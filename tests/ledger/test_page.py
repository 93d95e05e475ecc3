"""Pages: what is encoded is decoded, for any rows; damaged bytes are an error, never rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import CorruptItem
from rollcall.domain.facts import payload_value
from rollcall.domain.records import RECORD_TYPES
from rollcall.ledger.columns import IntColumn, TextColumn, compress, decompress
from rollcall.ledger.encoded import PageColumns
from rollcall.ledger.merge import PageIndex, merge
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.tree import split
from tests.support import pages_of_version_1
from tests.support.cases import cases
from tests.support.rows import by_id, rows_of, type_names
from tests.support.wide_rows import KEYS, UNUSUAL, own_keys, wide_call, wide_calls

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
        lambda data: b"\x03" + data[1:],
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
    with pytest.raises(CorruptItem, match="'id' does not hold lists"):
        page.lists("id")
    payload = IntColumn(np.array([7]))
    with pytest.raises(CorruptItem, match="'payload' does not hold pairs"):
        Rows("call", 1, {"payload": payload}).pairs()


def test_a_column_that_a_page_lacks_has_no_values() -> None:
    page = Rows.empty("call").with_rows({}, [Row("a", 1, 0, None)])
    assert page.lists("labels").get(0) is None
    assert page.pairs().get(0) is None


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


@cases(60)
@given(found=wide_calls())
def test_wide_rows_are_decoded_as_they_were(found: list[Row]) -> None:
    page = Rows.empty("call").with_rows({}, found)
    data = page.encode()
    decoded = Rows.decode("call", data)
    assert by_id(decoded) == by_id(page) == by_id(found)
    assert decoded.encode() == data
    for row in decoded:
        for key, value in (row.record.payload if row.record else {}).items():
            text = decoded.texts(f"payload.{key}").get(decoded.ids().index(row.id))
            assert text is not None
            assert type(payload_value(text)) is type(value)


@cases(60)
@given(batches=st.lists(wide_calls(most=15), max_size=4))
def test_merging_wide_rows_equals_merging_row_by_row(batches: list[list[Row]]) -> None:
    expected: dict[str, Row] = {}
    page = Rows.empty("call")
    for batch in batches:
        index = PageIndex(page)
        changes = [index.change(row) for row in batch]
        page = merge(page, [change for change in changes if change is not None])
        for row in batch:
            if row.id not in expected or expected[row.id].rev < row.rev:
                expected[row.id] = row
        page = Rows.decode("call", page.encode())
    assert by_id(page) == expected
    # However the rows arrived, their bytes are the same.
    ordered = list(page)
    assert page.encode() == Rows.empty("call").with_rows({}, ordered).encode()


@cases(60)
@given(data=st.data(), found=wide_calls(most=25))
def test_taking_and_splitting_keep_wide_rows(data: st.DataObject, found: list[Row]) -> None:
    page = Rows.decode("call", Rows.empty("call").with_rows({}, found).encode())
    ordered = list(page)
    places = data.draw(st.lists(st.integers(0, len(found) - 1))) if found else []
    taken = page.take(np.array(places, dtype=np.intp))
    assert list(taken) == [ordered[place] for place in places]
    if places:
        assert list(Rows.decode("call", taken.encode())) == list(taken)
    pages = split(FIRST, END, page, data.draw(st.sampled_from([200, 2_000, 10_000])))
    stored = [row for each in pages for row in Rows.decode("call", each.data)]
    assert by_id(stored) == by_id(found)
    assert len(stored) == len(found)


@pytest.mark.slow
@cases(100)
@given(data=st.data(), type_name=type_names)
def test_pages_of_version_1_are_read_and_written_as_version_2(
    data: st.DataObject, type_name: str
) -> None:
    wide = wide_calls() if type_name == "call" else rows_of(type_name)
    fresh = Rows.empty(type_name).with_rows({}, data.draw(rows_of(type_name) | wide))
    rows = list(fresh)
    old = Rows.decode(type_name, pages_of_version_1.encode(type_name, rows))
    assert list(old) == rows
    assert old.encode() == fresh.encode()
    assert old.encode()[0] == 2
    assert list(old) == rows


WRITTEN_BY_VERSION_1 = {
    "wide calls": [
        wide_call(
            number,
            {**own_keys(number, 20), **dict(zip(KEYS, UNUSUAL[number:], strict=False))},
            {f"label {number}", "l", "ž"} if number else set(),
        )
        for number in range(6)
    ],
    "calls": [wide_call(1, {"plan": "pro"}, {"a", "b"}), Row("gone", 7, 2_000, None)],
}


@pytest.mark.parametrize("name", WRITTEN_BY_VERSION_1)
def test_pages_that_a_release_of_version_1_wrote_are_read(name: str) -> None:
    rows = WRITTEN_BY_VERSION_1[name]
    data = pages_of_version_1.written()[name]
    page = Rows.decode("call", data)
    assert list(page) == rows
    assert page.lists("labels").get(0) == (rows[0].record.labels or None)  # type: ignore[union-attr]
    assert pages_of_version_1.encode("call", rows) == data


@pytest.mark.parametrize("name", ["id", "labels", "payload", "status"])
def test_a_column_cut_short_is_damage(name: str) -> None:
    rows = [wide_call(n, own_keys(n), {f"l{n}", "l"}) for n in range(3)]
    page = Rows.decode("call", Rows.empty("call").with_rows({}, rows).encode())
    encoding, first, end = page._encoded.places[name]
    short = compress(decompress(page._encoded.data[first:end])[:3])
    data = page._encoded.data[:first] + short
    page._encoded = PageColumns({name: (encoding, first, len(data))}, data)
    with pytest.raises(CorruptItem, match=f"damaged column '{name}'"):
        page.column(name)


def test_what_a_wide_page_takes_grows_with_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells and words, not seconds: of every column that is changed, taken or encoded."""
    work = 0

    def counted(function: Any) -> Any:
        def run(column: Any, *arguments: Any) -> Any:
            nonlocal work
            result = function(column, *arguments)
            made = column if isinstance(result, tuple) else result
            work += 1 + len(made) + len(getattr(made, "words", ()))
            return result

        return run

    for kind in (IntColumn, TextColumn):
        for name in ("take", "changed", "encode"):
            monkeypatch.setattr(kind, name, counted(getattr(kind, name)))

    def of(count: int) -> int:
        nonlocal work
        work = 0
        rows = [wide_call(n, own_keys(n), {f"l{n}.{k}" for k in range(32)}) for n in range(count)]
        page = Rows.decode("call", Rows.empty("call").with_rows({}, rows).encode())
        index = PageIndex(page)
        changes = [index.change(replace(row, rev=2)) for row in rows]
        merged = merge(page, [change for change in changes if change is not None])
        pages = split(FIRST, END, merged, 4_096)
        assert sum(len(each.rows) for each in pages) == count
        assert len(pages) > 1
        return work

    few = of(40)
    # Four times the rows of 64 values each; a column per key would take sixteen times the work.
    assert of(160) < 6 * few
