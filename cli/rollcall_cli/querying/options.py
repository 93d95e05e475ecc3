"""The options that select records: their conditions, and the range of their times."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from rollcall.domain.time.named_periods import PERIODS
from rollcall.domain.time.zones import Zone
from rollcall_cli.errors import CommandError
from rollcall_cli.querying.conditions import parse_condition

Where = Annotated[
    list[str] | None,
    typer.Option(metavar="CONDITION", help="Condition that must hold; repeatable."),
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="First instant or local day; default: open."),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="TIME", help="Last instant or local day; default: open."),
]
NamedPeriod = Annotated[
    str | None,
    typer.Option(metavar="NAME", help=f"Instead of both: {', '.join(PERIODS)}."),
]
Last = Annotated[
    str | None,
    typer.Option(metavar="DAYS", help="Or the last days including today, such as 28d."),
]
TimeZone = Annotated[str | None, typer.Option(metavar="ZONE", help="IANA time zone; default: UTC.")]
Cursor = Annotated[
    str | None, typer.Option(help="Cursor of the page to print, from the page before.")
]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV instead of text.")]


def range_body(
    *,
    where: list[str] | None,
    start: str | None,
    end: str | None,
    period: str | None,
    last: str | None,
    timezone: str | None,
    now: dt.datetime,
    dataset: str = "calls",
) -> dict[str, Any]:
    """What a body says about which records are selected. Raises CommandError."""
    filters = [parse_condition(each, dataset) for each in where or ()]
    if last is not None:
        if any(each is not None for each in (start, end, period)):
            raise CommandError("--last cannot be combined with --from, --to or --period")
        start, end = _last_days(last, timezone or "UTC", now)
    body = {"filters": filters, "from": start, "to": end, "period": period, "timezone": timezone}
    return given(body)


def given(body: dict[str, Any]) -> dict[str, Any]:
    """A body without what was not given."""
    return {
        key: value
        for key, value in body.items()
        # 0 equals False, and is refused rather than left out.
        if value is not None and value is not False and value != []
    }


def _last_days(text: str, timezone: str, now: dt.datetime) -> tuple[str, str]:
    """The first and the last local day of `28d`, which ends with today."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})d", text)
    if match is None:
        raise CommandError(f"--last must be a number of days such as 28d, not {text!r}")
    try:
        Zone(timezone)
    except ValueError as error:
        raise CommandError(f"--timezone {timezone}: {error}") from error
    today = now.astimezone(ZoneInfo(timezone)).date()
    return (today - dt.timedelta(int(match[1]) - 1)).isoformat(), today.isoformat()
