"""`rollcall token` at the keyboard."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

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


def test_a_prefix_is_found_however_long_the_organisations_take_to_list(
    token_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = f"tokens-{next(_numbers)}"
    bootstrap.administer().create_organisation(handle, "Tokens")
    made = json.loads(token_command("create", handle, "--scope", "read", "--json"))
    started = time.monotonic()
    clock = itertools.count(started, 60)
    monkeypatch.setattr("rollcall.retry.time.monotonic", lambda: float(next(clock)))
    assert token_command("revoke", made["token_id"][:12]) == f"revoked {made['token_id']}\n"


def test_a_store_that_stays_unavailable_is_tried_a_few_times(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tries: list[Any] = []

    class Unreachable:
        def query(self, **request: Any) -> None:
            tries.append(request)
            raise EndpointConnectionError(endpoint_url="http://x")

    monkeypatch.setattr(bootstrap, "dynamodb_client", lambda **_: Unreachable())
    for service in (bootstrap.dynamodb, bootstrap.administer):
        service.cache_clear()
    with pytest.raises(SystemExit) as ended:
        run(["token", "revoke", "0123"])
    for service in (bootstrap.dynamodb, bootstrap.administer):
        service.cache_clear()
    assert ended.value.code == 2
    assert "the tables cannot be reached: failed after 4 tries" in capsys.readouterr().err
    assert len(tries) == 4
