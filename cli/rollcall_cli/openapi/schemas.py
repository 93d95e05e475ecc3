"""JSON Schemas of request and answer types, as components of the document."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import ConfigDict, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from typing_extensions import get_original_bases, is_typeddict

_REF = "#/components/schemas/"


class _Answers(GenerateJsonSchema):
    """Omits titles of fields, which repeat the name; a Decimal is a number."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - its signature
        return False

    def decimal_schema(self, schema: Any) -> JsonSchemaValue:
        return self.float_schema(schema)

    def dict_schema(self, schema: Any) -> JsonSchemaValue:
        described = super().dict_schema(schema)
        # pydantic's patternProperties allow keys that match no pattern; the parser does not.
        for pattern, value in described.pop("patternProperties", {}).items():
            described |= {"propertyNames": {"pattern": pattern}, "additionalProperties": value}
        return described

    def typed_dict_schema(self, schema: Any) -> JsonSchemaValue:
        described = super().typed_dict_schema(schema)
        names = _fields(schema["cls"])
        described["properties"] = {name: described["properties"][name] for name in names}
        described["required"] = [name for name in names if name in described.get("required", ())]
        return described


def _fields(typed_dict: Any) -> list[str]:
    """The keys, inherited ones first; Python's own order depends on its version."""
    bases = [base for base in get_original_bases(typed_dict) if is_typeddict(base)]
    inherited = [name for base in bases for name in _fields(base)]
    return list(dict.fromkeys([*inherited, *typed_dict.__annotations__]))


class _Requests(_Answers):
    """An optional field may be omitted; None, the default of its attribute, is not a value of it."""

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def name_of(tag: str, type_: Any) -> str:
    """The name of a type's schema, which is unique with its tag."""
    return f"{tag.lower()}.{type_.__name__}"


def reference(tag: str, type_: Any) -> JsonSchemaValue:
    """A reference to a type's schema."""
    return {"$ref": f"{_REF}{name_of(tag, type_)}"}


def request_schemas(tag: str, types: Iterable[Any]) -> dict[str, JsonSchemaValue]:
    """The schemas of request bodies and of their parts, by name."""
    return _schemas(tag, types, _Requests)


def answer_schemas(tag: str, types: Iterable[Any]) -> dict[str, JsonSchemaValue]:
    """The schemas of answers and of their parts, by name; additional keys are forbidden."""
    return _schemas(tag, types, _Answers)


def _schemas(
    tag: str, types: Iterable[Any], generator: type[GenerateJsonSchema]
) -> dict[str, JsonSchemaValue]:
    # One model of all types, so that shared parts are described once. Its configuration applies to
    # the TypedDicts in it, which have none of their own; models keep theirs.
    config = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    fields: Any = {f"type_{n}": (type_, ...) for n, type_ in enumerate(dict.fromkeys(types))}
    everything = create_model("Everything", __config__=config, **fields)
    prefix = f"{tag.lower()}."
    document = everything.model_json_schema(
        ref_template=f"{_REF}{prefix}{{model}}", schema_generator=generator, mode="validation"
    )
    definitions = document.get("$defs", {})
    return {f"{prefix}{name}": _tidy(tag, name, each) for name, each in definitions.items()}


def _tidy(tag: str, name: str, definition: JsonSchemaValue) -> JsonSchemaValue:
    """The definition with a title in words, if it has one, and a description without line breaks."""
    if definition.pop("title", None):
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()
        definition = {"title": f"{words} ({tag})", **definition}
    if "description" in definition:
        # The line breaks of a docstring have no meaning.
        definition["description"] = definition["description"].replace("\n", " ")
    return definition
