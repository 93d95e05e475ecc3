"""Requests are what botocore's own serializer makes of their parameters."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.serialize import JSONSerializer, QuerySerializer
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.organisations import tenant
from rollcall.storage.client import dynamodb_client
from rollcall.storage.requests import Serializer, use_serializer
from tests.support.attribute_values import NAMES, TEXTS, items

MODEL = botocore.session.get_session().get_service_model("dynamodb")
ITEMS = items(st.one_of(st.binary(max_size=9), st.binary(min_size=90, max_size=200)))
CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "TableName": TEXTS,
        "ConditionExpression": TEXTS,
        "ExpressionAttributeNames": st.dictionaries(NAMES, TEXTS, max_size=3),
        "ExpressionAttributeValues": ITEMS,
    },
)
PUTS = st.builds(lambda item, more: {"Item": item} | more, ITEMS, CONDITIONS)
ON_KEYS = st.builds(lambda key, more: {"Key": key} | more, ITEMS, CONDITIONS)
ACTIONS = st.one_of(
    st.builds(lambda put: {"Put": put}, PUTS),
    st.builds(lambda delete: {"Delete": delete}, ON_KEYS),
)


def requests_of(operation: str, params: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(operation), params)


REQUESTS = st.one_of(
    requests_of(
        "TransactWriteItems",
        st.fixed_dictionaries(
            {"TransactItems": st.lists(ACTIONS, max_size=3), "ClientRequestToken": TEXTS}
        ),
    ),
    requests_of("PutItem", PUTS),
    requests_of("UpdateItem", ON_KEYS),
    requests_of("DeleteItem", ON_KEYS),
    requests_of("GetItem", st.fixed_dictionaries({"Key": ITEMS, "ConsistentRead": st.booleans()})),
    requests_of(
        "Query",
        st.fixed_dictionaries({"ExclusiveStartKey": ITEMS, "Limit": st.integers(1, 100)}),
    ),
    requests_of(
        "BatchGetItem",
        st.builds(lambda keys: {"RequestItems": {"t": {"Keys": keys}}}, st.lists(ITEMS)),
    ),
    requests_of(
        "BatchWriteItem",
        st.builds(
            lambda keys: {"RequestItems": {"t": [{"DeleteRequest": {"Key": key}} for key in keys]}},
            st.lists(ITEMS),
        ),
    ),
)


@pytest.mark.property
@given(REQUESTS)
def test_a_request_is_that_of_botocores_serializer(request_: tuple[str, dict[str, Any]]) -> None:
    operation, params = request_
    model = MODEL.operation_model(operation)
    ours = Serializer(JSONSerializer()).serialize_to_request(params, model)
    theirs = JSONSerializer().serialize_to_request(params, model)
    assert json.loads(ours.pop("body")) == json.loads(theirs.pop("body"))
    assert ours == theirs


def test_a_value_that_dynamodb_does_not_have_is_refused() -> None:
    serializer = Serializer(JSONSerializer())
    with pytest.raises(TypeError, match="no attribute for set"):
        serializer.serialize_to_request({"Key": {1}}, MODEL.operation_model("GetItem"))


@pytest.mark.parametrize("serializer", [{}, {"_serializer": QuerySerializer()}])
def test_another_serializer_is_left_in_its_place(serializer: dict[str, Any]) -> None:
    client = SimpleNamespace(**serializer)
    use_serializer(client)
    assert vars(client) == serializer


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return dynamodb_client(connections=1)


def test_a_transaction_is_sent_again_with_its_token(client: Any) -> None:
    """Otherwise the second attempt fails on what the first has written, if its answer was lost."""
    bodies = []

    def refuse(request: Any, **_: Any) -> AWSResponse:
        bodies.append(json.loads(request.body))
        raw = SimpleNamespace(stream=lambda: iter([b"{}"]))
        return AWSResponse(request.url, 500, {}, raw)

    client.meta.events.register("before-send.dynamodb", refuse)
    put = {"TableName": "t", "Item": {"PK": {"S": "ORG#org_1#"}, "data": {"B": b"\x00"}}}
    with (
        tenant("org_1"),
        patch("time.sleep"),
        pytest.raises(client.exceptions.ClientError, match="500"),
    ):
        client.transact_write_items(TransactItems=[{"Put": put}])
    first, second = bodies
    assert first == second
    assert first["TransactItems"][0]["Put"]["Item"]["data"] == {"B": "AA=="}
    assert len(first["ClientRequestToken"]) == 36
