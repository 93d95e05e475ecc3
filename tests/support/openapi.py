"""The OpenAPI document as a checker: what it says of an operation, and whether a body fits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs/api/openapi.json"
EXAMPLES = ROOT / "docs/api/examples"


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Any]:
    # ECMA-262, which JSON Schema means, has $ at the end alone; Python also before a last line feed.
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _one_of(validator: Any, schemas: list[Any], instance: Any, _schema: Any) -> Iterator[Any]:
    # jsonschema's own lists every error of every branch; a record has 25 branches.
    fitting = sum(validator.evolve(schema=each).is_valid(instance) for each in schemas)
    if fitting != 1:
        yield ValidationError(f"{instance!r} fits {fitting} of {len(schemas)} schemas")


def _any_of(validator: Any, schemas: list[Any], instance: Any, _schema: Any) -> Iterator[Any]:
    if not any(validator.evolve(schema=each).is_valid(instance) for each in schemas):
        yield ValidationError(f"{instance!r} fits none of {len(schemas)} schemas")


_Validator = extend(Draft202012Validator, {"pattern": _pattern, "oneOf": _one_of, "anyOf": _any_of})


class Spec:
    """A document; every check raises AssertionError that says what does not fit where."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._components = {"components": document["components"]}

    @classmethod
    def committed(cls) -> Spec:
        """The one in docs/api."""
        return cls(json.loads(DOCUMENT.read_text("utf-8")))

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(METHOD, path, operation) of each."""
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                yield method.upper(), path, operation

    def operation(self, function: str) -> tuple[str, str, dict[str, Any]]:
        """(METHOD, path, operation) of the first route that a function answers."""
        return next(each for each in self.operations() if each[2]["operationId"] == function)

    def errors(self, schema: dict[str, Any], value: Any) -> list[str]:
        """What is wrong with a value by a schema of the document."""
        # The references in it lead to the document's components.
        found = _Validator(schema | self._components).iter_errors(value)
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]

    def component(self, name: str) -> dict[str, Any]:
        """A reference to the schema of that name."""
        assert name in self.document["components"]["schemas"], name
        return {"$ref": f"#/components/schemas/{name}"}

    def check_request(self, operation: dict[str, Any], body: Any) -> None:
        """The body is one that the operation takes."""
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert self.errors(schema, body) == []

    def check_answer(
        self, operation: dict[str, Any], status: int, media_type: str, body: Any
    ) -> None:
        """The answer is one that the operation may give."""
        where = f"{operation['operationId']} {status}"
        assert str(status) in operation["responses"], f"{where} is not documented"
        content = operation["responses"][str(status)]["content"]
        assert media_type in content, f"{where} is not {media_type}"
        assert self.errors(content[media_type]["schema"], body) == [], where

    def check_headers(
        self, operation: dict[str, Any], status: int, headers: dict[str, str]
    ) -> None:
        """Each documented header is there, or may be absent, and has a value that fits."""
        present = {name.lower(): value for name, value in headers.items()}
        for name, reference in operation["responses"][str(status)].get("headers", {}).items():
            header = self.document["components"]["headers"][reference["$ref"].rpartition("/")[2]]
            value: Any = present.get(name.lower())
            if value is None:
                assert not header.get("required"), f"{name} is missing"
                continue
            if header["schema"]["type"] in ("integer", "number"):
                value = json.loads(value)
            assert self.errors(header["schema"], value) == [], name
