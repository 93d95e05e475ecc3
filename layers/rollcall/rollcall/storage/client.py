"""The DynamoDB client: checked for tenancy, bounded in time, and its errors in our words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from rollcall.domain.errors import Conflict, Unavailable
from rollcall.storage.guard import refuse_foreign_keys

# Reasons of a cancelled transaction, and codes of a refused request, after which nothing was
# written and the work may be computed again. The SDK retries throttles by itself, conflicts never.
_CONFLICTS: Final = frozenset(
    {
        "ConditionalCheckFailed",
        "ConditionalCheckFailedException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingError",
        "ThrottlingException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
    }
)


def dynamodb_client(connections: int) -> Any:
    """A DynamoDB client that keeps up to `connections` open and refuses foreign keys.

    Endpoint, region and credentials come from the environment, as for every AWS client.
    """
    client = botocore.session.get_session().create_client(
        "dynamodb",
        config=Config(
            connect_timeout=2,
            read_timeout=10,
            max_pool_connections=connections,
            retries={"mode": "standard", "total_max_attempts": 5},
            # Requests are built by this package alone; checking each against the service model
            # again costs more than the rest of building it.
            parameter_validation=False,
        ),
    )
    client.meta.events.register("provide-client-params.dynamodb", refuse_foreign_keys)
    return client


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Raise Conflict where nothing was written, Unavailable where nobody can tell.

    Errors that no repetition mends (a malformed request, a missing table, no permission) pass as
    they are: they are faults of ours or of the deployment, and must be seen.
    """
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "TransactionCanceledException":
            reasons = error.response.get("CancellationReasons", [])
            codes = {reason.get("Code", "None") for reason in reasons} - {"None"}
            if (codes and codes <= _CONFLICTS) or _is_size_refusal(reasons):
                raise Conflict(", ".join(sorted(codes))) from error
            raise
        if code in _CONFLICTS:
            raise Conflict(code) from error
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) >= 500:
            raise Unavailable(code) from error
        raise
    except BotoCoreError as error:
        raise Unavailable(type(error).__name__) from error


def _is_size_refusal(reasons: list[dict[str, Any]]) -> bool:
    """An item another writer let grow meanwhile: read it again and spill."""
    return any(
        reason.get("Code") == "ValidationError" and "size" in (reason.get("Message") or "").lower()
        for reason in reasons
    )
