"""`rollcall token`: create, list, rotate and revoke tokens. A token is printed once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollcall_cli.console import AsJson, print_result, print_table, stdout_columns
from rollcall_cli.deployment import administration
from rollcall_cli.durations import duration_ms
from rollcall_cli.errors import CommandError
from rollcall_cli.text import printable

if TYPE_CHECKING:
    from rollcall.domain.organisations import Token
    from rollcall.maintenance.accounts import IssuedToken

app = typer.Typer(help="Manage the tokens that clients send to the API.", no_args_is_help=True)

_WIDE_COLUMNS = 72

TokenId = Annotated[str, typer.Argument(help="Token id, or its first 4 or more digits.")]


@app.command()
def create(
    handle: Annotated[str, typer.Argument(help="The organisation's handle.")],
    scope: Annotated[list[str], typer.Option(help="read, ingest or admin; repeatable.")],
    name: Annotated[
        str | None, typer.Option(help="Name shown by `list`, 1 to 64 characters.")
    ] = None,
    expires_at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Expiry, such as 2027-01-31T00:00:00Z; default: never."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create a token, which is printed once."""
    expires_at_ms = None if expires_at is None else _instant(expires_at)
    with administration() as admin:
        issued = admin.issue_token(handle, scope, expires_at_ms, name)
    _print_issued(issued, as_json)


@app.command(name="list")
def list_(
    handle: Annotated[str, typer.Argument(help="The organisation's handle.")],
    as_json: AsJson = False,
) -> None:
    """List an organisation's tokens, oldest first.

    Ids are abbreviated; --json prints them in full. The last use is recorded to the hour; "-" means
    that none is recorded. Terminals of fewer than 72 columns omit the column CREATED.
    """
    with administration() as admin:
        tokens = admin.tokens(handle)
    documents = [_document(token) for token in tokens]
    if as_json:
        print_result(documents, [], as_json=True)
    elif documents:
        _print_tokens(documents)


@app.command()
def revoke(token_id: TokenId) -> None:
    """Revoke a token; it is refused within a minute."""
    with administration() as admin:
        revoked = admin.revoke_token(token_id)
    print(f"revoked {revoked.id}")


@app.command()
def rotate(
    token_id: TokenId,
    overlap: Annotated[
        str,
        typer.Option(metavar="DURATION", help="How long the old token stays valid, such as 10m."),
    ] = "0s",
    as_json: AsJson = False,
) -> None:
    """Replace a token with a new one.

    The new token has the name, the scopes and the expiry of the old one.
    """
    overlap_ms = duration_ms(overlap, "--overlap")
    with administration() as admin:
        issued = admin.rotate_token(token_id, overlap_ms)
    _print_issued(issued, as_json)


def _print_issued(issued: IssuedToken, as_json: bool) -> None:
    print_result(
        {"token": issued.text, "token_id": issued.stored.id},
        [f"token    {issued.text}", f"token id {issued.stored.id}"],
        as_json=as_json,
    )


def _print_tokens(documents: list[dict[str, Any]]) -> None:
    """Print one line per token; long names, scopes and states are wrapped."""
    from rollcall.domain.organisations import abbreviated

    is_wide = stdout_columns() >= _WIDE_COLUMNS
    titles = ["ID", "NAME", "SCOPES", "STATE", *(["CREATED"] if is_wide else []), "LAST USED"]
    ids = abbreviated([document["token_id"] for document in documents])
    rows = [
        [
            token_id,
            printable(document["name"] or "-"),
            " ".join(document["scopes"]),
            _state(document),
            *([document["created_at"][:10]] if is_wide else []),
            _hour(document["last_used_at"]),
        ]
        for token_id, document in zip(ids, documents, strict=True)
    ]
    print_table(titles, rows, wrapped=("NAME", "SCOPES", "STATE"))


def _state(document: dict[str, Any]) -> str:
    ends = [document[name] for name in ("revoked_at", "expires_at") if document[name]]
    if document["state"] == "active" and ends:
        return f"until {min(ends)[:10]}"
    return str(document["state"])


def _hour(instant: str | None) -> str:
    """ISO 8601, to the hour."""
    return "-" if instant is None else f"{instant[:13]}Z"


def _document(token: Token) -> dict[str, Any]:
    from rollcall.domain.time.calendar import format_instant

    def instant(value_ms: int | None) -> str | None:
        return None if value_ms is None else format_instant(value_ms)

    return {
        "token_id": token.id,
        "name": token.name,
        "state": token.state(time.time_ns() // 1_000_000),
        "scopes": list(token.scopes),
        "created_at": instant(token.created_at_ms),
        "expires_at": instant(token.expires_at_ms),
        "revoked_at": instant(token.revoked_at_ms),
        "last_used_at": instant(token.last_used_ms),
    }


def _instant(text: str) -> int:
    from rollcall.domain.time.calendar import parse_instant

    try:
        return parse_instant(text)
    except ValueError as error:
        raise CommandError(f"--expires-at {error}, not {text!r}") from error
