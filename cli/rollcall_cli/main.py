"""The console script `rollcall`: mounts the commands that exist, and turns errors into exit statuses."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any, cast

import typer

from rollcall_cli.errors import CommandError, report

# What typer says of a command line it cannot read; it exports only the leaves of this tree.
_BadCommandLine = cast("type[Exception]", typer.BadParameter.__mro__[2])

# Command name → (module, its typer app or command function).
_COMMANDS = {
    "local": ("local_command", "local"),
    "import": ("import_command", "import_records"),
    "demo": ("demo_command", "demo"),
    "org": ("organisations", "app"),
    "token": ("tokens", "app"),
    "rebuild": ("rebuild_command", "rebuild"),
    "erase": ("erase_command", "erase"),
    "redrive": ("redrive_command", "app"),
    "reconcile": ("reconcile_command", "reconcile"),
    "openapi": ("openapi.command", "openapi"),
}


def build_app(chosen: str | None = None) -> typer.Typer:
    """The application with every command whose module is there, or with the chosen one only.

    Some commands import half of AWS; who asks for another one need not wait for that.
    """
    app = typer.Typer(
        name="rollcall",
        help="Exact, fresh call analytics: run it, fill it, administer it.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def _root() -> None:
        """Exact, fresh call analytics: run it, fill it, administer it."""

    names = [chosen] if chosen is not None and chosen in _COMMANDS else list(_COMMANDS)
    for name in names:
        module_name, attribute = _COMMANDS[name]
        qualified = f"rollcall_cli.{module_name}"
        if importlib.util.find_spec(qualified) is None:
            continue
        command = getattr(importlib.import_module(qualified), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name=name)(command)
    return app


def run(arguments: list[str] | None = None) -> None:
    """Entry point. Exit status 0: done; 1: done in part; 2: one line says what to put right."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        # The status that a command leaves with by typer.Exit comes back as the result.
        status = build_app(given[0] if given else None)(
            args=given, prog_name="rollcall", standalone_mode=False
        )
    except CommandError as error:
        sys.exit(report(error))
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except _BadCommandLine as error:
        sys.exit(_explain(error))
    sys.exit(status if isinstance(status, int) else 0)


def _explain(error: Any) -> int:
    message = error.format_message()
    if not message.strip():  # no command was given, and the help has been printed
        return int(error.exit_code)
    command = error.ctx.command_path if getattr(error, "ctx", None) else "rollcall"
    return report(CommandError(f"{message.rstrip('.')}; see {command} --help"))


if __name__ == "__main__":
    run()
