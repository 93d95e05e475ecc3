"""`rollcall org`: make and list organisations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollcall_cli.administration import administration

if TYPE_CHECKING:
    from rollcall.domain.organisations import Organisation

app = typer.Typer(help="Organisations: the tenants of Rollcall.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command()
def create(
    handle: Annotated[
        str, typer.Argument(help="Unique name, sent in headers: letters, digits, . _ -")
    ],
    name: Annotated[str, typer.Option(help="Name shown to people.")],
    buckets: Annotated[
        int, typer.Option(help="Partitions per record type, 1 to 16; can never be changed.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Create an organisation."""
    with administration() as admin:
        organisation = admin.create_organisation(handle, name, buckets)
    if as_json:
        print(json.dumps(_document(organisation)))
    else:
        print(f"created {organisation.handle} ({organisation.id})")


@app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List organisations, by handle."""
    with administration() as admin:
        organisations = admin.organisations()
    if as_json:
        print(json.dumps([_document(organisation) for organisation in organisations]))
        return
    for organisation in organisations:
        handle, org_id, name, created_at, _ = _row(organisation)
        print(f"{handle:<20} {org_id}  {created_at}  {name}")


def _document(organisation: Organisation) -> dict[str, Any]:
    keys = ("handle", "id", "name", "created_at", "buckets")
    return dict(zip(keys, _row(organisation), strict=True))


def _row(organisation: Organisation) -> tuple[Any, ...]:
    from rollcall.domain.calendar import format_instant

    return (
        organisation.handle,
        organisation.id,
        organisation.name,
        format_instant(organisation.created_at_ms),
        organisation.buckets,
    )
