"""What the operator's commands share: the way to the tables, and its errors in one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from rollcall_cli.errors import CommandError
from rollcall_cli.target import settle

if TYPE_CHECKING:
    from rollcall.maintenance.accounts import Administer

_PATIENCE_SECONDS = 2  # a person is waiting


@contextlib.contextmanager
def administration() -> Iterator[Administer]:
    """The operator's verbs on the records table, with time limits for a person who waits.

    Raises CommandError for every error that a person can correct.
    """
    with deployment() as bootstrap:
        from rollcall.retry import MAX_REQUEST_SECONDS, time_limit

        with time_limit(MAX_REQUEST_SECONDS + _PATIENCE_SECONDS):
            yield bootstrap.administer()


@contextlib.contextmanager
def deployment() -> Iterator[ModuleType]:
    """`rollcall.bootstrap`, over the tables of the command's target.

    Raises CommandError for every error that a person can correct; it names the target.
    """
    target = settle()
    try:
        with _in_one_line():
            from rollcall import bootstrap

            yield bootstrap
    except CommandError as error:
        raise CommandError(f"{error} ({target})") from error


@contextlib.contextmanager
def _in_one_line() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    from rollcall.domain.errors import Conflict, InvalidOperation, RollcallError, Unavailable
    from rollcall.settings import BadSetting
    from rollcall_cli.aws_errors import explained

    try:
        yield
    except (InvalidOperation, BadSetting) as error:
        raise CommandError(str(error)) from error
    except (Conflict, Unavailable) as error:
        raise CommandError(f"the tables cannot be reached: {error}") from error
    except ClientError as error:
        raise CommandError(f"DynamoDB {explained(error)}") from error
    except RollcallError as error:
        raise CommandError(f"{type(error).__name__}: {error}") from error
    except BotoCoreError as error:
        raise CommandError(f"the tables cannot be reached: {explained(error)}") from error
    except ValueError as error:
        raise CommandError(f"the tables cannot be reached: {error}") from error
