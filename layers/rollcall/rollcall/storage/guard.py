"""Tenant isolation: refuses every request to DynamoDB with a key of another organisation.

The check runs just before the SDK builds a request. A key must begin with the prefix of the current
organisation; the only exceptions are the lookups before the organisation is known (`TOKEN#`,
`HANDLE#`, `HOOK#` and the `ORGS#` index), and a read of the key under which nothing is stored (`HEALTH#`).
An operation that the check does not know, such as a Scan, is
refused. `storage.client` tests that the SDK calls the check whenever it creates a client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from rollcall.domain.errors import ForeignKey
from rollcall.domain.organisations import current_org_id
from rollcall.storage import keys
from rollcall.storage.attributes import Item

_LOOKUPS: Final = (
    keys.TOKEN_PREFIX,
    keys.HANDLE_PREFIX,
    keys.HOOK_PREFIX,
    keys.ORGANISATIONS_GSI1PK,
)
# The operation and the key of a check that the table answers.
_HEALTH: Final = ("GetItem", keys.health().pk)

# Every Query of this package binds its partition key to this name.
PARTITION_VALUE: Final = ":pk"


def refuse_foreign_keys(params: Mapping[str, Any], model: Any, **_: Any) -> None:
    """botocore hook (`provide-client-params.dynamodb`). Raises ForeignKey."""
    org_id = current_org_id()
    prefix = keys.org_prefix(org_id) if org_id is not None else None
    for pk in _partition_keys(model.name, params):
        is_own = prefix is not None and pk.startswith(prefix)
        if not (is_own or pk.startswith(_LOOKUPS) or (model.name, pk) == _HEALTH):
            raise ForeignKey(f"{model.name} has a key outside the current organisation")


def _partition_keys(operation: str, params: Mapping[str, Any]) -> list[str]:
    keyed = _KEYED.get(operation)
    if keyed is None:
        raise ForeignKey(f"{operation} is not an operation that can be checked")
    try:
        return [item[keys.PK]["S"] for item in keyed(params)]
    except (KeyError, TypeError) as error:
        raise ForeignKey(f"{operation} has no partition key that can be checked") from error


def _key(params: Mapping[str, Any]) -> Iterable[Item]:
    return [params["Key"]]


def _item(params: Mapping[str, Any]) -> Iterable[Item]:
    return [params["Item"]]


def _queried(params: Mapping[str, Any]) -> Iterable[Item]:
    return [{keys.PK: params["ExpressionAttributeValues"][PARTITION_VALUE]}]


def _batch_read(params: Mapping[str, Any]) -> Iterable[Item]:
    return (key for request in params["RequestItems"].values() for key in request["Keys"])


def _batch_deleted(params: Mapping[str, Any]) -> Iterable[Item]:
    batches = params["RequestItems"].values()
    return (request["DeleteRequest"]["Key"] for batch in batches for request in batch)


def _transacted(params: Mapping[str, Any]) -> Iterable[Item]:
    return (
        request["Item"] if name == "Put" else request["Key"]
        for action in params["TransactItems"]
        for name, request in action.items()
    )


# The keys, or the items with their keys, in the parameters of each operation.
_KEYED: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterable[Item]]]] = {
    "GetItem": _key,
    "UpdateItem": _key,
    "DeleteItem": _key,
    "PutItem": _item,
    "Query": _queried,
    "BatchGetItem": _batch_read,
    "BatchWriteItem": _batch_deleted,
    "TransactWriteItems": _transacted,
}
