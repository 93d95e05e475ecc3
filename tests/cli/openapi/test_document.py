"""The OpenAPI document: complete, valid, up to date, and as strict as the parsers."""

import dataclasses
import json
import os
import subprocess
import sys
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from rollcall.api.records.documents import DOCUMENTS, parse_record
from rollcall.api.records.faults import RefusedRecord
from rollcall.dialects import breeze, nlpearl
from rollcall.dialects.breeze.query_types import QUERY_TYPES
from rollcall.domain.errors import BadValues, MalformedQuery
from rollcall_cli.errors import CommandError
from rollcall_cli.local.template import load_template
from rollcall_cli.local.template_model import Route
from rollcall_cli.openapi.document import openapi_document, scopes_of
from rollcall_cli.openapi.examples import SETTING, read_examples
from rollcall_cli.openapi.operation import CSV_TYPE, JSON_TYPE
from tests.support.builders import BUILDERS
from tests.support.cases import cases
from tests.support.generate import anything
from tests.support.one_record import histories
from tests.support.openapi import DOCUMENT, EXAMPLES, ROOT, Spec
from tests.support.queries_of_dialects import scenario
from tests.support.record_limits import LIMITS
from tests.support.request_bodies import BAD_REQUESTS, UNPROCESSABLE

METHODS = {"get", "post", "put", "patch", "delete"}
EXCHANGES = [
    pytest.param(function, example, id=f"{function}/{example.name}")
    for function, examples in read_examples(EXAMPLES).items()
    for example in examples
]
PLACES = {"path": "path", "query": "query", "header": "headers"}


@pytest.fixture(scope="module")
def template():
    return load_template(ROOT / "template.yaml")


@pytest.fixture(scope="module")
def spec():
    return Spec.committed()


# ------------------------------------------------------------------ the file


@pytest.mark.representatives(1)
@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_the_file_is_what_the_code_says(hash_seed):
    made = subprocess.run(
        [sys.executable, "-m", "rollcall_cli.main", "openapi"],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        check=True,
    )
    assert made.stdout.decode() == DOCUMENT.read_text("utf-8"), "run `make openapi`"


def test_it_is_valid_openapi_3_1(spec):
    assert spec.document["openapi"].startswith("3.1.")
    errors = list(OpenAPIV31SpecValidator(spec.document).iter_errors())
    assert errors == []


def test_it_has_the_routes_of_the_template(spec, template):
    documented = {(method, path) for method, path, _ in spec.operations()}
    assert documented == {(route.method, route.path) for route in template.api.routes}
    assert all(set(item) <= METHODS for item in spec.document["paths"].values())


def test_no_two_operations_have_the_same_id(spec):
    names = [operation["operationId"] for _, _, operation in spec.operations()]
    assert len(set(names)) == len(names)


def test_a_route_that_nothing_is_said_of_is_refused(template):
    function = next(iter(template.functions.values()))
    folder = function.folder.with_name("answer_something_new")
    new = dataclasses.replace(function, logical_id="New", folder=folder)
    route = Route("GET", "/new", "New", None)
    more = dataclasses.replace(
        template,
        functions={**template.functions, "New": new},
        api=dataclasses.replace(template.api, routes=(*template.api.routes, route)),
    )
    with pytest.raises(CommandError, match="does not describe answer_something_new"):
        openapi_document(more, EXAMPLES)


def test_what_is_said_of_no_route_is_refused(template):
    fewer = dataclasses.replace(
        template, api=dataclasses.replace(template.api, routes=template.api.routes[1:])
    )
    with pytest.raises(CommandError, match="without a route in the template"):
        openapi_document(fewer, EXAMPLES)


def test_a_route_that_no_scope_opens_is_refused():
    with pytest.raises(CommandError, match="no scope allows POST /v1/nothing"):
        scopes_of(Route("POST", "/v1/nothing", "New", None))


