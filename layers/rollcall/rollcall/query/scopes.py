"""Which rollup scopes together hold exactly the rows of a selection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

from rollcall.domain import measures as m
from rollcall.domain.choices import DIRECTIONS
from rollcall.domain.measures import ORG, Scope
from rollcall.query.conditions import Comparison, Value, conjuncts
from rollcall.query.datasets import TIMED
from rollcall.query.fields import Op
from rollcall.query.model import Selection

# The rollup families of record types whose day rollups have scopes.
_FAMILIES: Final[Mapping[str, str]] = {"call": m.CALLS, "lead": m.LEADS, "task": m.TASKS}
_OWNERS: Final[Mapping[str, str]] = {
    "template_id": "TEMPLATE",
    "merchant_id": "MERCHANT",
    "reseller_id": "RESELLER",
    "space_token": "SPACE",
}
_CAMPAIGN: Final = "campaign_id"
_DIRECTION: Final = "direction"
_SCOPE_FIELDS: Final = frozenset({*_OWNERS, _CAMPAIGN, _DIRECTION})


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A selection as rollups have it.

    `scopes` maps each scope to the values that its rows have in fields. `restricted` maps each
    further field with a condition to the values that are allowed. If `is_timed`, only calls that
    have a duration are selected.
    """

    family: str
    scopes: Mapping[Scope, Mapping[str, str]]
    restricted: Mapping[str, frozenset[Value]]
    is_timed: bool


def narrowed(selection: Selection) -> Narrowed | None:
    """The scopes and the allowed values of a selection; None if rollups cannot express it.

    Rollups have no combinations of scopes, and no conditions other than equality and a duration.
    """
    family = _FAMILIES.get(selection.record_type)
    if family is None or not selection.can_match:
        return None
    allowed: dict[str, frozenset[Value]] = {}
    is_timed = False
    for condition in conjuncts(selection.conditions):
        if condition == TIMED.where:
            is_timed = True
            continue
        is_plain = isinstance(condition, Comparison) and condition.op in (Op.EQ, Op.IN)
        if not isinstance(condition, Comparison) or not is_plain or condition.field.name in allowed:
            return None
        allowed[condition.field.name] = frozenset(condition.values)
    scopes = dict(_scopes({name: allowed.pop(name) for name in _SCOPE_FIELDS & allowed.keys()}))
    return Narrowed(family, scopes, allowed, is_timed) if scopes else None


def _scopes(
    allowed: Mapping[str, frozenset[Value]],
) -> Iterator[tuple[Scope, Mapping[str, str]]]:
    """(scope, the values of its fields); nothing if no scopes have exactly these rows."""
    names = allowed.keys()
    if not names:
        yield ORG, {}
    elif names <= {_CAMPAIGN, _DIRECTION} and _CAMPAIGN in names:
        # A call that names a campaign has a direction.
        directions = allowed.get(_DIRECTION, frozenset(DIRECTIONS))
        for direction, campaign in product(
            sorted(map(str, directions)), _sorted(allowed[_CAMPAIGN])
        ):
            values = {_CAMPAIGN: campaign, _DIRECTION: direction}
            yield m.campaign_scope(direction, campaign), values
    elif len(names) == 1 and names <= _OWNERS.keys():
        (name,) = names
        for value in _sorted(allowed[name]):
            yield (_OWNERS[name], value), {name: value}


def _sorted(values: frozenset[Value]) -> list[str]:
    return sorted(map(str, values))
