"""Open the deployment that a command works on; errors of its tables become one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from rollcall_cli.errors import CommandError
from rollcall_cli.target import resolve

if TYPE_CHECKING:
    from rollcall.maintenance.accounts import Administer

# How long maintenance waits for DynamoDB: a page of 1 MB can take long on a loaded emulator.
_MAINTENANCE_READ_SECONDS = 60.0


@contextlib.contextmanager
def administration() -> Iterator[Administer]:
    """Management of organisations and tokens.

    Raises CommandError for every error that the operator can correct.
    """
    with deployment() as bootstrap:
        yield bootstrap.administer()


@contextlib.contextmanager
def deployment() -> Iterator[ModuleType]:
    """`rollcall.bootstrap`, wired to the tables of the command's target.

    Raises CommandError for every error that the operator can correct; it names the target.
    """
    target = resolve()
    try:
        with _in_one_line():
            from rollcall import bootstrap

            yield bootstrap
    except CommandError as error:
        raise CommandError(f"{error} ({target})") from error


@contextlib.contextmanager
def maintenance() -> Iterator[ModuleType]:
    """As `deployment`, for commands that read a whole organisation: requests may take longer."""
    with deployment() as bootstrap:
        bootstrap.set_read_timeout(_MAINTENANCE_READ_SECONDS)
        yield bootstrap


@contextlib.contextmanager
def _in_one_line() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    from rollcall.domain.errors import (
        BrokenDestination,
        Conflict,
        InvalidOperation,
        RollcallError,
        Unavailable,
    )
    from rollcall.settings import BadSetting
    from rollcall_cli.aws_errors import explained, unavailable

    try:
        yield
    except (InvalidOperation, BadSetting) as error:
        raise CommandError(str(error)) from error
    except Unavailable as error:
        raise CommandError(unavailable(error)) from error
    except Conflict as error:
        raise CommandError(f"another writer changed the same items: {error}") from error
    except ClientError as error:
        raise CommandError(f"DynamoDB {explained(error)}") from error
    except BrokenDestination as error:
        raise CommandError(f"the failure destination cannot be used: {error}") from error
    except RollcallError as error:
        raise CommandError(f"{type(error).__name__}: {error}") from error
    except BotoCoreError as error:
        raise CommandError(f"the tables cannot be reached: {explained(error)}") from error
