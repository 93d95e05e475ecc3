"""Hooks on a real engine: found by their keys, listed by organisation, changed on conditions."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from rollcall.domain.errors import Conflict, CorruptItem
from rollcall.domain.hooks import Hook, SealedSecret, hook_key, new_hook_id
from rollcall.domain.organisations import tenant
from rollcall.retry import Backoff
from rollcall.storage import keys
from rollcall.storage.hook_states import HookStates
from rollcall.storage.hooks import HookStore, hook_of_item, item_of_hook

pytestmark = pytest.mark.engine

TABLE = "rollcall-records"
BACKOFF = Backoff(tries=40, first_seconds=0.001, max_seconds=0.01)


@pytest.fixture
def org_id() -> str:
    return f"org#{uuid.uuid4()}"


@pytest.fixture
def states(client: Any) -> HookStates:
    return HookStates(client, TABLE, BACKOFF)


@pytest.fixture
def store(client: Any, states: HookStates) -> HookStore:
    return HookStore(client, TABLE, states, BACKOFF)


def hook(org_id: str, **more: Any) -> Hook:
    secrets = (SealedSecret(b"\x00new"), SealedSecret(b"old", 5_000))
    made = Hook(
        hook_key(new_hook_id()), org_id, "retell", "https://e.com/v1/hooks/retell", "{}", secrets, 9
    )
    return replace(made, **more)


def test_a_hook_comes_back_as_it_was_stored(store: HookStore, org_id: str) -> None:
    first, second = hook(org_id), hook(org_id, own='{"fields":{"outcome":{"from":"/é"}}}')
    assert store.hook(first.key) is None
    store.create(first)
    store.create(second)
    assert store.hook(first.key) == first
    assert store.hook(second.key) == second
    assert sorted(each.key for each in store.hooks(org_id)) == sorted([first.key, second.key])
    assert list(store.hooks("another")) == []
    with pytest.raises(Conflict):
        store.create(replace(first, own="other"))
    assert store.hook(first.key) == first


def test_a_rotation_that_was_second_is_refused(store: HookStore, org_id: str) -> None:
    read = hook(org_id)
    store.create(read)
    store.count(read.key, "recorded", 77)
    store.replace_secrets(read, [SealedSecret(b"third")])
    stored = store.hook(read.key)
    assert stored is not None
    assert stored.secrets == (SealedSecret(b"third"),)
    assert (stored.version, stored.recorded, stored.last_at_ms) == (2, 1, 77)
    with pytest.raises(Conflict):
        store.replace_secrets(read, [SealedSecret(b"fourth")])


def test_counts_of_many_deliveries_at_once(store: HookStore, org_id: str) -> None:
    made = hook(org_id)
    store.create(made)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: store.count(made.key, "recorded", 5), range(24)))
    store.count(made.key, "refused", None)
    stored = store.hook(made.key)
    assert stored == replace(made, recorded=24, refused=1, last_at_ms=5)
    store.count(made.key, None, 6)
    stored = store.hook(made.key)
    assert stored == replace(made, recorded=24, refused=1, last_at_ms=6)
    with pytest.raises(Conflict):
        store.count(hook_key("hk_gone"), "recorded", 5)


def test_a_removal_takes_the_states_along(
    store: HookStore, states: HookStates, org_id: str
) -> None:
    gone, kept = hook(org_id), hook(org_id)
    for each in (gone, kept):
        store.create(each)
        with tenant(org_id):
            for number in range(5):
                states.write(org_id, each.key, f"c#{number}", "{}", 0, None)
    for _ in range(2):
        store.remove(gone)
    assert store.hook(gone.key) is None
    assert store.hook(kept.key) == kept
    with tenant(org_id):
        assert states.read(org_id, gone.key, "c#1") == (None, 0)
        assert states.read(org_id, kept.key, "c#1") == ("{}", 1)


def test_a_damaged_hook_is_reported() -> None:
    item = item_of_hook(hook("o"))
    assert hook_of_item(item).secrets[0].sealed == b"\x00new"
    for damage in ({"secrets": {"S": "x"}}, {"secrets": {"L": [{"M": {}}]}}, {"v": {"S": "x"}}):
        with pytest.raises(CorruptItem):
            hook_of_item(item | damage)


def test_no_item_of_a_hook_passes_the_streams_filter() -> None:
    for key in (keys.hook("k"), keys.hook_state("o", "0" * 32, "FACT#1")):
        assert not key.sk.startswith(keys.FACT_SK_PREFIX)
