"""Answers to reads are what botocore's own parser makes of them."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

import botocore.session
import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from rollcall.storage.answers import READS, parse_read
from tests.support.attribute_values import items

MODEL = botocore.session.get_session().get_service_model("dynamodb")
# Vector instructions take dozens of bytes at once, and the rest one by one.
BYTES = st.one_of(st.binary(max_size=9), st.binary(min_size=90, max_size=200))
BINARIES = BYTES.map(lambda data: base64.b64encode(data).decode())
ITEMS = items(BINARIES)
CAPACITY = {"TableName": "t", "CapacityUnits": 1.5}
ANSWERS = st.one_of(
    st.tuples(
        st.just("Query"),
        st.fixed_dictionaries(
            {"Items": st.lists(ITEMS, max_size=3), "Count": st.integers(0, 3)},
            optional={"LastEvaluatedKey": ITEMS, "ConsumedCapacity": st.just(CAPACITY)},
        ),
    ),
    st.tuples(
        st.just("GetItem"),
        st.fixed_dictionaries({}, optional={"Item": ITEMS, "ConsumedCapacity": st.just(CAPACITY)}),
    ),
    st.tuples(
        st.just("BatchGetItem"),
        st.fixed_dictionaries(
            {
                "Responses": st.dictionaries(st.just("t"), st.lists(ITEMS, max_size=3)),
                "UnprocessedKeys": st.dictionaries(
                    st.just("t"), st.fixed_dictionaries({"Keys": st.lists(ITEMS, min_size=1)})
                ),
            }
        ),
    ),
)


def received(answer: Any, status: int = 200) -> dict[str, Any]:
    return {"status_code": status, "headers": {}, "body": json.dumps(answer).encode()}


def parsed(operation: str, response: dict[str, Any]) -> Any:
    shape = MODEL.operation_model(operation).output_shape
    return create_parser("json").parse(response, shape)


@pytest.mark.property
@given(ANSWERS)
def test_an_answer_is_that_of_botocores_parser(operation_and_answer: tuple[str, Any]) -> None:
    operation, answer = operation_and_answer
    assert operation in READS
    response, found = received(answer), dict[str, Any]()
    parse_read(response, found)
    assert parsed(operation, response) | found == parsed(operation, received(answer))


@pytest.mark.parametrize("damaged", ["AAA", "AA*A", "AAAA\n", "A" * 96 + "AA*A"])
def test_damaged_base64_is_an_error(damaged: str) -> None:
    with pytest.raises(binascii.Error):
        parse_read(received({"Item": {"data": {"B": damaged}}}), {})


def test_a_refusal_is_left_to_botocore() -> None:
    refusal = {"__type": "x#ThrottlingException", "message": "slower"}
    response, found = received(refusal, 400), dict[str, Any]()
    parse_read(response, found)
    assert not found
    assert response == received(refusal, 400)
