"""Build the document from the template's routes, the schemas of types, and the examples."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

import rollcall
from rollcall.lambdas.authorizer import ROUTES
from rollcall_cli.errors import CommandError
from rollcall_cli.local.template_model import Route, Template
from rollcall_cli.openapi.examples import Example, read_examples
from rollcall_cli.openapi.operation import CSV_TYPE, JSON_TYPE, Answer, Operation, Parameter
from rollcall_cli.openapi.operations import OPERATIONS, REFINEMENTS, TAGS
from rollcall_cli.openapi.schemas import answer_schemas, reference, request_schemas

JsonObject = dict[str, Any]

_DESCRIPTION = """Exact, fresh call analytics, in the formats that four products publish.

Every path may end in a slash. Errors are checked in this order: 404 for an unknown path or method,
401, 403 for a missing scope, 413, then those of the route. Errors are in the dialect of the route.
Errors of the gateway itself have one body that clients of every dialect understand.
"""
_SERVERS: list[JsonObject] = [
    {"url": "/", "description": "The server of this document: the local stack"},
    {
        "url": "https://{apiId}.execute-api.{region}.amazonaws.com/live",
        "description": "A deployed stack; its output ApiUrl is this URL",
        "variables": {"apiId": {"default": "abcde12345"}, "region": {"default": "eu-central-1"}},
    },
]
_SECURITY_SCHEMES: JsonObject = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token, `rc_…`, sent as `Authorization: Bearer rc_…`. `Token rc_…` and"
        " `jwt rc_…` are accepted too; the scheme is case-insensitive.",
    },
}
_HEADERS: JsonObject = {
    "X-Rollcall-Source": {
        "description": "What was read: rollups, ledger pages, or both.",
        "required": True,
        "schema": {"type": "string", "enum": ["rollups", "ledger", "mixed"]},
    },
    "X-Rollcall-Items-Read": {
        "description": "Number of DynamoDB items read.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "X-Rollcall-Read-Units": {
        "description": "Their cost in read units.",
        "required": True,
        "schema": {"type": "number", "minimum": 0},
    },
    "X-Rollcall-As-Of": {
        "description": "When the data that was read was last written. Absent while the organisation"
        " has no data.",
        "schema": {"type": "string", "format": "date-time"},
    },
}
_RETRY_AFTER: JsonObject = {
    "Retry-After": {
        "description": "Seconds after which to send the request again.",
        "schema": {"type": "integer", "minimum": 0},
    }
}
_CSV_HEADERS: JsonObject = {
    "X-Rollcall-Next": {
        "description": "The cursor of the next page of a CSV answer. Absent on the last page, and in"
        " JSON, where the body has it.",
        "schema": {"type": "string"},
    },
}
# Errors of the gateway on any existing route, by the template's names.
_GATEWAY_KINDS = {
    "UNAUTHORIZED": "No token, or one that is malformed, unknown, expired or revoked.",
    "ACCESS_DENIED": "The token lacks the permission.",
    "REQUEST_TOO_LARGE": "The body is too large.",
    "THROTTLED": "Too many requests at once.",
    "AUTHORIZER_FAILURE": "The token could not be checked.",
    "INTEGRATION_FAILURE": "The function failed.",
    "INTEGRATION_TIMEOUT": "The function took too long.",
}
# Those of the authorizer, which a route without one never has.
_AUTHORIZER_KINDS = {"UNAUTHORIZED", "ACCESS_DENIED", "AUTHORIZER_FAILURE"}
_GATEWAY = "gateway"
_REQUEST_ID = "3f0d3a2e-8c5b-4b7e-9d0e-1a2b3c4d5e6f"


class Error(TypedDict):
    """An error of the gateway itself, in any dialect."""

    status_code: int
    message: str
    error: str
    detail: str


def openapi_document(template: Template, examples_folder: Path) -> JsonObject:
    """The document. Raises CommandError if routes, operations and examples do not match."""
    examples = read_examples(examples_folder)
    _check_complete(template, examples)
    paths: dict[str, JsonObject] = {}
    tags: dict[str, str] = {}  # in the order of their first routes
    first: dict[str, Route] = {}
    for route in template.api.routes:
        function = function_name(template, route)
        is_alias = first.setdefault(function, route) is not route
        operation = _operation(template, route, function, examples.get(function, []))
        tags[OPERATIONS[function].tag] = TAGS[OPERATIONS[function].tag]
        if is_alias:
            operation["operationId"] += re.sub(r"[^A-Za-z0-9]+", "_", route.path)
            same = f"The same as `{first[function].path}`."
            operation["description"] = f"{same} {operation['description']}"
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Rollcall",
            "version": rollcall.__version__,
            "summary": "Call analytics for voice-agent and telephony platforms.",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": _SERVERS,
        "tags": [{"name": name, "description": text} for name, text in tags.items()],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "headers": _HEADERS | _CSV_HEADERS,
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def function_name(template: Template, route: Route) -> str:
    """The name of the function that answers a route, which is that of its folder."""
    return template.functions[route.function].folder.name


def _check_complete(template: Template, examples: Mapping[str, Any]) -> None:
    functions = {function_name(template, route) for route in template.api.routes}
    for described, place in (
        (set(OPERATIONS), "rollcall_cli/openapi/api"),
        (set(examples), "docs/api"),
    ):
        unknown = ", ".join(sorted(described - functions))
        if unknown:
            raise CommandError(
                f"{place} describes functions without a route in the template: {unknown}"
            )
    missing = ", ".join(sorted(functions - set(OPERATIONS)))
    if missing:
        raise CommandError(f"rollcall_cli/openapi/api does not describe {missing}")


def scopes_of(route: Route) -> list[str]:
    """The scopes that open a route, each by itself, by the authorizer's table."""
    wanted = f"{route.method}{route.path}"
    scopes = [
        scope
        for scope, patterns in ROUTES.items()
        if any(fnmatchcase(wanted, pattern) for pattern in patterns)
    ]
    if not scopes:
        raise CommandError(f"no scope allows {route.method} {route.path}")
    return scopes


