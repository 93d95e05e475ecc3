"""What the operator's commands share: the way to the records table, and its errors in one line."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rollcall_cli.errors import CommandError

if TYPE_CHECKING:
    from rollcall.usecases.administer import Administer

_ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"
_PATIENCE_SECONDS = 2  # somebody is waiting at the keyboard


@contextlib.contextmanager
def administration() -> Iterator[Administer]:
    """The operator's verbs on the table that the environment names, for somebody who waits.

    Every error that a person can mend becomes a CommandError.
    """
    with deployment() as bootstrap:
        from rollcall.ledger.backoff import LONGEST_REQUEST_SECONDS, time_limit

        with time_limit(LONGEST_REQUEST_SECONDS + _PATIENCE_SECONDS):
            yield bootstrap.administer()


@contextlib.contextmanager
def deployment() -> Iterator[ModuleType]:
    """`rollcall.bootstrap`, over the tables that the environment names, for as long as it takes.

    Every error that a person can mend becomes a CommandError.
    """
    endpoint = os.environ.get(_ENDPOINT, "")
    if urlsplit(endpoint).hostname in ("127.0.0.1", "localhost", "::1"):
        # An emulator takes any credentials, but the SDK will not sign without some.
        os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
        os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    os.environ.setdefault("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")

    from botocore.exceptions import BotoCoreError, ClientError

    from rollcall.domain.errors import Conflict, RollcallError, Unavailable
    from rollcall.usecases.administer import Refused

    try:
        from rollcall.settings import BadSetting
    except ValueError as error:  # a bad setting, which the module reads when it is imported
        raise CommandError(str(error)) from error

    where = endpoint or "DynamoDB"
    try:
        from rollcall import bootstrap

        yield bootstrap
    except (Refused, BadSetting) as error:
        raise CommandError(str(error)) from error
    except (Conflict, Unavailable) as error:
        raise CommandError(f"{where} cannot be reached: {error}") from error
    except ClientError as error:
        details = error.response["Error"]
        raise CommandError(
            f"{where} refused: {details['Code']}: {details.get('Message', '')}"
        ) from error
    except RollcallError as error:
        raise CommandError(f"{type(error).__name__}: {error}") from error
    except (BotoCoreError, ValueError) as error:
        raise CommandError(f"{where} cannot be reached: {error}") from error
