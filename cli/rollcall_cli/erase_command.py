"""`rollcall erase`: a lead's facts and rows become bare tombstones, and a receipt says what remains."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from rollcall_cli.confirming import confirm
from rollcall_cli.console import AsJson, print_result
from rollcall_cli.deployment import maintenance
from rollcall_cli.erase_preview import preview_document, preview_lines
from rollcall_cli.errors import CommandError
from rollcall_cli.receipts import Remainder, elsewhere, failed_objects

if TYPE_CHECKING:
    from rollcall.maintenance.erase import Erasure, Progress


def erase(
    org: Annotated[str, typer.Option(metavar="HANDLE", help="Whose lead it is.")],
    lead: Annotated[str, typer.Option(metavar="ID", help="The lead's id; 42 and “42” are one.")],
    is_dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be erased; write nothing.")
    ] = False,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a lead and all of its calls: facts, rows, and what rollups say of them.

    On a terminal it asks for confirmation; elsewhere it needs --yes. Safe to interrupt and run
    again. The receipt names what remains, and until when.

    Exit status 0: erased, or nothing of the lead was there; 1: items that cannot be read, or lie
    where no key leads, are in the way; 2: it could not be done, or was not confirmed.
    """
    with maintenance() as bootstrap:
        if is_dry_run:
            with _looking() as show:
                preview = bootstrap.preview_erasure()(org, lead, show)
        else:
            if not is_sure:
                confirm(f"erase lead {json.dumps(lead)} of {org} and all of its calls", lead)
            with _looking() as show:
                erasure = bootstrap.erase()(org, lead, show)
    if is_dry_run:
        print_result(preview_document(preview), preview_lines(preview), as_json=as_json)
        is_whole = not preview.damaged
    else:
        print_result(_document(erasure), _lines(erasure), as_json=as_json)
        is_whole = erasure.is_verified
    if not is_whole:
        raise typer.Exit(1)


@contextmanager
def _looking() -> Iterator[Callable[[Progress], None]]:
    """Progress on stderr, if that is a terminal; damage becomes a CommandError."""
    from rollcall.domain.errors import CorruptItem, UnknownContribution

    with Console(stderr=True).status("looking for the lead's records") as status:

        def show(progress: Progress) -> None:
            status.update(
                f"{progress.facts:,} facts and {progress.pages:,} pages read,"
                f" {progress.erased:,} facts erased"
            )

        try:
            yield show
        except (CorruptItem, UnknownContribution) as error:
            raise CommandError(
                f"what is stored is damaged, and rollcall reconcile says where: {error}"
            ) from error


def _remains(erasure: Erasure) -> list[Remainder]:
    made_now = sum(erasure.facts.values())
    remainders = []
    if erasure.is_known:
        # Of the calls of an earlier erasure nothing tells any more whose they were.
        remainders.append(
            Remainder(
                "bare tombstones, so that a late older copy stays dead: on facts type, id, time,"
                " updated_at and revision, in pages id, time and revision; no value",
                count=made_now or None,
            )
        )
    if erasure.damaged:
        remainders.append(
            Remainder(
                "facts that cannot be read, so nobody knows whose they are, or that lie where no"
                " key leads; rollcall reconcile names them: repair or delete them",
                count=erasure.damaged,
            )
        )
    if erasure.left_epochs:
        remainders.append(
            Remainder(
                "pages and rollups of epochs that are written no more, until rollcall rebuild has"
                " removed them",
                names=tuple(f"epoch {epoch}" for epoch in erasure.left_epochs),
            )
        )
    if erasure.is_known:
        remainders += elsewhere(erasure.at_ms, erasure.failed_objects, "the lead")
    else:
        remainders += failed_objects(erasure.failed_objects, "the lead")
    return remainders


def _document(erasure: Erasure) -> dict[str, Any]:
    from rollcall.domain.time.calendar import format_instant

    organisation = erasure.organisation
    return {
        "organisation": {"handle": organisation.handle, "id": organisation.id},
        "lead": erasure.lead_id,
        "erased_at": format_instant(erasure.at_ms),
        "known": erasure.is_known,
        "facts": dict(erasure.facts),
        "rows": {str(epoch): count for epoch, count in erasure.rows.items()},
        "verified": erasure.is_verified,
        "remains": [remainder.document() for remainder in _remains(erasure)],
    }


def _lines(erasure: Erasure) -> list[str]:
    from rollcall.domain.time.calendar import format_instant

    organisation = erasure.organisation
    whose = f"lead {json.dumps(erasure.lead_id)} of {organisation.handle} ({organisation.id})"
    if not erasure.is_known:
        unsaid = "of calls that were erased before, nothing tells any more whose they were"
        lines = [
            f"nothing is known of {whose}: no fact and no row names it; check the id ({unsaid})"
        ]
    else:
        facts = ", ".join(f"{count:,} {name}" for name, count in erasure.facts.items())
        rows = ", ".join(f"epoch {e}: {count:,}" for e, count in erasure.rows.items())
        lines = [
            f"erased {whose} at {format_instant(erasure.at_ms)}",
            f"facts made tombstones: {facts}",
            f"rows seen to be tombstones of those: {rows}",
        ]
        if not sum(erasure.facts.values()) and erasure.is_verified:
            lines.append("nothing of theirs was left: it had been erased before")
        if erasure.is_verified:
            lines.append("verified: no fact and no row names them, and rollups hold no value of it")
    remainders = _remains(erasure)
    if remainders:
        lines.append("what remains:")
        lines += [line for remainder in remainders for line in remainder.lines()]
    return lines
