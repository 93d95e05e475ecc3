"""Conditions on the rows of a query: comparisons of fields, and their combinations.

A condition either holds for a row or does not. `ne`, `not_in` and `Not` hold for rows without the
value too; all other comparisons do not, apart from `is_null`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from rollcall.query.fields import Field, Op

# Texts, numbers and booleans as they are stored: of a payload, as a `payload_text`, except that the
# operators of numbers take a Decimal, and those of texts a text.
Value: TypeAlias = str | Decimal | bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field, an operator and its values: several for `in`, `not_in` and `between`, else one.

    `is_null` and `not_null` have no values.
    """

    field: Field
    op: Op
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds where all conditions hold; without conditions, everywhere."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds where at least one of the conditions holds; without conditions, nowhere."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Holds where the condition does not."""

    condition: Condition


Condition: TypeAlias = Comparison | AllOf | AnyOf | Not

NOWHERE = AnyOf(())


def equals(field: Field, value: Value) -> Comparison:
    """The condition that a field has a value."""
    return Comparison(field, Op.EQ, (value,))


def conjuncts(conditions: tuple[Condition, ...]) -> Iterator[Condition]:
    """The conditions that must all hold, with those inside `AllOf`."""
    for condition in conditions:
        if isinstance(condition, AllOf):
            yield from conjuncts(condition.conditions)
        else:
            yield condition
