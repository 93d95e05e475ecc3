"""Which tables, bucket and API a command works on.

The environment names them (ROLLCALL_* and the AWS SDK's own variables) or, with `--stack-name`, the
outputs of a CloudFormation stack, which take precedence. Both are written to the environment of this
process, where `rollcall.settings` reads them.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from rollcall_cli.console import notice
from rollcall_cli.errors import CommandError

_ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"
_ANY_ENDPOINT = "AWS_ENDPOINT_URL"
_STACKS_ENDPOINT = "AWS_ENDPOINT_URL_CLOUDFORMATION"
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a command works. Its text ends an error message."""

    records_table: str
    analytics_table: str
    place: str  # "at <endpoint>", "in <region>" or, where neither is known, ""
    stack_name: str | None = None
    api_url: str | None = None

    def __str__(self) -> str:
        tables = f"tables {self.records_table} and {self.analytics_table}"
        if self.stack_name is None:
            return f"{tables} {self.place}".rstrip()
        return f"stack {self.stack_name} {self.place}, {tables}"


_stack_name: str | None = None
_profile: str | None = None


def choose(stack_name: str | None, region: str | None, profile: str | None) -> None:
    """Set the global options of the command line, before anything is read or imported."""
    global _stack_name, _profile
    _stack_name, _profile = stack_name, profile
    if profile is not None:
        # The SDK prefers keys in the environment to AWS_PROFILE.
        for name in _CREDENTIALS:
            os.environ.pop(name, None)
        os.environ["AWS_PROFILE"] = profile
    region = region or os.environ.get("AWS_REGION")
    if region:
        # botocore reads only the second one; other tools prefer the first.
        os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = region


def resolve() -> Target:
    """Resolve the target and write its names to the environment. Raises CommandError.

    Call it before `rollcall.settings` is imported.
    """
    endpoint = os.environ.get(_ENDPOINT) or os.environ.get(_ANY_ENDPOINT, "")
    if urlsplit(endpoint).hostname in _LOOPBACK:
        # An emulator accepts any credentials, but the SDK does not sign without some.
        if _profile is None:
            os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
            os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    os.environ.setdefault("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    api_url = _read_stack(_stack_name) if _stack_name is not None else None
    try:
        from rollcall.settings import settings
    except ValueError as error:  # the module reads the settings when it is imported
        raise CommandError(str(error)) from error
    return Target(
        settings.records_table,
        settings.analytics_table,
        f"at {endpoint}" if endpoint else _region(),
        _stack_name,
        api_url,
    )


def _region() -> str:
    import botocore.session
    from botocore.exceptions import BotoCoreError

    from rollcall_cli.aws_errors import explained

    try:
        region = botocore.session.get_session().get_config_variable("region")
    except BotoCoreError as error:  # such as a profile that does not exist
        raise CommandError(explained(error)) from error
    return f"in {region}" if region else ""


def stack_api_url() -> str | None:
    """The address of the API of the stack that `--stack-name` names; None without that option."""
    return None if _stack_name is None else resolve().api_url


@functools.cache
def _read_stack(name: str) -> str:
    """Write the names of a stack's tables and bucket to the environment; returns its API's URL."""
    if os.environ.get(_ENDPOINT) and not (
        os.environ.get(_STACKS_ENDPOINT) or os.environ.get(_ANY_ENDPOINT)
    ):
        raise CommandError(
            f"{_ENDPOINT} is {os.environ[_ENDPOINT]}, which does not hold the tables of stack"
            f" {name!r}; unset it, or omit --stack-name"
        )
    from botocore.exceptions import BotoCoreError

    from rollcall_cli.aws_errors import explained
    from rollcall_cli.stack_outputs import cloudformation_client, stack_outputs

    try:
        client = cloudformation_client()
    except (BotoCoreError, ValueError) as error:
        reason = explained(error) if isinstance(error, BotoCoreError) else str(error)
        raise CommandError(f"stack {name!r} cannot be read: {reason}") from error
    outputs = stack_outputs(client, name)
    named = {
        "ROLLCALL_RECORDS_TABLE": outputs.records_table,
        "ROLLCALL_ANALYTICS_TABLE": outputs.analytics_table,
        "ROLLCALL_FAILURE_DESTINATION": f"s3://{outputs.failure_bucket}",
        "ROLLCALL_HOOK_KEY": outputs.hook_key,
        "ROLLCALL_KEEP_DETAIL": outputs.keep_detail,
    }
    overridden = [key for key in named if os.environ.get(key) not in (None, "", named[key])]
    if overridden:
        notice(f"--stack-name {name} overrides {' and '.join(overridden)}")
    os.environ.update(named)
    return outputs.api_url
