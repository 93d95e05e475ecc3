"""Results go to stdout, whatever is shown on stderr; and neither can steer a terminal."""

from __future__ import annotations

import json

import pytest

from rollcall_cli.console import notice, print_result, progress_bar


@pytest.mark.parametrize("is_terminal", [False, True])
def test_a_result_under_a_progress_bar_reaches_a_file_of_its_own(
    is_terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_terminal:
        monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with progress_bar() as bar:
        bar.add_task("[red]a file's name", total=10)
        print_result({"facts": 3}, ["3 facts"], as_json=False)
    out, err = capsys.readouterr()
    assert out == "3 facts\n"
    assert ("[red]a file's name" in err) is is_terminal


def test_a_result_is_one_line_of_json_or_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_result([{"name": "a"}], ["a", "b"], as_json=True)
    assert json.loads(capsys.readouterr().out) == [{"name": "a"}]
    print_result([{"name": "a"}], ["a", "b"], as_json=False)
    assert capsys.readouterr().out == "a\nb\n"


def test_a_notice_is_one_printable_line(capsys: pytest.CaptureFixture[str]) -> None:
    notice("two\nlines\x1b[2J")
    assert capsys.readouterr().err == "rollcall: two\\nlines\\x1b[2J\n"
