"""Functions that are Python callables, for the local gateway."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from rollcall_cli.local.runtime import FunctionError


@dataclass
class FakeRuntime:
    """Functions as Python callables; keeps the events."""

    functions: dict[str, Callable[[dict[str, Any]], Any]]
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def start(self, function: str, event: Mapping[str, Any]) -> Future[Any]:
        self.events.append((function, json.loads(json.dumps(event))))
        future: Future[Any] = Future()
        try:
            answer = self.functions[function](dict(event))
        except FunctionError as error:
            future.set_exception(error)
        else:
            if not isinstance(answer, Never):
                future.set_result(answer)
        return future

    def close(self) -> None:
        pass

    def calls(self, function: str) -> int:
        return sum(name == function for name, _ in self.events)


class Never:
    """The answer of a function that does not come back."""
