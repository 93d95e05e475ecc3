"""Tokens as they are stored, on every engine; and `rollcall token` at the keyboard."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from rollcall import bootstrap
from rollcall.domain.errors import Conflict, InvalidOperation
from rollcall.domain.organisations import Token
from rollcall.maintenance.accounts import Administer
from rollcall.retry import Backoff
from rollcall.storage.accounts import Directory
from rollcall_cli.main import run

pytestmark = pytest.mark.engine


HOUR_MS = 3_600_000
NOW_MS = 1_800_000_000_000 // HOUR_MS * HOUR_MS
_numbers = itertools.count()


@pytest.fixture
def directory(client: Any) -> Directory:
    return Directory(client, "rollcall-records", Backoff())


@pytest.fixture
def admin(directory: Directory) -> Administer:
    return Administer(directory, lambda: NOW_MS)


@pytest.fixture
def handle(admin: Administer) -> str:
    return admin.create_organisation(f"tokens-{next(_numbers)}", "Tokens").handle


# ------------------------------------------------------------------ what is stored
def test_a_tokens_name_and_last_use_are_stored(
    admin: Administer, directory: Directory, handle: str
) -> None:
    issued = admin.issue_token(handle, ["read"], name="nightly import")
    unnamed = admin.issue_token(handle, ["read"])
    assert (issued.stored.name, unnamed.stored.name) == ("nightly import", None)
    directory.record_use(issued.stored.id, NOW_MS)
    assert {t.id: (t.name, t.last_used_ms) for t in admin.tokens(handle)} == {
        issued.stored.id: ("nightly import", NOW_MS),
        unnamed.stored.id: (None, None),
    }
    assert admin.rotate_token(issued.stored.id, 0).stored.name == "nightly import"


@pytest.mark.parametrize("name", ["", "x" * 65, "two\nlines", "\x1b[31mred"])
def test_a_name_that_is_none_is_refused(admin: Administer, handle: str, name: str) -> None:
    with pytest.raises(InvalidOperation, match="1 to 64 printable"):
        admin.issue_token(handle, ["read"], name=name)


def test_the_recorded_use_only_moves_on_and_creates_no_token(
    admin: Administer, directory: Directory, handle: str
) -> None:
    token = admin.issue_token(handle, ["read"]).stored
    directory.record_use(token.id, NOW_MS)
    for hour_ms in (NOW_MS, NOW_MS - HOUR_MS):
        with pytest.raises(Conflict):
            directory.record_use(token.id, hour_ms)
    directory.record_use(token.id, NOW_MS + HOUR_MS)
    stored = directory.token(token.id)
    assert stored is not None
    assert stored.last_used_ms == NOW_MS + HOUR_MS
    with pytest.raises(Conflict):
        directory.record_use("0" * 64, NOW_MS)
    assert directory.token("0" * 64) is None


# ------------------------------------------------------------------ abbreviated ids
def planted(directory: Directory, admin: Administer, handle: str, *beginnings: str) -> list[str]:
    """Tokens whose ids begin so."""
    org_id = directory.org_id_of_handle(handle)
    assert org_id is not None
    ids = [beginning.ljust(64, "0") for beginning in beginnings]
    for each in ids:
        directory.put_token(Token(each, org_id, ("read",), NOW_MS))
    return ids


def test_an_id_may_be_abbreviated_as_long_as_it_names_one_token(
    admin: Administer, directory: Directory, handle: str
) -> None:
    other = admin.create_organisation(f"tokens-{next(_numbers)}", "Other").handle
    run_mark = f"{next(_numbers):04x}"
    first, second = planted(directory, admin, handle, f"{run_mark}aaaa1", f"{run_mark}bb")
    (third,) = planted(directory, admin, other, f"{run_mark}aaaa2")
    assert admin.revoke_token(f"{run_mark}b").id == second
    with pytest.raises(InvalidOperation) as refused:
        admin.revoke_token(f"{run_mark}aaaa")
    assert str(refused.value) == (
        f"2 token ids begin with '{run_mark}aaaa': {first[:9]}, {third[:9]}"
    )
    assert admin.rotate_token(third[:9], 0).stored.org_id == directory.org_id_of_handle(other)
    states = {t.id: t.state(NOW_MS) for h in (handle, other) for t in admin.tokens(h)}
    assert (states[first], states[second], states[third]) == ("active", "revoked", "revoked")


@pytest.mark.parametrize("given", ["", "abc", "not hex!", "ABCD", "f" * 65])
def test_what_is_no_beginning_of_an_id_is_refused(admin: Administer, given: str) -> None:
    with pytest.raises(InvalidOperation, match="4 or more hex digits"):
        admin.revoke_token(given)


@pytest.mark.parametrize("given", ["eeee", "e" * 64])
def test_an_unknown_id_is_refused(admin: Administer, given: str) -> None:
    with pytest.raises(InvalidOperation, match=given):
        admin.rotate_token(given, 0)


# ------------------------------------------------------------------ at the keyboard
Command = Callable[..., str]


@pytest.fixture
def token_command(
    client_of: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    client = client_of("moto")
    monkeypatch.setattr(bootstrap, "dynamodb_client", lambda **_: client)
    for service in (bootstrap._client, bootstrap.directory, bootstrap.administer):
        service.cache_clear()

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
