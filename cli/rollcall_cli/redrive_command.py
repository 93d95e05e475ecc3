"""`rollcall redrive`: list, show and replay the records in the failure destination."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollcall_cli.console import AsJson, notice, print_result, progress_bar
from rollcall_cli.deployment import maintenance
from rollcall_cli.errors import CommandError
from rollcall_cli.target import resolve
from rollcall_cli.text import printable

if TYPE_CHECKING:
    from rollcall.maintenance.failed_records import FailedRecords
    from rollcall.maintenance.redrive import Redrive, Replayed

app = typer.Typer(help="Manage failed records, which could not be applied.", no_args_is_help=True)

From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="PLACE",
        help="s3://bucket[/prefix], file:///folder or a folder;"
        " default: ROLLCALL_FAILURE_DESTINATION.",
    ),
]
_OBJECT_SECONDS = 120.0  # the time limit of the stream function for as many records
_TRIES_WITHOUT_TABLES = 3
_ORGANISATIONS_SHOWN = 3


@app.command(name="list")
def list_(
    place: From = None,
    as_json: AsJson = False,
) -> None:
    """List failed records, oldest first.

    Each object is listed with its reason, and the number and age of its records.
    """
    entries: list[dict[str, Any]] = []
    unfinished = 0
    with _redrive(place) as redrive:
        from rollcall.domain.errors import CorruptItem
        from rollcall.maintenance.redrive import is_unfinished

        for name in redrive.names():
            if is_unfinished(name):
                unfinished += 1
                continue
            try:
                failed = redrive.failed(name)
            except CorruptItem as corrupt:
                entries.append(_unknown(name, str(corrupt)))
            else:
                if failed is not None:  # else it has been replayed meanwhile
                    entries.append(_entry(name, failed))
    entries.sort(key=lambda entry: (entry["kept_at"] is None, entry["kept_at"], entry["name"]))
    if unfinished:
        notice(f"{_counted(unfinished, 'unfinished write')} left out (names that begin with a dot)")
    lines = (line for e in entries for line in (printable(e["name"]), f"    {_described(e)}"))
    print_result(entries, lines, as_json=as_json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name shown by `list`.")],
    place: From = None,
) -> None:
    """Print one object as JSON.

    The event that a batch holds as a string is printed as JSON too.
    """
    with _redrive(place) as redrive:
        from rollcall.domain.errors import CorruptItem

        try:
            document = redrive.document(name)
        except CorruptItem as corrupt:
            raise CommandError(f"{printable(name)} is damaged: {corrupt}") from corrupt
    if document is None:
        raise CommandError(_absent([name]))
    print(json.dumps(_unfolded(document), indent=2))


@app.command()
def replay(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Names shown by `list`.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Replay every object.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the objects that are replayed.")
    ] = False,
    place: From = None,
) -> None:
    """Apply failed records again.

    An object is removed once all of its records are applied. Replaying is safe: records that were
    applied meanwhile, or have newer versions, do not change. If only some records of an object can
    be applied, one object per reason replaces it.

    Exit status 0: all applied; 1: some remain, each named with its reason; 2: failed.
    """
    if everything == bool(names):
        raise CommandError("specify the objects to replay, or --all")
    totals = _Totals()
    with _redrive(place) as redrive, maintenance():
        chosen = list(dict.fromkeys(names)) if names else _finished(redrive)
        try:
            _replay(redrive, chosen, totals, keep=keep)
        finally:
            totals.report()
    if totals.absent and names:
        raise CommandError(_absent(totals.absent))
    if totals.remaining:
        raise typer.Exit(1)


@dataclass(slots=True)
class _Totals:
    objects: int = 0
    records: int = 0
    remaining: list[tuple[str, str]] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    def add(self, name: str, replayed: Replayed) -> None:
        if not replayed.is_found:
            self.absent.append(name)
            return
        self.objects += 1
        self.records += replayed.settled
        self.remaining += [(kept.name, kept.reason) for kept in replayed.remaining]

    def report(self) -> None:
        for name, reason in self.remaining:
            print(f"remains {printable(name)}: {printable(reason)}")
        done = f"{_counted(self.records, 'record')} of {_counted(self.objects, 'object')} applied"
        left = len(self.remaining)
        print(f"{done}; {_counted(left, 'object')} remain{'s' if left == 1 else ''}", flush=True)


def _replay(redrive: Redrive, names: Sequence[str], totals: _Totals, *, keep: bool) -> None:
    from rollcall.retry import time_limit

    tries_without_tables = 0
    with _bar(len(names)) as advance:
        for name in names:
            with time_limit(_OBJECT_SECONDS):
                replayed = redrive.replay(name, keep=keep)
            totals.add(name, replayed)
            advance(totals)
            tries_without_tables = tries_without_tables + 1 if replayed.is_unreachable else 0
            if tries_without_tables == _TRIES_WITHOUT_TABLES:
                raise CommandError(
                    f"stopped: {tries_without_tables} objects in a row could not be applied, for"
                    " the reasons above"
                )


def _finished(redrive: Redrive) -> list[str]:
    """All names without unfinished writes; listed first, because a replay adds and removes some."""
    from rollcall.maintenance.redrive import is_unfinished

    return [name for name in redrive.names() if not is_unfinished(name)]


@contextlib.contextmanager
def _redrive(place: str | None) -> Iterator[Redrive]:
    """The replay of a failure destination; a destination that cannot be used is a CommandError."""
    from rollcall.domain.errors import BrokenDestination

    resolve()
    from rollcall import commands
    from rollcall.settings import settings

    where = settings.failure_destination if place is None else place
    if not where:
        raise CommandError(
            "specify the destination with --from, --stack-name or ROLLCALL_FAILURE_DESTINATION"
        )
    try:
        yield commands.redrive(where if "://" in where else Path(where).absolute().as_uri())
    except BrokenDestination as error:
        raise CommandError(f"{where} cannot be used: {error}") from error


@contextlib.contextmanager
def _bar(total: int) -> Iterator[Callable[[_Totals], None]]:
    """Yields a function that shows one more object as replayed."""
    with progress_bar(has_counts=True) as bar:
        task = bar.add_task("0 records", total=total)

        def advance(now: _Totals) -> None:
            bar.update(task, advance=1, description=_counted(now.records, "record"))

        yield advance


# ---------------------------------------------------------------------------- output
def _entry(name: str, failed: FailedRecords) -> dict[str, Any]:
    age_seconds = None
    if failed.oldest_ms is not None:
        age_seconds = max(0, time.time_ns() // 1_000_000 - failed.oldest_ms) // 1000
    return {
        "name": name,
        "kind": failed.kind.value,
        "reason": failed.reason,
        "kept_at": _instant(failed.kept_at_ms),
        "records": len(failed.records),
        "oldest_record_at": _instant(failed.oldest_ms),
        "oldest_record_age_seconds": age_seconds,
        "organisations": list(failed.org_ids),
    }


def _unknown(name: str, reason: str) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "unknown",
        "reason": reason,
        "kept_at": None,
        "records": None,
        "oldest_record_at": None,
        "oldest_record_age_seconds": None,
        "organisations": [],
    }


def _instant(value_ms: int | None) -> str | None:
    from rollcall.domain.time.calendar import format_instant

    return None if value_ms is None else format_instant(value_ms)


def _described(entry: dict[str, Any]) -> str:
    """One line about an object."""
    reason = printable(entry["reason"])
    if entry["kind"] == "unknown":
        return f"unknown: {reason}"
    parts = [entry["kept_at"] or "at an unknown time", f"{entry['kind']}: {reason}"]
    age_seconds = entry["oldest_record_age_seconds"]
    age = "" if age_seconds is None else f", the oldest {_age(age_seconds)} old"
    parts.append(_counted(entry["records"], "record") + age)
    organisations = entry["organisations"]
    if organisations:
        more = len(organisations) - _ORGANISATIONS_SHOWN
        named = " ".join(map(printable, organisations[:_ORGANISATIONS_SHOWN]))
        parts.append(named + (f" and {more} more" if more > 0 else ""))
    return "  ".join(parts)


def _age(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if minutes < 60:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{days} d {hours % 24} h"


def _unfolded(document: Any) -> Any:
    """The document, with the event of a batch parsed from its string."""
    payload = document.get("payload")
    if isinstance(payload, str):
        with contextlib.suppress(ValueError, RecursionError):
            return document | {"payload": json.loads(payload)}
    return document


def _absent(names: Sequence[str]) -> str:
    named = ", ".join(map(printable, names))
    return f"there is no {named}; rollcall redrive list shows the objects"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
