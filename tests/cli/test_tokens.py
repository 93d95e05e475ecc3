"""`rollcall token` at the keyboard."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from rollcall import bootstrap
from rollcall_cli.main import run

pytestmark = pytest.mark.engine


HOUR_MS = 3_600_000
NOW_MS = 1_800_000_000_000 // HOUR_MS * HOUR_MS
_numbers = itertools.count()

Command = Callable[..., str]


@pytest.fixture
def token_command(
    client_of: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    client = client_of("moto")
    monkeypatch.setattr(bootstrap, "dynamodb_client", lambda **_: client)
    for service in (bootstrap.dynamodb, bootstrap.directory, bootstrap.administer):
        service.cache_clear()
    capsys.readouterr()  # the engine says that it starts

    def call(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            run(["token", *arguments])
        out, err = capsys.readouterr()
        assert (ended.value.code, err) == (0, "")
        return out

    return call


def test_the_table_fits_its_terminal(
    token_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = f"tokens-{next(_numbers)}"
    bootstrap.administer().create_organisation(handle, "Tokens")
    scopes = ("--scope", "read", "--scope", "ingest", "--scope", "admin")
    made = [
        json.loads(token_command("create", handle, *scopes, *options, "--json"))["token_id"]
        for options in (
            ("--name", "n" * 64),
            ("--name", "nightly", "--expires-at", "2990-01-31T00:00:00Z"),
            (),
        )
    ]
    bootstrap.directory().record_use(made[1], NOW_MS)
    listed = json.loads(token_command("list", handle, "--json"))
    assert {t["token_id"]: (t["name"], t["last_used_at"]) for t in listed} == {
        made[0]: ("n" * 64, None),
        made[1]: ("nightly", "2027-01-15T08:00:00.000Z"),
        made[2]: (None, None),
    }
    for columns in (60, 72, 80, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        table = token_command("list", handle)
        lines = table.splitlines()
        assert max(map(len, lines)) <= columns
        assert "…" not in table
        assert ("CREATED" in lines[0]) == (columns >= 72)
        for token in made:
            (line,) = [line for line in lines if line.startswith(token[:8])]
            assert ("2027-01-15T08Z" in line) == (token == made[1])
        assert len(lines) == 4 or columns < 200
    monkeypatch.delenv("COLUMNS")
    assert len(token_command("list", handle).splitlines()) == 4  # a line per token in a pipe


def test_an_organisation_without_tokens_lists_none(token_command: Command) -> None:
    handle = f"tokens-{next(_numbers)}"
    bootstrap.administer().create_organisation(handle, "Tokens")
    assert token_command("list", handle) == ""
    assert json.loads(token_command("list", handle, "--json")) == []
