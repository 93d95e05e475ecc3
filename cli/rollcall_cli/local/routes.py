"""Find the route of a request by its encoded path, as a REST API does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from rollcall_cli.local.template_model import MockRoute, Route

AnyRoute = TypeVar("AnyRoute", Route, MockRoute)


@dataclass(frozen=True, slots=True)
class RouteMatch(Generic[AnyRoute]):
    """A route and the values of its path parameters, percent-encoded as they were sent."""

    route: AnyRoute
    path_parameters: dict[str, str]


class RouteTable(Generic[AnyRoute]):
    """The template's routes, in matching order: literal segments first."""

    def __init__(self, routes: Iterable[AnyRoute]) -> None:
        self._routes: list[tuple[list[str], AnyRoute]] = sorted(
            ((_segments(route.path), route) for route in routes),
            key=lambda entry: [_precedence(segment) for segment in entry[0]],
        )

    def find(self, method: str, raw_path: str) -> RouteMatch[AnyRoute] | None:
        """The route of a method and path, ignoring one trailing slash; None if there is none.

        A REST API chooses by both together: where a literal resource lacks the method, a sibling with
        a path parameter answers.
        """
        if not raw_path.startswith("/"):
            return None
        segments = _segments(raw_path)
        for pattern, route in self._routes:
            if route.method not in (method, "ANY"):
                continue
            parameters = _match(pattern, segments)
            if parameters is not None:
                return RouteMatch(route, parameters)
        return None


def _segments(path: str) -> list[str]:
    # Split before decoding: an encoded slash is part of its segment.
    return path.removesuffix("/").split("/")[1:]


def _precedence(segment: str) -> int:
    if segment.endswith("+}"):
        return 2
    return 1 if segment.startswith("{") else 0


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    for position, wanted in enumerate(pattern):
        if wanted.endswith("+}"):
            rest = "/".join(segments[position:])
            return parameters | {wanted[1:-2]: rest} if rest else None
        if position >= len(segments):
            return None
        actual = segments[position]
        if wanted.startswith("{"):
            if not actual:
                return None
            parameters[wanted[1:-1]] = actual
        elif wanted != actual:
            return None
    return parameters if len(pattern) == len(segments) else None
