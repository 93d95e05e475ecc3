"""The console script `rollcall`: its commands, and errors as exit statuses."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

import rollcall
from rollcall_cli.errors import CommandError, report
from rollcall_cli.target import choose


class _Command(NamedTuple):
    module: str
    attribute: str  # the command's function or Typer app
    summary: str  # at most 45 characters: one line of a terminal of 60 columns


# In the order of the help: run, fill and query, administer, maintain.
_COMMANDS = {
    "demo": _Command("demo_command", "demo", "Run the local stack with sample calls."),
    "local": _Command("local_command", "local", "Run the local stack, empty."),
    "sam-local": _Command("sam_local_command", "sam_local", "Serve tables and data for sam local."),
    "import": _Command("import_command", "import_records", "Send a file of records to the API."),
    "query": _Command("query_command", "query", "Query measures of records."),
    "calls": _Command("calls_command", "calls", "List calls."),
    "call": _Command("calls_command", "call", "Show one call."),
    "export": _Command("export_command", "export", "Write every call to a file."),
    "explain": _Command("explain_command", "explain", "Explain what a query reads."),
    "org": _Command("organisations", "app", "Create, list and delete organisations."),
    "token": _Command("tokens", "app", "Create, list, rotate and revoke tokens."),
    "hook": _Command("hooks.command", "app", "Manage and test hooks of providers."),
    "status": _Command("status_command", "status", "Check reachability, lag and audits."),
    "redrive": _Command("redrive_command", "app", "List, show and replay failed records."),
    "reconcile": _Command("reconcile_command", "reconcile", "Find and repair drift."),
    "merge": _Command("merge_command", "merge", "Merge ledger pages at rest into segments."),
    "rebuild": _Command("rebuild_command", "rebuild", "Rebuild ledger pages and rollups."),
    "erase": _Command("erase_command", "erase", "Erase a lead and all of its calls."),
    "openapi": _Command("openapi.command", "openapi", "Print the API's OpenAPI document."),
}

_BEFORE_COMMAND = ("--stack-name", "--region", "--profile", "--version")
# Commands that use nothing but this machine.
_LOCAL = ("demo", "local", "sam-local", "explain", "openapi")


class _Commands(TyperGroup):
    """Imports a command when it is called: some of them import the AWS SDK."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the base has it
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - likewise
        # An unknown name imports all of them, because the error suggests imported ones.
        for name in [cmd_name] if cmd_name in _COMMANDS else _COMMANDS:
            if name not in self.commands:
                self.add_command(_imported(name), name)
        return self.commands.get(cmd_name)


def _imported(name: str) -> Any:
    module, attribute, summary = _COMMANDS[name]
    command = getattr(importlib.import_module(f"rollcall_cli.{module}"), attribute)
    app = typer.Typer(rich_markup_mode=None)
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name, short_help=summary)
    else:
        app.command(name=name, short_help=summary)(command)
    made = typer.main.get_group(app).commands[name]
    _name_values(made)
    return made


def _name_values(command: Any) -> None:
    """Use a parameter's name in capitals as its metavar, as argparse does, unless it has one."""
    for parameter in command.params:
        if parameter.metavar is None and not getattr(parameter, "is_flag", False):
            parameter.metavar = parameter.name.upper()
        if parameter.param_type_name == "argument":
            _show_plainly(parameter)
    for each in getattr(command, "commands", {}).values():
        _name_values(each)


def _show_plainly(argument: Any) -> None:
    """Leave out the braces around a required argument, and its type in Python."""
    [usage] = argument.get_usage_pieces(None)
    argument.get_usage_pieces = lambda _: [usage.replace("{", "").replace("}", "")]
    argument.display_type_rich = lambda **_: None


# Help texts are plain: in markup, a bracket would be read as a tag.
app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        print(f"rollcall {rollcall.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    stack_name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="CloudFormation stack whose outputs name the tables, the failure bucket and the"
            " API. They override ROLLCALL_* variables.",
        ),
    ] = None,
    region: Annotated[
        str | None, typer.Option(metavar="REGION", help="AWS region; default: AWS_REGION.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="PROFILE", help="AWS profile; default: AWS_PROFILE.")
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback acts
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Exact, fresh call analytics: run, fill and administer Rollcall."""
    command = context.invoked_subcommand
    if command in _LOCAL and (stack_name, region, profile) != (None, None, None):
        raise CommandError(
            f"--stack-name, --region and --profile do not apply to {command}, which uses no AWS"
        )
    choose(stack_name, region, profile)


def run(arguments: list[str] | None = None) -> None:
    """Entry point. Exit status 0: done; 1: done in part; 2: failed, with one line on stderr."""
    try:
        # The exit status of a typer.Exit is returned as the result.
        status = app(args=arguments, prog_name="rollcall", standalone_mode=False)
    except CommandError as error:
        sys.exit(report(error))
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except TyperException as error:
        sys.exit(_explain(error))
    sys.exit(status if isinstance(status, int) else 0)


def _explain(error: TyperException) -> int:
    message = error.format_message()
    if message.startswith("Usage:"):  # without a command, the message is the help
        print(message)
        return error.exit_code
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "rollcall"
    option = getattr(error, "option_name", None)
    if option in _BEFORE_COMMAND:
        return report(CommandError(f"{option} comes before the command; see rollcall --help"))
    return report(CommandError(f"{message.rstrip('.')}; see {command} --help"))


if __name__ == "__main__":
    run()
