"""The DynamoDB client: checked for tenancy, bounded in time, and its errors in our words."""

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
from rollcall.storage import keys
from rollcall.storage.guard import refuse_foreign_keys

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

# What the service says of a request itself, and would say of it again.
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
    UncheckedStore when the SDK does not let the requests be checked.
    """
    client = botocore.session.get_session().create_client(
        "dynamodb",
        config=Config(
            # Two attempts here, and patience in one place only: `rollcall.retry`, which
            # knows how much time is left. LONGEST_REQUEST_SECONDS follows from these.
            connect_timeout=1,
            read_timeout=read_timeout_seconds,
            max_pool_connections=connections,
            retries={"mode": "standard", "total_max_attempts": 2},
            # Requests are built by this package alone; checking each against the service model
            # again costs more than the rest of building it.
            parameter_validation=False,
        ),
    )
    client.meta.events.register("provide-client-params.dynamodb", refuse_foreign_keys)
    _require_refusal(client)
    return client


def _require_refusal(client: Any) -> None:
    """Raises UncheckedStore unless the client refuses a foreign key before it sends the request.

    The check hangs on an event of the SDK, and Lambda's runtime brings the SDK in a version of its
    own: an event with another name would take the check away without a word. Where the request is
    sent after all, it names a table and a key that do not exist.
    """
    try:
        client.get_item(TableName="rollcall-self-test", Key={keys.PK: {"S": "SELF-TEST"}})
    except ForeignKey:
        return
    except (BotoCoreError, ClientError):
        pass  # it was sent: no answer or error changes that
    raise UncheckedStore(
        f"botocore {botocore.__version__} sends requests without the tenancy check"
    )


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Raise Conflict on a failed condition or another writer, Unavailable on a store out of reach.

    Errors that no repetition mends (a malformed request, a missing table, no permission or
    credentials) pass as they are: they are faults of ours or of the deployment, and must be seen.
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
                # An item that another writer let grow meanwhile: read it again and spill.
                raise UnclearConflict("an item would grow too large") from error
            if _is_refusal(reasons, "incorrect data type"):
                raise CorruptItem("a stored measure is no number") from error
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
    """Whether a later try may succeed although nothing that is stored changes.

    It may while the store is busy, while another writer is in the way, and where the deployment
    lacks a table, a permission or credentials: that is one fault for all organisations, and ends
    with a deployment.
    """
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"] not in _REFUSAL_CODES
    if isinstance(error, ParamValidationError):
        return False
    return isinstance(error, Conflict | Unavailable | BotoCoreError)


def with_retries(backoff: Backoff, request: Callable[[], _Answer]) -> _Answer:
    """The answer to a request that may be repeated at will, such as a read.

    Raises Unavailable when tries or time are used up.
    """
    attempts = backoff.attempts()
    while True:
        try:
            with translated_errors():
                return request()
        except Unavailable as error:
            attempts.failed(error)


def _is_refusal(reasons: list[dict[str, Any]], words: str) -> bool:
    """Whether an action was refused with these words, for what is stored under its key."""
    return any(
        reason.get("Code") == "ValidationError" and words in (reason.get("Message") or "").lower()
        for reason in reasons
    )
