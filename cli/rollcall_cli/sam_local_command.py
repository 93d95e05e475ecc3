"""`rollcall sam-local`: tables, stream and sample data for `sam local`, and the commands to run it."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rollcall_cli.console import notice
from rollcall_cli.demo_output import aligned
from rollcall_cli.errors import CommandError
from rollcall_cli.local.ports import HOST, bind, chosen_port
from rollcall_cli.local.project import find_template
from rollcall_cli.local.sam import (
    AWS_CONFIG,
    HOST_OF_CONTAINERS,
    SamCommands,
    path_from_here,
    require_current_build,
    variables,
    variables_text,
)
from rollcall_cli.local.seed import SEED, load_seed, read_seed
from rollcall_cli.local.stack import LocalStack
from rollcall_cli.local.template import load_template
from rollcall_cli.signals import Stopped, raise_on_signals, wait_until_stopped

# Neither those of `rollcall local` nor SAM's own, which are 3000 and 3001 as well.
DEFAULT_PORT = 3010
DEFAULT_DYNAMODB_PORT = 3011

_EVENT = ("GetPearlAnalyticsFunction", Path("events/get_pearl_analytics/month.json"))
_NUMBERS = "/api/v2/platform/organisation/analytics"


def sam_local(
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="Port of `sam local start-api`; 0: any free one;"
            f" default: {DEFAULT_PORT}, or a free one.",
        ),
    ] = None,
    dynamodb_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="Port of the engine; 0: any free one;"
            f" default: {DEFAULT_DYNAMODB_PORT}, or a free one.",
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="auto, moto, dynamodb-local, or the URL of a running engine.")
    ] = "auto",
    template: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Template; default: template.yaml in this folder or above it."
        ),
    ] = None,
    jar: Annotated[
        Path | None, typer.Option(metavar="FILE", help="DynamoDBLocal.jar to use.")
    ] = None,
) -> None:
    """Serve the tables and the sample data that `sam local` needs, until Ctrl-C.

    Writes .aws-sam/env.json and prints the commands for this machine.
    """
    out = sys.stdout
    # Handlers in this process may print, as Lambda lets them; stdout is for the commands alone.
    sys.stdout = sys.stderr
    raise_on_signals()
    try:
        path = (template or find_template()).resolve()
        _check_folder(path)
        api_port = _free_port(port, DEFAULT_PORT, "--port")
        with LocalStack(
            engine=engine,
            port=0,
            dynamodb_port=_free_port(dynamodb_port, DEFAULT_DYNAMODB_PORT, "--dynamodb-port"),
            allowed_hosts=(HOST_OF_CONTAINERS,),
            template=path,
            jar=jar,
        ) as stack:
            load_seed(stack)
            with _files(stack) as commands:
                page = Console(file=out, highlight=False, markup=False, emoji=False)
                _show(page, stack, commands, api_port)
                wait_until_stopped()
    except Stopped:
        notice("stopped")
    finally:
        sys.stdout = out


def _free_port(named: int | None, default: int, option: str) -> int:
    """A port that nothing listens on: the named one, else the default, else any."""
    with bind(chosen_port(named, default, option), option) as listener:
        return int(listener.getsockname()[1])


def _folder(project: Path) -> Path:
    """Where SAM keeps what belongs to a project; never committed."""
    return project / ".aws-sam"


def _built_template(project: Path) -> Path:
    return _folder(project) / "build" / "template.yaml"


def _check_folder(template: Path) -> None:
    """Make SAM's folder. Raises CommandError if it cannot be, or if the build in it is out of date."""
    folder = _folder(template.parent)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise CommandError(f"cannot make the folder {folder}: {error.strerror}") from error
    built = _built_template(template.parent)
    if built.is_file():
        require_current_build(load_template(template), load_template(built))
    else:
        notice("there is no build yet: sam local needs one, so run make build first")


@contextlib.contextmanager
def _files(stack: LocalStack) -> Iterator[SamCommands]:
    """SAM's files in .aws-sam/, for as long as the stack runs, and the commands that read them."""
    project = stack.template.path.parent
    env_json = _folder(project) / "env.json"
    aws_config = _folder(project) / "aws-config"
    text = variables_text(variables(stack.template, stack.environment()))
    with _written({env_json: text, aws_config: AWS_CONFIG}):
        yield SamCommands(
            program=_sam(project),
            template=path_from_here(_built_template(project)),
            variables_file=path_from_here(env_json),
            aws_config=path_from_here(aws_config),
        )


@contextlib.contextmanager
def _written(files: Mapping[Path, str]) -> Iterator[None]:
    """Files that are removed on exit, unless another process has written them since."""
    with contextlib.ExitStack() as removals:
        for path, text in files.items():
            removals.callback(_remove, path, text)
            try:
                path.write_text(text, "utf-8")
            except OSError as error:
                raise CommandError(f"cannot write {path}: {error.strerror}") from error
        yield


def _remove(path: Path, text: str) -> None:
    if path.is_file() and path.read_text("utf-8") == text:
        path.unlink()


def _sam(project: Path) -> str:
    """The SAM CLI that `make` installs, else the one on PATH."""
    own = project / ".venv-sam" / "bin" / "sam"
    found = None if own.exists() else shutil.which("sam")
    return found or path_from_here(own)


def _show(page: Console, stack: LocalStack, commands: SamCommands, port: int) -> None:
    api = f"http://{HOST}:{port}"
    organisation = read_seed(stack.template.path.parent / SEED).organisations[0]
    token = organisation.best_token
    function, event = _EVENT
    event_path = path_from_here(stack.template.path.parent / event)

    def show(text: str, style: str | None = None) -> None:
        page.print(text, style=style, soft_wrap=True)

    def title(text: str) -> None:
        show(f"\n{text}", "bold")

    title("The tables for sam local are ready")
    rows = [
        ("database", stack.dynamodb_url),
        ("organisation", f"{organisation.handle}, with sample data"),
        ("token", token),
        ("without SAM", f"{stack.api_url} serves the same tables"),
    ]
    show(aligned(rows))
    title("In another terminal, serve the API in containers")
    show(commands.start_api(port), "cyan")
    title("Then read the first number")
    show(
        f"curl -sS {api}{_NUMBERS} \\\n"
        f"  -H 'Authorization: Token {token}' \\\n"
        f"  -H 'Org-Handle: {organisation.handle}'",
        "cyan",
    )
    title("Or invoke one function with an event of events/")
    show(commands.invoke(function, event_path), "cyan")
    title("Serving the tables until Ctrl-C")
    page.file.flush()
