"""`rollcall erase`: turn a lead's facts and rows into tombstones; print what remains."""

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
    org: Annotated[str, typer.Option(metavar="HANDLE", help="The lead's organisation.")],
    lead: Annotated[
        str, typer.Option(metavar="ID", help="The lead's id; 42 and “42” are the same.")
    ],
    is_dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be erased; write nothing.")
    ] = False,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a lead and all of its calls from facts, ledger pages and rollups.

    Asks for confirmation on a terminal; elsewhere it needs --yes. Safe to interrupt and rerun. The
    receipt names what remains, and until when.

    Exit status 0: erased, or the lead is unknown; 1: some items are unreadable, or stored under
    the wrong partition key, and may belong to the lead; 2: failed, or not confirmed.
    """
    with maintenance():
        from rollcall import commands

        if is_dry_run:
            with _progress() as show:
                preview = commands.preview_erasure()(org, lead, show)
        else:
            if not is_sure:
                confirm(f"erase lead {json.dumps(lead)} of {org} and all of its calls", lead)
            with _progress() as show:
                erasure = commands.erase()(org, lead, show)
    if is_dry_run:
        print_result(preview_document(preview), preview_lines(preview), as_json=as_json)
        is_complete = not preview.damaged
    else:
        print_result(_document(erasure), _lines(erasure), as_json=as_json)
        is_complete = erasure.is_verified
    if not is_complete:
        raise typer.Exit(1)


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """Yields a function that shows the progress; damage becomes a CommandError."""
    from rollcall.domain.errors import CorruptItem, UnknownContribution

    with Console(stderr=True).status("searching for the lead's records") as status:

        def show(progress: Progress) -> None:
            status.update(
                f"{progress.facts:,} facts and {progress.pages:,} pages read,"
                f" {progress.erased:,} facts erased"
            )

        try:
            yield show
        except (CorruptItem, UnknownContribution) as error:
            raise CommandError(
                f"stored data is damaged: {error}; run rollcall reconcile to locate it"
            ) from error


def _remains(erasure: Erasure) -> list[Remainder]:
    made_now = sum(erasure.facts.values())
    remainders = []
    if erasure.is_known:
        # Calls that were erased before no longer say whose they were: only these are counted.
        remainders.append(
            Remainder(
                "tombstones, which keep late older copies deleted: type, id, time, updated_at and"
                " revision of facts; id, time and revision of rows; no other value",
                count=made_now or None,
            )
        )
    if erasure.damaged:
        remainders.append(
            Remainder(
                "facts that are unreadable, or stored under the wrong partition key, and may be"
                " the lead's; rollcall reconcile names them: repair or delete them",
                count=erasure.damaged,
            )
        )
    if erasure.unnamed:
        remainders.append(
            Remainder(
                "deleted calls that hold values of later merges and name no lead, so that they may be"
                " the lead's; deleting one without updated_at removes its values",
                count=len(erasure.unnamed),
                names=erasure.unnamed,
            )
        )
    if erasure.left_epochs:
        remainders.append(
            Remainder(
                "pages and rollups of epochs that are no longer written, until rollcall rebuild"
                " removes them",
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
        lines = [
            f"{whose} is unknown: no fact and no row names it; check the id",
            "calls that were erased before no longer name their lead",
        ]
    else:
        facts = ", ".join(f"{count:,} {name}" for name, count in erasure.facts.items())
        rows = ", ".join(f"epoch {e}: {count:,}" for e, count in erasure.rows.items())
        lines = [
            f"erased {whose} at {format_instant(erasure.at_ms)}",
            f"facts turned into tombstones: {facts}",
            f"rows that are tombstones: {rows}",
        ]
        if not sum(erasure.facts.values()) and erasure.is_verified:
            lines.append("nothing was left to erase: it had been erased before")
        if erasure.is_verified:
            lines.append(
                "verified: no fact and no row names the lead, and rollups hold no value of it"
            )
    remainders = _remains(erasure)
    if remainders:
        lines.append("what remains:")
        lines += [line for remainder in remainders for line in remainder.lines()]
    return lines
