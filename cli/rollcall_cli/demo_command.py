"""`rollcall demo`: run the whole service on this machine with a month of calls until Ctrl-C."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console

from rollcall_cli.api_options import API_VARIABLE
from rollcall_cli.console import notice
from rollcall_cli.credentials import VARIABLE as TOKEN_VARIABLE
from rollcall_cli.demo_client import send
from rollcall_cli.demo_data import Record, demo_records
from rollcall_cli.demo_examples import Setting, curl, first_request, requests_to_try, try_out
from rollcall_cli.demo_filling import Filled, Tenant, audit, by_time, fill, new_tenant
from rollcall_cli.demo_output import aligned, costs, pretty
from rollcall_cli.errors import CommandError
from rollcall_cli.local import dynamodb_local
from rollcall_cli.local.documentation import PAGE
from rollcall_cli.local.jar import Unavailable
from rollcall_cli.local.ports import DynamoDbPort, Port
from rollcall_cli.local.stack import LocalStack
from rollcall_cli.signals import Stopped, raise_on_signals, wait_until_stopped

# Time lines and heat maps are long; the printed commands show all of them.
_MAX_LIST_LINES = 5


@dataclass(frozen=True, slots=True)
class Engine:
    """The demo's database, why it was chosen, and how many calls and days suit it."""

    choice: str
    description: str
    calls: int
    days: int


def demo(  # noqa: PLR0913, PLR0917 - each is an option
    engine: Annotated[
        str, typer.Option(help="auto, moto, dynamodb-local, or the URL of a running engine.")
    ] = "auto",
    port: Port = None,
    dynamodb_port: DynamoDbPort = None,
    calls: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Number of calls; default: as many as suit the engine."
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=3_650,
            help="Number of days; default: as many as suit the engine.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the random calls.")] = 1,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="End of the days, such as 2026-11-21T15:00:00Z; default: now."
        ),
    ] = None,
    tour: Annotated[
        bool, typer.Option("--tour", help="Show the answer of every endpoint.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Exit instead of serving until Ctrl-C.")
    ] = False,
) -> None:
    """Run the service on this machine with invented calls, and serve until Ctrl-C.

    Prints the addresses first; the API answers while the calls are sent. Results go
    to stdout, progress to stderr.
    """
    out = sys.stdout
    # Handlers in this process may print, as on Lambda; stdout is for the demo alone.
    sys.stdout = sys.stderr
    raise_on_signals()
    try:
        end = _end(until)
        chosen = choose_engine(engine)
        calls, days = calls or chosen.calls, days or chosen.days
        with LocalStack(engine=chosen.choice, port=port, dynamodb_port=dynamodb_port) as stack:
            tenant = new_tenant(stack.api_url)
            page = _Page(out)
            page.facts("Rollcall is running, and is being filled", _addresses(stack, tenant))
            page.title("Calls and tasks so far")
            page.command(curl(stack.api_url, first_request(tenant.handle, tenant.token)))
            records = by_time(list(demo_records(seed, calls, days, end)))
            setting = Setting(tenant.handle, tenant.token, _short(records), end)
            stack.offer(try_out(stack.template, setting))
            filled = fill(stack, tenant, records)
            page.facts(
                "Rollcall is filled",
                [
                    ("engine", chosen.description),
                    ("data", _data(records, days)),
                    ("time", _times(filled)),
                    ("audit", audit(tenant)),
                    ("tour", f"{_rollcall()} demo --tour shows every endpoint's answer"),
                    ("again", _again(calls, days, seed, end)),
                ],
            )
            if tour:
                _show_answers(page, stack, setting)
            _show_other_ways(page, stack, tenant)
            page.facts("Rollcall is running", _addresses(stack, tenant))
            if not once:
                page.title("Serving until Ctrl-C")
                wait_until_stopped()
    except Stopped:
        notice("stopped")
    finally:
        sys.stdout = out


