"""The options with which a command finds the API and its token."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from rollcall_cli.errors import CommandError
from rollcall_cli.target import stack_api_url

API_VARIABLE = "ROLLCALL_API"

Api = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="URL of the API, such as http://127.0.0.1:3000; default: the stack's, or ROLLCALL_API.",
    ),
]
Token = Annotated[str | None, typer.Option(help="The token; - reads it from stdin.")]
TokenFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="File that contains the token.")
]
Insecure = Annotated[
    bool,
    typer.Option("--insecure", help="Allow http to another machine, which exposes the token."),
]


def api_url(given: str | None) -> str:
    """The API of `--api`, else of `--stack-name`, else of ROLLCALL_API. Raises CommandError."""
    api = given or stack_api_url() or os.environ.get(API_VARIABLE)
    if not api:
        raise CommandError(
            f"specify the API with --api or {API_VARIABLE}, or its stack with --stack-name"
        )
    return api