def test_a_route_of_two_permissions_says_that_either_opens_it(spec):
    _, _, operation = spec.operation("get_audit")
    assert operation["security"] == [{"bearer": ["read"]}, {"bearer": ["admin"]}]
    assert operation["description"].endswith("Requires the permission `read` or `admin`.")


# ------------------------------------------------------------------ operations


def test_every_operation_says_what_it_needs_and_may_answer(spec, template):
    schemes = spec.document["components"]["securitySchemes"]
    public = {
        (route.method, route.path) for route in template.api.routes if route.authorizer is None
    }
    signed = ("POST", "/v1/hooks/{provider}/{hook_id}")
    assert public == {("GET", "/v1/health"), signed}
    tags = {tag["name"] for tag in spec.document["tags"]}
    for method, path, operation in spec.operations():
        assert operation["summary"]
        assert operation["description"]
        assert set(operation["tags"]) <= tags
        needs_token = (method, path) not in public
        needed = set(schemes) if needs_token else set()
        assert {name for entry in operation["security"] for name in entry} == needed
        responses = operation["responses"]
        assert {"200", "429", "500"} <= set(responses), path
        refusals = {"401", "403"} if needs_token else {"401"} if path == signed[1] else set()
        assert {"401", "403"} & set(responses) == refusals
        assert ("413" in responses) == ("requestBody" in operation) == (method == "POST")
        for response in responses.values():
            assert response["description"]


def test_there_is_one_way_to_authorise(spec):
    assert [*spec.document["components"]["securitySchemes"]] == ["bearer"]


