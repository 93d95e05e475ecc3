"""Conditions as `--where` takes them, such as `outcome=booked` or `duration_seconds=60..120`.

The types of a field's values are those of its declaration. Unknown fields, and values that a field
cannot have, are sent as texts, because the API refuses them with the names and values that it knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from rollcall.api import strict_json
from rollcall.query.datasets import DATASETS
from rollcall.query.fields import Type
from rollcall_cli.errors import CommandError

Condition: TypeAlias = dict[str, Any]

_CONDITION = re.compile(r"\s*([^=!<>~^]+?)\s*(!=|>=|<=|[=<>~^])\s*(.*?)\s*", re.DOTALL)
# A text in double quotes is a JSON string; it may contain a comma, and is never a number or null.
_VALUE = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^",][^,]*?)\s*(?:,|$)', re.DOTALL)
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_RANGE = re.compile(rf"({_NUMBER})?\.\.({_NUMBER})?")
_NUMBERS = frozenset({Type.NUMBER, Type.PAYLOAD})
_BOOLEANS = frozenset({Type.BOOLEAN, Type.PAYLOAD})
_BOOLEAN = {"true": True, "false": False}
_OPS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "~": "contains", "^": "starts_with"}
_TEXT_OPERATORS = frozenset("~^")


def parse_condition(text: str, dataset: str) -> Condition:
    """A condition as the body of a query has it. Raises CommandError if the text is none."""
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise CommandError(
            f"--where {text}: must be a field, an operator (= != ~ ^ < <= > >=) and a value"
        )
    field, operator, value = match.groups()
    kind = _type_of(field, dataset)
    if operator in _TEXT_OPERATORS:
        is_quoted = value.startswith('"')
        texts = list(_values(value, Type.TEXT, text)) if is_quoted else [value]
        return _plain(field, _OPS[operator], _only(texts, text))
    if operator in _OPS:
        return _plain(field, _OPS[operator], _only(list(_values(value, kind, text)), text))
    found = _range(field, value) if kind in _NUMBERS else None
    if found is not None:
        return found if operator == "=" else {"not": found}
    values = list(_values(value, kind, text))
    return _equal(field, values) if operator == "=" else _unequal(field, values)


def _type_of(field: str, dataset: str) -> Type:
    declared = DATASETS[dataset].field(field) if dataset in DATASETS else None
    return Type.TEXT if declared is None else declared.type


def _plain(field: str, op: str, value: Any) -> Condition:
    return {"field": field, "op": op, "value": value}


def _equal(field: str, values: list[Any]) -> Condition:
    present = [value for value in values if value is not None]
    is_null = {"field": field, "op": "is_null"}
    if not present:
        return is_null
    is_one = len(present) == 1
    equal = _plain(field, "eq" if is_one else "in", present[0] if is_one else present)
    return equal if len(present) == len(values) else {"any": [equal, is_null]}


def _unequal(field: str, values: list[Any]) -> Condition:
    match _equal(field, values):
        case {"op": "eq", "value": value}:
            return _plain(field, "ne", value)
        case {"op": "in", "value": value}:
            return _plain(field, "not_in", value)
        case {"op": "is_null"}:
            return {"field": field, "op": "not_null"}
        case either:
            return {"not": either}


def _range(field: str, text: str) -> Condition | None:
    """The condition of `60..120`, `60..` or `..120`; None if the text is no range."""
    match = _RANGE.fullmatch(text)
    if match is None or text == "..":
        return None
    bounds = [None if bound is None else _json(bound) for bound in match.groups()]
    match bounds:
        case [None, most]:
            return _plain(field, "lte", most)
        case [least, None]:
            return _plain(field, "gte", least)
    return _plain(field, "between", bounds)


def _only(values: list[Any], text: str) -> Any:
    if len(values) != 1 or values[0] in (None, ""):
        raise CommandError(f"--where {text}: the operator takes one value")
    return values[0]


def _values(text: str, kind: Type, condition: str) -> Iterator[Any]:
    """The values of a list that is separated by commas."""
    place = 0
    while True:
        match = _VALUE.match(text, place)
        if match is None:
            raise CommandError(
                f"--where {condition}: a value is missing or badly quoted; null stands for no value"
            )
        yield _value(match[1], kind)
        place = match.end()
        if match[0][-1] != ",":
            return


def _value(text: str, kind: Type) -> Any:
    if text.startswith('"'):
        return _json(text)
    if text == "null":
        return None
    if kind in _BOOLEANS and text in _BOOLEAN:
        return _BOOLEAN[text]
    if kind in _NUMBERS and re.fullmatch(_NUMBER, text):
        return _json(text)
    return text


def _json(text: str) -> Any:
    try:
        return strict_json.loads(text.encode("utf-8", "surrogateescape"))
    except strict_json.MalformedJson as error:
        raise CommandError(f"--where: {text}: {error}") from error
