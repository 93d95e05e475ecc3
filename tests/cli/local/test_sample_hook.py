"""Hooks to try: one for each provider while it exists, and for this machine alone."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rollcall.domain.errors import InvalidOperation
from rollcall.domain.hooks import Hook
from rollcall.hooks.manage import ManageHooks
from rollcall_cli.demo_client import Answer
from rollcall_cli.errors import CommandError
from rollcall_cli.hooks import trial
from rollcall_cli.local.http_request import HttpRequest
from rollcall_cli.local.sample_hook import PATH, SampleHooks, sample_hook
from rollcall_cli.local.try_out import TryOut

API = "http://127.0.0.1:3000"


class Stored:
    """Hooks in memory, with a cipher that hides nothing."""

    def __init__(self) -> None:
        self.found: dict[str, Hook] = {}
        managed: Any = self
        self.manage = ManageHooks(managed, lambda: managed, {"demo": "org"}.get, lambda: 1)
        self.samples = SampleHooks(API, TryOut("demo", "rc_token"), self.managing)

    @contextmanager
    def managing(self) -> Iterator[ManageHooks]:
        try:
            yield self.manage
        except InvalidOperation as error:
            raise CommandError(str(error)) from error

    def hook(self, key: str) -> Hook | None:
        return self.found.get(key)

    def create(self, hook: Hook) -> None:
        self.found[hook.key] = hook

    def seal(self, text: str, _key: str) -> bytes:
        return text.encode()

    def post(self, body: bytes, source_ip: str = "127.0.0.1") -> tuple[int, Any]:
        answer = sample_hook(HttpRequest("POST", PATH, "", (), body, source_ip), self.samples)
        return answer.status, json.loads(answer.body)


def test_a_hook_is_made_once_for_each_provider_while_it_exists() -> None:
    at = Stored()
    first, other = at.samples.of("retell"), at.samples.of("livekit")
    assert first["url"].startswith(f"{API}/v1/hooks/retell/hk_")
    assert first["token"] == other["token"] == "rc_token"
    assert first["secret"] != other["secret"]
    assert at.samples.of("retell") == first
    assert [hook.provider for hook in at.found.values()] == ["retell", "livekit"]
    assert [hook.secrets[0].sealed.decode() for hook in at.found.values()] == [
        first["secret"],
        other["secret"],
    ]
    at.found.clear()
    again = at.samples.of("retell")
    assert again["url"] != first["url"]
    assert len(at.found) == 1


def test_many_at_once_get_the_same_hook() -> None:
    at = Stored()
    start = threading.Barrier(8)
    got: list[dict[str, str]] = []

    def get() -> None:
        start.wait()
        got.append(at.samples.of("vapi"))

    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [got[0]] * 8
    assert len(at.found) == 1


def test_only_this_machine_gets_a_secret() -> None:
    at = Stored()
    status, answer = at.post(b'{"provider": "retell"}', "192.0.2.1")
    assert (status, list(answer)) == (403, ["message"])
    assert at.found == {}
    assert at.post(b'{"provider": "retell"}', "::1")[0] == 200


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"provider": 1}', b'{"provider": "vapi", "more": 1}', b"{", b"\xff"]
)
def test_any_other_body_is_refused(body: bytes) -> None:
    status, answer = Stored().post(body)
    assert status == 400
    assert '{"provider": "…"}' in answer["message"]


@pytest.mark.parametrize(
    ("provider", "message"), [("acme", "is not one of vapi"), ("generic", "the map gives no id")]
)
def test_a_provider_without_samples_is_refused(provider: str, message: str) -> None:
    status, answer = Stored().post(json.dumps({"provider": provider}).encode())
    assert status == 400
    assert message in answer["message"]


def test_a_stack_without_an_organisation_has_no_hook_to_try() -> None:
    answer = sample_hook(HttpRequest("POST", PATH, "", (), b'{"provider": "vapi"}'), None)
    assert answer.status == 409
    assert "--org" in json.loads(answer.body)["message"]


def test_without_a_stack_the_command_says_how_to_get_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unanswered:
        free = f"http://127.0.0.1:{unanswered.getsockname()[1]}"
    with pytest.raises(CommandError, match="start rollcall demo, or pass its address with --api"):
        trial.local_receiver(free, "retell")


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (403, {"message": "Missing Authentication Token"}, "Missing Authentication Token"),
        (200, [], "is not a local stack"),
        (200, {"url": "http://127.0.0.1:1/", "secret": 1}, "is not a local stack"),
        (404, {"error": "no such page"}, "is not a local stack"),
    ],
)
def test_another_server_is_reported(
    monkeypatch: pytest.MonkeyPatch, status: int, body: Any, message: str
) -> None:
    answer = Answer(status, (), json.dumps(body))
    monkeypatch.setattr(trial, "send", lambda _api, _request: answer)
    with pytest.raises(CommandError, match=message):
        trial.local_receiver(API, "retell")


def test_another_machine_is_not_tried() -> None:
    with pytest.raises(CommandError, match="is not on this machine"):
        trial.local_receiver("https://rollcall.example", "retell")
