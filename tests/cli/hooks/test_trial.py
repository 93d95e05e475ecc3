"""What `rollcall hook test` reports when the record of its sample cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall_cli.api_client import Reply
from rollcall_cli.errors import CommandError
from rollcall_cli.hooks import trial


class Api:
    """Answers every GET with the next of some replies."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def get(self, path: str) -> Reply:
        assert path == "/v1/calls/sample-1"
        return self.replies.pop(0)


def counted(*replies: Reply) -> Any:
    return trial._counted(Api(*replies), "sample-1")  # type: ignore[arg-type]


def test_the_record_is_shown_once_it_is_counted() -> None:
    waiting = Reply(200, {}, b'{"counted":false,"record":{}}')
    assert counted(waiting, waiting, Reply(200, {}, b'{"counted":true,"record":{"id":"1"}}')) == {
        "id": "1"
    }


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_another_answer_is_an_error_at_once(status: int) -> None:
    """A token that was refused meanwhile is not a call that is not counted."""
    refused = Reply(status, {}, b'{"detail":"The reason."}')
    with pytest.raises(CommandError, match=rf"sample-1 cannot be read: {status} The reason\."):
        counted(Reply(200, {}, b'{"counted":false}'), refused)