# ---------------------------------------------------------------------------- preparation
def choose_engine(choice: str) -> Engine:
    """The engine that `--engine` names; `auto` is resolved here, to report why."""
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
    # A transaction takes moto over ten times as long, so it gets fewer calls.
    return Engine("moto", f"moto, in this process, {why}", calls=400, days=7)


def _end(until: str | None) -> datetime:
    """The end of the days, to the second, so that it can be passed as --until again."""
    if until is None:
        return datetime.now(UTC).replace(microsecond=0)
    from rollcall.domain.time.calendar import parse_instant

    try:
        milliseconds = parse_instant(until)
    except ValueError as error:
        raise CommandError(f"--until {error}, not {until!r}") from error
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


# --------------------------------------------------------------------------------- output
class _Page:
    """Prints to stdout, with styles on a terminal; lines are not wrapped."""

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


def _data(records: list[Record], days: int) -> str:
    calls = sum(record["type"] == "call" for record in records)
    return f"{calls:,} calls of {days} days, and {len(records) - calls:,} other records"


def _times(filled: Filled) -> str:
    return (
        f"{filled.sending_seconds:.1f} s to send them,"
        f" {filled.settling_seconds:.1f} s more until all were counted"
    )


def _again(calls: int, days: int, seed: int, end: datetime) -> str:
    """The command that generates the same records again."""
    return f"{_rollcall()} demo --calls {calls} --days {days} --seed {seed} --until {_text(end)}"


def _short(records: list[Record]) -> Record:
    """A record that fits into a command line."""
    return next((record for record in records if record["type"] == "task"), records[0])


def _addresses(stack: LocalStack, tenant: Tenant) -> list[tuple[str, str]]:
    """The addresses, the dashboard first, and the token; each time with a one-time code of its own."""
    return [
        ("dashboard", stack.dashboard_url(tenant.token)),
        ("API", stack.api_url),
        ("token", tenant.token),
        ("documentation", f"{stack.api_url}{PAGE}"),
    ]


def _show_answers(page: _Page, stack: LocalStack, setting: Setting) -> None:
    """Print each example: its title, the command to paste, and the answer to it."""
    for title, request in requests_to_try(stack.template, setting):
        answer = send(stack.api_url, request)
        page.title(title)
        page.command(curl(stack.api_url, request))
        if answer.status != 200:
            page.aside(f"HTTP {answer.status}")
        page.answer(pretty(answer.json(), most=_MAX_LIST_LINES))
        cost = costs(answer.headers)
        if cost:
            page.aside(aligned(cost))


def _show_other_ways(page: _Page, stack: LocalStack, tenant: Tenant) -> None:
    environment = stack.environment()
    names = (
        "AWS_ENDPOINT_URL_DYNAMODB",
        "ROLLCALL_RECORDS_TABLE",
        "ROLLCALL_ANALYTICS_TABLE",
        "ROLLCALL_FAILURE_DESTINATION",
    )
    page.title("Query it")
    page.command(f"export {API_VARIABLE}={stack.api_url} {TOKEN_VARIABLE}={tenant.token}")
    page.command(f"{_rollcall()} query --measure calls --by day --last 7d")
    page.title("Let a provider's signed webhooks change the numbers")
    page.command(f"{_rollcall()} hook try --api {stack.api_url}")
    page.title("Point other rollcall commands at it")
    for name in names:
        page.command(f"export {name}={shlex.quote(environment[name])}")
    page.command(f"{_rollcall()} token list {tenant.handle}")
    page.facts(
        f"Read the tables with any DynamoDB client at {stack.dynamodb_url}",
        [
            (stack.records_table, "facts: one for each record that was sent"),
            (stack.analytics_table, "ledger pages and rollups, which answer queries"),
            ("credentials", f"any; region {environment['AWS_REGION']}"),
        ],
    )


def _rollcall() -> str:
    """The command that starts this program from the current folder."""
    if shutil.which("rollcall"):
        return "rollcall"
    program = Path(sys.argv[0]).absolute()
    here = Path.cwd()
    return str(program.relative_to(here) if program.is_relative_to(here) else program)
