"""Read template.yaml, the template that is deployed, into the model of the local stack.

Nothing is declared a second time: a route or an index that is missing there is missing here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rollcall_cli.local.filters import EventFilter
from rollcall_cli.local.intrinsics import Resolver, TemplateError, read_yaml
from rollcall_cli.local.template_model import (
    Api,
    Authorizer,
    Function,
    GatewayResponse,
    MockRoute,
    Route,
    StreamMapping,
    Table,
    Template,
)

STACK_NAME = "rollcall"

# Properties that decide how a table behaves, and so are passed to the engine unchanged.
_TABLE_SCHEMA = (
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "BillingMode",
    "ProvisionedThroughput",
)
# Properties that protect data, and have no meaning for an emulator.
_TABLE_PROTECTION = {
    "TableName",
    "StreamSpecification",
    "DeletionProtectionEnabled",
    "PointInTimeRecoverySpecification",
    "SSESpecification",
    "ContributorInsightsSpecification",
    "ResourcePolicy",
    "TableClass",
    "Tags",
    "OnDemandThroughput",
    "WarmThroughput",
}
_BODY_VARIABLE = re.compile(r"\$context\.[A-Za-z.]+")
_BODY_VARIABLES = {
    "$context.requestId",
    "$context.error.message",
    "$context.error.messageString",
    "$context.error.responseType",
}


def load_template(path: Path, parameters: Mapping[str, str] | None = None) -> Template:
    """Read the template; `parameters` override its defaults. Raises TemplateError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TemplateError(f"cannot read the template {path}: {error.strerror}") from error
    document = read_yaml(text)
    return _Reader(path.resolve(), document, parameters).read()