def branches(value):
    """Every branch of a choice between schemas, anywhere in a JSON value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("oneOf", "anyOf"):
                yield from inner
            yield from branches(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from branches(inner)


def test_every_object_to_choose_from_has_a_title_of_its_own(spec):
    schemas = spec.document["components"]["schemas"]
    seen = {}
    for branch in branches(spec.document):
        name = branch["$ref"].rpartition("/")[2] if "$ref" in branch else json.dumps(branch)
        schema = schemas.get(name, branch)
        if "properties" in schema:
            assert schema.get("title"), name
            assert seen.setdefault(schema["title"], name) == name
    assert {
        *DOCUMENTS,
        *(f"{kind} merge" for kind in DOCUMENTS),
        "deletion",
        *(each.name for each in QUERY_TYPES),
    } <= set(seen)


def test_a_record_is_of_one_type(spec):
    names = spec.document["components"]["schemas"]["records.Record"]["oneOf"]
    assert len(names) == 2 * len(DOCUMENTS) + 1


def test_every_type_of_query_has_its_row():
    assert len({each.name for each in QUERY_TYPES}) == len(QUERY_TYPES)
    assert len({each.row for each in QUERY_TYPES}) == len(QUERY_TYPES)


def test_what_the_gateway_answers_fits_what_is_said_of_it(spec):
    for _, _, operation in spec.operations():
        for status, response in operation["responses"].items():
            for media_type, content in response["content"].items():
                body = content.get("examples", {}).get("gateway")
                if body is not None:
                    spec.check_answer(operation, int(status), media_type, body["value"])
                    assert body["value"]["status_code"] == int(status)


def test_nothing_is_described_that_nothing_refers_to(spec):
    text = json.dumps(spec.document)
    for kind in ("schemas", "headers"):
        for name in spec.document["components"][kind]:
            assert f'"#/components/{kind}/{name}"' in text, name


# ------------------------------------------------------------------ examples


def test_every_operation_has_an_example_of_success_and_of_an_error(template):
    statuses = {}
    for parameter in EXCHANGES:
        function, example = parameter.values
        statuses.setdefault(function, set()).add(example.status)
    for route in template.api.routes:
        function = template.functions[route.function].folder.name
        # A delivery is signed with the time, so no example of it is answered 200.
        assert min(statuses[function]) == (401 if function == "receive_hook" else 200), function
        assert max(statuses[function]) >= 400, function
    assert SETTING[1] in {example.name for example in read_examples(EXAMPLES)[SETTING[0]]}


@pytest.mark.parametrize(("function", "example"), EXCHANGES)
def test_an_example_is_one_that_the_document_allows(spec, function, example):
    _, _, operation = spec.operation(function)
    content = operation["responses"][str(example.status)]["content"]
    media_type = CSV_TYPE if isinstance(example.answer, str) else next(iter(content))
    spec.check_answer(operation, example.status, media_type, example.answer)
    shown = content[media_type]["examples"][example.name]
    assert shown == {"summary": example.summary, "value": example.answer}
    assert set(example.request) <= {*PLACES.values(), "body"}
    if example.status != 200:
        return
    parameters = {(PLACES[p["in"]], p["name"]): p for p in operation.get("parameters", [])}
    sent = {
        (place, name): value
        for place in PLACES.values()
        for name, value in example.request.get(place, {}).items()
        if name != "Accept"  # the media types of an answer describe it
    }
    required = {key for key, parameter in parameters.items() if parameter["required"]}
    assert required <= set(sent) <= set(parameters)
    for key, value in sent.items():
        assert spec.errors(parameters[key]["schema"], value) == []
    assert ("body" in example.request) == ("requestBody" in operation)
    if "body" in example.request:
        spec.check_request(operation, example.request["body"])


# ------------------------------------------------------------------ as strict as the parsers


def is_beyond_a_schema(value):
    """What parsers refuse and JSON Schema has no words for."""
    match value:
        case bool() | None:
            return False
        case str():
            return len(value) > 65_536  # bytes of a detail
        case int():
            return abs(value) >= 10**38  # digits of ids and payload numbers
        case float() | Decimal():  # 1.0 is an integer; significant digits; tiny numbers
            return (
                value == int(value) or len(Decimal(value).as_tuple().digits) > 38 or abs(value) < 1
            )
        case list():
            return any(map(is_beyond_a_schema, value))
        case dict():
            return any(map(is_beyond_a_schema, value.values()))
    return False


def is_taken(record):
    try:
        parse_record(record)
    except RefusedRecord:
        return False
    return True


@pytest.mark.representatives(20)
@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, fields in LIMITS.items() for field in fields]
)
def test_a_schema_accepts_what_the_parser_does(spec, kind, field):
    good, bad = LIMITS[kind][field]
    for value in good:
        assert (
            spec.errors(spec.component("records.Record"), BUILDERS[kind]("x", **{field: value}))
            == []
        )
    for value in bad:
        record = BUILDERS[kind]("x", **{field: value})
        assert not is_taken(record)
        if spec.errors(spec.component("records.Record"), record) == []:
            is_date = field.endswith("_at") and isinstance(value, str)
            assert is_date or field == "color" or is_beyond_a_schema(value), value


@pytest.mark.slow
@cases(300)
@given(anything)
def test_a_schema_never_refuses_what_the_parser_takes(record):
    if is_taken(record):
        spec = Spec.committed()
        assert spec.errors(spec.component("records.Record"), record) == []


@cases(20)
@given(histories)
def test_a_schema_never_refuses_a_merge(records):
    spec = Spec.committed()
    for record in records:
        assert is_taken(record)
        assert spec.errors(spec.component("records.Record"), record) == []


@pytest.mark.representatives(4)
@pytest.mark.parametrize("kind", list(DOCUMENTS))
@given(data=st.data())
def test_an_unknown_field_is_refused_by_both(spec, kind, data):
    name = data.draw(st.text(min_size=1, max_size=8))
    record = BUILDERS[kind]("x") | {f"{name}?": 1}
    assert not is_taken(record)
    assert spec.errors(spec.component("records.Record"), record) != []


def test_a_campaign_of_a_call_needs_a_direction(spec):
    record = BUILDERS["call"]("x", campaign_id="c")
    assert not is_taken(record)
    assert spec.errors(spec.component("records.Record"), record) != []
    assert spec.errors(spec.component("records.Record"), record | {"direction": "inbound"}) == []


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_a_schema_refuses_a_malformed_query(spec, case):
    assert spec.errors(spec.component("breeze.QueryBody"), BAD_REQUESTS[case]) != []


@pytest.mark.parametrize(
    ("extra", "place"),
    [(extra, place) for extra, place in UNPROCESSABLE if len(extra.get("filters", {})) < 2],
    ids=lambda value: repr(value)[:60],
)
def test_a_schema_refuses_a_bad_value_of_a_query(spec, extra, place):
    value = extra[place[0]] if len(place) == 1 else extra[place[0]][place[1]]
    if spec.errors(spec.component("breeze.QueryBody"), {"query_type": "call_count", **extra}) == []:
        # Control characters in ids, and names of zones.
        is_text = place[-1] in ("timezone", "template_id", "merchant_id", "reseller_id")
        assert (is_text and isinstance(value, str)) or is_beyond_a_schema(value), value


PARSED = {
    "query_analytics": (breeze.parse_query, "breeze.QueryBody"),
    "get_inbound_analytics": (nlpearl.parse_period, "nlpearl.PeriodBody"),
}


@pytest.mark.parametrize("seed", range(60))
def test_a_schema_never_refuses_a_query_that_is_parsed(seed):
    spec = Spec.committed()
    for query in scenario(Random(f"schema/{seed}"), queries=20).queries:
        if query.function not in PARSED:
            continue
        parse, name = PARSED[query.function]
        try:
            parse(query.body)
        except (BadValues, MalformedQuery):
            continue
        assert spec.errors(spec.component(name), query.body) == []


# ------------------------------------------------------------------ it can fail


def spoilt(value):
    """The same JSON value with one thing in it changed: each key left out, one more, another type."""
    if isinstance(value, dict):
        yield {**value, "surplus": 1}
        for name, item in value.items():
            if name not in OPTIONAL:
                yield {key: kept for key, kept in value.items() if key != name}
            for other in INSIDE.get(name, spoilt)(item):
                yield {**value, name: other}
    elif isinstance(value, list):
        yield {"0": value}
        for item in value[:1]:
            for other in spoilt(item):
                yield [other, *value[1:]]
    elif value is not None:
        yield [value]


def spoilt_document(record):
    """A document with one thing changed; it may lack almost any field."""
    yield {**record, "surplus": 1}
    yield [record]


def spoilt_documents(records):
    """The same of a list of documents; `calls` is also the name of a number."""
    if not isinstance(records, list):
        yield from spoilt(records)
        return
    for other in spoilt_document(records[0]):
        yield [other, *records[1:]]


def mistyped(value):
    """The same JSON value with one value of another type: a query chooses the names in it."""
    if isinstance(value, dict):
        yield [value]
        for name, item in value.items():
            yield {**value, name: [item]}
    else:
        yield {"0": value}
        for other in mistyped(value[0]):
            yield [other, *value[1:]]


OPTIONAL = {"previous_totals", "previous_period"}
INSIDE = {
    "record": spoilt_document,
    "calls": spoilt_documents,
    "rows": lambda rows: mistyped(rows) if isinstance(rows, list) else spoilt(rows),
    "totals": mistyped,
    "previous_totals": mistyped,
}


@pytest.mark.representatives(12)
@pytest.mark.parametrize(
    ("function", "example"),
    [parameter for parameter in EXCHANGES if parameter.values[1].status == 200],
)
def test_a_spoilt_answer_does_not_fit(spec, function, example):
    _, _, operation = spec.operation(function)
    content = operation["responses"]["200"]["content"]
    schema = content[CSV_TYPE if isinstance(example.answer, str) else JSON_TYPE]["schema"]
    assert spec.errors(schema, example.answer) == []
    for answer in spoilt(example.answer):
        assert spec.errors(schema, answer) != [], answer
