"""`rollcall explain`: the plans of a query, without an API."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from rollcall_cli.main import run

BODY = {
    "measures": ["calls"],
    "from": "2026-11-01",
    "to": "2026-11-07",
    "compare": "previous_period",
    "timezone": "UTC",
}


def explain(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        run(["explain", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(content: Any) -> str:
        path = tmp_path / "query.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def test_a_comparison_has_a_plan_of_its_own(file: Any, capsys: Any) -> None:
    status, out, err = explain(capsys, file(BODY))
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "period",
        "  source: rollups",
        "  scopes: 1 ORG",
        "  days: 7, 2026-11-01 to 2026-11-07",
        "  items per day: at most 1",
        "  edges: none",
        "previous_period",
        "  source: rollups",
        "  scopes: 1 ORG",
        "  days: 7, 2026-10-25 to 2026-10-31",
        "  items per day: at most 1",
        "  edges: none",
    ]


def test_the_json_has_the_same_lines(file: Any, capsys: Any) -> None:
    plans = json.loads(explain(capsys, file(BODY), "--json")[1])
    lines = [f"  {line}" for plan in plans.values() for line in plan]
    text = explain(capsys, file(BODY))[1].splitlines()
    assert [line for line in text if line.startswith(" ")] == lines


def test_a_cursor_does_not_change_the_plan(
    file: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.dumps(BODY | {"cursor": "of-an-organisation"}).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert explain(capsys, "-") == explain(capsys, file(BODY))


@pytest.mark.parametrize(
    ("content", "pointers"),
    [
        ({"measures": ["cals"], "dimensions": ["dya"]}, ["/measures/0", "/dimensions/0"]),
        ([], ["must be an object"]),
    ],
)
def test_faults_are_those_of_the_api(
    file: Any, capsys: Any, content: Any, pointers: list[str]
) -> None:
    status, out, err = explain(capsys, file(content))
    assert (status, out) == (2, "")
    assert [line.split(": ")[1] for line in err.splitlines()] == pointers


def test_what_cannot_be_read_is_one_line(file: Any, capsys: Any) -> None:
    for name in (file("{"), "/nonexistent"):
        status, out, err = explain(capsys, name)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"rollcall: explain {name}: ")
