"""Values that the documentation's page fills in if the stack has an organisation of its own.

With the token and sample requests for its data, a reader only has to press *Execute*. Pure.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from rollcall_cli.local.routes import RouteTable
from rollcall_cli.local.template_model import Route

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """One request; `target` is its path and query, encoded."""

    title: str
    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, slots=True)
class TryOut:
    """An organisation to try the API with; the form of a route shows its first sample."""

    handle: str
    token: str
    samples: Sequence[Sample] = ()


def with_samples(document: JsonObject, try_out: TryOut, routes: RouteTable[Route]) -> JsonObject:
    """A copy of the OpenAPI document with the organisation's examples, without its token.

    Raises ValueError for a sample without a route.
    """
    document = copy.deepcopy(document)
    for path_item in document["paths"].values():
        for operation in path_item.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "Org-Handle":
                    parameter["example"] = try_out.handle
    for (method, path), matched in _by_route(try_out.samples, routes).items():
        operation = document["paths"][path][method]
        _fill_parameters(operation, *matched[0])
        bodies = [sample for sample, _ in matched if sample.body is not None]
        if bodies:
            [content] = operation["requestBody"]["content"].values()
            # Before the document's own, because the form shows the first one.
            content["examples"] = {
                f"sample_{number}": {"summary": sample.title, "value": sample.body}
                for number, sample in enumerate(bodies, 1)
            } | content.get("examples", {})
    return document


def _by_route(
    samples: Sequence[Sample], routes: RouteTable[Route]
) -> dict[tuple[str, str], list[tuple[Sample, Mapping[str, str]]]]:
    """(method, path) of the document → its samples, each with its encoded path parameters."""
    grouped: dict[tuple[str, str], list[tuple[Sample, Mapping[str, str]]]] = {}
    for sample in samples:
        match = routes.find(sample.method, urlsplit(sample.target).path)
        if match is None:
            raise ValueError(f"no route for {sample.method} {sample.target}")
        key = (sample.method.lower(), match.route.path)
        grouped.setdefault(key, []).append((sample, match.path_parameters))
    return grouped


def _fill_parameters(
    operation: JsonObject, sample: Sample, path_parameters: Mapping[str, str]
) -> None:
    values = {
        "path": {name: unquote(text) for name, text in path_parameters.items()},
        "query": dict(parse_qsl(urlsplit(sample.target).query)),
        "header": dict(sample.headers),
    }
    for parameter in operation.get("parameters", ()):
        value = values[parameter["in"]].get(parameter["name"])
        if value is not None:
            parameter["example"] = value
        elif not parameter["required"]:
            # The document's own example names something that this organisation does not have.
            parameter.pop("example", None)
