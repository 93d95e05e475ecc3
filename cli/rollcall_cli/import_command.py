"""`rollcall import`: send a file of records to the API."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from rollcall_cli.api_client import ApiClient, Interrupted
from rollcall_cli.api_options import Api, Insecure, Token, TokenFile, api_url
from rollcall_cli.checkpoint import Checkpoint, digest_of
from rollcall_cli.console import notice
from rollcall_cli.credentials import read_token
from rollcall_cli.errors import CommandError
from rollcall_cli.importing.delimited import delimiter_named
from rollcall_cli.importing.dry_run import Checker, Problems
from rollcall_cli.importing.importer import RejectedRows, import_rows
from rollcall_cli.importing.mapping.exchange import DialPlan
from rollcall_cli.importing.mapping.map_file import (
    NamedMap,
    in_currency,
    read_map,
    read_preset,
    zone_option,
)
from rollcall_cli.importing.mapping.sampling import sample
from rollcall_cli.importing.mapping.suggest import ROWS, suggested
from rollcall_cli.importing.pace import shown_progress
from rollcall_cli.importing.progress import Progress, Trail
from rollcall_cli.importing.reading import Options, Reading, checked_format, checked_type, format_of
from rollcall_cli.importing.sender import MAX_RECORDS, Sender
from rollcall_cli.importing.source import Source
from rollcall_cli.signals import stopping_on_ctrl_c
from rollcall_cli.text import escaped


def import_records(  # noqa: PLR0913, PLR0917 - one parameter for each option
    file: Annotated[Path, typer.Argument(help="CSV or JSON, also with .gz; - is stdin.")],
    api: Api = None,
    token: Token = None,
    token_file: TokenFile = None,
    type: Annotated[str | None, typer.Option(help="Type of records without a `type`.")] = None,
    format: Annotated[
        str | None,
        typer.Option(help="csv, json or jsonl; default: by the file's name, else its content."),
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option(metavar="CHARACTER", help="Between columns; default: by the header."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Such as latin-1; default: detected.")
    ] = None,
    map_file: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="Map of columns or JSON values to fields."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="PRESET", help="Map that ships with rollcall, such as vapi-json."
        ),
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Zone of times without one, for a map.")
    ] = None,
    currency: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Currency of costs, for a map that checks it."),
    ] = None,
    legs: Annotated[
        bool, typer.Option("--legs", help="Import each row as a call of its own.")
    ] = False,
    inbound_context: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Contexts of incoming calls, such as ext-did*."),
    ] = None,
    trunk: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Trunks of outgoing calls, such as PJSIP/acme."),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column of the space token, such as accountcode."),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column of the outcome, such as userfield."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the file; send nothing.")
    ] = False,
    suggest_map: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a first map for the file; send nothing."),
    ] = None,
    rejected: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File for rejected rows; default: FILE.rejected.jsonl."),
    ] = None,
    batch: Annotated[
        int, typer.Option(metavar="N", help="Records per request.", min=1, max=MAX_RECORDS)
    ] = MAX_RECORDS,
    resume: Annotated[bool, typer.Option(help="Resume an interrupted import of this file.")] = True,
    insecure: Insecure = False,
) -> None:
    """Send the records of a file in order. Sending a file again changes nothing.

    The token, which needs the permission ingest, comes from
    ROLLCALL_TOKEN, from --token-file, or with --token -
    from standard input.

    JSON: one record for each line, an array, or an object
    with an array under results, calls, conversations,
    records, data or items.

    CSV: the header names the fields, and an empty cell is
    an absent field. Labels are separated by |. Each event
    and each key of a payload has a column of its own, as in
    events.sms_sent and payload.plan. A payload cell is text,
    unless its column is named payload.score:number or
    payload.vip:boolean.

    Anything else needs a map: docs/importing.md.

    Exit status 0: every record is stored; 1: some were
    rejected; 2: failed; 130: stopped, run it again to resume.
    """
    if str(file) == "-" and token == "-":
        raise CommandError("standard input cannot hold both the file and the token")
    dial_plan = DialPlan(inbound_context, trunk, space, outcome)
    options = Options(
        checked_format(format),
        checked_type(type),
        delimiter_named(delimiter),
        encoding,
        _chosen_map(map_file, preset, currency, dial_plan, by_row=legs),
        timezone,
    )
    _check_options(options)
    job = _Job(file, options, batch, rejected or _rejected_path(file))
    if suggest_map is not None:
        return _suggest(job, suggest_map)
    if dry_run:
        return _check(job)
    api = api_url(api)
    token = read_token(token, token_file)
    stop = threading.Event()
    sender = Sender(ApiClient(api, token, "ingest", pause=stop.wait, is_insecure=insecure))
    with _file_errors(file):
        progress = _import(job, sender, job.checkpoint(api, token), stop, resume=resume)
    _print_summary(progress, job.rejected_path)
    if progress.rejected:
        raise typer.Exit(1)
    return None


def _chosen_map(
    path: Path | None,
    preset: str | None,
    currency: str | None,
    dial_plan: DialPlan,
    *,
    by_row: bool,
) -> NamedMap | None:
    if path is not None and preset is not None:
        raise CommandError("pass --map or --from, not both")
    if preset is not None:
        named = read_preset(preset, by_row=by_row)
    elif path is not None:
        named = read_map(path, by_row=by_row)
    elif currency is not None:
        raise CommandError("--currency needs --map or --from")
    elif by_row or dial_plan != DialPlan():
        raise CommandError(
            "--legs, --inbound-context, --trunk, --space and --outcome need --map or --from"
        )
    else:
        return None
    return dial_plan.applied(named if currency is None else in_currency(named, currency))


def _check_options(options: Options) -> None:
    """Raises CommandError for options that do not go together."""
    zone_option(options.timezone)
    if options.mapping is None and options.timezone is not None:
        raise CommandError(
            "--timezone needs --map or --from: without a map, times are sent as they are"
        )
    if options.mapping is not None and options.record_type is not None:
        raise CommandError("--type: the map has the type of its records")


@contextmanager
def _file_errors(file: Path) -> Iterator[None]:
    """Raises CommandError for an OSError."""
    try:
        yield
    except OSError as error:
        raise CommandError(f"{error.filename or file}: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class _Job:
    file: Path
    options: Options
    batch_size: int
    rejected_path: Path

    def open(self) -> Source:
        """The file from its beginning."""
        return Source(self.file, self.options.encoding)

    def checkpoint(self, api: str, token: str) -> Checkpoint[Trail] | None:
        """The checkpoint of imports of this file with the same target and options; stdin has none."""
        if str(self.file) == "-":
            return None
        identity = digest_of(
            api.rstrip("/"), token, repr(self.options), str(self.rejected_path)
        ).hexdigest()
        path = self.file.with_name(self.file.name + ".rollcall-progress")
        return Checkpoint(path, str(identity), Trail)


def _rejected_path(file: Path) -> Path:
    name = "stdin" if str(file) == "-" else file.name
    return file.with_name(name + ".rejected.jsonl")


def _import(
    job: _Job,
    sender: Sender,
    checkpoint: Checkpoint[Trail] | None,
    stop: threading.Event,
    *,
    resume: bool,
) -> Progress:
    """Send the whole file. Raises Exit after Ctrl-C."""
    trail = (checkpoint.load() if checkpoint and resume else None) or Trail()
    progress = _resumed(job, trail)

    def save(progress: Progress) -> None:
        if checkpoint is not None:
            trail.add(progress)
            checkpoint.save(trail)

    if not _send(job, sender, progress, save, stop):
        action = "to resume" if checkpoint else "with the same input, which changes nothing twice"
        notice(f"stopped after line {progress.lines}; run the same command again {action}")
        raise typer.Exit(130)
    if checkpoint is not None:
        checkpoint.remove()
    return progress


def _resumed(job: _Job, trail: Trail) -> Progress:
    """Where an earlier import of the file is resumed."""
    if not trail.marks:
        return Progress()
    reached = trail.marks[-1]["lines"]
    is_joined = trail.marks[-1]["bound"] > trail.marks[-1]["offset"]
    progress = trail.unchanged(job.open) or Progress()
    if progress.lines < reached:
        notice(
            f"the file has changed before line {reached}, up to which it had been sent"
            if not is_joined
            else "the file has changed, and which rows are one call with it"
        )
    notice(f"resuming after line {progress.lines}")
    return progress


def _send(
    job: _Job,
    sender: Sender,
    progress: Progress,
    save: Callable[[Progress], None],
    stop: threading.Event,
) -> bool:
    """Returns whether every row of the file has been processed."""
    with job.open() as source, stopping_on_ctrl_c(stop):
        reading = Reading(source, job.file, job.options)
        for note in reading.notes:
            notice(note)
        refused = RejectedRows(job.rejected_path, progress, reading.columns)
        try:
            # The part of the file that was sent before is passed over here, so it counts for no pace.
            rows = reading.rows(progress.offset, progress.lines, stop.is_set)
            with shown_progress(source, progress) as show:
                return import_rows(
                    rows,
                    sender,
                    batch_size=job.batch_size,
                    progress=progress,
                    save=save,
                    rejected=refused,
                    wants_to_stop=stop.is_set,
                    show=show,
                )
        except Interrupted:
            return False
        finally:
            refused.close()
            _report_unclear(reading)


def _check(job: _Job) -> None:
    """Print what would be sent and what is wrong with the rest. Raises Exit if anything is."""
    checker, progress = Checker(), Progress()
    with _file_errors(job.file), job.open() as source:
        reading = Reading(source, job.file, job.options)
        for note in reading.notes:
            notice(note)
        problems = Problems(reading.columns)
        import_rows(
            reading.rows(0, 0),
            checker,
            batch_size=job.batch_size,
            progress=progress,
            save=lambda _: None,
            rejected=problems,
            wants_to_stop=lambda: False,
            show=lambda _: None,
        )
        _report_unclear(reading)
    print(
        f"{progress.records} records: {progress.accepted} would be sent,"
        f" {progress.rejected} rejected; nothing was sent"
    )
    for line in [*problems.lines(), *(record.decode() for record in checker.shown)]:
        print(escaped(line))
    if progress.rejected:
        raise typer.Exit(1)


def _suggest(job: _Job, target: Path) -> None:
    """Write a first map for the file."""
    record_type = job.options.record_type or "call"
    with _file_errors(job.file), job.open() as source:
        format = job.options.format or format_of(job.file, source.head)
        names, rows = sample(source, format, job.options.delimiter, ROWS)
    text = suggested(names, rows, record_type)
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CommandError(f"--suggest-map {target}: {error.strerror}") from error
    notice(f"wrote {target}; check it, then try it with --map {target} --dry-run")


def _report_unclear(reading: Reading) -> None:
    if count := reading.unclear_times:
        notice(
            f"local times that occur twice or never, because clocks were changed: {count:,}; they are"
            " read as the earlier one, or with the offset before the change"
        )


def _print_summary(progress: Progress, rejected_path: Path) -> None:
    summary = (
        f"{progress.records} records: {progress.accepted} accepted, {progress.unchanged}"
        f" unchanged, {progress.stale} stale, {progress.rejected} rejected"
    )
    where = f" (see {escaped(str(rejected_path))})" if progress.rejected else ""
    print(summary + where, flush=True)
