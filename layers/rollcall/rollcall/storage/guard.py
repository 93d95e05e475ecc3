"""Tenant isolation: refuses every request to DynamoDB with a key of another organisation.

The check runs just before the SDK builds a request. A key must begin with the prefix of the current
organisation; the only exceptions are the lookups before the organisation is known (`TOKEN#`,
`HANDLE#` and the `ORGS#` index). An operation that the check does not know, such as a Scan, is
refused. `storage.client` tests that the SDK calls the check whenever it creates a client.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rollcall.domain.errors import ForeignKey
from rollcall.domain.organisations import current_org_id
from rollcall.storage import keys

_LOOKUPS: Final = (keys.TOKEN_PREFIX, keys.HANDLE_PREFIX, keys.ORGANISATIONS_GSI1PK)

# Every Query of this package binds its partition key to this name.
PARTITION_VALUE: Final = ":pk"


def refuse_foreign_keys(params: Mapping[str, Any], model: Any, **_: Any) -> None:
    """botocore hook (`provide-client-params.dynamodb`). Raises ForeignKey."""
    org_id = current_org_id()
    prefix = keys.org_prefix(org_id) if org_id is not None else None
    for pk in _partition_keys(model.name, params):
        allowed = pk.startswith(_LOOKUPS) or (prefix is not None and pk.startswith(prefix))
        if not allowed:
            raise ForeignKey(f"{model.name} has a key outside the current organisation")


def _partition_keys(operation: str, params: Mapping[str, Any]) -> Iterator[str]:
    try:
        match operation:
            case "GetItem" | "UpdateItem" | "DeleteItem":
                yield params["Key"][keys.PK]["S"]
            case "PutItem":
                yield params["Item"][keys.PK]["S"]
            case "Query":
                yield params["ExpressionAttributeValues"][PARTITION_VALUE]["S"]
            case "BatchGetItem":
                for request in params["RequestItems"].values():
                    yield from (key[keys.PK]["S"] for key in request["Keys"])
            case "BatchWriteItem":
                for requests in params["RequestItems"].values():
                    yield from (r["DeleteRequest"]["Key"][keys.PK]["S"] for r in requests)
            case "TransactWriteItems":
                for action in params["TransactItems"]:
                    for name, request in action.items():
                        yield (request["Item"] if name == "Put" else request["Key"])[keys.PK]["S"]
            case _:
                raise ForeignKey(f"{operation} is not an operation that can be checked")
    except (KeyError, TypeError) as error:
        raise ForeignKey(f"{operation} has no partition key that can be checked") from error
