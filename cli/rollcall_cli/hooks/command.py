"""`rollcall hook`: create, list, show, rotate, test and delete hooks, and list unfinished calls."""

from __future__ import annotations

import getpass
import os
import sys
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollcall_cli.api_options import API_VARIABLE, Api, Insecure, Token, TokenFile, api_url
from rollcall_cli.console import AsJson, print_result, print_table, stdout_columns
from rollcall_cli.deployment import deployment
from rollcall_cli.durations import duration_ms
from rollcall_cli.errors import CommandError
from rollcall_cli.local.ports import DEFAULT_PORT, HOST
from rollcall_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.domain.hooks import Hook
    from rollcall.hooks.manage import ManageHooks
    from rollcall.hooks.unfinished import UnfinishedCall

app = typer.Typer(help="Manage hooks, which receive calls from providers.", no_args_is_help=True)

Handle = Annotated[str, typer.Argument(help="The organisation's handle.")]
HookId = Annotated[str, typer.Argument(metavar="HOOK_ID", help="The id, or the key from `list`.")]
SecretStdin = Annotated[
    bool, typer.Option("--secret-stdin", help="Read the secret from standard input.")
]
SecretFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="File that contains the secret.")
]
LOCAL_API = f"http://{HOST}:{DEFAULT_PORT}"
_MAX_SECRET_BYTES = 4_096
# Narrower terminals omit the last column.
_WIDE_COLUMNS = 110


@app.command()
def create(  # noqa: PLR0913, PLR0917 - one parameter for each option
    handle: Handle,
    provider: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="vapi, retell, elevenlabs, twilio, livekit, bland or generic."
        ),
    ],
    secret_stdin: SecretStdin = False,
    secret_file: SecretFile = None,
    payload: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=POINTER", help="Payload key and a JSON pointer into the body."),
    ] = None,
    outcome: Annotated[
        str | None, typer.Option(metavar="POINTER", help="Where the outcome is in the body.")
    ] = None,
    lead: Annotated[
        str | None, typer.Option(metavar="POINTER", help="Where the lead's id is in the body.")
    ] = None,
    campaign: Annotated[
        str | None, typer.Option(metavar="POINTER", help="Where the campaign's id is in the body.")
    ] = None,
    map_file: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="TOML with fields, constants and events."),
    ] = None,
    api: Api = None,
    as_json: AsJson = False,
) -> None:
    """Create a hook and print its address, once.

    Pass the secret with --secret-stdin or --secret-file; LiveKit's is KEY:SECRET.
    """
    own = _own_map(map_file)
    for name, pointer in (("outcome", outcome), ("lead_id", lead), ("campaign_id", campaign)):
        if pointer is not None:
            _add(own, name, pointer)
    for text in payload or []:
        key, equals, pointer = text.partition("=")
        if not (key and equals):
            raise CommandError(f"--payload {text}: must be KEY=POINTER")
        _add(own, f"payload.{key}", pointer)
    secret = _secret(secret_stdin, secret_file)
    with _managing() as hooks:
        made = hooks.create(handle, provider, secret, api_url(api), own)
    print_result(
        {"url": made.url, "hook_id": made.id, "hook": made.stored.key, "provider": provider},
        [f"url      {made.url}", f"hook id  {made.id}"],
        as_json=as_json,
    )


@app.command(name="list")
def list_(handle: Handle, as_json: AsJson = False) -> None:
    """List hooks and their counts.

    REFUSED counts deliveries that were not authentic; FAILED those that are kept in the failure
    destination (rollcall redrive).
    """
    with _managing() as hooks:
        found = [_document(hook) for hook in hooks.of(handle)]
    if as_json:
        print_result(found, [], as_json=True)
    elif found:
        counts = ("recorded", "ignored", "refused", "failed")
        is_wide = stdout_columns() >= _WIDE_COLUMNS
        titles = ["HOOK", "PROVIDER", *(name.upper() for name in counts)]
        titles += ["LAST DELIVERY"] * is_wide
        rows = [
            [
                each["hook"],
                each["provider"],
                *(str(each[name]) for name in counts),
                *([each["last_delivery_at"] or "-"] * is_wide),
            ]
            for each in found
        ]
        print_table(titles, rows, wrapped=("HOOK",), right=[name.upper() for name in counts])


@app.command()
def show(hook_id: HookId, as_json: AsJson = False) -> None:
    """Show one hook, without its secrets."""
    with _managing() as hooks:
        found = _document(hooks.find(hook_id))
    width = max(map(len, found)) + 2
    lines = (f"{name:<{width}}{'-' if value is None else value}" for name, value in found.items())
    print_result(found, lines, as_json=as_json)


@app.command()
def rotate(
    hook_id: HookId,
    secret_stdin: SecretStdin = False,
    secret_file: SecretFile = None,
    overlap: Annotated[
        str,
        typer.Option(metavar="DURATION", help="How long the old secret stays valid, such as 24h."),
    ] = "24h",
    as_json: AsJson = False,
) -> None:
    """Replace the secret; the address stays."""
    overlap_ms = duration_ms(overlap, "--overlap")
    secret = _secret(secret_stdin, secret_file)
    with _managing() as hooks:
        hook = hooks.rotate(hook_id, secret, overlap_ms)
    print_result(_document(hook), [f"rotated {hook.key}"], as_json=as_json)


