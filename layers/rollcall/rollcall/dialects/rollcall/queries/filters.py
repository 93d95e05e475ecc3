"""Parses conditions: which field, whether it has the operator, and the values as they are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from rollcall.dialects.rollcall.queries.faults import Faults
from rollcall.dialects.rollcall.queries.limits import MAX_CONDITIONS, MAX_NESTING, MAX_VALUES
from rollcall.dialects.rollcall.queries.names import field_names
from rollcall.domain.facts import payload_text
from rollcall.domain.validation import check_text, parse_id, parse_payload_value
from rollcall.query.conditions import AllOf, AnyOf, Comparison, Condition, Not, Value
from rollcall.query.datasets import Dataset
from rollcall.query.fields import NUMBER_OPS, TEXT_OPS, Field, Op, Type

_SEVERAL: Final = {Op.IN, Op.NOT_IN}
_NONE: Final = {Op.IS_NULL, Op.NOT_NULL}
_Place = tuple[str | int, ...]


def parse_filters(
    filters: Sequence[Any], dataset: Dataset, faults: Faults
) -> tuple[Condition, ...]:
    """The conditions that must all hold; conditions that have faults are left out."""
    count = sum(_count(each) for each in filters)
    if count > MAX_CONDITIONS:
        faults.out_of_range(("filters",), f"must have at most {MAX_CONDITIONS} conditions in all")
    parser = _Parser(dataset, faults)
    parsed = (parser.parse(each, ("filters", n), 1) for n, each in enumerate(filters))
    return tuple(condition for condition in parsed if condition is not None)


def _inner(condition: Any) -> Iterator[tuple[_Place, Any]]:
    """The conditions directly inside another one, with their places in it."""
    if not isinstance(condition, Mapping):
        return
    for key in ("any", "all"):
        inside = condition.get(key)
        if isinstance(inside, list):
            for n, each in enumerate(inside):
                yield (key, n), each
    if "not" in condition:
        yield ("not",), condition["not"]


def _count(condition: Any) -> int:
    return 1 + sum(_count(each) for _, each in _inner(condition))


class _Parser:
    def __init__(self, dataset: Dataset, faults: Faults) -> None:
        self._dataset = dataset
        self._faults = faults

    def parse(self, condition: Any, place: _Place, depth: int) -> Condition | None:
        """One condition; None if it has faults."""
        if depth > MAX_NESTING:
            self._faults.out_of_range(place, f"must be nested at most {MAX_NESTING} deep")
            return None
        found = [
            self.parse(each, (*place, *inside), depth + 1) for inside, each in _inner(condition)
        ]
        if self._faults.has(*place):
            return None
        conditions = tuple(each for each in found if each is not None)
        match condition:
            case {"any": _}:
                return AnyOf(conditions)
            case {"all": _}:
                return AllOf(conditions)
            case {"not": _}:
                return Not(conditions[0])
        return self._comparison(condition, place)

    def _comparison(self, condition: Mapping[str, Any], place: _Place) -> Comparison | None:
        field = self._dataset.field(condition["field"])
        if field is None:
            noun = f"a field of {self._dataset.name}"
            self._faults.unknown(
                (*place, "field"), noun, condition["field"], field_names(self._dataset)
            )
            return None
        op = Op(condition["op"])
        if op not in field.ops:
            ops = ", ".join(each.value for each in field.ops)
            self._faults.malformed(
                (*place, "op"), f"is not an operator of {field.name}; known are {ops}"
            )
            return None
        values = self._values(field, op, condition, place)
        return None if self._faults.has(*place) else Comparison(field, op, values)

    def _values(
        self, field: Field, op: Op, condition: Mapping[str, Any], place: _Place
    ) -> tuple[Value, ...]:
        at = (*place, "value")
        if op in _NONE:
            if "value" in condition:
                self._faults.malformed(at, f"must be absent with {op.value}")
            return ()
        if "value" not in condition:
            self._faults.malformed(at, "is required")
            return ()
        sent = condition["value"]
        if op not in _SEVERAL and op is not Op.BETWEEN:
            return self._value(field, op, sent, at)
        if not isinstance(sent, list):
            self._faults.malformed(at, "must be a list")
            return ()
        self._check_length(op, sent, at)
        values: list[Value] = []
        for n, each in enumerate(sent):
            values += self._value(field, op, each, (*at, n))
        if op is Op.BETWEEN:
            self._check_order(values, at)
        return tuple(values)

    def _check_order(self, bounds: Sequence[Value], at: _Place) -> None:
        match bounds:
            case [Decimal() as least, Decimal() as most] if least > most:
                self._faults.out_of_range(at, "must have the smaller bound first")

    def _check_length(self, op: Op, sent: Sequence[Any], at: _Place) -> None:
        if op is Op.BETWEEN and len(sent) != 2:
            self._faults.out_of_range(at, "must have two values")
        elif not 1 <= len(sent) <= MAX_VALUES:
            self._faults.out_of_range(at, f"must have 1 to {MAX_VALUES} values")

    def _value(self, field: Field, op: Op, sent: Any, at: _Place) -> tuple[Value, ...]:
        """The value as it is stored; nothing if it has a fault."""
        kind = _kind(field, op)
        types, expected = _ACCEPTED[kind]
        # In Python, booleans are integers.
        if not isinstance(sent, types) or (isinstance(sent, bool) and bool not in types):
            self._faults.malformed(at, f"must be {expected}")
            return ()
        try:
            return (_PARSERS[kind](field, sent),)
        except ValueError as error:
            self._faults.out_of_range(at, str(error))
            return ()


def _kind(field: Field, op: Op) -> str:
    if op in TEXT_OPS:
        return "text"
    if field.type is Type.PAYLOAD:
        return "payload number" if op in NUMBER_OPS else "payload"
    is_closed = field.type is Type.TEXT and field.choices
    return "choice" if is_closed else field.type.value


def _choice(field: Field, sent: str) -> str:
    if sent not in field.choices:
        raise ValueError(f"must be one of {', '.join(field.choices)}")
    return sent


def _number(field: Field, sent: int | Decimal) -> Decimal:
    number = Decimal(sent)
    if not field.least <= number <= field.most:
        raise ValueError(f"must be from {field.least} to {field.most}")
    return number


def _payload_number(_: Field, sent: int | Decimal) -> Decimal:
    number = parse_payload_value(sent)
    if not isinstance(number, Decimal):
        raise TypeError("a number was parsed as another type")
    return number


_ACCEPTED: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "text": ((str,), "a string"),
    "choice": ((str,), "a string"),
    "id": ((str, int), "a string or an integer"),
    "number": ((int, Decimal), "a number"),
    "boolean": ((bool,), "true or false"),
    "payload number": ((int, Decimal), "a number"),
    "payload": ((str, int, Decimal, bool), "a string, a number or a boolean"),
}
_PARSERS: Final[Mapping[str, Callable[[Field, Any], Value]]] = {
    "text": lambda _, sent: check_text(sent),
    "choice": _choice,
    "id": lambda _, sent: parse_id(sent),
    "number": _number,
    "boolean": lambda _, sent: bool(sent),
    "payload number": _payload_number,
    "payload": lambda _, sent: payload_text(parse_payload_value(sent)),
}
