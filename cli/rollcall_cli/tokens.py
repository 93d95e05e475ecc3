"""`rollcall token`: issue, list, revoke and rotate tokens. A token's text is shown once."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollcall_cli.administration import administration
from rollcall_cli.durations import duration_ms
from rollcall_cli.errors import CommandError

if TYPE_CHECKING:
    from rollcall.domain.organisations import Token
    from rollcall.usecases.administer import IssuedToken

app = typer.Typer(help="Tokens say who may call the API, and for what.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
TokenId = Annotated[str, typer.Argument(metavar="TOKEN_ID", help="As `create` and `list` show it.")]


@app.command()
def create(
    handle: Annotated[str, typer.Argument(help="The organisation's handle.")],
    scope: Annotated[list[str], typer.Option(help="read, ingest or admin; may be repeated.")],
    expires_at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When it ends, as 2027-01-31T00:00:00Z; default: never."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create a token; its text is printed once."""
    expires_at_ms = None if expires_at is None else _instant(expires_at)
    with administration() as admin:
        issued = admin.issue_token(handle, scope, expires_at_ms)
    _print_issued(issued, as_json)


@app.command(name="list")
def list_(
    handle: Annotated[str, typer.Argument(help="The organisation's handle.")],
    as_json: AsJson = False,
) -> None:
    """List an organisation's tokens."""
    with administration() as admin:
        tokens = admin.tokens(handle)
    documents = [_document(token) for token in tokens]
    if as_json:
        print(json.dumps(documents))
        return
    for document in documents:
        scopes = " ".join(document["scopes"])
        ends = document["revoked_at"] or document["expires_at"] or "never"
        # The id first and whole: it is what `revoke` and `rotate` are given.
        print(f"{document['token_id']}  {document['state']:<7}  ends {ends:<24}  {scopes}")


@app.command()
def revoke(token_id: TokenId) -> None:
    """Revoke a token, within a minute."""
    with administration() as admin:
        admin.revoke_token(token_id)
    print(f"revoked {token_id}")


@app.command()
def rotate(
    token_id: TokenId,
    overlap: Annotated[
        str,
        typer.Option(metavar="DURATION", help="How long the old token stays valid: 90s, 10m, 24h."),
    ] = "0s",
    as_json: AsJson = False,
) -> None:
    """Replace a token by a new one.

    The new token has the scopes and the expiry of the old one.
    """
    overlap_ms = duration_ms(overlap, "--overlap")
    with administration() as admin:
        issued = admin.rotate_token(token_id, overlap_ms)
    _print_issued(issued, as_json)


def _print_issued(issued: IssuedToken, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"token": issued.text, "token_id": issued.stored.id}))
    else:
        print(f"token    {issued.text}\ntoken id {issued.stored.id}")


def _document(token: Token) -> dict[str, Any]:
    from rollcall.domain.calendar import format_instant

    def instant(value_ms: int | None) -> str | None:
        return None if value_ms is None else format_instant(value_ms)

    return {
        "token_id": token.id,
        "state": token.state(time.time_ns() // 1_000_000),
        "scopes": list(token.scopes),
        "created_at": instant(token.created_at_ms),
        "expires_at": instant(token.expires_at_ms),
        "revoked_at": instant(token.revoked_at_ms),
    }


def _instant(text: str) -> int:
    from rollcall.domain.calendar import parse_instant

    try:
        return parse_instant(text)
    except ValueError as error:
        raise CommandError(f"--expires-at {error}, not {text!r}") from error
