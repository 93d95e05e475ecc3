"""CSV: what a reader of RFC 4180 gets back, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from rollcall.dialects.rollcall.queries.tables import file_name, to_csv
from rollcall.domain.time.periods import Bounds
from rollcall.domain.time.zones import Zone

cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(["=1+1", "+1", "-1", "@a", "\ta", "\ra", '"', ",", "\r\n"]),
)


def read_back(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@given(st.lists(st.tuples(cells, cells), max_size=5))
def test_a_reader_gets_every_cell_back(rows: list[tuple[object, object]]) -> None:
    text = to_csv(["a", "b"], rows)  # type: ignore[arg-type]
    header, *found = read_back(text)
    assert header == ["a", "b"]
    assert len(found) == len(rows)
    for row, sent in zip(found, rows, strict=True):
        for cell, value in zip(row, sent, strict=True):
            if isinstance(value, str):
                assert cell.removeprefix("'") == value.removeprefix("'")
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            elif value is None:
                assert cell == ""
            elif isinstance(value, bool):
                assert cell == str(value).lower()
            else:
                assert Decimal(cell) == value
                assert "E" not in cell


def test_lines_end_with_crlf() -> None:
    assert (
        to_csv(["a", "b"], [[1, None], [Decimal("1E+3"), "x,y"]]) == 'a,b\r\n1,\r\n1000,"x,y"\r\n'
    )


def test_the_name_of_a_file_has_local_dates() -> None:
    bounds = Bounds(1_795_824_000_000, 1_795_910_400_000)  # 28 November 2026, in UTC
    assert file_name("calls", bounds, Zone("UTC")) == "rollcall-calls-2026-11-28_2026-11-28.csv"
    tokyo = file_name("calls", bounds, Zone("Asia/Tokyo"))
    assert tokyo == "rollcall-calls-2026-11-28_2026-11-29.csv"
    assert file_name("leads", Bounds(None, None), Zone("UTC")) == "rollcall-leads-all_all.csv"
