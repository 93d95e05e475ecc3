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
from rollcall_cli.checkpoint import Checkpoint
from rollcall_cli.console import notice, progress_bar
from rollcall_cli.credentials import read_token
from rollcall_cli.errors import CommandError
from rollcall_cli.importing.importer import RejectedRows, import_rows
from rollcall_cli.importing.progress import Progress, identity_of
from rollcall_cli.importing.rows import Position, detect_format, read_rows
from rollcall_cli.importing.sender import MAX_RECORDS, Sender
from rollcall_cli.signals import stopping_on_ctrl_c
from rollcall_cli.text import escaped


def import_records(  # noqa: PLR0913, PLR0917 - one parameter for each option
    file: Annotated[
        Path, typer.Argument(help="JSON lines (.jsonl, .ndjson, .json) or CSV (.csv).")
    ],
    api: Api = None,
    token: Token = None,
    token_file: TokenFile = None,
    type: Annotated[str | None, typer.Option(help="Type of records without a `type`.")] = None,
    format: Annotated[
        str | None, typer.Option(help="jsonl or csv; default: by the file name.")
    ] = None,
    rejected: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File for rejected rows; default: FILE.rejected.jsonl."),
    ] = None,
    batch: Annotated[
        int, typer.Option(metavar="N", help="Records per request.", min=1, max=MAX_RECORDS)
    ] = (MAX_RECORDS),
    resume: Annotated[bool, typer.Option(help="Resume an interrupted import of this file.")] = True,
    insecure: Insecure = False,
) -> None:
    """Send the records of a file in order. Sending a file again changes nothing.

    The token, which needs the scope ingest, comes from
    ROLLCALL_TOKEN, from --token-file, or with --token -
    from standard input.

    CSV: the header names the fields, and an empty cell is
    an absent field. Labels are separated by |. Each event
    and each key of a payload has a column of its own, as in
    events.sms_sent and payload.plan. A payload cell is text,
    unless its column is named payload.score:number or
    payload.vip:boolean.

    Exit status 0: every record is stored; 1: some were
    rejected; 2: failed; 130: stopped, run it again to resume.
    """
    api = api_url(api)
    token = read_token(token, token_file)
    rejected = rejected or file.with_name(file.name + ".rejected.jsonl")
    job = _Job(file, detect_format(file, format), type, batch, rejected)
    stop = threading.Event()
    client = ApiClient(api, token, "ingest", pause=stop.wait, is_insecure=insecure)
    sender = Sender(client)
    try:
        checkpoint = job.checkpoint(api, token)
        progress = (checkpoint.load() if resume else None) or Progress()
        if progress.offset:
            notice(f"resuming after line {progress.lines}")
        is_complete = _import(job, sender, checkpoint, progress, stop)
    except OSError as error:
        raise CommandError(f"{error.filename or file}: {error.strerror or error}") from error
    if not is_complete:
        notice(f"stopped after line {progress.lines}; run the same command again to resume")
        raise typer.Exit(130)
    checkpoint.remove()
    _print_summary(progress, rejected)
    if progress.rejected:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Job:
    file: Path
    format: str
    record_type: str | None
    batch_size: int
    rejected_path: Path

    def checkpoint(self, api: str, token: str) -> Checkpoint[Progress]:
        """The checkpoint of imports of this file with the same target and options."""
        options = (
            api.rstrip("/"),
            token,
            self.format,
            self.record_type or "",
            str(self.rejected_path),
        )
        path = self.file.with_name(self.file.name + ".rollcall-progress")
        return Checkpoint(path, identity_of(self.file, *options), Progress)


def _print_summary(progress: Progress, rejected_path: Path) -> None:
    summary = (
        f"{progress.records} records: {progress.accepted} accepted, {progress.unchanged}"
        f" unchanged, {progress.stale} stale, {progress.rejected} rejected"
    )
    where = f" (see {escaped(str(rejected_path))})" if progress.rejected else ""
    print(summary + where, flush=True)


def _import(
    job: _Job,
    sender: Sender,
    checkpoint: Checkpoint[Progress],
    progress: Progress,
    stop: threading.Event,
) -> bool:
    """Returns whether every row of the file has been processed."""
    refused = RejectedRows(job.rejected_path, progress)
    try:
        with (
            job.file.open("rb") as content,
            stopping_on_ctrl_c(stop),
            _bar(job.file, progress) as show,
        ):
            start = Position(progress.offset, progress.lines)
            return import_rows(
                read_rows(content, job.format, job.record_type, start),
                sender,
                batch_size=job.batch_size,
                progress=progress,
                checkpoint=checkpoint,
                rejected=refused,
                wants_to_stop=stop.is_set,
                show=show,
            )
    except Interrupted:
        return False
    finally:
        refused.close()


@contextmanager
def _bar(file: Path, progress: Progress) -> Iterator[Callable[[Progress], None]]:
    """Yields a function that shows the progress."""
    with progress_bar() as bar:
        task = bar.add_task(
            escaped(file.name), total=file.stat().st_size, completed=progress.offset
        )

        def show(now: Progress) -> None:
            bar.update(task, completed=now.offset, description=f"{now.records} records")

        yield show
