"""Names in rollups: rollup keys, groups of measures and open breakdowns.

A *closed* measure belongs to a set of values that this release fixes, so their number per rollup is
bounded. An *open* breakdown counts by values that clients choose. Names are short because the size
of an item determines the cost of a write: a day of calls with every closed measure stays under
1 KB, one write unit. docs/data-model.md lists them all.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple, TypeAlias

ALL: Final = "ALL"

Scope: TypeAlias = tuple[str, ...]
Measures: TypeAlias = Mapping[str, int]

ORG: Final[Scope] = ("ORG",)

# Rollup scopes whose day rollups have a histogram of durations.
_WITH_HISTOGRAM: Final = frozenset({"ORG", "TEMPLATE", "MERCHANT", "RESELLER"})

# Families
CALLS: Final = "calls"
TASKS: Final = "tasks"
LEADS: Final = "leads"
KNOWN: Final = "known"
WORKSPACE: Final = "workspace"

# Open breakdowns, one letter each. An attribute is named `<letter>=<value>`, or by the letter alone
# for "no value"; since every other name has the `=`, no value can be mistaken for "no value".
OUTCOME: Final = "o"
PROVIDER: Final = "p"
LABEL: Final = "l"
DURATION: Final = "t"
EVENT_TYPE: Final = "e"
ROOM: Final = "r"
PAGE: Final = "b"


class RollupKey(NamedTuple):
    """One stored rollup: a family's measures of one scope in one bucket.

    `bucket` is `ALL` or a UTC day `YYYY-MM-DD`; `is_open` is true for the item of the open
    breakdowns, and false for its sibling, the item of the closed measures.
    """

    family: str
    scope: Scope
    bucket: str
    is_open: bool = False


class Rollup(NamedTuple):
    """The content of a stored rollup: its measures, and the open breakdowns that are spilled."""

    measures: Measures
    spilled: frozenset[str] = frozenset()


class Group(enum.Enum):
    """Measures that are queried together. The values describe them in logs."""

    CALLS = "calls"
    ANSWERED = "answered"
    DURATION = "timed, seconds"
    COST = "cost_micros"
    DISPOSITION = "d.*"
    SENTIMENT = "m*"
    HOUR = "h*, of the UTC day"
    ATTEMPT = "a*, w*"
    EVENTS = "e.*"
    LEAD_STATUS = "s.*, converted"
    OUTCOME = "o*"
    PROVIDER = "p*"
    LABEL = "l*"
    EXTREMES = "shortest and longest duration"
    EVENT_TYPE = "e*, of contact events"
    ROOM = "r*"
    PAGE = "b*"
    LEADS = "distinct leads"


# The names of attempts in measures, in ascending order; the last counts all later ones too.
ATTEMPTS: Final = (*map(str, range(1, 10)), "10+")


def has_lifetime(family: str, scope: Scope, groups: Collection[Group]) -> bool:
    """Whether a scope has an all-time rollup with all of the groups.

    For calls, only the organisation and its spaces have one, without the histogram of durations.
    """
    is_kept = family != CALLS or scope[0] in ("ORG", "SPACE")
    return is_kept and not {Group.EXTREMES, Group.LEADS} & set(groups)


def is_sum_of_days(family: str) -> bool:
    """Whether a family's all-time rollups are the sums of its day rollups.

    The histogram of durations is the exception: no all-time rollup has it. The family `workspace`
    has measures that are counted for all time only, and `known` has no day rollups.
    """
    return family in (CALLS, TASKS, LEADS)


def never_kept(scopes: Collection[Scope], groups: Collection[Group]) -> frozenset[Group]:
    """Those of the groups that the day rollups of at least one of the scopes never have."""
    missing = {Group.LEADS}
    if not all(scope[0] in _WITH_HISTOGRAM for scope in scopes):
        missing.add(Group.EXTREMES)
    return frozenset(missing & set(groups))


def space_scope(space_token: str) -> Scope:
    """The rollup scope of an Unpod space."""
    return ("SPACE", space_token)


def campaign_scope(direction: str, campaign_id: str) -> Scope:
    """The rollup scope of an NLPearl campaign; campaigns of both directions may share an id."""
    return ("CAMPAIGN", direction, campaign_id)


def workspace_scope(workspace_id: str) -> Scope:
    """The rollup scope of a Nexus workspace."""
    return ("WORKSPACE", workspace_id)


def open_name(breakdown: str, value: str | None) -> str:
    """The attribute that counts `value` in an open breakdown; None is "no value"."""
    return breakdown if value is None else f"{breakdown}={value}"


def values_of(breakdown: str, measures: Measures) -> dict[str | None, int]:
    """The count of each value of an open breakdown; None is "no value", and no count is zero."""
    prefix = f"{breakdown}="
    found: dict[str | None, int] = {
        name.removeprefix(prefix): count
        for name, count in measures.items()
        if count and name.startswith(prefix)
    }
    if measures.get(breakdown):
        found[None] = measures[breakdown]
    return found


def breakdown_of(name: str) -> str:
    """The open breakdown that an attribute made by `open_name` belongs to."""
    return name[:1]
