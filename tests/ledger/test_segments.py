"""Segments hold exactly the rows of their pages, and split back into pages over the same range."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import CorruptItem
from rollcall.domain.records import RECORD_TYPES
from rollcall.ledger.columns import NULL, TextColumn, compress
from rollcall.ledger.merge import PageIndex, merge
from rollcall.ledger.nested import ListColumn
from rollcall.ledger.page import ID, REV, TIME, TOMBSTONE, Row, Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.segments import (
    IDENTITIES,
    ColumnNotRead,
    Directory,
    EncodedSegment,
    encode,
    has_true_zones,
    joined,
    rows_of,
)
from rollcall.ledger.tree import Page, split
from tests.support.cases import cases
from tests.support.rows import by_id, type_names
from tests.support.rows import rows_of as some_rows

pytestmark = pytest.mark.property


def pages_of(type_name: str, rows: list[Row], target_bytes: int) -> list[Page]:
    page = Rows.empty(type_name).with_rows({}, rows)
    return [
        Page(each.start, each.end, 3, Rows.decode(type_name, each.data))
        for each in split(FIRST, END, page, target_bytes)
    ]


def segment_of(type_name: str, pages: list[Page]) -> EncodedSegment:
    return encode(pages[0].start, pages[-1].end, joined(type_name, pages))


def read(type_name: str, segment: EncodedSegment, names: Any = None) -> Rows:
    bodies = {**segment.values, **segment.identities}
    if names is not None:
        bodies = {name: body for name, body in bodies.items() if name in names}
    return rows_of(type_name, Directory.decode(segment.directory), bodies, "segment")


any_rows = given(
    data=st.data(), type_name=type_names, target_bytes=st.sampled_from([150, 400, 9_000])
)


@cases(60)
@any_rows
def test_a_segment_holds_exactly_the_rows_of_its_pages(data, type_name, target_bytes) -> None:
    pages = pages_of(type_name, data.draw(some_rows(type_name, most=20)), target_bytes)
    segment = segment_of(type_name, pages)
    found = read(type_name, segment)
    assert list(found) == [row for page in pages for row in page.rows]
    assert segment.count == len(found)
    assert segment.values.keys().isdisjoint(IDENTITIES)
    assert segment.identities.keys() <= IDENTITIES
    assert encode(segment.start, segment.end, found) == segment
    row_by_row = Rows.empty(type_name).with_rows({}, list(found))
    assert encode(segment.start, segment.end, row_by_row) == segment


@cases(60)
@any_rows
def test_tombstones_are_known_from_the_values_alone(data, type_name, target_bytes) -> None:
    rows = data.draw(some_rows(type_name, most=20))
    segment = segment_of(type_name, pages_of(type_name, rows, target_bytes))
    found = read(type_name, segment, segment.values)
    live = (found.integers(TOMBSTONE).values == NULL).sum()
    assert live == sum(row.record is not None for row in rows)
    assert sorted(found.integers(TIME).values.tolist()) == sorted(row.time_ms for row in rows)
    if rows:
        with pytest.raises(ColumnNotRead, match="'id' of segment was not read"):
            found.ids()


@cases(60)
@any_rows
def test_a_change_splits_a_segment_into_pages_over_its_range(data, type_name, target_bytes) -> None:
    rows = data.draw(some_rows(type_name, most=20))
    segment = segment_of(type_name, pages_of(type_name, rows, target_bytes))
    stored = read(type_name, segment)
    changed = data.draw(some_rows(type_name, most=3))
    changed += [dataclasses.replace(row, rev=row.rev + 1, record=None) for row in rows[:2]]
    index = PageIndex(stored)
    changes = [c for row in by_id(changed).values() if (c := index.change(row)) is not None]
    pages = split(segment.start, segment.end, merge(stored, changes), target_bytes)
    assert [page.start for page in pages] == [FIRST, *(page.end for page in pages[:-1])]
    assert pages[-1].end == END
    found = [row for page in pages for row in Rows.decode(type_name, page.data)]
    expected = {(row.id, row.time_ms): row for row in rows}
    expected |= {(c.new.id, c.new.time_ms): c.new for c in changes}
    assert {(row.id, row.time_ms): row for row in found} == expected
    assert len(found) == len(expected)


@cases(60)
@any_rows
def test_zones_hold_every_value(data, type_name, target_bytes) -> None:
    pages = pages_of(type_name, data.draw(some_rows(type_name, most=20)), target_bytes)
    segment = segment_of(type_name, pages)
    found = read(type_name, segment)
    for name, entry in Directory.decode(segment.directory).columns.items():
        column = found.column(name)
        match entry.zone:
            case (least, most):
                assert not isinstance(column, TextColumn)
                values = [v for v in found.integers(name).values.tolist() if v != NULL]
                assert (least, most) == (min(values), max(values))
            case frozenset() as texts:
                assert texts == texts_in(column)
            case None:
                assert name == "payload" or len(texts_in(column)) > 1


def texts_in(column: Any) -> set[str]:
    if isinstance(column, ListColumn):
        column = column.entries
    assert isinstance(column, TextColumn)
    return {text for text in column.texts() if text is not None}


def test_a_payload_key_may_have_a_column_in_one_page_and_share_it_in_another() -> None:
    def record(time_ms: int, keys: Any) -> Row:
        payload = {f"k{key:02}": f"{time_ms}/{key}" for key in keys}
        call = RECORD_TYPES["call"].cls(
            started_at_ms=time_ms, status="busy", answered=False, attempt=1, payload=payload
        )
        return Row(f"c{time_ms}", 1, time_ms, call)

    rows = [record(n, range(n % 3)) for n in range(8)]
    rows += [record(n, {0, 1, *range(n, n + 12)}) for n in range(8, 16)]
    parts = [Rows.empty("call").with_rows({}, part) for part in (rows[:8], rows[8:])]
    pages = [Page(FIRST, END, 1, Rows.decode("call", part.encode())) for part in parts]
    assert ["payload" in page.rows.names for page in pages] == [False, True]
    assert list(joined("call", pages)) == rows
    assert list(read("call", segment_of("call", pages))) == rows


def some_segment() -> EncodedSegment:
    call = RECORD_TYPES["call"].cls(started_at_ms=5, status="queued", answered=False, attempt=1)
    rows = Rows.empty("call").with_rows({}, [Row("a", 1, 5, call), Row("b", 2, 6, None)])
    return encode(FIRST, END, rows)


def test_few_texts_and_integers_have_zones() -> None:
    columns = Directory.decode(some_segment().directory).columns
    assert columns["status"].zone == frozenset({"queued"})
    assert columns[TIME].zone == (5, 6)
    assert columns[REV].zone == (1, 2)


def test_only_columns_with_a_value_are_named() -> None:
    directory = Directory.decode(some_segment().directory)
    assert directory.named([TIME, "status", "outcome", "nothing"]) == {TIME, "status"}


def test_the_size_is_that_of_both_parts() -> None:
    segment = some_segment()
    parts = [segment.directory, *segment.values.values(), *segment.identities.values()]
    assert segment.size == len(b"".join(parts))


@pytest.mark.parametrize("zone", [(5, 7), (4, 6), None])
def test_a_zone_is_that_of_its_column(zone: Any) -> None:
    segment = some_segment()
    directory, rows = Directory.decode(segment.directory), read("call", segment)
    assert has_true_zones(directory, rows)
    entry = directory.columns[TIME]._replace(stored_zone=zone)
    changed = Directory(directory.count, {**directory.columns, TIME: entry})
    assert has_true_zones(changed, rows) is (zone is None)


@pytest.mark.parametrize("zone", [[1], [1, "x"], ["x", None], "x", 5, {}])
def test_a_zone_of_another_form_is_an_error(zone: Any) -> None:
    columns = {"status": [1, 0, zone]}
    directory = Directory.decode(compress(json.dumps({"n": 1, "columns": columns}).encode()))
    with pytest.raises(CorruptItem, match="a zone is a pair of integers or a list of texts"):
        _ = directory.columns["status"].zone


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: b"\xff" + data[1:],
    ],
)
def test_a_damaged_directory_is_an_error(damage: Any) -> None:
    with pytest.raises(CorruptItem, match="damaged"):
        Directory.decode(damage(some_segment().directory))


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"n": 1}',
        '{"n": 1, "columns": {"status": 5}}',
        '{"n": 1, "columns": {"status": [1, 0]}}',
        '{"n": "one", "columns": {}}',
    ],
)
def test_a_directory_of_another_form_is_an_error(content: str) -> None:
    with pytest.raises(CorruptItem, match="damaged directory"):
        Directory.decode(compress(content.encode()))


@pytest.mark.parametrize("name", [ID, "status"])
def test_a_damaged_column_is_an_error_that_names_it(name: str) -> None:
    segment = some_segment()
    bodies = {**segment.values, **segment.identities}
    bodies[name] = bodies[name][:-1] + bytes([bodies[name][-1] ^ 1])
    rows = rows_of("call", Directory.decode(segment.directory), bodies, "segment x")
    with pytest.raises(CorruptItem, match=f"column '{name}' of segment x"):
        rows.texts(name)


def test_a_directory_of_more_rows_than_its_columns_is_an_error() -> None:
    segment = some_segment()
    directory = dataclasses.replace(Directory.decode(segment.directory), count=3)
    rows = rows_of("call", directory, {**segment.values, **segment.identities}, "segment x")
    with pytest.raises(CorruptItem, match="damaged column 'status'"):
        rows.texts("status")
