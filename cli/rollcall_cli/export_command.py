"""`rollcall export`: every call of a range, as Parquet or as CSV."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from rollcall_cli.api_client import ApiClient, Interrupted, NoAnswer
from rollcall_cli.api_options import Api, Insecure, Token, TokenFile, api_url
from rollcall_cli.checkpoint import Checkpoint, digest_of
from rollcall_cli.console import notice, progress_bar
from rollcall_cli.credentials import read_token
from rollcall_cli.errors import CommandError
from rollcall_cli.exporting.exporter import Progress, read_pages
from rollcall_cli.exporting.formats import format_of, write
from rollcall_cli.exporting.spool import Spool
from rollcall_cli.querying.answers import document, post
from rollcall_cli.querying.options import (
    From,
    Last,
    NamedPeriod,
    TimeZone,
    To,
    Where,
    given,
    range_body,
)
from rollcall_cli.signals import stopping_on_ctrl_c
from rollcall_cli.text import escaped

_SEARCH = "/v1/calls/search"
_QUERY = "/v1/query"


def export(  # noqa: PLR0913, PLR0917 - one parameter for each option
    file: Annotated[Path, typer.Argument(help="File to write, .parquet or .csv.")],
    where: Where = None,
    start: From = None,
    end: To = None,
    period: NamedPeriod = None,
    last: Last = None,
    timezone: TimeZone = None,
    format: Annotated[
        str | None, typer.Option(help="parquet or csv; default: by the file name.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Resume an interrupted export to this file.")] = True,
    api: Api = None,
    token: Token = None,
    token_file: TokenFile = None,
    insecure: Insecure = False,
) -> None:
    """Write every call to a file, the oldest first.

    Parquet needs the extra export of the package. Conditions are those of rollcall query. CSV has
    the columns of the API's CSV; in Parquet, events are a map and a payload is JSON. Two files
    beside the output keep the progress until it is whole.

    The token needs the permission read. Exit status 0: done; 2: failed; 130: stopped, run it again to
    resume.
    """
    format = format_of(file, format)
    selected = range_body(
        where=where,
        start=start,
        end=end,
        period=period,
        last=last,
        timezone=timezone,
        now=dt.datetime.now(dt.UTC),
    )
    api, token = api_url(api), read_token(token, token_file)
    stop = threading.Event()
    client = ApiClient(api, token, "read", pause=stop.wait, is_insecure=insecure)
    # The range as it was given: the days of --last are those of the first run.
    options = json.dumps([where, start, end, period, last, timezone])
    checkpoint = Checkpoint(
        file.with_name(file.name + ".rollcall-progress"),
        digest_of(api.rstrip("/"), token, options).hexdigest(),
        Progress,
    )
    spool = file.with_name(file.name + ".rollcall-calls")
    try:
        progress = _resumed(checkpoint, spool) if resume else None
        if progress is None:
            progress = _begun(client, given(selected), file)
        if not _read(client, spool, progress, checkpoint, stop):
            notice(f"stopped after {progress.calls} calls; run the same command again to resume")
            raise typer.Exit(130)
        write(spool, file, format)
        checkpoint.remove()
        spool.unlink()
    except NoAnswer as error:
        raise CommandError(f"{error}; run the command again to resume") from error
    except OSError as error:
        raise CommandError(f"{error.filename or file}: {error.strerror or error}") from error
    print(f"{progress.calls} calls in {escaped(str(file))}", flush=True)


def _resumed(checkpoint: Checkpoint[Progress], spool: Path) -> Progress | None:
    """The progress of an earlier run of this export; None if its calls are not all there."""
    found = checkpoint.load()
    if found is None or not spool.exists() or spool.stat().st_size < found.length:
        return None
    notice(f"resuming after {found.calls} calls")
    return found


def _begun(client: ApiClient, body: dict[str, Any], file: Path) -> Progress:
    """The progress of a new export. Raises CommandError if the file exists."""
    if file.exists():
        raise CommandError(f"{file} exists; remove it, or name another file")
    query = {**body, "measures": ["calls"]}
    answer = document(client, _QUERY, post(client, _QUERY, query))
    return Progress(body, answer["totals"]["calls"])


def _read(
    client: ApiClient,
    path: Path,
    progress: Progress,
    checkpoint: Checkpoint[Progress],
    stop: threading.Event,
) -> bool:
    """Returns whether every page has been read."""
    spool = Spool(path, progress.length)
    try:
        with stopping_on_ctrl_c(stop), _bar(path, progress) as show:
            return read_pages(
                lambda body: document(client, _SEARCH, post(client, _SEARCH, body)),
                spool,
                progress=progress,
                checkpoint=checkpoint,
                wants_to_stop=stop.is_set,
                show=show,
            )
    except Interrupted:
        return False
    finally:
        spool.close()


@contextmanager
def _bar(file: Path, progress: Progress) -> Iterator[Callable[[Progress], None]]:
    """Yields a function that shows the progress."""
    with progress_bar(has_counts=True) as bar:
        task = bar.add_task(escaped(file.stem), total=progress.total, completed=progress.calls)

        def show(now: Progress) -> None:
            # Calls may have been added since the first page.
            bar.update(task, completed=now.calls, total=max(now.total, now.calls))

        yield show