def _operation(
    template: Template, route: Route, function: str, examples: list[Example]
) -> JsonObject:
    declared = OPERATIONS[function]
    scopes = [] if route.authorizer is None else scopes_of(route)
    named = " or ".join(f"`{scope}`" for scope in scopes)
    needed = f"Requires the permission {named}." if scopes else "Requires no token."
    operation: JsonObject = {
        "operationId": function,
        "tags": [declared.tag],
        "summary": declared.summary,
        "description": f"{declared.description}\n\n{needed}",
        "security": [{name: [scope]} for scope in scopes for name in _SECURITY_SCHEMES],
    }
    names = set(re.findall(r"{(\w+)}", route.path))
    described = {parameter.name for parameter in declared.parameters if parameter.place == "path"}
    if names != described:
        raise CommandError(f"{route.path}: path parameters {names} are described as {described}")
    if declared.parameters:
        operation["parameters"] = [_parameter(each, examples) for each in declared.parameters]
    if declared.body is not None:
        operation["requestBody"] = _request_body(declared, examples)
    operation["responses"] = _responses(template, route, declared, examples)
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


def _request_body(declared: Operation, examples: list[Example]) -> JsonObject:
    content: JsonObject = {"schema": reference(declared.tag, declared.body)}
    # A refused request is not an example of what to send.
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
    """The response of one status."""

    def __init__(self) -> None:
        self._descriptions: list[str] = []
        self._content: dict[str, JsonObject] = {}

    def may_be(self, tag: str, answer: Answer) -> None:
        """Add a possible body."""
        self._descriptions.append(answer.description)
        content = self._content.setdefault(answer.media_type, {"schemas": [], "examples": {}})
        content["schemas"].append(reference(tag, answer.type))

    def may_be_csv(self) -> None:
        """Add CSV as an alternative."""
        self._content[CSV_TYPE] = {"schemas": [{"type": "string"}], "examples": {}}

    def show(self, media_type: str, name: str, summary: str, value: Any) -> None:
        """Add an example of such a body."""
        self._content[media_type]["examples"][name] = {"summary": summary, "value": value}

    def described(self) -> JsonObject:
        """The response as it is in the document."""
        content: JsonObject = {}
        for media_type, found in self._content.items():
            schemas = found["schemas"]
            schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
            content[media_type] = {"schema": schema}
            if found["examples"]:
                content[media_type]["examples"] = found["examples"]
        return {"description": " ".join(self._descriptions), "content": content}


def _responses(
    template: Template, route: Route, declared: Operation, examples: list[Example]
) -> JsonObject:
    responses = {status: _Response() for status in declared.answers}
    for status, answer in declared.answers.items():
        responses[status].may_be(declared.tag, answer)
    if declared.has_csv:
        responses[200].may_be_csv()
    for example in examples:
        media_type = declared.answers[example.status].media_type
        if isinstance(example.answer, str):
            media_type = CSV_TYPE
        responses[example.status].show(media_type, example.name, example.summary, example.answer)
    for kind, description in _gateway_kinds(route, declared).items():
        sent = template.api.responses[kind]
        if sent.status is None:
            raise CommandError(f"the template's gateway response {kind} has no StatusCode")
        response = responses.setdefault(sent.status, _Response())
        response.may_be(_GATEWAY, Answer(description, Error))
        body = json.loads(sent.body.replace("$context.requestId", _REQUEST_ID))
        response.show(JSON_TYPE, "gateway", description, body)
    described: JsonObject = {
        str(status): responses[status].described() for status in sorted(responses)
    }
    if "503" in described:
        described["503"]["headers"] = _RETRY_AFTER
    if headers := _headers(declared):
        described["200"]["headers"] = headers
    return described


def _headers(declared: Operation) -> JsonObject:
    """The headers of a successful answer."""
    metered = _HEADERS if declared.is_metered else {}
    csv = _CSV_HEADERS if declared.has_csv else {}
    return {name: {"$ref": f"#/components/headers/{name}"} for name in [*metered, *csv]}


def _gateway_kinds(route: Route, declared: Operation) -> dict[str, str]:
    """The errors of the gateway that a route may have."""
    never = set() if route.authorizer is not None else _AUTHORIZER_KINDS
    if declared.body is None:
        never = never | {"REQUEST_TOO_LARGE"}
    return {kind: text for kind, text in _GATEWAY_KINDS.items() if kind not in never}


# ------------------------------------------------------------------------------- schemas
def _schemas() -> JsonObject:
    schemas = answer_schemas(_GATEWAY, [Error])
    for tag in TAGS:
        for found in _schemas_of_tag(tag):
            twice = [name for name in found if schemas.get(name, found[name]) != found[name]]
            if twice:
                raise CommandError(
                    f"two types have the name {', '.join(twice)}; rename one of them"
                )
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
