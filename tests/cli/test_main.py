"""`--help` of every command, on a narrow and on an ordinary terminal; and `--version`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer

import rollcall
from rollcall_cli.main import app, run

Help = Callable[..., str]


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and every group of commands, as the words that call it."""
    yield path
    if hasattr(command, "list_commands"):
        for name in command.list_commands(None):
            yield from commands(command.get_command(None, name), (*path, name))


ALL = list(commands(typer.main.get_command(app)))


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Help:
    """What a command prints on a terminal of some width; it must succeed."""

    def call(*arguments: str, columns: int = 80) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as ended:
            run(list(arguments))
        out, err = capsys.readouterr()
        assert (ended.value.code, err) == (0, "")
        return out

    return call


def test_the_commands_come_in_the_order_of_their_use() -> None:
    assert [path[0] for path in ALL if len(path) == 1] == (
        "demo local sam-local import query calls call export explain org token hook status redrive reconcile merge rebuild erase openapi".split()
    )
    assert {("org", "delete"), ("token", "rotate"), ("redrive", "show")} <= set(ALL)


@pytest.mark.representatives(20)
@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_fits_its_terminal_and_is_whole(
    path: tuple[str, ...], columns: int, shown: Help
) -> None:
    text = shown(*path, "--help", columns=columns)
    lines = text.splitlines()
    assert lines[0].startswith(f"Usage: {' '.join(('rollcall', *path))}")
    assert [line for line in lines if len(line) > columns] == []
    # What does not fit is cut with one of these.
    assert "…" not in text
    assert [line for line in lines if line.endswith("...") and "Usage:" not in line] == []


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_names_every_value_in_capitals(path: tuple[str, ...], shown: Help) -> None:
    text = shown(*path, "--help")
    named = re.findall(r"^ +(--[a-z-]+) ([^\s/]+)", text, re.MULTILINE)
    assert [each for each in named if not re.fullmatch(r"[A-Z_=]+", each[1])] == []


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_names_arguments_in_capitals_alone(path: tuple[str, ...], shown: Help) -> None:
    usage, _, text = shown(*path, "--help").partition("\n\n")
    assert not set("{}<>") & set(usage)
    _, _, listed = text.partition("Arguments:\n")
    named = re.findall(r"^  (\S.*?)(?:  |$)", listed.partition("\n\n")[0], re.MULTILINE)
    assert [each for each in named if not re.fullmatch(r"[A-Z_]+", each)] == []
    assert all(each in usage for each in named)


def test_help_texts_are_not_markup(shown: Help) -> None:
    assert "s3://bucket[/prefix]" in shown("redrive", "list", "--help")


def test_version(shown: Help) -> None:
    assert shown("--version") == f"rollcall {rollcall.__version__}\n"


@pytest.mark.parametrize("path", [(), ("org",), ("token",), ("redrive",)])
def test_a_group_without_a_command_prints_its_help_and_fails(
    path: tuple[str, ...], shown: Help, capsys: pytest.CaptureFixture[str]
) -> None:
    help_text = shown(*path, "--help")
    with pytest.raises(SystemExit) as ended:
        run(list(path))
    assert (ended.value.code, *capsys.readouterr()) == (2, help_text, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tokn"], "No such command 'tokn'. Did you mean 'token'?; see rollcall --help"),
        (["org", "create"], "Missing argument 'HANDLE'; see rollcall org create --help"),
        (
            ["org", "list", "--stack-name", "x"],
            "--stack-name comes before the command; see rollcall --help",
        ),
        (["--colour"], "No such option: --colour; see rollcall --help"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    assert (ended.value.code, *capsys.readouterr()) == (2, "", f"rollcall: {message}\n")


@pytest.mark.representatives(1)
@pytest.mark.parametrize("module", ["demo_command", "local_command", "import_command"])
def test_commands_that_set_the_environment_load_no_settings(module: str) -> None:
    """The functions would read what the shell had set before, and not the stack's settings."""
    code = f"import sys, rollcall_cli.{module}; sys.exit('rollcall.settings' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
