"""What tests need of a dialect; every module `dialect_<name>` has one, as `DIALECT`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from tests.support.oracle import Oracle
from tests.support.scenes import Query, Scene

_PARAMETER = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class Dialect:
    """A dialect: its routes by function, its errors, its generated queries and their answers.

    An error has its text under `error_key`, and its status under `status_key` if there is one. `share` is the weight of its generated queries. `answer` is the status and the body by brute
    force; for an error, what is known of it, or None. `is_lifetime` is whether every answer is of all
    time, and so always from rollups.
    """

    routes: Mapping[str, str]
    error_key: str
    share: int
    generate: Callable[[Random, Scene], Query]
    answer: Callable[[Oracle, Query], tuple[int, Any]]
    is_lifetime: bool = False
    status_key: str | None = None

    def parameters(self, query: Query) -> dict[str, str]:
        """The path parameters of a query."""
        return {
            name: str(query.path_id) for name in _PARAMETER.findall(self.routes[query.function])
        }

    def url(self, query: Query) -> str:
        """The path and the query string of a query."""
        path = _PARAMETER.sub(quote(str(query.path_id), safe=""), self.routes[query.function])
        pairs = [(name, value) for name, values in query.query.items() for value in values]
        return path + ("?" + urlencode(pairs, quote_via=quote) if pairs else "")

    def query_of(self, url: str, body: Any, now_ms: int) -> Query | None:
        """The query that a URL without a query string asks; None if it is of another dialect."""
        for function, route in self.routes.items():
            pattern = _PARAMETER.sub("([^/]+)", route)
            if match := re.fullmatch(pattern, url):
                path_id = match.group(1) if match.groups() else None
                return Query(function, path_id, body=body, now_ms=now_ms)
        return None
