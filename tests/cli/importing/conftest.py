"""A fake API, and the command run against it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rollcall_cli import api_client
from rollcall_cli.main import run
from tests.support.http_server import serving
from tests.support.import_api import FakeApi, Outcome


@pytest.fixture
def api() -> Iterator[FakeApi]:
    fake = FakeApi()

    def answer(path: str, token: str | None, body: bytes) -> tuple[int, bytes] | None:
        reply = fake.answer(path, token, body)
        if reply is None or isinstance(reply[1], bytes):
            return reply
        return reply[0], json.dumps(reply[1]).encode()

    with serving(answer) as fake.url:
        yield fake


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_client, "_FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(api_client, "_MAX_PAUSE_SECONDS", 0.002)
    monkeypatch.delenv("ROLLCALL_TOKEN", raising=False)


@pytest.fixture
def rollcall(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    def call(*arguments: Any) -> Outcome:
        with pytest.raises(SystemExit) as leaving:
            run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Outcome(int(leaving.value.code or 0), said.out, said.err)

    return call
