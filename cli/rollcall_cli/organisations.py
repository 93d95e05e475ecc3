"""`rollcall org`: create, list and delete organisations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollcall_cli.buckets import check_buckets
from rollcall_cli.confirming import confirm
from rollcall_cli.console import AsJson, notice, print_result
from rollcall_cli.deployment import administration, maintenance
from rollcall_cli.errors import CommandError
from rollcall_cli.receipts import Remainder, elsewhere

if TYPE_CHECKING:
    from rollcall.domain.organisations import Organisation
    from rollcall.maintenance.delete_organisation import Deletion, Progress

app = typer.Typer(help="Manage organisations, the tenants of Rollcall.", no_args_is_help=True)


@app.command()
def create(
    handle: Annotated[
        str, typer.Argument(help="Unique name, sent in headers: letters, digits, . _ -")
    ],
    name: Annotated[str, typer.Option(help="Display name.")],
    buckets: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Shards per record type, and buckets of pages and rollups, 1 to 64. The shards are"
            " permanent; `rollcall rebuild --buckets` changes the buckets.",
        ),
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Create an organisation."""
    check_buckets(buckets)
    with administration() as admin:
        organisation = admin.create_organisation(handle, name, buckets)
    created = f"created {organisation.handle} ({organisation.id})"
    print_result(_document(organisation), [created], as_json=as_json)


@app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List organisations, by handle.

    Shows the numbers of shards, and of the buckets that queries read, unless both are 1. In JSON
    they are always shown.
    """
    with administration() as admin:
        organisations = admin.organisations()
    documents = [_document(organisation) for organisation in organisations]
    print_result(documents, map(_line, organisations), as_json=as_json)


@app.command()
def delete(
    handle: Annotated[str | None, typer.Argument(help="The organisation's handle.")] = None,
    org_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The organisation's id, if its handle is deleted."),
    ] = None,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    wait_seconds: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Seconds to wait before the final sweep; shorten it only where no function runs."
            "  [default: the time limit of the longest function]",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Delete an organisation and all its data.

    Deletes its tokens, facts, pages, rollups and handle permanently. Writes a tombstone first, so
    that the organisation accepts no more records, and sweeps its data a second time after every
    write under way has ended. Safe to interrupt and rerun: the command resumes,
    and waits only for the remaining time.
    """
    if handle is None and org_id is None:
        raise CommandError("specify the organisation by its HANDLE, or by --org-id")
    with maintenance():
        from rollcall import commands
        from rollcall.maintenance.delete_organisation import MAX_WRITE_SECONDS

        deletes = commands.delete_organisation()
        organisation = deletes.find(handle, org_id)
        if not is_sure:
            name = organisation.handle or organisation.id
            confirm(f"delete {name} ({organisation.name}) with all its data", name)
        wait = MAX_WRITE_SECONDS if wait_seconds is None else wait_seconds
        deletion = deletes(organisation, wait_seconds=wait, show=_show)
    print_result(
        _deletion_document(organisation, deletion),
        _deletion_lines(organisation, deletion),
        as_json=as_json,
    )


def _show(progress: Progress) -> None:
    if progress.waiting_seconds:
        notice(
            f"{progress.removed:,} items removed; waiting {progress.waiting_seconds:.0f} s until"
            " every write under way has ended (safe to interrupt; the same command resumes)"
        )


def _remains(deletion: Deletion) -> list[Remainder]:
    tombstone = Remainder(
        "a tombstone: the organisation's id, and when it was deleted; with it, records that are"
        " still in the stream or the failure destination are skipped",
        count=1,
    )
    return [tombstone, *elsewhere(deletion.at_ms, deletion.failed_objects, "the organisation")]


def _deletion_document(named: Organisation, deletion: Deletion) -> dict[str, Any]:
    from rollcall.domain.time.calendar import format_instant

    return {
        "organisation": {"handle": named.handle or None, "id": named.id},
        "deleted_at": format_instant(deletion.at_ms),
        "removed": {name.replace(" ", "_"): count for name, count in deletion.removed.items()},
        "verified": True,
        "remains": [remainder.document() for remainder in _remains(deletion)],
    }


def _deletion_lines(named: Organisation, deletion: Deletion) -> list[str]:
    from rollcall.domain.time.calendar import format_instant

    removed = ", ".join(f"{count:,} {name}" for name, count in deletion.removed.items())
    name = f"{named.handle} ({named.id})" if named.handle else named.id
    return [
        f"deleted {name} at {format_instant(deletion.at_ms)}",
        f"removed now: {removed}",
        "verified: neither table has anything else of it",
        "what remains:",
        *(line for remainder in _remains(deletion) for line in remainder.lines()),
    ]


def _document(organisation: Organisation) -> dict[str, Any]:
    from rollcall.domain.time.calendar import format_instant

    return {
        "handle": organisation.handle,
        "id": organisation.id,
        "name": organisation.name,
        "created_at": format_instant(organisation.created_at_ms),
        "shards": organisation.buckets,
        "buckets": organisation.epoch(organisation.live).bucket_count,
    }


def _line(organisation: Organisation) -> str:
    from rollcall.domain.time.calendar import format_instant

    created_at = format_instant(organisation.created_at_ms)
    shards, buckets = organisation.buckets, organisation.epoch(organisation.live).bucket_count
    notes = [f"  (shards: {shards}, buckets: {buckets})"] if (shards, buckets) != (1, 1) else []
    notes += ["  (being deleted)"] if organisation.is_deleting else []
    return "".join(
        [f"{organisation.handle:<20} {organisation.id}  {created_at}  {organisation.name}", *notes]
    )
