"""Put the document together: the template's routes, the types' schemas, the examples' files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from rollcall.lambdas.authorizer import ROUTES
from rollcall_cli.errors import CommandError
from rollcall_cli.local.template_model import Route, Template
from rollcall_cli.openapi.examples import Example, read_examples
from rollcall_cli.openapi.operation import JSON_TYPE, Answer, Operation, Parameter
from rollcall_cli.openapi.operations import OPERATIONS, REFINEMENTS, TAGS
from rollcall_cli.openapi.schemas import answer_schemas, reference, request_schemas

JsonObject = dict[str, Any]

_DESCRIPTION = """Exact, fresh call analytics, in the formats that four products publish.

Every path may end in a slash. An unknown path or method is answered 404 before anything else is
looked at, then come 401, 403 for a missing scope, and 413. Errors are in the dialect of the route;
those that the gateway raises by itself have one body that every dialect's client understands.
"""
_SERVERS: list[JsonObject] = [
    {"url": "/", "description": "Where this document comes from: the local stack"},
    {
        "url": "https://{apiId}.execute-api.{region}.amazonaws.com/live",
        "description": "A deployed stack; its output ApiUrl says where",
        "variables": {"apiId": {"default": "abcde12345"}, "region": {"default": "eu-central-1"}},
    },
]
_SECURITY_SCHEMES: JsonObject = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token, `rc_…`. `Authorization: Token rc_…` and `jwt rc_…` work as well as"
        " `Bearer rc_…`, the scheme in any case.",
    },
}
_HEADERS: JsonObject = {
    "X-Rollcall-Source": {
        "description": "What was read: rollups, ledger pages, or both.",
        "required": True,
        "schema": {"type": "string", "enum": ["rollups", "ledger", "mixed"]},
    },
    "X-Rollcall-Items-Read": {
        "description": "How many DynamoDB items were read.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "X-Rollcall-Read-Units": {
        "description": "What they cost, in read units.",
        "required": True,
        "schema": {"type": "number", "minimum": 0},
    },
    "X-Rollcall-As-Of": {
        "description": "How fresh the answer is: when what was read was last written. Absent while"
        " the organisation has no data.",
        "schema": {"type": "string", "format": "date-time"},
    },
}
# What the gateway may answer to any request for a route that exists, by the template's names.
_GATEWAY_KINDS = {
    "UNAUTHORIZED": "No token, or one that is malformed, unknown, expired or revoked.",
    "ACCESS_DENIED": "The token does not carry the scope.",
    "REQUEST_TOO_LARGE": "The body is too large.",
    "THROTTLED": "Too many requests at once.",
    "AUTHORIZER_FAILURE": "The token could not be checked.",
    "INTEGRATION_FAILURE": "The function failed.",
    "INTEGRATION_TIMEOUT": "The function took too long.",
}
_GATEWAY = "gateway"
_REQUEST_ID = "3f0d3a2e-8c5b-4b7e-9d0e-1a2b3c4d5e6f"


class Error(TypedDict):
    """An error that the gateway raises by itself, in any dialect."""

    status_code: int
    message: str
    error: str
    detail: str


def openapi_document(template: Template, examples_folder: Path) -> JsonObject:
    """The document. Raises CommandError for a route or an example that nothing is said of."""
    examples = read_examples(examples_folder)
    _check_complete(template, examples)
    paths: dict[str, JsonObject] = {}
    first: dict[str, Route] = {}
    for route in template.api.routes:
        function = function_name(template, route)
        is_alias = first.setdefault(function, route) is not route
        operation = _operation(template, route, function, examples.get(function, []))
        if is_alias:
            operation["operationId"] += re.sub(r"[^A-Za-z0-9]+", "_", route.path)
            same = f"The same as `{first[function].path}`."
            operation["description"] = f"{same} {operation['description']}"
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Rollcall",
            "version": version("rollcall-analytics"),
            "summary": "Call analytics for voice-agent and telephony platforms.",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": _SERVERS,
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "headers": _HEADERS,
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def function_name(template: Template, route: Route) -> str:
    """The name of the function that answers a route: that of its folder."""
    return template.functions[route.function].folder.name


def _check_complete(template: Template, examples: Mapping[str, Any]) -> None:
    functions = {function_name(template, route) for route in template.api.routes}
    for said, of in ((set(OPERATIONS), "rollcall_cli/openapi"), (set(examples), "docs/api")):
        unknown = ", ".join(sorted(said - functions))
        if unknown:
            raise CommandError(f"{of} describes what answers no route of the template: {unknown}")
    missing = ", ".join(sorted(functions - set(OPERATIONS)))
    if missing:
        raise CommandError(f"rollcall_cli/openapi says nothing of {missing}")


def scope_of(route: Route) -> str:
    """The scope that opens a route, as the authorizer has it."""
    wanted = f"{route.method}{route.path}"
    for scope, patterns in ROUTES.items():
        if any(fnmatchcase(wanted, pattern) for pattern in patterns):
            return scope
    raise CommandError(f"no scope opens {route.method} {route.path}")


def _operation(
    template: Template, route: Route, function: str, examples: list[Example]
) -> JsonObject:
    said = OPERATIONS[function]
    scope = scope_of(route)
    operation: JsonObject = {
        "operationId": function,
        "tags": [said.tag],
        "summary": said.summary,
        "description": f"{said.description}\n\nNeeds the scope `{scope}`.",
        "security": [{name: [scope]} for name in _SECURITY_SCHEMES],
    }
    names = set(re.findall(r"{(\w+)}", route.path))
    described = {parameter.name for parameter in said.parameters if parameter.place == "path"}
    if names != described:
        raise CommandError(f"{route.path}: path parameters {names} are described as {described}")
    if said.parameters:
        operation["parameters"] = [_parameter(each, examples) for each in said.parameters]
    if said.body is not None:
        operation["requestBody"] = _request_body(said, examples)
    operation["responses"] = _responses(template, said, examples)
    return operation


def _parameter(parameter: Parameter, examples: list[Example]) -> JsonObject:
    places = {"header": "headers", "query": "query", "path": "path"}
    good = [example for example in examples if example.status == 200]
    sent = [example.request.get(places[parameter.place], {}) for example in good]
    values = [values[parameter.name] for values in sent if parameter.name in values]
    described: JsonObject = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required or parameter.place == "path",
        "schema": dict(parameter.schema),
    }
    if values:
        described["example"] = values[0]
    return described


def _request_body(said: Operation, examples: list[Example]) -> JsonObject:
    content: JsonObject = {"schema": reference(said.tag, said.body)}
    # What is refused is no example of what to send.
    shown = {
        example.name: {"summary": example.summary, "value": example.request["body"]}
        for example in examples
        if example.status == 200 and "body" in example.request
    }
    if shown:
        content["examples"] = shown
    return {"required": True, "content": {JSON_TYPE: content}}


# ----------------------------------------------------------------------------- responses
class _Response:
    """What may come back with one status."""

    def __init__(self) -> None:
        self._descriptions: list[str] = []
        self._content: dict[str, JsonObject] = {}

    def may_be(self, tag: str, answer: Answer) -> None:
        """Add a body that it may have."""
        self._descriptions.append(answer.description)
        content = self._content.setdefault(answer.media_type, {"schemas": [], "examples": {}})
        content["schemas"].append(reference(tag, answer.type))

    def show(self, media_type: str, name: str, summary: str, value: Any) -> None:
        """Add an example of such a body."""
        self._content[media_type]["examples"][name] = {"summary": summary, "value": value}

    def described(self) -> JsonObject:
        """The response as the document has it."""
        content: JsonObject = {}
        for media_type, found in self._content.items():
            schemas = found["schemas"]
            schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
            content[media_type] = {"schema": schema}
            if found["examples"]:
                content[media_type]["examples"] = found["examples"]
        return {"description": " ".join(self._descriptions), "content": content}


def _responses(template: Template, said: Operation, examples: list[Example]) -> JsonObject:
    responses = {status: _Response() for status in said.answers}
    for status, answer in said.answers.items():
        responses[status].may_be(said.tag, answer)
    for example in examples:
        media_type = said.answers[example.status].media_type
        responses[example.status].show(media_type, example.name, example.summary, example.answer)
    for kind, description in _GATEWAY_KINDS.items():
        if kind == "REQUEST_TOO_LARGE" and said.body is None:
            continue
        sent = template.api.responses[kind]
        if sent.status is None:
            raise CommandError(f"the template gives the gateway response {kind} no StatusCode")
        response = responses.setdefault(sent.status, _Response())
        response.may_be(_GATEWAY, Answer(description, Error))
        body = json.loads(sent.body.replace("$context.requestId", _REQUEST_ID))
        response.show(JSON_TYPE, "gateway", description, body)
    described: JsonObject = {
        str(status): responses[status].described() for status in sorted(responses)
    }
    if said.is_metered:
        headers = {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}
        described["200"]["headers"] = headers
    return described


# ------------------------------------------------------------------------------- schemas
def _schemas() -> JsonObject:
    schemas = answer_schemas(_GATEWAY, [Error])
    for tag in TAGS:
        for found in _schemas_of_tag(tag):
            twice = [name for name in found if schemas.get(name, found[name]) != found[name]]
            if twice:
                raise CommandError(f"two types are called {', '.join(twice)}; rename one of each")
            schemas |= found
    for refine in REFINEMENTS:
        refine(schemas)
    return dict(sorted(schemas.items()))


def _schemas_of_tag(tag: str) -> tuple[JsonObject, JsonObject]:
    """The schemas of a tag's request bodies, and those of its answers."""
    operations = [each for each in OPERATIONS.values() if each.tag == tag]
    bodies = [each.body for each in operations if each.body is not None]
    answers = [answer.type for each in operations for answer in each.answers.values()]
    return request_schemas(tag, bodies), answer_schemas(tag, answers)
