"""Organisations and tokens as operators manage them, on every engine."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import Conflict, InvalidOperation
from rollcall.domain.organisations import SCOPES, Token, token_id
from rollcall.maintenance.accounts import Administer
from rollcall.retry import Backoff
from rollcall.storage.accounts import Directory
from tests.support.erasing import Deployment

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


@pytest.mark.parametrize("name", ["", "x" * 65, "two\nlines", "\x1b[31mred"])
def test_a_name_that_is_none_is_refused(admin: Administer, handle: str, name: str) -> None:
    with pytest.raises(InvalidOperation, match="1 to 64 printable"):
        admin.issue_token(handle, ["read"], name=name)


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


# ------------------------------------------------------------------ in memory
def administer(at: Deployment) -> Administer:
    return Administer(at.directory, lambda: NOW_MS)


@pytest.mark.parametrize(
    ("handle", "name", "buckets", "rule"),
    [
        ("", "Acme", 1, "must be 1 to 63 letters"),
        ("-acme", "Acme", 1, "must be 1 to 63 letters"),
        ("x" * 64, "Acme", 1, "must be 1 to 63 letters"),
        ("acme", "", 1, "name must have 1 to 256 printable"),
        ("acme", "two\nlines", 1, "name must have 1 to 256 printable"),
        ("acme", "Acme", 0, "buckets must be 1 to 64"),
        ("acme", "Acme", 65, "buckets must be 1 to 64"),
    ],
)
def test_an_organisation_that_breaks_a_rule_is_refused(
    handle: str, name: str, buckets: int, rule: str
) -> None:
    at = Deployment()
    with pytest.raises(InvalidOperation, match=rule):
        administer(at).create_organisation(handle, name, buckets)
    assert administer(at).organisations() == []


def test_a_handle_has_one_owner() -> None:
    admin = administer(Deployment())
    first = admin.create_organisation("acme", "First")
    with pytest.raises(InvalidOperation, match="handle 'acme' is taken"):
        admin.create_organisation("acme", "Second")
    other = admin.create_organisation("acme.2", "Other")
    assert admin.organisations() == [first, other]


def test_a_creation_whose_reply_was_lost_is_done() -> None:
    """The SDK repeats the request, and the first one has already written the item."""
    at = Deployment()

    def twice(operation: str, send: Any) -> Any:
        if operation in ("TransactWriteItems", "PutItem"):
            send()
        return send()

    at.client.around = twice
    organisation = administer(at).create_organisation("acme", "Acme")
    issued = administer(at).issue_token("acme", ["read"])
    at.client.around = lambda _operation, send: send()
    assert administer(at).organisations() == [organisation]
    assert administer(at).tokens("acme") == [issued.stored]


@pytest.mark.property
@given(st.lists(st.sampled_from(SCOPES), min_size=1, max_size=4))
def test_a_token_has_each_of_its_scopes_once_in_one_order(scopes: list[str]) -> None:
    admin = administer(Deployment())
    admin.create_organisation("acme", "Acme")
    issued = admin.issue_token("acme", scopes)
    assert issued.stored.scopes == tuple(scope for scope in SCOPES if scope in scopes)
    assert issued.stored.id == token_id(issued.text)


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"scopes": []}, "scopes must be some of"),
        ({"scopes": ["read", "write"]}, "scopes must be some of"),
        ({"expires_at_ms": NOW_MS}, "expiry must be in the future"),
        ({"handle": "unknown"}, "no organisation has the handle 'unknown'"),
        ({"handle": "leaving"}, "'leaving' is being deleted"),
    ],
)
def test_a_token_that_breaks_a_rule_is_refused(asked: dict[str, Any], rule: str) -> None:
    at = Deployment()
    admin = administer(at)
    admin.create_organisation("acme", "Acme")
    at.directory.mark_deleting(admin.create_organisation("leaving", "Leaving").id, NOW_MS)
    with pytest.raises(InvalidOperation, match=rule):
        admin.issue_token(**{"handle": "acme", "scopes": ["read"], **asked})
    assert admin.tokens("acme") == []


def test_a_revocation_is_never_put_off() -> None:
    at = Deployment()
    admin = administer(at)
    admin.create_organisation("acme", "Acme")
    token = admin.issue_token("acme", ["read"]).stored
    new = admin.rotate_token(token.id, 5_000)  # ends after the overlap
    for _ in range(2):
        admin.revoke_token(token.id)  # now, and once more
    stored = {each.id: each.revoked_at_ms for each in admin.tokens("acme")}
    assert stored == {token.id: NOW_MS, new.stored.id: None}
    with pytest.raises(InvalidOperation, match="is revoked"):
        admin.rotate_token(token.id, 0)


def test_a_rotation_keeps_what_the_token_may_do() -> None:
    admin = administer(Deployment())
    admin.create_organisation("acme", "Acme")
    old = admin.issue_token("acme", ["ingest"], NOW_MS + 9, "import").stored
    new = admin.rotate_token(old.id, 3).stored
    assert (new.scopes, new.expires_at_ms, new.name) == (old.scopes, old.expires_at_ms, old.name)
    stored = {each.id: each.revoked_at_ms for each in admin.tokens("acme")}
    assert stored == {old.id: NOW_MS + 3, new.id: None}


def test_a_revocation_that_loses_every_race_is_an_error() -> None:
    class Contested(Directory):
        def revoke_token(self, token_id: str, revoked_at_ms: int) -> None:
            raise Conflict("another writer")

    at = Deployment()
    administer(at).create_organisation("acme", "Acme")
    token = administer(at).issue_token("acme", ["read"]).stored
    contested = Contested(at.client, "rollcall-records", Backoff())
    with pytest.raises(Conflict):
        Administer(contested, lambda: NOW_MS).revoke_token(token.id)
