"""`rollcall reconcile`: compare facts, pages and rollups, report drift, and repair it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollcall_cli.console import print_result, progress_bar
from rollcall_cli.deployment import maintenance
from rollcall_cli.durations import duration_ms
from rollcall_cli.errors import CommandError
from rollcall_cli.organisation_choice import chosen
from rollcall_cli.text import printable

if TYPE_CHECKING:
    from rollcall.domain.organisations import Organisation
    from rollcall.maintenance.audits import Audit, Difference

_MAX_LISTED = 1_000


def reconcile(
    org: Annotated[
        list[str] | None,
        typer.Option(metavar="HANDLE", help="Organisation to check; repeatable; default: all."),
    ] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Repair the drift found.")] = False,
    grace: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="How long the stream may take to deliver a change; default: 60s.",
        ),
    ] = None,
    details: Annotated[
        bool, typer.Option("--details", help="Read the details of calls too, which costs more.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Start again instead of resuming an interrupted run.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print one JSON object per organisation, with the first 1,000 differences.",
        ),
    ] = False,
) -> None:
    """Compare facts, ledger pages and rollups. Writes may continue meanwhile.

    Reports each difference with its kind, its amount and its earliest possible time. Stores the
    result, which GET /v1/audit returns. Resumes an interrupted run.

    Exit status 0: exact, or all drift was repaired; 1: drift remains, or something changed too
    often to be verified; 2: failed; 130: stopped, run it again to resume.
    """
    grace_seconds = None if grace is None else duration_ms(grace, "--grace") / 1_000
    is_exact = True
    with maintenance() as bootstrap:
        from rollcall.domain.errors import Conflict

        for organisation in chosen(bootstrap, org):
            findings = _Findings(as_json)
            with _bar(organisation.handle, bootstrap.audits().last(organisation.id)) as show:
                try:
                    audit = bootstrap.reconcile()(
                        organisation,
                        is_repairing=repair,
                        show=show,
                        report=findings,
                        restart=restart,
                        grace_seconds=grace_seconds,
                        reads_details=details,
                    )
                except Conflict as conflict:
                    message = (
                        f"another reconcile of {organisation.handle} has started; this one ends"
                    )
                    raise CommandError(message) from conflict
            is_exact = is_exact and audit.is_exact
            print_result(
                _document(organisation, audit, findings.differences),
                [summary(organisation, audit)],
                as_json=as_json,
            )
    if not is_exact:
        raise typer.Exit(1)


class _Findings:
    """Prints differences as they are found, or collects the first ones for the JSON."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self.differences: list[dict[str, Any]] = []

    def __call__(self, difference: Difference) -> None:
        if self._as_json:
            if len(self.differences) < _MAX_LISTED:
                self.differences.append(_entry(difference))
            return
        from rollcall.domain.time.calendar import format_instant

        end = "repaired" if difference.is_repaired else "not repaired"
        since = format_instant(difference.since_ms)
        amount = f"by {difference.amount}, since {since} at the earliest, {end}"
        print(f"{difference.kind}: {printable(_name(difference))}; {amount}", flush=True)


def summary(organisation: Organisation, audit: Audit) -> str:
    """The result of a finished audit, in one line."""
    compared = (
        f"{audit.facts:,} facts, {audit.rows:,} rows, {audit.pages:,} pages and"
        f" {audit.rollups:,} rollups compared"
    )
    drift = ", ".join(f"{kind} {count}" for kind, count in audit.drift.items())
    if not drift:
        end = "no drift"
    else:
        end = f"{audit.drift_count:,} drifted ({drift}), {audit.repaired:,} repaired"
    unverified = f"; {audit.unsettled:,} unverified" if audit.unsettled else ""
    return f"{organisation.handle}: {compared}; {end}{unverified}"


def _document(
    organisation: Organisation, audit: Audit, differences: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    from rollcall.domain.time.calendar import format_instant

    return {
        "organisation": organisation.handle,
        "started_at": format_instant(audit.started_at_ms),
        "finished_at": format_instant(audit.finished_at_ms or audit.checked_at_ms),
        **audit.counts,
        "exact": audit.is_exact,
        "differences": list(differences),
    }


def _entry(difference: Difference) -> dict[str, Any]:
    from rollcall.domain.time.calendar import format_instant

    return {
        "kind": difference.kind,
        "name": _name(difference),
        "subject": difference.subject,
        "bucket": difference.bucket,
        "amount": difference.amount,
        "since": format_instant(difference.since_ms),
        "repaired": difference.is_repaired,
    }


def _name(difference: Difference) -> str:
    """What differs. An interrupted run keeps only the subject and the day of what it found."""
    kept = " ".join(filter(None, (difference.subject, difference.bucket)))
    return difference.name or f"{kept} (found before the interruption)".lstrip()


@contextmanager
def _bar(handle: str, last: Audit | None) -> Iterator[Callable[[Audit], None]]:
    """Yields a function that shows the progress; the total is estimated from the last audit."""
    with progress_bar(has_elapsed=True) as bar:
        task = bar.add_task(handle, total=last.rows + last.facts if last is not None else None)

        def show(audit: Audit) -> None:
            bar.update(
                task,
                completed=audit.rows + audit.facts,
                description=f"{handle}: {audit.rows:,} rows, {audit.facts:,} facts,"
                f" {audit.rollups:,} rollups; {audit.drift_count:,} drifted",
            )

        yield show
