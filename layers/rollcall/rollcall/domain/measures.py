"""Names of what rollups hold: rollup keys, closed measures and open breakdowns.

A *closed* measure comes from a value space that this release fixes, so a rollup has a bounded
number of them; an *open* breakdown counts by values that users choose. Names are short because an
item's size is what a write costs: a day of calls with every closed measure stays under 1 KB, one
write unit. docs/data-model.md lists them all.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

from rollcall.domain.records import CALL_EVENTS, DISPOSITIONS, LEAD_STATUSES

ALL: Final = "ALL"

Scope: TypeAlias = tuple[str, ...]
Measures: TypeAlias = Mapping[str, int]

ORG: Final[Scope] = ("ORG",)

# Scopes whose days have a histogram of durations.
_WITH_HISTOGRAM: Final = frozenset({"ORG", "TEMPLATE", "MERCHANT", "RESELLER"})

# Families
CALLS: Final = "calls"
TASKS: Final = "tasks"
LEADS: Final = "leads"
KNOWN: Final = "known"
WORKSPACE: Final = "workspace"

# Open breakdowns: one letter each, and `<letter>=<value>` or, for "no value", the letter alone.
# The `=` is in every value's name, so no value can be mistaken for "none".
OUTCOME: Final = "o"
PROVIDER: Final = "p"
LABEL: Final = "l"
DURATION: Final = "t"
EVENT_TYPE: Final = "e"
ROOM: Final = "r"
PAGE: Final = "b"


class RollupKey(NamedTuple):
    """One stored rollup: a family's measures of one scope in one bucket.

    `bucket` is `ALL` or a UTC day `YYYY-MM-DD`; `is_open` tells the sibling item that holds the
    open breakdowns from the one that holds the closed measures.
    """

    family: str
    scope: Scope
    bucket: str
    is_open: bool = False


class Rollup(NamedTuple):
    """What a stored rollup says: its measures, and the open breakdowns that it gave up counting."""

    measures: Measures
    spilled: frozenset[str] = frozenset()


class Group(enum.Enum):
    """Measures that are asked for together. The values are for readers of a log."""

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


# The open breakdown that a group is read from; all others are closed measures, but for distinct
# leads, which no rollup can hold.
OPEN_GROUPS: Final[Mapping[Group, str]] = {
    Group.OUTCOME: OUTCOME,
    Group.PROVIDER: PROVIDER,
    Group.LABEL: LABEL,
    Group.EXTREMES: DURATION,
    Group.EVENT_TYPE: EVENT_TYPE,
    Group.ROOM: ROOM,
    Group.PAGE: PAGE,
}


# As `attempt_name` writes them.
ATTEMPTS: Final = (*map(str, range(1, 10)), "10+")

# The closed measures of each group. Every rollup of calls has `calls`, which tells an empty day.
CLOSED_GROUPS: Final[Mapping[Group, tuple[str, ...]]] = {
    Group.CALLS: (),
    Group.ANSWERED: ("answered",),
    Group.DURATION: ("timed", "seconds"),
    Group.COST: ("cost_micros",),
    Group.DISPOSITION: tuple(f"d.{disposition}" for disposition in DISPOSITIONS),
    Group.SENTIMENT: tuple(f"m{band}" for band in range(5)),
    Group.HOUR: tuple(f"h{hour:02d}" for hour in range(24)),
    Group.ATTEMPT: tuple(f"{kind}{attempt}" for kind in "aw" for attempt in ATTEMPTS),
    Group.EVENTS: tuple(f"e.{event}" for event in CALL_EVENTS),
    Group.LEAD_STATUS: (*(f"s.{status}" for status in LEAD_STATUSES), "converted"),
}


def closed_names(groups: Iterable[Group]) -> tuple[str, ...]:
    """The closed measures that the groups are made of, and `calls`."""
    return ("calls", *(name for group in groups for name in CLOSED_GROUPS.get(group, ())))


def has_lifetime(family: str, scope: Scope, groups: Collection[Group]) -> bool:
    """Whether a rollup of all time has all of the groups.

    Of calls there is one only for the organisation and its spaces, without their durations.
    """
    is_kept = family != CALLS or scope[0] in ("ORG", "SPACE")
    return is_kept and not {Group.EXTREMES, Group.LEADS} & set(groups)


def is_sum_of_days(family: str) -> bool:
    """Whether a family's rollups of all time are the sums of those of its days.

    But for the histogram of durations, which no rollup of all time has. Workspaces count some things
    for all time only, and what is known has no days.
    """
    return family in (CALLS, TASKS, LEADS)


def never_kept(scopes: Collection[Scope], groups: Collection[Group]) -> frozenset[Group]:
    """The groups that the day rollups of some of the scopes never have."""
    missing = {Group.LEADS}
    if not all(scope[0] in _WITH_HISTOGRAM for scope in scopes):
        missing.add(Group.EXTREMES)
    return frozenset(missing & set(groups))


def space_scope(space_token: str) -> Scope:
    """The scope of an Unpod space."""
    return ("SPACE", space_token)


def campaign_scope(direction: str, campaign_id: str) -> Scope:
    """The scope of an NLPearl campaign; the same id may be used once per direction."""
    return ("CAMPAIGN", direction, campaign_id)


def workspace_scope(workspace_id: str) -> Scope:
    """The scope of a Nexus workspace."""
    return ("WORKSPACE", workspace_id)


def open_name(breakdown: str, value: str | None) -> str:
    """The attribute that counts `value` in an open breakdown; None is "no value"."""
    return breakdown if value is None else f"{breakdown}={value}"


def values_of(breakdown: str, measures: Measures) -> dict[str | None, int]:
    """How often each value of an open breakdown occurs, None being "no value"; never zero."""
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


def sentiment_band(sentiment_milli: int) -> int:
    """Band 0–4 of a stored sentiment: bands of 0.2, upper bound exclusive but the last."""
    return min(sentiment_milli // 200, 4)


def attempt_name(attempt: int) -> str:
    """Attempts 1 to 9 stand alone, all later ones together as `10+`."""
    return str(attempt) if attempt < 10 else "10+"
