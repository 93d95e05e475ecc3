"""`rollcall local`: run the whole service on this machine until Ctrl-C."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from rollcall_cli.console import notice
from rollcall_cli.errors import CommandError
from rollcall_cli.local.documentation import PAGE
from rollcall_cli.local.ports import DynamoDbPort, Port
from rollcall_cli.local.seed import load_seed
from rollcall_cli.local.stack import LocalStack
from rollcall_cli.local.try_out import TryOut
from rollcall_cli.local_tenant import prepare
from rollcall_cli.signals import Stopped, raise_on_signals, wait_until_stopped


def local(  # noqa: PLR0913, PLR0917 - each is an option
    port: Port = None,
    dynamodb_port: DynamoDbPort = None,
    engine: Annotated[
        str, typer.Option(help="auto, moto, dynamodb-local, or the URL of a running engine.")
    ] = "auto",
    runtime: Annotated[
        str, typer.Option(help="inprocess, or rie: the Lambda Runtime Interface Emulator.")
    ] = "inprocess",
    org: Annotated[
        str | None,
        typer.Option(metavar="HANDLE", help="Create this organisation if it does not exist."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a token of --org to this file, unless it contains a valid one.",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep all data in this folder; needs DynamoDB Local."),
    ] = None,
    state_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Folder for logs and failed records; default: --data-dir."
        ),
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Template; default: template.yaml in this folder or above it."
        ),
    ] = None,
    jar: Annotated[
        Path | None, typer.Option(metavar="FILE", help="DynamoDBLocal.jar to use.")
    ] = None,
    rie: Annotated[
        Path | None, typer.Option(metavar="FILE", help="aws-lambda-rie binary to use.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN", help="Let web pages of this origin read answers; repeatable."
        ),
    ] = None,
    keep_detail: Annotated[
        bool,
        typer.Option(
            "--keep-detail/--drop-detail", help="Store the detail of calls, or accept and drop it."
        ),
    ] = True,
    seed: Annotated[
        bool, typer.Option("--seed", help="Load the sample organisations of events/seed.json.")
    ] = False,
) -> None:
    """Serve the API on this machine, with a local database, until Ctrl-C.

    Prints one line of JSON on stdout when it is ready, and everything else on stderr.
    """
    if token_file is not None and org is None:
        raise CommandError("--token-file needs --org")
    ready_line = sys.stdout
    # Handlers in this process may print, as on Lambda; stdout is for the ready line alone.
    sys.stdout = sys.stderr
    raise_on_signals()
    try:
        with LocalStack(
            engine=engine,
            port=port,
            dynamodb_port=dynamodb_port,
            runtime=runtime,
            template=template,
            state_dir=state_dir,
            data_dir=data_dir,
            jar=jar,
            emulator=rie,
            parameters=_parameters(allow_origin, keep_detail),
        ) as stack:
            if seed:
                sample = load_seed(stack).organisations[0]
                _show_dashboard(stack, sample.handle, sample.best_token)
            if org is not None:
                os.environ.update(stack.environment())  # where `prepare` reads the tables
                token = prepare(org, token_file)
                if token is not None:
                    stack.offer(TryOut(org, token))
                    _show_dashboard(stack, org, token)
            notice(f"dashboard: {stack.api_url}/")
            notice(f"documentation: {stack.api_url}{PAGE}")
            folder = shlex.quote(str(stack.failures_dir))
            notice(f"failed records: rollcall redrive list --from {folder}")
            print(json.dumps(ready(stack)), file=ready_line, flush=True)
            wait_until_stopped()
    except Stopped:
        notice("stopped")
    finally:
        sys.stdout = ready_line


def _parameters(allow_origin: list[str] | None, keep_detail: bool) -> dict[str, str]:
    """The template's parameters that differ from its defaults: a template may lack the others."""
    chosen = {} if keep_detail else {"KeepDetail": "false"}
    return chosen | ({"AllowedOrigins": ",".join(allow_origin)} if allow_origin else {})


def _show_dashboard(stack: LocalStack, handle: str, token: str) -> None:
    notice(f"dashboard of {handle}: {stack.dashboard_url(token)}")


def ready(stack: LocalStack) -> dict[str, Any]:
    """The document that is printed when the stack answers."""
    return {
        "ready": True,
        "api": stack.api_url,
        "dynamodb": stack.dynamodb_url,
        "records_table": stack.records_table,
        "analytics_table": stack.analytics_table,
        "hook_key": stack.hook_key.as_uri(),
    }