class _Reader:
    def __init__(
        self, path: Path, document: dict[str, Any], parameters: Mapping[str, str] | None
    ) -> None:
        self._path = path
        self._document = document
        self._resolver = Resolver(document, stack_name=STACK_NAME, parameters=parameters)

    def read(self) -> Template:
        tables = {name: self._table(name) for name in self._of_type("AWS::DynamoDB::Table")}
        functions = {
            name: self._function(name) for name in self._of_type("AWS::Serverless::Function")
        }
        return Template(
            path=self._path,
            tables=tuple(tables.values()),
            functions=functions,
            api=self._api(functions),
            mappings=tuple(self._mappings(functions, tables)),
        )

    def _of_type(self, kind: str) -> list[str]:
        resources = self._document["Resources"].items()
        return [name for name, resource in resources if resource.get("Type") == kind]

    def _properties(self, name: str) -> dict[str, Any]:
        return self._document["Resources"][name].get("Properties") or {}

    def _resolved(self, name: str, key: str, default: Any = None) -> Any:
        return self._resolver.resolve(
            self._properties(name).get(key, default), f"{name}.Properties.{key}"
        )

    # ------------------------------------------------------------------- tables
    def _table(self, name: str) -> Table:
        unknown = set(self._properties(name)) - set(_TABLE_SCHEMA) - _TABLE_PROTECTION
        if unknown:
            raise TemplateError(f"{name}: unknown table properties {', '.join(sorted(unknown))}")
        table_name = self._resolver.resolve({"Ref": name}, name)
        arguments: dict[str, Any] = {"TableName": table_name}
        for key in _TABLE_SCHEMA:
            value = self._resolved(name, key)
            if value is not None:
                arguments[key] = value
        stream = self._resolved(name, "StreamSpecification")
        if stream:
            view = stream["StreamViewType"]
            arguments["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
        return Table(name, table_name, arguments)

    # ---------------------------------------------------------------- functions
    def _function(self, name: str) -> Function:
        shared = (self._document.get("Globals") or {}).get("Function") or {}
        own = self._properties(name)

        def setting(key: str, default: Any) -> Any:
            value = own[key] if key in own else shared.get(key, default)
            return self._resolver.resolve(value, f"{name}.{key}")

        variables: dict[str, Any] = {}
        for source in (shared, own):
            variables |= (source.get("Environment") or {}).get("Variables") or {}
        environment = self._resolver.resolve(variables, f"{name}.Environment")
        # SAM appends a function's layers to the global ones; it does not replace them.
        layers = [*(shared.get("Layers") or []), *(own.get("Layers") or [])]
        return Function(
            logical_id=name,
            name=self._resolver.resolve({"Ref": name}, name),
            arn=self._resolver.resolve({"Fn::GetAtt": f"{name}.Arn"}, name),
            folder=self._path.parent / setting("CodeUri", "."),
            handler=setting("Handler", "handler.lambda_handler"),
            timeout_seconds=int(setting("Timeout", 3)),
            memory_mb=int(setting("MemorySize", 128)),
            environment={key: _variable_text(value) for key, value in environment.items()},
            layer_folders=tuple(
                self._layer_folder(self._resolver.resolve(layer, f"{name}.Layers"))
                for layer in layers
            ),
        )

    def _layer_folder(self, name: str) -> Path:
        if name not in self._of_type("AWS::Serverless::LayerVersion"):
            raise TemplateError(f"there is no layer {name} in this template")
        folder: str = self._resolved(name, "ContentUri")
        return self._path.parent / folder

    # ---------------------------------------------------------------------- api
    def _api(self, functions: dict[str, Function]) -> Api:
        names = self._of_type("AWS::Serverless::Api")
        if len(names) != 1:
            raise TemplateError(
                f"the template must declare one AWS::Serverless::Api, not {len(names)}"
            )
        name = names[0]
        auth = self._resolved(name, "Auth", {})
        authorizers = {
            key: self._authorizer(key, value, functions)
            for key, value in auth.get("Authorizers", {}).items()
        }
        default = auth.get("DefaultAuthorizer", "NONE")
        media_types = self._resolved(name, "BinaryMediaTypes", [])
        responses = self._resolved(name, "GatewayResponses", {})
        return Api(
            stage=self._resolved(name, "StageName", "live"),
            routes=tuple(self._routes(functions, authorizers, default)),
            mocks=tuple(self._mocks(self._resolved(name, "DefinitionBody", {}).get("paths", {}))),
            responses={key: _gateway_response(key, value) for key, value in responses.items()},
            binary_media_types=tuple(entry.replace("~1", "/") for entry in media_types),
        )

    def _authorizer(
        self, name: str, settings: dict[str, Any], functions: dict[str, Function]
    ) -> Authorizer:
        if settings.get("FunctionPayloadType") != "REQUEST":
            raise TemplateError(f"authorizer {name}: only REQUEST authorizers are supported")
        identity = settings.get("Identity", {})
        if set(identity) - {"Headers", "ReauthorizeEvery"}:
            raise TemplateError(
                f"authorizer {name}: only headers are supported as identity sources"
            )
        for function in functions.values():
            if function.arn == settings["FunctionArn"]:
                return Authorizer(
                    function=function.logical_id,
                    identity_headers=tuple(identity.get("Headers", ())),
                    ttl_seconds=int(identity.get("ReauthorizeEvery", 300)),
                )
        raise TemplateError(f"authorizer {name}: no function has the ARN {settings['FunctionArn']}")

    def _routes(
        self, functions: dict[str, Function], authorizers: dict[str, Authorizer], default: str
    ) -> list[Route]:
        routes: list[Route] = []
        for function in functions:
            for event_name, event in (self._properties(function).get("Events") or {}).items():
                if event["Type"] != "Api":
                    continue
                where = f"{function}.Events.{event_name}"
                settings = self._resolver.resolve(event["Properties"], where)
                choice = settings.get("Auth", {}).get("Authorizer", default)
                if choice != "NONE" and choice not in authorizers:
                    raise TemplateError(f"{where}: there is no authorizer {choice}")
                method = settings["Method"].upper()
                path = settings["Path"]
                if any((route.method, route.path) == (method, path) for route in routes):
                    raise TemplateError(f"{where}: {method} {path} is declared twice")
                routes.append(Route(method, path, function, authorizers.get(choice)))
        return routes

    @staticmethod
    def _mocks(paths: dict[str, Any]) -> list[MockRoute]:
        return [
            _mock_route(method.upper(), path, operation)
            for path, operations in paths.items()
            for method, operation in operations.items()
        ]

    # ------------------------------------------------------------------ streams
    def _mappings(
        self, functions: dict[str, Function], tables: dict[str, Table]
    ) -> list[StreamMapping]:
        mappings = []
        for function in functions:
            for event_name, event in (self._properties(function).get("Events") or {}).items():
                # Schedules and rules do not run locally.
                if event["Type"] in ("Api", "Schedule", "EventBridgeRule"):
                    continue
                where = f"{function}.Events.{event_name}"
                if event["Type"] != "DynamoDB":
                    raise TemplateError(
                        f"{where}: events of type {event['Type']} are not supported"
                    )
                settings = self._resolver.resolve(event["Properties"], where)
                mappings.append(self._mapping(function, tables, settings, where))
        return mappings

    def _stream_arn(self, table: Table, where: str) -> Any:
        return self._resolver.resolve({"Fn::GetAtt": f"{table.logical_id}.StreamArn"}, where)

    def _mapping(
        self, function: str, tables: dict[str, Table], settings: dict[str, Any], where: str
    ) -> StreamMapping:
        stream = settings["Stream"]
        table = next((t for t in tables.values() if self._stream_arn(t, where) == stream), None)
        if table is None:
            raise TemplateError(f"{where}: no table has the stream {stream}")
        if not table.has_stream:
            raise TemplateError(f"{where}: the stream of {table.logical_id} is not enabled")
        if settings.get("StartingPosition") != "TRIM_HORIZON":
            raise TemplateError(
                f"{where}: StartingPosition must be TRIM_HORIZON, or records are lost"
            )
        if settings.get("ParallelizationFactor", 1) != 1:
            raise TemplateError(f"{where}: only a ParallelizationFactor of 1 is supported")
        filters = settings.get("FilterCriteria", {}).get("Filters", [])
        try:
            event_filter = EventFilter([json.loads(entry["Pattern"]) for entry in filters])
        except ValueError as error:
            raise TemplateError(f"{where}: {error}") from error
        responses = settings.get("FunctionResponseTypes", [])
        return StreamMapping(
            function=function,
            table=table,
            batch_size=int(settings.get("BatchSize", 100)),
            window_seconds=float(settings.get("MaximumBatchingWindowInSeconds", 0)),
            event_filter=event_filter,
            bisect_on_error=bool(settings.get("BisectBatchOnFunctionError", False)),
            maximum_retries=int(settings.get("MaximumRetryAttempts", -1)),
            maximum_age_seconds=int(settings.get("MaximumRecordAgeInSeconds", -1)),
            reports_item_failures="ReportBatchItemFailures" in responses,
        )


def _variable_text(value: Any) -> str:
    """The value of an environment variable on Lambda."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _mock_route(method: str, path: str, operation: dict[str, Any]) -> MockRoute:
    integration = operation.get("x-amazon-apigateway-integration") or {}
    if integration.get("type") != "mock" or operation.get("security"):
        raise TemplateError(f"{method} {path}: only a mock without authorizer is supported here")
    # The request's template chooses the response by its status.
    status = json.loads(integration["requestTemplates"]["application/json"])["statusCode"]
    response = integration["responses"]["default"]
    handling = {integration.get("contentHandling"), response.get("contentHandling")}
    if int(response["statusCode"]) != status or handling != {"CONVERT_TO_TEXT"}:
        raise TemplateError(
            f"{method} {path}: the mock must have one status and convert to text, as API Gateway "
            "answers 500 otherwise"
        )
    headers = response.get("responseParameters", {})
    return MockRoute(
        method=method,
        path=path,
        status=status,
        headers={
            key.removeprefix("method.response.header."): _static(value)
            for key, value in headers.items()
        },
        template=response["responseTemplates"]["application/json"],
    )


def _static(value: Any) -> str:
    """A header's value that is a literal of the template."""
    return str(value).strip("'")


def _gateway_response(name: str, settings: dict[str, Any]) -> GatewayResponse:
    templates = settings.get("ResponseTemplates", {})
    if set(templates) - {"application/json"}:
        raise TemplateError(f"gateway response {name}: only application/json is supported")
    body = templates.get("application/json", '{"message":$context.error.messageString}')
    unknown = set(_BODY_VARIABLE.findall(body)) - _BODY_VARIABLES
    if unknown:
        raise TemplateError(f"gateway response {name}: unknown variable {unknown.pop()}")
    headers = (settings.get("ResponseParameters") or {}).get("Headers") or {}
    return GatewayResponse(
        status=int(settings["StatusCode"]) if "StatusCode" in settings else None,
        body=body,
        headers={key: _static(value) for key, value in headers.items()},
    )
