"""`rollcall demo`: the whole service on this machine, with a month of calls in it, until Ctrl-C."""

from __future__ import annotations

import shlex
import shutil
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console

from rollcall_cli.demo_client import send
from rollcall_cli.demo_data import Record, demo_records
from rollcall_cli.demo_examples import Scene, curl, requests_to_try, try_out
from rollcall_cli.demo_filling import Filled, Tenant, by_time, fill, new_tenant
from rollcall_cli.demo_output import aligned, costs, pretty
from rollcall_cli.errors import CommandError
from rollcall_cli.local import dynamodb_local
from rollcall_cli.local.documentation import PAGE
from rollcall_cli.local.jar import Unavailable
from rollcall_cli.local.ports import DynamoDbPort, Port
from rollcall_cli.local.progress import tell
from rollcall_cli.local.stack import LocalStack
from rollcall_cli.stopping import Stopped, raise_on_signals

# Time lines and heat maps are long; the commands show them whole.
_LINES_A_LIST = 5


@dataclass(frozen=True, slots=True)
class Engine:
    """The database of the demo, why it is that one, and how much it takes in a short time."""

    choice: str
    description: str
    calls: int
    days: int


def demo(
    engine: Annotated[
        str, typer.Option(help="auto, moto, dynamodb-local, or the URL of an endpoint that runs.")
    ] = "auto",
    port: Port = None,
    dynamodb_port: DynamoDbPort = None,
    calls: Annotated[
        int | None, typer.Option(min=1, help="How many calls; default: what the engine does soon.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=3_650, help="Over how many days; default: likewise.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed, other calls.")] = 1,
    until: Annotated[
        str | None, typer.Option(help="When the days end, as 2026-11-21T15:00:00Z; default: now.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End when all is printed.")] = False,
) -> None:
    """Run the service here with invented calls in it, show what it answers, serve until Ctrl-C.

    What it shows goes to stdout, progress to stderr.
    """
    out = sys.stdout
    # Handlers in this process may print, as Lambda lets them; stdout is for the demo alone.
    sys.stdout = sys.stderr
    raise_on_signals()
    try:
        end = _end(until)
        chosen = choose_engine(engine)
        calls, days = calls or chosen.calls, days or chosen.days
        records = by_time(list(demo_records(seed, calls, days, end)))
        with LocalStack(engine=chosen.choice, port=port, dynamodb_port=dynamodb_port) as stack:
            tenant = new_tenant(stack.api_url)
            scene = Scene(tenant.handle, tenant.token, _short(records), end)
            stack.offer(try_out(stack.template.api.routes, scene))
            filled = fill(stack, tenant, records)
            show = _Page(out)
            show.facts(
                f"Rollcall is running at {stack.api_url}",
                [
                    ("engine", chosen.description),
                    ("data", _data(records, days, filled)),
                    ("numbers", f"complete {filled.settling_seconds:.1f} s after the last record"),
                    ("again", _again(calls, days, seed, end)),
                    ("docs", f"{stack.api_url}{PAGE}"),
                    ("below", "what to ask; long lists are cut here, not by the commands"),
                ],
            )
            _show_answers(show, stack, scene)
            _show_other_ways(show, stack, tenant)
            if not once:
                show.title(f"Serving at {stack.api_url} until Ctrl-C")
                threading.Event().wait()
    except Stopped:
        tell("stopped")
    finally:
        sys.stdout = out


# ---------------------------------------------------------------------------- preparation
def choose_engine(choice: str) -> Engine:
    """What `--engine` means here: `auto` is resolved, so that the demo can say why."""
    if choice == "moto":
        return _moto("as you asked")
    if choice == "auto":
        try:
            found = dynamodb_local.locate()
        except Unavailable as error:
            return _moto(f"because {error.reason}")
        why = f"because Java {found.java_version} and its jar are here"
        return Engine("dynamodb-local", f"DynamoDB Local, {why}", calls=3_000, days=30)
    name = "DynamoDB Local" if choice == "dynamodb-local" else choice
    return Engine(choice, f"{name}, as you asked", calls=3_000, days=30)


def _moto(why: str) -> Engine:
    # moto takes over ten times as long for a transaction, so it is given less.
    return Engine("moto", f"moto, in this process, {why}", calls=400, days=7)


def _end(until: str | None) -> datetime:
    """When the days end, to the second, so that it can be written down and given again."""
    if until is None:
        return datetime.now(UTC).replace(microsecond=0)
    from rollcall.domain.calendar import parse_instant

    try:
        milliseconds = parse_instant(until)
    except ValueError as error:
        raise CommandError(f"--until {error}, not {until!r}") from error
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


# --------------------------------------------------------------------------------- output
class _Page:
    """stdout: titles and commands stand out on a terminal, and nothing is ever wrapped."""

    def __init__(self, out: TextIO) -> None:
        self._console = Console(file=out, highlight=False, markup=False, emoji=False)

    def _print(self, text: str, style: str | None = None) -> None:
        self._console.print(text, style=style, soft_wrap=True)
        self._console.file.flush()

    def title(self, text: str) -> None:
        self._print(f"\n{text}", "bold")

    def facts(self, title: str, rows: list[tuple[str, str]]) -> None:
        self.title(title)
        self._print(aligned(rows))

    def command(self, text: str) -> None:
        self._print(text, "cyan")

    def answer(self, text: str) -> None:
        self._print(text)

    def aside(self, text: str) -> None:
        self._print(text, "dim")


def _data(records: list[Record], days: int, filled: Filled) -> str:
    calls = sum(record["type"] == "call" for record in records)
    others = len(records) - calls
    return (
        f"{calls:,} calls and {others:,} other records of {days} days,"
        f" sent through POST /v1/records in {filled.sending_seconds:.1f} s"
    )


def _again(calls: int, days: int, seed: int, end: datetime) -> str:
    """The command that makes the same records again."""
    return f"{_rollcall()} demo --calls {calls} --days {days} --seed {seed} --until {_text(end)}"


def _short(records: list[Record]) -> Record:
    """A record that fits into a command."""
    return next((record for record in records if record["type"] == "task"), records[0])


def _show_answers(show: _Page, stack: LocalStack, scene: Scene) -> None:
    """Each example: what it asks, the command to paste, and what was answered just now."""
    for title, request in requests_to_try(stack.template.api.routes, scene):
        answer = send(stack.api_url, request)
        show.title(title)
        show.command(curl(stack.api_url, request))
        if answer.status != 200:
            show.aside(f"HTTP {answer.status}")
        show.answer(pretty(answer.json(), most=_LINES_A_LIST))
        cost = costs(answer.headers)
        if cost:
            show.aside(aligned(cost))


def _show_other_ways(show: _Page, stack: LocalStack, tenant: Tenant) -> None:
    environment = stack.environment()
    names = (
        "AWS_ENDPOINT_URL_DYNAMODB",
        "ROLLCALL_RECORDS_TABLE",
        "ROLLCALL_ANALYTICS_TABLE",
        "ROLLCALL_FAILURE_DESTINATION",
    )
    show.title("Point other rollcall commands at it")
    for name in names:
        show.command(f"export {name}={shlex.quote(environment[name])}")
    show.command(f"{_rollcall()} token list {tenant.handle}")
    show.facts(
        f"Look at the tables with any DynamoDB client at {stack.dynamodb_url}",
        [
            (stack.records_table, "what was sent: a fact for each record"),
            (stack.analytics_table, "what is read: ledger pages and rollups"),
            ("credentials", f"any; region {environment['AWS_REGION']}"),
        ],
    )


def _rollcall() -> str:
    """How to call this program from here."""
    if shutil.which("rollcall"):
        return "rollcall"
    program = Path(sys.argv[0]).absolute()
    here = Path.cwd()
    return str(program.relative_to(here) if program.is_relative_to(here) else program)
