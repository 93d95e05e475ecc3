"""The wall between organisations: no request to DynamoDB leaves it with a foreign key.

Every request is checked just before it is built. A key must begin with the prefix of the current
organisation; the look-ups that come before an organisation is known (`TOKEN#`, `HANDLE#` and the
`ORGS#` index) are the named exceptions. Whatever the check does not understand it refuses, and so
any Scan. That the SDK calls the check is tested whenever a client is made (`storage.client`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rollcall.domain.errors import ForeignKey
from rollcall.domain.organisations import current_org_id
from rollcall.storage import keys

_LOOKUPS: Final = (keys.TOKEN_PREFIX, keys.HANDLE_PREFIX, keys.ORGANISATIONS_GSI1PK)

# Every Query of ours binds its partition key to this name.
PARTITION_VALUE: Final = ":pk"


def refuse_foreign_keys(params: Mapping[str, Any], model: Any, **_: Any) -> None:
    """botocore hook (`provide-client-params.dynamodb`): raises ForeignKey, or lets pass."""
    org_id = current_org_id()
    prefix = keys.org_prefix(org_id) if org_id is not None else None
    for pk in _partition_keys(model.name, params):
        allowed = pk.startswith(_LOOKUPS) or (prefix is not None and pk.startswith(prefix))
        if not allowed:
            raise ForeignKey(f"{model.name} names a key outside the current organisation")


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
                raise ForeignKey(f"{operation} is not among the requests that are checked")
    except (KeyError, TypeError) as error:
        raise ForeignKey(f"{operation} names no partition key that can be checked") from error
