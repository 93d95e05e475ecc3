"""Organisations and tokens as they are stored, on every engine."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from typing import Any

import pytest

from rollcall.domain.epochs import MAX_BUCKETS
from rollcall.domain.errors import Conflict, CorruptItem
from rollcall.domain.organisations import Organisation, Token
from rollcall.maintenance.accounts import Administer
from rollcall.retry import Backoff
from rollcall.storage import keys
from rollcall.storage.accounts import (
    Directory,
    item_of_organisation,
    organisation_of_item,
    token_of_item,
)

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


# ------------------------------------------------------------------ organisations
@pytest.fixture
def created(directory: Directory) -> Organisation:
    name = str(uuid.uuid4())
    organisation = Organisation(
        f"org#{name}",
        f"h-{name}",
        "é",
        NOW_MS,
        buckets=3,
        live=2,
        written=(2, 1),
        contributions={2: 1, 1: 7},
    )
    directory.create_organisation(organisation)
    return organisation


def test_an_organisation_is_read_by_its_id_and_found_by_its_handle(
    directory: Directory, created: Organisation
) -> None:
    assert directory.organisation(created.id) == created
    assert directory.org_id_of_handle(created.handle) == created.id
    assert directory.organisation(created.id + "#") is None
    assert directory.org_id_of_handle(created.handle + "x") is None
    assert created in list(directory.organisations())


def test_a_handle_that_is_taken_creates_nothing(
    directory: Directory, created: Organisation
) -> None:
    second = replace(created, id=f"{created.id}2")
    with pytest.raises(Conflict):
        directory.create_organisation(second)
    assert directory.organisation(second.id) is None
    assert directory.organisation(created.id) == created


def test_epochs_change_only_from_what_was_read(directory: Directory, created: Organisation) -> None:
    changed = replace(created, live=3, written=(3,), contributions={3: 1})
    directory.change_epochs(created, changed)
    assert directory.organisation(created.id) == changed
    with pytest.raises(Conflict):
        directory.change_epochs(created, replace(created, live=9))
    directory.mark_deleting(created.id, NOW_MS)
    with pytest.raises(Conflict):
        directory.change_epochs(changed, created)
    stored = directory.organisation(created.id)
    assert stored == replace(changed, is_deleting=True, deleting_since_ms=NOW_MS)


def test_a_deletion_keeps_its_first_time_and_ends_in_a_bare_mark(
    directory: Directory, created: Organisation
) -> None:
    for at_ms in (NOW_MS, NOW_MS + 5):
        directory.mark_deleting(created.id, at_ms)
    deleting = replace(created, is_deleting=True, deleting_since_ms=NOW_MS)
    assert directory.organisation(created.id) == deleting
    for _ in range(2):
        directory.retire(deleting)
        mark = directory.organisation(created.id)
        assert mark is not None
        assert (mark.is_deleted, mark.deleting_since_ms) == (True, NOW_MS)
        assert (mark.buckets, mark.written) == (MAX_BUCKETS, ())
        assert directory.org_id_of_handle(created.handle) is None
    assert created.id not in {each.id for each in directory.organisations()}


def test_a_handle_with_a_new_owner_is_not_released(
    directory: Directory, created: Organisation
) -> None:
    directory.retire(created)
    heir = replace(created, id=f"{created.id}2")
    directory.create_organisation(heir)
    directory.retire(created)
    assert directory.org_id_of_handle(created.handle) == heir.id


def test_what_does_not_exist_is_not_marked(directory: Directory) -> None:
    with pytest.raises(Conflict):
        directory.mark_deleting("unknown", NOW_MS)
    assert directory.organisation("unknown") is None


# ------------------------------------------------------------------ tokens
def test_tokens_are_listed_by_age_and_found_by_the_beginning_of_their_id(
    directory: Directory, created: Organisation
) -> None:
    start = uuid.uuid4().hex
    tokens = [
        Token(f"{start}{n}".ljust(64, "0"), created.id, ("read",), NOW_MS - n) for n in range(3)
    ]
    for token in tokens:
        directory.put_token(token)
    assert directory.tokens(created.id) == tokens[::-1]
    assert directory.token_ids(created.id, start) == [token.id for token in tokens]
    assert directory.token_ids(created.id, start + "1") == [tokens[1].id]
    with pytest.raises(Conflict):
        directory.put_token(replace(tokens[0], scopes=("admin",)))
    assert directory.token(tokens[0].id) == tokens[0]


def test_a_revocation_is_only_brought_forward(directory: Directory, created: Organisation) -> None:
    token = Token(uuid.uuid4().hex * 2, created.id, ("read",), NOW_MS)
    directory.put_token(token)
    directory.revoke_token(token.id, 50)
    for later in (50, 90):
        with pytest.raises(Conflict):
            directory.revoke_token(token.id, later)
    directory.revoke_token(token.id, 20)
    assert directory.token(token.id) == replace(token, revoked_at_ms=20)
    with pytest.raises(Conflict):
        directory.revoke_token("0" * 64, 20)


# ------------------------------------------------------------------ damage
def test_an_item_that_lacks_an_attribute_is_damage() -> None:
    organisation = Organisation("o", "h", "n", 0)
    item = item_of_organisation(keys.organisation("o"), organisation)
    assert organisation_of_item(item) == organisation
    for name in ("id", "name", "created_at_ms", "buckets", "live"):
        damaged: dict[str, Any] = {n: v for n, v in item.items() if n != name}
        with pytest.raises(CorruptItem, match=name):
            organisation_of_item(damaged)
    with pytest.raises(CorruptItem, match="org_id"):
        token_of_item(keys.token("f" * 64).attributes())
