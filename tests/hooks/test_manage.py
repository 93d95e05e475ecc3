"""Hooks are created with a map and a secret that work, listed, rotated and removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from rollcall.domain.errors import InvalidOperation
from rollcall.domain.hooks import Hook, SealedSecret, is_hook_id
from rollcall.hooks.manage import ManageHooks
from tests.support.hook_events import GENERIC


class Stored:
    """Hooks in memory, with a cipher that hides nothing."""

    def __init__(self) -> None:
        self.found: dict[str, Hook] = {}
        self.now_ms = 1_000
        self.manage = ManageHooks(self, lambda: self, {"acme": "org"}.get, lambda: self.now_ms)

    def hook(self, key: str) -> Hook | None:
        return self.found.get(key)

    def create(self, hook: Hook) -> None:
        self.found[hook.key] = hook

    def replace_secrets(self, read: Hook, secrets: Sequence[SealedSecret]) -> None:
        self.found[read.key] = replace(read, secrets=tuple(secrets))

    def hooks(self, org_id: str) -> Iterator[Hook]:
        return (hook for hook in self.found.values() if hook.org_id == org_id)

    def count(self, key: str, outcome: str, at_ms: int | None) -> None:
        raise AssertionError

    def remove(self, hook: Hook) -> None:
        del self.found[hook.key]

    def seal(self, text: str, key: str) -> bytes:
        return f"{key}:{text}".encode()

    def open(self, sealed: bytes, key: str) -> str:
        return sealed.decode().removeprefix(f"{key}:")


def create(at: Stored, provider: str = "retell", secret: str = "s", **own: Any) -> Any:
    return at.manage.create("acme", provider, secret, "https://api.example.com/live/", own)


def test_a_new_hook_has_an_address_and_no_readable_id() -> None:
    at = Stored()
    made = create(at)
    assert is_hook_id(made.id)
    assert made.url == f"https://api.example.com/live/v1/hooks/retell/{made.id}"
    assert made.id not in repr(at.found)
    assert at.manage.find(made.id) == at.manage.find(made.stored.key) == made.stored
    assert at.manage.secret(made.stored) == "s"


def test_the_list_begins_with_the_oldest() -> None:
    at = Stored()
    first = create(at)
    at.now_ms = 2_000
    second = create(at)
    assert at.manage.of("acme") == [first.stored, second.stored]


def test_two_secrets_at_most_are_valid() -> None:
    at = Stored()
    made = create(at)
    for secret in ("second", "third"):
        hook = at.manage.rotate(made.id, secret, 500)
    assert [at.open(each.sealed, hook.key) for each in hook.secrets] == ["third", "second"]
    assert [each.ends_at_ms for each in hook.secrets] == [None, 1_500]
    assert at.manage.secret(hook) == "third"
    hook = at.manage.rotate(made.id, "fourth", 0)
    assert len(hook.secrets) == 1


@pytest.mark.parametrize(
    ("provider", "secret", "own", "message"),
    [
        ("acme", "s", {}, "'acme' is not one of vapi, retell"),
        ("retell", "", {}, "1 to 1,024 printable characters"),
        ("retell", "a\nb", {}, "printable"),
        ("retell", "x" * 1_025, {}, "1,024"),
        ("livekit", "secret", {}, "KEY:SECRET"),
        ("livekit", ":secret", {}, "KEY:SECRET"),
        ("generic", "whsec_", {}, "no key"),
        ("generic", "s", {}, "the map gives no id and no started_at and no status"),
        ("retell", "s", {"fields": {"outcome": {"form": "/a"}}}, "form: is not a key"),
        ("retell", "s", {"schemes": []}, "schemes is not one of"),
        ("retell", "s", {"constants": {"outcome": "x" * 70_000}}, "65,536 characters"),
        (
            "retell",
            "s",
            {"fields": {f"payload.k{n}": {"from": "/a"} for n in range(33)}},
            "32 payload keys",
        ),
    ],
)
def test_what_cannot_work_is_refused(
    provider: str, secret: str, own: dict[str, Any], message: str
) -> None:
    at = Stored()
    with pytest.raises(InvalidOperation) as refused:
        create(at, provider, secret, **own)
    assert message in str(refused.value)
    assert at.found == {}


def test_a_secret_never_shows_in_an_error() -> None:
    at = Stored()
    with pytest.raises(InvalidOperation) as refused:
        create(at, "livekit", "canary")
    assert "canary" not in str(refused.value)


def test_unknown_names() -> None:
    at = Stored()
    made = create(at, "generic", "s", **GENERIC)
    at.manage.remove(made.id)
    for name in (made.id, made.stored.key, "", "x"):
        with pytest.raises(InvalidOperation, match="no such hook"):
            at.manage.find(name)
    with pytest.raises(InvalidOperation, match="no organisation has the handle 'other'"):
        at.manage.of("other")
