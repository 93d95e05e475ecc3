"""The table of an answer: it fits its terminal, and shows every figure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from rollcall_cli.querying import table
from rollcall_cli.querying.table import print_answer
from tests.support.cases import cases

FIGURES = (
    st.none()
    | st.integers(-(10**12), 10**12)
    | st.decimals(-(10**9), 10**9, places=3, allow_nan=False)
)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(0, 99)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=90)
)
MEASURES = ["calls", "avg_duration", "event.calendar_booked", "p99.payload." + "x" * 64]
DIMENSIONS = ["day", "outcome", "payload.a_long_name_of_a_payload_key"]


@st.composite
def answers(draw: st.DrawFn) -> tuple[dict[str, Any], list[str], list[str]]:
    measures = draw(st.lists(st.sampled_from(MEASURES), min_size=1, unique=True))
    dimensions = draw(st.lists(st.sampled_from(DIMENSIONS), unique=True))
    figures = st.fixed_dictionaries(dict.fromkeys(measures, FIGURES))
    values = st.fixed_dictionaries(dict.fromkeys(dimensions, VALUES))
    is_compared = draw(st.booleans())
    count = draw(st.integers(0, 4)) if dimensions else 1
    rows = [draw(values) | draw(figures) for _ in range(count)]
    answer: dict[str, Any] = {"rows": rows, "totals": draw(figures)}
    if is_compared:
        for row in rows:
            row["previous"] = draw(figures)
        answer["previous_totals"] = draw(figures)
    answer["period"] = {"from": None, "to": "2026-11-28T23:59:59.999Z", "timezone": "UTC"}
    return answer, dimensions, measures


def figures_of(answer: dict[str, Any], measure: str, has_totals: bool) -> list[Any]:
    rows = [*answer["rows"], *([answer["totals"]] if has_totals else [])]
    return [row[measure] for row in rows]


@pytest.mark.property
@pytest.mark.parametrize("columns", [60, 80])
@settings(cases(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=answers())
def test_every_line_fits_and_every_figure_is_there(
    case: Any, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, dimensions, measures = case
    monkeypatch.setenv("COLUMNS", str(columns))
    print_answer(answer, dimensions, measures)
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if cell_len(line.rstrip()) > columns] == []
    printed = re.findall(r"null|-?[0-9][0-9,.]*", out)
    numbers = [text if text == "null" else Decimal(text.replace(",", "")) for text in printed]
    for name in measures:
        for figure in figures_of(answer, name, bool(dimensions)):
            assert ("null" if figure is None else figure) in numbers


def shown(
    answer: dict[str, Any], dimensions: list[str], measures: list[str], capsys: Any
) -> list[str]:
    print_answer(answer, dimensions, measures)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


PERIOD = {"from": "2026-11-01T00:00:00.000Z", "to": None, "timezone": "UTC"}


def test_numbers_are_at_the_right_and_decimals_below_each_other(capsys: Any) -> None:
    rows = [
        {"outcome": "booked", "calls": 1_234, "avg_duration": Decimal("61.5")},
        {"outcome": None, "calls": 7, "avg_duration": None},
        {"outcome": "null", "calls": 0, "avg_duration": Decimal("3.25")},
    ]
    answer = {
        "rows": rows,
        "totals": {"calls": 1_241, "avg_duration": Decimal(60)},
        "period": PERIOD,
    }
    assert shown(answer, ["outcome"], ["calls", "avg_duration"], capsys) == [
        "outcome  calls  avg_duration",
        "booked   1,234         61.50",
        "null         7          null",
        '"null"       0          3.25',
        "TOTAL    1,241         60.00",
        "",
        "period    2026-11-01T00:00:00.000Z to the last record",
    ]


def test_others_the_comparison_and_the_open_bucket_are_named(capsys: Any) -> None:
    rows = [
        {"week": "2026-11-23", "calls": 3, "complete": False, "previous": {"calls": 5}},
        {"week": None, "others": True, "calls": 1, "previous": {"calls": 2}},
    ]
    answer = {
        "rows": rows,
        "totals": {"calls": 4},
        "previous_totals": {"calls": 7},
        "period": PERIOD,
        "previous_period": PERIOD | {"to": "2026-11-02T00:00:00.000Z"},
    }
    assert shown(answer, ["week"], ["calls"], capsys) == [
        "week        calls  previous.calls",
        "2026-11-23      3               5",
        "(others)        1               2",
        "TOTAL           4               7",
        "",
        "period    2026-11-01T00:00:00.000Z to the last record",
        "previous  2026-11-01T00:00:00.000Z to 2026-11-02T00:00:00.000Z",
        "open      2026-11-23",
    ]


def test_without_dimensions_there_is_one_row(capsys: Any) -> None:
    answer = {"rows": [{"calls": 3}], "totals": {"calls": 3}, "period": PERIOD}
    assert shown(answer, [], ["calls"], capsys)[:2] == ["calls", "    3"]


@pytest.mark.parametrize(
    ("value", "text"),
    [("12", '"12"'), (12, "12"), ("true", '"true"'), (True, "true"), ("", '""'), ("a", "a")],
)
def test_texts_of_a_payload_differ_from_numbers(value: Any, text: str, capsys: Any) -> None:
    answer = {"rows": [{"payload.k": value, "calls": 1}], "totals": {"calls": 1}, "period": PERIOD}
    assert shown(answer, ["payload.k"], ["calls"], capsys)[1].split() == [text, "1"]


def test_control_characters_do_not_reach_the_terminal(capsys: Any) -> None:
    rows = [{"outcome": "\x1b[31mred\n", "calls": 1}]
    print_answer({"rows": rows, "totals": {"calls": 1}, "period": PERIOD}, ["outcome"], ["calls"])
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.property
@example(amounts=[999_999_999_999_999_467_092_948_179_927, 999_999_999_999_999_378_275_106_289_459])
@given(
    amounts=st.lists(st.none() | st.integers(-5, 10**30) | st.decimals(0, 9, places=2), min_size=1)
)
def test_bars_are_proportional(amounts: list[Any]) -> None:
    eighths = dict(zip("▏▎▍▌▋▊▉█", range(1, 9), strict=True))
    columns = table._bars([{"calls": amount} for amount in amounts], "calls", 20)
    most = max([amount or 0 for amount in amounts])
    if most <= 0:
        assert columns == []
        return
    (column,) = columns
    lengths = [sum(map(eighths.__getitem__, cell)) for cell in column.cells[:-1]]
    assert [160 * max(0, amount or 0) // most for amount in amounts] == lengths
    assert max(lengths) == 160


def test_no_bars_are_drawn_where_there_is_no_room() -> None:
    assert table._bars([{"calls": 1}], "calls", 7) == []
