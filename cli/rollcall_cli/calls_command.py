"""`rollcall calls` and `rollcall call`: the calls behind a number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from rollcall.api import strict_json
from rollcall_cli.api_options import Api, Insecure, Token, TokenFile
from rollcall_cli.console import AsJson, print_table, stdout_columns
from rollcall_cli.errors import CommandError
from rollcall_cli.querying.answers import (
    CSV_TYPE,
    checked,
    document,
    post,
    print_csv,
    read_client,
    show_next,
)
from rollcall_cli.querying.options import (
    AsCsv,
    Cursor,
    From,
    Last,
    NamedPeriod,
    TimeZone,
    To,
    Where,
    given,
    range_body,
)
from rollcall_cli.querying.table import shown

_SEARCH = "/v1/calls/search"
# Columns of the table, and from which width of the terminal on they are printed.
_COLUMNS = {
    "started_at": 0,
    "id": 0,
    "status": 0,
    "duration_seconds": 0,
    "outcome": 0,
    "lead_id": 80,
    "provider": 100,
    "direction": 100,
    "disposition": 120,
    "cost": 120,
}
_TITLES = {"duration_seconds": "seconds"}
_WRAPPED = ("id", "outcome", "lead_id", "provider")


def calls(  # noqa: PLR0913, PLR0917 - one parameter for each option
    where: Where = None,
    start: From = None,
    end: To = None,
    period: NamedPeriod = None,
    last: Last = None,
    timezone: TimeZone = None,
    oldest: Annotated[
        bool, typer.Option("--oldest", help="Print the oldest first, not the newest.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="Calls per page, 1 to 500; default: 50.")
    ] = None,
    cursor: Cursor = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    api: Api = None,
    token: Token = None,
    token_file: TokenFile = None,
    insecure: Insecure = False,
) -> None:
    """List calls, the newest first.

    Conditions are those of rollcall query. Wider terminals show more fields; JSON and CSV have
    all. The token needs the permission read.
    """
    if as_json and as_csv:
        raise CommandError("pass --json or --csv, not both")
    selected = range_body(
        where=where,
        start=start,
        end=end,
        period=period,
        last=last,
        timezone=timezone,
        now=dt.datetime.now(dt.UTC),
    )
    order = "oldest" if oldest else None
    body = given({**selected, "order": order, "limit": limit, "cursor": cursor})
    client = read_client(api, token, token_file, is_insecure=insecure)
    if as_csv:
        print_csv(post(client, _SEARCH, body, CSV_TYPE))
        return
    reply = post(client, _SEARCH, body)
    if as_json:
        print(reply.body.decode())
        return
    answer = document(client, _SEARCH, reply)
    _print_calls(answer["calls"])
    show_next(answer["next"])


def call(
    id: Annotated[str, typer.Argument(help="Id of the call.")],
    as_json: AsJson = False,
    api: Api = None,
    token: Token = None,
    token_file: TokenFile = None,
    insecure: Insecure = False,
) -> None:
    """Show one call as it is stored.

    `counted` says whether the figures include this version yet. The token needs the permission read.
    """
    client = read_client(api, token, token_file, is_insecure=insecure)
    path = f"/v1/calls/{quote(id, safe='')}"
    reply = client.get(path)
    if reply.status == 404:
        raise CommandError(f"there is no call {id!r}")
    checked(client, path, reply)
    if as_json:
        print(reply.body.decode())
        return
    answer = document(client, path, reply)
    rows = dict(_flat(answer["record"]))
    rows |= {name: answer[name] for name in ("updated_at", "counted")}
    print_table(
        ["field", "value"],
        [[name, _cell(value, name)] for name, value in rows.items()],
        wrapped=("field", "value"),
    )


def _print_calls(found: list[dict[str, Any]]) -> None:
    width = stdout_columns()
    names = [name for name, least in _COLUMNS.items() if width >= least]
    print_table(
        [_TITLES.get(name, name) for name in names],
        [[_cell(each.get(name), name) for name in names] for each in found],
        wrapped=_WRAPPED,
        right=("seconds", "cost"),
    )


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(name, value) of every field, with those of inner objects as `payload.plan`."""
    for key, each in value.items():
        if isinstance(each, Mapping):
            yield from _flat(each, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", each


def _cell(value: Any, name: str) -> str:
    if isinstance(value, list):
        is_plain = all(isinstance(each, str) for each in value)
        return ", ".join(shown(each) for each in value) if is_plain else strict_json.dumps(value)
    if name == "started_at" and isinstance(value, str):
        return f"{value[:19]}Z"
    return shown(value, name)
