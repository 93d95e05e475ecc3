"""`rollcall merge`: merge ledger pages at rest into segments."""

from __future__ import annotations

from typing import Annotated

import typer

from rollcall_cli.console import AsJson, print_result
from rollcall_cli.deployment import maintenance
from rollcall_cli.durations import duration_ms
from rollcall_cli.organisation_choice import chosen


def merge(
    org: Annotated[
        list[str] | None,
        typer.Option(metavar="HANDLE", help="Organisation to merge; repeatable; default: all."),
    ] = None,
    cold_after: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="How long a page must have been unchanged; default: as for the schedule, 48h.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Merge ledger pages at rest into segments, as the schedule does.

    Numbers stay the same, and writes may continue meanwhile. Safe to interrupt and rerun.

    Exit status 0: merged; 2: failed, or a page is damaged, in which case all others were
    merged.
    """
    errors: list[Exception] = []
    cold_after_ms = None if cold_after is None else duration_ms(cold_after, "--cold-after")
    with maintenance() as bootstrap:
        from rollcall.merging import merge_pages

        for organisation in chosen(bootstrap, org):
            merged = merge_pages().organisation(organisation, cold_after_ms)
            document = {
                "organisation": organisation.handle,
                "segments": merged.segments,
                "pages": merged.pages,
                "changed": merged.changed,
            }
            line = (
                f"{organisation.handle}: {merged.pages:,} pages merged into"
                f" {merged.segments:,} segments"
            )
            if merged.changed:
                line += f"; {merged.changed:,} times, pages were written meanwhile"
            print_result(document, [line], as_json=as_json)
            if merged.error is not None:
                errors.append(merged.error)
        if errors:
            raise errors[0]
