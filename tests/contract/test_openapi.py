"""What the stack answers is what the OpenAPI document says: the examples, errors, anything at all."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.errors import InvalidSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from rollcall_cli.openapi.examples import SETTING
from tests.support.auditing import EXACT, have_audited
from tests.support.exchanges import EXCHANGES, SPEC, check, fits, send
from tests.support.stack import Organisation

# What it answers depends on a hook and on the time: tests/contract/test_hooks.py.
SIGNED = "receive_hook"
FUNCTIONS = [
    operation["operationId"]
    for _, _, operation in SPEC.operations()
    if operation["operationId"] != SIGNED
]
PLACES = {"path": "path", "query": "query", "header": "headers"}
BUDGET = {"moto": 12}  # requests a function and mode


@pytest.fixture(scope="module")
def acme(stack) -> Organisation:
    """An organisation that has what the examples ask about."""
    stack.new_organisation("globex", "Globex")
    org = stack.new_organisation("acme", "Acme")
    check(org, *SETTING)
    have_audited(org, EXACT)
    stack.drain()
    return org


@pytest.mark.parametrize(
    ("function", "name"),
    [key for key in EXCHANGES if key != SETTING],
    ids=lambda value: value,
)
def test_an_example_is_what_is_answered(acme, function, name):
    check(acme, function, name)


# ------------------------------------------------------------------ the gateway's errors


def good_request(function: str) -> dict:
    """A request that is answered 200."""
    name = next(
        example.name
        for (answering, _), example in EXCHANGES.items()
        if answering == SPEC_FUNCTION[function] and example.status == 200
    )
    return dict(EXCHANGES[SPEC_FUNCTION[function], name].request)


# Two routes may lead to one function; examples are kept by function.
SPEC_FUNCTION = {
    name: next(known for known, _ in EXCHANGES if name.startswith(known)) for name in FUNCTIONS
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_errors_of_the_gateway_are_documented(acme, function):
    request = good_request(function)
    answer = send(acme, function, request, token="")
    assert fits(function, answer)
    _, _, operation = SPEC.operation(function)
    if not operation["security"]:
        assert answer.status == 200
        return
    assert answer.status == 401
    opening = {scope for entry in operation["security"] for scope in entry["bearer"]}
    other = acme.new_token(*({"read", "ingest", "admin"} - opening))["token"]
    answer = send(acme, function, request, token=other)
    assert answer.status == 403
    assert fits(function, answer)
    if "requestBody" in operation:
        answer = send(acme, function, request | {"body": "x" * 2_200_000})
        assert answer.status == 413
        assert fits(function, answer)


# ------------------------------------------------------------------ anything at all

READING = [
    operation
    for result in schemathesis.openapi.from_dict(SPEC.document).get_all_operations()
    if {"bearer": ["ingest"]} not in (operation := result.ok()).definition.raw["security"]
    and operation.definition.raw["operationId"] != SIGNED
]


def takes_anything(operation) -> bool:
    """A request may be against the document: it has a token, a parameter or a body to spoil."""
    described = operation.definition.raw
    return any(described.get(name) for name in ("security", "parameters", "requestBody"))


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
]


@st.composite
def generated(draw, cases):
    """A request; the generator cannot meet some of its own changes to a recursive schema."""
    try:
        return draw(cases)
    except InvalidSchema:
        reject()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operation", "mode"),
    [
        pytest.param(operation, mode, id=f"{operation.label}-{mode.value}")
        for operation in READING
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or takes_anything(operation)
    ],
)
def test_generated_requests_are_answered_as_documented(acme, engine, operation, mode):
    """Requests by the document ask about what is there; those against it may ask about anything."""
    known = {}
    if mode is GenerationMode.POSITIVE:
        for parameter in operation.definition.raw.get("parameters", []):
            if parameter["required"]:
                place = {"path": "path_parameters", "header": "headers"}[parameter["in"]]
                example = good_request(operation.definition.raw["operationId"])
                value = example[PLACES[parameter["in"]]][parameter["name"]]
                known.setdefault(place, {})[parameter["name"]] = value
    statuses = set()

    @settings(
        max_examples=BUDGET.get(engine, 25),
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=generated(operation.as_strategy(generation_mode=mode, **known)))
    def answers_fit(case):
        headers = {"Authorization": f"Token {acme.token}"}
        answer = case.call_and_validate(base_url=acme.stack.api, headers=headers, checks=CHECKS)
        statuses.add(answer.status_code)

    answers_fit()
    assert statuses
    assert mode is GenerationMode.NEGATIVE or 200 in statuses
