"""Send a body to an operation that reads, and print or return the answer, or raise its faults."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rollcall.api import strict_json
from rollcall_cli.api_client import JSON_TYPE, ApiClient, Reply
from rollcall_cli.api_options import api_url
from rollcall_cli.console import notice
from rollcall_cli.credentials import read_token
from rollcall_cli.errors import CommandError, RefusedRequest

CSV_TYPE = "text/csv"

# Fewer than an import has, because someone waits for the answer.
_ATTEMPTS = 4


def read_client(
    api: str | None, token: str | None, token_file: Path | None, *, is_insecure: bool
) -> ApiClient:
    """A client with the permission `read`, made of a command's options. Raises CommandError."""
    return ApiClient(
        api_url(api),
        read_token(token, token_file),
        "read",
        attempts=_ATTEMPTS,
        is_insecure=is_insecure,
    )


def body_in(file: str, option: str) -> Any:
    """The strict JSON in a file; `-` is standard input. Raises CommandError."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return strict_json.loads(content)
    except OSError as error:
        raise CommandError(f"{option} {file}: {error.strerror}") from error
    except strict_json.MalformedJson as error:
        raise CommandError(f"{option} {file}: {error}") from error


def post(client: ApiClient, path: str, body: dict[str, Any], accept: str = JSON_TYPE) -> Reply:
    """The answer to a body. Raises CommandError; RefusedRequest with all faults of the body."""
    return checked(client, path, client.post(path, strict_json.dumps(body).encode(), accept))


def checked(client: ApiClient, path: str, reply: Reply) -> Reply:
    """The reply if its status is 200. Raises CommandError if not."""
    if reply.status == 200:
        return reply
    if reply.faults:
        raise RefusedRequest(reply.faults)
    raise CommandError(f"{client.url(path)} answered {reply.status}: {reply.message}")


def document(client: ApiClient, path: str, reply: Reply) -> dict[str, Any]:
    """The JSON object of an answer, with its numbers as they were sent. Raises CommandError."""
    try:
        answer = strict_json.loads(reply.body)
    except strict_json.MalformedJson as error:
        raise CommandError(f"{client.url(path)}: {error}") from error
    if not isinstance(answer, dict):
        raise CommandError(f"{client.url(path)} answered with something else than an object")
    return answer


def print_csv(reply: Reply) -> None:
    """Print CSV as it was answered."""
    sys.stdout.write(reply.body.decode())
    show_next(reply.headers.get("X-Rollcall-Next"))


def show_next(cursor: str | None) -> None:
    """Print the cursor of the next page on stderr, if there is one."""
    if cursor is not None:
        notice(f"there are more; the next page has --cursor {cursor}")
