"""Answers to reads are what botocore's own parser makes of them."""

from __future__ import annotations

import base64
import json
from typing import Any

import botocore.session
import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from rollcall.storage.answers import READS, parse_read

MODEL = botocore.session.get_session().get_service_model("dynamodb")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
BINARIES = st.binary(max_size=9).map(lambda data: base64.b64encode(data).decode())
# Names of kinds of values are names of attributes too.
NAMES = st.sampled_from(["B", "BS", "M", "S", "data"]) | TEXTS
NUMBERS = st.integers().map(str)

ATTRIBUTES = st.recursive(
    st.one_of(
        st.builds(lambda text: {"S": text}, TEXTS),
        st.builds(lambda number: {"N": number}, NUMBERS),
        st.builds(lambda data: {"B": data}, BINARIES),
        st.builds(lambda flag: {"BOOL": flag}, st.booleans()),
        st.just({"NULL": True}),
        st.builds(lambda texts: {"SS": texts}, st.lists(TEXTS, min_size=1, max_size=3)),
        st.builds(lambda numbers: {"NS": numbers}, st.lists(NUMBERS, min_size=1, max_size=3)),
        st.builds(lambda data: {"BS": data}, st.lists(BINARIES, min_size=1, max_size=3)),
    ),
    lambda inner: st.one_of(
        st.builds(lambda values: {"L": values}, st.lists(inner, max_size=3)),
        st.builds(lambda values: {"M": values}, st.dictionaries(NAMES, inner, max_size=3)),
    ),
    max_leaves=6,
)
ITEMS = st.dictionaries(NAMES, ATTRIBUTES, max_size=4)
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


def test_a_refusal_is_left_to_botocore() -> None:
    refusal = {"__type": "x#ThrottlingException", "message": "slower"}
    response, found = received(refusal, 400), dict[str, Any]()
    parse_read(response, found)
    assert not found
    assert response == received(refusal, 400)
