"""The tenancy check by itself: every key of a request, and no request that it does not know."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import ForeignKey
from rollcall.domain.organisations import tenant
from rollcall.storage import keys
from rollcall.storage.guard import PARTITION_VALUE, refuse_foreign_keys

org_ids = st.sampled_from(["1", "10", "1#", "~", "ORG", "é", ""])


def key(pk: str) -> dict[str, Any]:
    return keys.Key(pk, "x").attributes()


# The parameters of each operation with one key, or with several.
REQUESTS: dict[str, Any] = {
    "GetItem": lambda pk: {"Key": key(pk)},
    "UpdateItem": lambda pk: {"Key": key(pk)},
    "DeleteItem": lambda pk: {"Key": key(pk)},
    "PutItem": lambda pk: {"Item": key(pk)},
    "Query": lambda pk: {"ExpressionAttributeValues": {PARTITION_VALUE: {"S": pk}}},
}
BATCHES: dict[str, Any] = {
    "BatchGetItem": lambda pks: {"RequestItems": {"t": {"Keys": [key(pk) for pk in pks]}}},
    "BatchWriteItem": lambda pks: {
        "RequestItems": {"t": [{"DeleteRequest": {"Key": key(pk)}} for pk in pks]}
    },
    "TransactWriteItems": lambda pks: {
        "TransactItems": [
            {"Put": {"Item": key(pk)}} if n % 2 else {"Update": {"Key": key(pk)}}
            for n, pk in enumerate(pks)
        ]
    },
}


def is_refused(operation: str, params: dict[str, Any]) -> bool:
    try:
        refuse_foreign_keys(params, SimpleNamespace(name=operation))
    except ForeignKey:
        return True
    return False


@pytest.mark.property
@given(st.sampled_from(sorted(REQUESTS)), org_ids, org_ids)
def test_a_key_of_another_organisation_is_refused(operation: str, current: str, named: str) -> None:
    params = REQUESTS[operation](keys.org_prefix(named) + "call#0#")
    with tenant(current):
        assert is_refused(operation, params) == (current != named)
    assert is_refused(operation, params)  # outside of any tenant


@pytest.mark.property
@given(st.sampled_from(sorted(BATCHES)), org_ids, st.lists(org_ids, min_size=1, max_size=4))
def test_one_foreign_key_of_a_batch_refuses_it(operation: str, current: str, named: Any) -> None:
    params = BATCHES[operation]([keys.org_prefix(org_id) for org_id in named])
    with tenant(current):
        assert is_refused(operation, params) == (set(named) != {current})


@pytest.mark.parametrize("operation", REQUESTS)
def test_lookups_come_before_the_organisation_is_known(operation: str) -> None:
    for pk in (keys.token("f" * 64).pk, keys.handle("acme").pk, keys.ORGANISATIONS_GSI1PK):
        assert not is_refused(operation, REQUESTS[operation](pk))


def test_every_other_operation_of_dynamodb_is_refused() -> None:
    model = botocore.session.get_session().get_service_model("dynamodb")
    others = set(model.operation_names) - REQUESTS.keys() - BATCHES.keys()
    assert {"Scan", "ExecuteStatement", "TransactGetItems", "DeleteTable"} <= others
    with tenant("1"):
        assert all(
            is_refused(operation, {"Key": key(keys.org_prefix("1"))}) for operation in others
        )


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("GetItem", {}),
        ("PutItem", {"Item": {"PK": {"N": "1"}}}),
        ("Query", {"ExpressionAttributeValues": {":other": {"S": "ORG#1#"}}}),
        ("BatchWriteItem", {"RequestItems": {"t": [{"PutRequest": {"Item": key("ORG#1#")}}]}}),
        ("TransactWriteItems", {"TransactItems": [{"Delete": {}}]}),
    ],
)
def test_a_key_that_cannot_be_found_is_refused(operation: str, params: dict[str, Any]) -> None:
    with tenant("1"):
        assert is_refused(operation, params)
