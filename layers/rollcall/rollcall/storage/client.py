"""The DynamoDB client: checks tenancy, bounds the time of requests, and translates errors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    ParamValidationError,
)
from botocore.exceptions import ConnectionError as SocketError

from rollcall.domain.errors import (
    Conflict,
    CorruptItem,
    ForeignKey,
    Unavailable,
    UncheckedStore,
    UnclearConflict,
)
from rollcall.retry import Backoff
from rollcall.settings import BadSetting
from rollcall.storage import keys
from rollcall.storage.answers import READS, parse_read
from rollcall.storage.guard import refuse_foreign_keys
from rollcall.storage.requests import use_serializer

_CONFLICT_CODES: Final = frozenset(
    {
        "ConditionalCheckFailedException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_THROTTLE_CODES: Final = frozenset(
    {
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
    }
)
# Reasons of a cancelled transaction after which it may be computed again. The SDK retries none.
_CONFLICT_REASONS: Final = frozenset(
    {
        "ConditionalCheckFailed",
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    }
)

# Errors of the request itself, which a retry would only repeat.
_REFUSAL_CODES: Final = frozenset(
    {
        "ItemCollectionSizeLimitExceededException",
        "TransactionCanceledException",
        "ValidationException",
    }
)

# `rollcall.retry.MAX_REQUEST_SECONDS` follows from this.
READ_TIMEOUT_SECONDS: Final = 3.0

_Answer = TypeVar("_Answer")


def dynamodb_client(connections: int, read_timeout_seconds: float = READ_TIMEOUT_SECONDS) -> Any:
    """A DynamoDB client that keeps up to `connections` open and refuses foreign keys.

    A request fails when DynamoDB sends nothing for `read_timeout_seconds`, at the second attempt.
    Endpoint, region and credentials come from the environment, as for every AWS client. Raises
    BadSetting when the endpoint is not a URL, and UncheckedStore when the SDK does not let the
    requests be checked.
    """
    session = botocore.session.get_session()
    config = Config(
        # Only two attempts here: the retry policy is in `rollcall.retry`, which knows how much time
        # is left. MAX_REQUEST_SECONDS follows from these values.
        connect_timeout=1,
        read_timeout=read_timeout_seconds,
        max_pool_connections=connections,
        retries={"mode": "standard", "total_max_attempts": 2},
        # Only this package builds requests; validating each against the service model would cost
        # more than building it.
        parameter_validation=False,
        # The SDK composes a longer one twice per request, which takes a tenth of its time.
        user_agent=session.user_agent(),
    )
    try:
        client = session.create_client("dynamodb", config=config)
    except BotoCoreError:
        raise  # some are a ValueError too
    except ValueError as error:
        raise BadSetting(f"AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL: {error}") from error
    client.meta.events.register("provide-client-params.dynamodb", refuse_foreign_keys)
    use_serializer(client)
    for operation in READS:
        client.meta.events.register(f"before-parse.dynamodb.{operation}", parse_read)
    _require_refusal(client)
    return client


def _require_refusal(client: Any) -> None:
    """Raise UncheckedStore unless the client refuses a foreign key before it sends the request.

    The check depends on an event of the SDK, whose version is that of Lambda's runtime. If a version
    renamed the event, the check would silently not run. A request that is sent nevertheless names a
    table and a key that do not exist.
    """
    try:
        client.get_item(TableName="rollcall-self-test", Key={keys.PK: {"S": "SELF-TEST"}})
    except ForeignKey:
        return
    except (BotoCoreError, ClientError):
        pass  # the request was sent, whatever the response
    raise UncheckedStore(
        f"botocore {botocore.__version__} sends requests without the tenancy check"
    )


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Raise Conflict for a failed condition or a concurrent writer, Unavailable for a busy store.

    Errors that no retry can fix (a malformed request, a missing table, missing permission or
    credentials) are not translated: they are bugs or faults of the deployment.
    """
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "TransactionCanceledException":
            reasons = error.response.get("CancellationReasons", [])
            codes = {reason.get("Code", "None") for reason in reasons} - {"None"}
            if codes and codes <= _CONFLICT_REASONS:
                raise Conflict(", ".join(sorted(codes))) from error
            if _is_refusal(reasons, "size"):
                # Another writer made the item grow meanwhile: read it again and spill.
                raise UnclearConflict("an item would become too large") from error
            if _is_refusal(reasons, "incorrect data type"):
                raise CorruptItem("a stored measure is not a number") from error
            raise
        if code in _CONFLICT_CODES:
            raise Conflict(code) from error
        is_broken = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) >= 500
        if code in _THROTTLE_CODES or is_broken:
            raise Unavailable(code) from error
        raise
    except (HTTPClientError, SocketError) as error:
        raise Unavailable(type(error).__name__) from error


def may_pass(error: Exception) -> bool:
    """Whether a retry may succeed after an error although no stored data changes.

    It may when the store is busy, when another writer interferes, and when the deployment lacks a
    table, a permission or credentials: such a fault concerns all organisations, and the next
    deployment fixes it.
    """
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"] not in _REFUSAL_CODES
    if isinstance(error, ParamValidationError):
        return False
    return isinstance(error, Conflict | Unavailable | BotoCoreError)


def with_retries(backoff: Backoff, request: Callable[[], _Answer]) -> _Answer:
    """The response to an idempotent request, such as a read, which is retried when the store is busy.

    Raises Unavailable when no attempts or no time are left.
    """
    attempts = backoff.attempts()
    while True:
        try:
            with translated_errors():
                return request()
        except Unavailable as error:
            attempts.failed(error)


def _is_refusal(reasons: list[dict[str, Any]], words: str) -> bool:
    """Whether DynamoDB refused an action of a transaction with a message that contains `words`."""
    return any(
        reason.get("Code") == "ValidationError" and words in (reason.get("Message") or "").lower()
        for reason in reasons
    )
