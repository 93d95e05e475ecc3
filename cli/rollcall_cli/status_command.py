"""`rollcall status`: whether a deployment is reachable, fresh and exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer
import urllib3

from rollcall_cli.console import AsJson, print_result, print_table
from rollcall_cli.deployment import deployment
from rollcall_cli.durations import duration_ms
from rollcall_cli.errors import CommandError
from rollcall_cli.status_report import OrganisationStatus, Status
from rollcall_cli.target import resolve

if TYPE_CHECKING:
    from rollcall.domain.organisations import Organisation
    from rollcall.maintenance.lag import Lag

_API_SECONDS = 10.0


def status(
    org: Annotated[
        list[str] | None,
        typer.Option(metavar="HANDLE", help="Organisation to check; repeatable; default: all."),
    ] = None,
    api: Annotated[
        str | None, typer.Option(metavar="URL", help="The API to check; default: the stack's.")
    ] = None,
    wait: Annotated[
        str,
        typer.Option(metavar="DURATION", help="Lag above which the stream counts as behind."),
    ] = "30s",
    is_read_only: Annotated[
        bool, typer.Option("--read-only", help="Write nothing; the lag is not measured.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check tables, API, stream lag, failed records and audits.

    To measure the lag, the command rewrites one record per organisation, unchanged except for a
    higher revision, and reads its ledger page until the page has that revision. No answer changes. The lag is
    that of the record's partition of the table; the metric IteratorAge of the update function
    covers all partitions. The API gets one request without a token, which shows only that the
    gateway answers.

    Exit status 0: healthy; 1: the API does not answer, a change was not applied in time, there are
    failed records, or the last audit of an organisation found drift that is not repaired; 2: the
    check failed. A skipped check counts as healthy, and the output names it.
    """
    wait_seconds = duration_ms(wait, "--wait") / 1_000
    target = resolve()
    api = api or target.api_url
    with deployment() as bootstrap:
        organisations = _chosen(bootstrap, org)
        lags: Mapping[str, Lag] = {}
        if not is_read_only:
            from rollcall import commands

            lags = commands.measure_lag()(organisations, wait_seconds)
        found = Status(
            place=str(target),
            api_url=api,
            api_answers=None if api is None else _answers(api),
            failed_objects=_failed_objects(),
            organisations=tuple(
                OrganisationStatus(each.handle, lags.get(each.id), bootstrap.audits().last(each.id))
                for each in organisations
            ),
        )
    print_result(found.document(), found.lines(), as_json=as_json)
    if not as_json:
        _print_organisations(found)
    if not found.is_healthy:
        raise typer.Exit(1)


def _chosen(bootstrap: ModuleType, handles: Sequence[str] | None) -> list[Organisation]:
    every = [each for each in bootstrap.directory().organisations() if not each.is_deleting]
    if not handles:
        return every
    by_handle = {each.handle: each for each in every}
    unknown = [handle for handle in handles if handle not in by_handle]
    if unknown:
        raise CommandError(f"no organisation has the handle {unknown[0]!r}, or it is being deleted")
    return [by_handle[handle] for handle in dict.fromkeys(handles)]


def _answers(api_url: str) -> bool:
    """Whether the gateway answers; refusing a request without a token is an answer."""
    try:
        with urllib3.PoolManager(retries=False) as pool:
            answer = pool.request("GET", f"{api_url.rstrip('/')}/v1/audit", timeout=_API_SECONDS)
    except urllib3.exceptions.LocationParseError as error:
        raise CommandError(f"--api {api_url!r} is not a URL") from error
    except urllib3.exceptions.HTTPError:
        return False
    return bool(answer.status < 500)


def _failed_objects() -> int | None:
    from rollcall import commands
    from rollcall.domain.errors import BrokenDestination
    from rollcall.maintenance.redrive import is_unfinished
    from rollcall.settings import settings

    destination = settings.failure_destination
    if not destination:
        return None
    try:
        names = commands.redrive(destination).names()
        return sum(1 for name in names if not is_unfinished(name))
    except BrokenDestination as error:
        raise CommandError(f"{destination} cannot be read: {error}") from error


def _print_organisations(found: Status) -> None:
    if found.organisations:
        print()
        print_table(
            ["ORGANISATION", "LAG", "LAST AUDIT", "FOUND"],
            [each.row() for each in found.organisations],
            wrapped=("ORGANISATION", "FOUND"),
        )
    print(f"\n{'healthy' if found.is_healthy else 'NEEDS ATTENTION'}", flush=True)
