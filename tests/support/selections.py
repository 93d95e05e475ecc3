"""Selections of rows, written briefly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rollcall.query.conditions import Comparison, equals
from rollcall.query.fields import Op, fields_of, payload_field
from rollcall.query.model import Selection


def condition(record_type: str, name: str, op: str, *values: Any) -> Comparison:
    """A comparison; integers are numbers, and payload values are written as they are stored."""
    field = payload_field(name) or fields_of(record_type)[name]
    compared = [Decimal(v) if isinstance(v, int) and not isinstance(v, bool) else v for v in values]
    return Comparison(field, Op(op), tuple(compared))


def selection(
    record_type: str = "call",
    between: Mapping[str, Sequence[Any]] | None = None,
    payload: Mapping[str, str] | None = None,
    **equal: Any,
) -> Selection:
    """Rows whose fields have values; `between` maps fields to inclusive bounds."""
    fields = fields_of(record_type)
    conditions = [equals(fields[name], value) for name, value in equal.items()]
    for name, bounds in (between or {}).items():
        conditions.append(condition(record_type, name, "between", *bounds))
    for key, text in (payload or {}).items():
        conditions.append(condition(record_type, f"payload.{key}", "eq", text))
    return Selection(record_type, tuple(conditions))
