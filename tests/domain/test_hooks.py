"""Hooks: their ids and keys, and which secrets are valid when."""

from __future__ import annotations

from rollcall.domain.hooks import Hook, SealedSecret, hook_key, is_hook_id, is_hook_key, new_hook_id


def test_ids_are_long_and_never_repeat():
    ids = {new_hook_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(map(is_hook_id, ids))
    assert all(map(is_hook_key, map(hook_key, ids)))
    assert len({hook_key(each) for each in ids}) == 1_000


def test_what_is_no_id_and_no_key():
    for text in ("", "hk_", "hk_" + "0" * 31, "hk_" + "0" * 33, "hk_" + "-" * 32, "0" * 32 + "\n"):
        assert not is_hook_id(text)
    for text in ("", "0" * 31, "G" * 32, "0" * 32 + "\n"):
        assert not is_hook_key(text)
    assert is_hook_key(hook_key("\udcff"))


def test_a_secret_is_valid_until_it_ends():
    secrets = (SealedSecret(b"new"), SealedSecret(b"old", 100))
    hook = Hook("k", "o", "retell", "https://e.com", "{}", secrets, 1)
    assert hook.valid_secrets(99) == [b"new", b"old"]
    assert hook.valid_secrets(100) == [b"new"]
