"""`rollcall query`: measures of records by dimensions, as POST /v1/query answers them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import typer

from rollcall.query.datasets import DATASETS
from rollcall_cli.api_options import Api, Insecure, Token, TokenFile
from rollcall_cli.console import AsJson
from rollcall_cli.errors import CommandError
from rollcall_cli.querying.answers import (
    CSV_TYPE,
    body_in,
    document,
    post,
    print_csv,
    read_client,
    show_next,
)
from rollcall_cli.querying.options import (
    AsCsv,
    Cursor,
    From,
    Last,
    NamedPeriod,
    TimeZone,
    To,
    Where,
    given,
    range_body,
)
from rollcall_cli.querying.table import print_answer

_PATH = "/v1/query"


def query(  # noqa: PLR0913, PLR0917 - one parameter for each option
    measure: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="What to compute; repeatable.")
    ] = None,
    by: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Dimension of the rows; repeatable.")
    ] = None,
    where: Where = None,
    start: From = None,
    end: To = None,
    period: NamedPeriod = None,
    last: Last = None,
    timezone: TimeZone = None,
    compare: Annotated[
        str | None,
        typer.Option(
            help="previous_period, previous_weekdays, previous_year, or another range FROM..TO."
        ),
    ] = None,
    order: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Name, name:asc or name:desc; repeatable."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="Rows per page; default: 1,000.")
    ] = None,
    others: Annotated[
        bool, typer.Option("--others", help="Print the rows past the limit as one.")
    ] = False,
    cursor: Cursor = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"{', '.join(DATASETS)}; default: calls.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="JSON body of the query, instead of options; - is stdin."
        ),
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    api: Api = None,
    token: Token = None,
    token_file: TokenFile = None,
    insecure: Insecure = False,
) -> None:
    """Query measures of records, by up to three dimensions.

    \b
    rollcall query --measure calls --by day --last 28d
    rollcall query --measure cost --where outcome=booked

    \b
    A condition is a field, an operator and a value.
      outcome=booked          is the value
      outcome!=booked         is another value, or none
      template_id=a,b         is one of the values
      outcome=null            has no value
      outcome!=null           has a value
      outcome~book            contains the text
      lead_id^+49             starts with the text
      duration_seconds=60..   at least; ..60 is at most
      attempt=2..4            both, and all between
    Quote these, which a shell would read as a redirection:
      'duration_seconds>60'   also < <= >=
    A value in double quotes is a text, commas included.

    The token, which needs the permission read, comes from
    ROLLCALL_TOKEN, from --token-file, or with --token -
    from standard input.
    """  # noqa: D301 - \b keeps the lines of a block apart
    if as_json and as_csv:
        raise CommandError("pass --json or --csv, not both")
    options = {
        "dataset": dataset,
        "measures": measure,
        "dimensions": by,
        **range_body(
            where=where,
            start=start,
            end=end,
            period=period,
            last=last,
            timezone=timezone,
            now=dt.datetime.now(dt.UTC),
            dataset=dataset or "calls",
        ),
        "compare": _compared(compare),
        "order": _ordered(order),
        "limit": limit,
        "others": others,
        "cursor": cursor,
    }
    body = _body(given(options), file, token)
    client = read_client(api, token, token_file, is_insecure=insecure)
    if as_csv:
        reply = post(client, _PATH, body, CSV_TYPE)
        print_csv(reply)
    elif as_json:
        print(post(client, _PATH, body).body.decode())
    else:
        answer = document(client, _PATH, post(client, _PATH, body))
        print_answer(answer, body.get("dimensions", []), body["measures"])
        show_next(answer["next"])


def _body(options: dict[str, Any], file: str | None, token: str | None) -> Any:
    """The body of the query: what is in the file, or the options."""
    if file is None:
        return options
    if options:
        raise CommandError("--file has the whole query; omit the options that describe one")
    if file == token == "-":
        raise CommandError("--file and --token cannot both read stdin")
    return body_in(file, "--file")


def _ordered(names: list[str] | None) -> list[dict[str, str]]:
    """The order of `calls:desc` and of `calls`, whose direction is the API's default."""
    split = [(name.rpartition(":"), name) for name in names or ()]
    return [
        {"by": by, "direction": direction} if by else {"by": name}
        for (by, _, direction), name in split
    ]


def _compared(text: str | None) -> Any:
    """The name of a comparison, or the bounds of `FROM..TO`."""
    if text is None:
        return None
    first, dots, last = text.partition("..")
    return {"from": first, "to": last} if dots else text