@app.command()
def delete(hook_id: HookId) -> None:
    """Delete a hook; its calls stay."""
    with _managing() as hooks:
        print(f"deleted {hooks.remove(hook_id).key}")


@app.command()
def unfinished(handle: Handle, as_json: AsJson = False) -> None:
    """List calls whose end never came.

    A call is listed after 24 hours without an event. The hourly sweep ends such calls of LiveKit as
    failed, and they leave the list.
    """
    with _managing() as hooks:
        from rollcall import commands

        now_ms = time.time_ns() // 1_000_000
        found = [
            _unfinished(call, now_ms) for call in commands.list_unfinished()(hooks.org(handle))
        ]
    if as_json:
        print_result(found, [], as_json=True)
    elif found:
        titles = ["PROVIDER", "ID", "STARTED", "STATUS", "LAST EVENT"]
        rows = [
            [
                each["provider"],
                printable(each["id"]),
                each["started_at"] or "-",
                each["status"] or "-",
                f"{each['last_event_age_seconds'] // 3_600} h ago",
            ]
            for each in found
        ]
        print_table(titles, rows, wrapped=("ID",))


@app.command(name="test")
def try_out(
    hook_id: Annotated[str, typer.Argument(metavar="HOOK_ID", help="The id that begins with hk_.")],
    file: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Body to send instead of the samples; repeatable."),
    ] = None,
    token: Token = None,
    token_file: TokenFile = None,
    insecure: Insecure = False,
) -> None:
    """Send signed samples and show what changes.

    Each run adds a call, so use an organisation made for tests. The command reads the record and the
    numbers with a token that needs the permission read.
    """
    from rollcall.domain.hooks import is_hook_id
    from rollcall_cli.hooks.trial import Receiver, reader, run_trial

    if not is_hook_id(hook_id):
        raise CommandError("HOOK_ID must be the id from the address, which begins with hk_")
    with _managing() as hooks:
        hook = hooks.find(hook_id)
        secret = hooks.secret(hook)
    receiver = Receiver(hook.provider, f"{hook.address}/{hook_id}", secret)
    run_trial(receiver, file or [], reader(hook, (token, token_file, insecure)))


@app.command(name="try")
def try_local(
    provider: Annotated[
        str,
        typer.Option(metavar="NAME", help="vapi, retell, elevenlabs, twilio, livekit or bland."),
    ] = "retell",
    api: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help=f"URL of the local stack; default: ROLLCALL_API, or {LOCAL_API}.",
        ),
    ] = None,
) -> None:
    """Send signed samples to the local stack.

    For rollcall demo and rollcall local --org: the stack makes the hook, and keeps it while it runs.
    Prints the answers, the record, and the numbers before and after.
    """
    from rollcall_cli.hooks.trial import local_receiver, run_trial

    receiver, client = local_receiver(api or os.environ.get(API_VARIABLE) or LOCAL_API, provider)
    run_trial(receiver, [], client)


# --------------------------------------------------------------------------------- helpers
def _managing() -> Any:
    """Management of hooks; every error that the operator can correct is a CommandError."""
    from contextlib import contextmanager

    @contextmanager
    def managed() -> Iterator[ManageHooks]:
        with deployment():
            from rollcall import commands

            yield commands.manage_hooks()

    return managed()


def _own_map(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CommandError(f"--map {path}: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CommandError(f"--map {path}: {error}") from error


def _add(own: dict[str, Any], name: str, pointer: str) -> None:
    fields = own.setdefault("fields", {})
    if not isinstance(fields, dict):
        raise CommandError("--map: fields must be a table")
    if name in fields:
        raise CommandError(f"{name} is in the map and in an option")
    fields[name] = {"from": pointer}


def _secret(from_stdin: bool, file: Path | None) -> str:
    """The secret, without the line end. Raises CommandError; its text is in no message."""
    if from_stdin == (file is not None):
        raise CommandError("pass the secret with --secret-stdin or --secret-file FILE")
    if file is not None:
        try:
            with file.open(encoding="utf-8") as content:
                return content.read(_MAX_SECRET_BYTES).strip()
        except OSError as error:
            raise CommandError(f"--secret-file {file}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise CommandError(f"--secret-file {file} is not UTF-8") from error
    # On a terminal, the secret is not echoed.
    text = getpass.getpass("Secret: ") if sys.stdin.isatty() else sys.stdin.read(_MAX_SECRET_BYTES)
    return text.strip()


def _unfinished(call: UnfinishedCall, now_ms: int) -> dict[str, Any]:
    return {
        "provider": call.provider,
        "id": call.id,
        "started_at": call.started_at,
        "status": call.status,
        "last_event_age_seconds": (now_ms - call.last_event_ms) // 1_000,
    }


def _document(hook: Hook) -> dict[str, Any]:
    from rollcall.dialects.rollcall.hooks import hook_found

    return {**hook_found(hook, time.time_ns() // 1_000_000), "address": f"{hook.address}/…"}
