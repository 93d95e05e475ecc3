"""Measures: the names in rollups, and the rules of every group of measures that queries read.

A *closed* measure belongs to a set of values that this release fixes, so their number per rollup is
bounded. An *open* breakdown counts by values that clients choose. Names are short because the size
of an item determines the cost of a write. docs/data-model.md has the families, scopes and buckets.

Stored rollups depend on the rules of their contribution version: a change of what is counted is a
new rule in a new version.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from rollcall.domain.choices import CALL_EVENTS, DISPOSITIONS, LEAD_STATUSES
from rollcall.domain.rules import (
    CountBands,
    CountEach,
    CountHours,
    CountOpen,
    CountRecords,
    CountValues,
    Extremes,
    Rule,
    Sum,
    SumEach,
)

ALL: Final = "ALL"

Scope: TypeAlias = tuple[str, ...]
Measures: TypeAlias = Mapping[str, int]

ORG: Final[Scope] = ("ORG",)

# Rollup scopes whose rollups have a histogram of durations.
WITH_HISTOGRAM: Final = frozenset({"ORG", "TEMPLATE", "MERCHANT", "RESELLER"})

# Families
CALLS: Final = "calls"
TASKS: Final = "tasks"
LEADS: Final = "leads"
KNOWN: Final = "known"  # its one measure is FACTS
WORKSPACE: Final = "workspace"

FACTS: Final = "facts"

# Open breakdowns, one letter each. A measure is named `<letter>=<value>`, or by the letter alone for
# "no value"; since every other name has the `=`, no value can be mistaken for "no value".
OUTCOME: Final = "o"
PROVIDER: Final = "p"
LABEL: Final = "l"
DURATION: Final = "t"
EVENT_TYPE: Final = "e"
ROOM: Final = "r"
PAGE: Final = "b"


class RollupKey(NamedTuple):
    """One stored rollup: a family's measures of one scope in one bucket.

    `bucket` is `ALL` or a UTC day `YYYY-MM-DD`.
    """

    family: str
    scope: Scope
    bucket: str


class Rollup(NamedTuple):
    """The content of a stored rollup: its measures, and the open breakdowns that are spilled."""

    measures: Measures
    spilled: frozenset[str] = frozenset()


class Group(enum.Enum):
    """Measures that are queried together. A value says what they count."""

    CALLS = "calls: calls"
    ANSWERED = "answered: answered calls"
    DURATION = "timed: calls with a duration; seconds: the sum of durations"
    COST = "cost_micros: the sum of costs, in millionths"
    DISPOSITION = "d.<disposition>: calls"
    SENTIMENT = "m0 to m4: calls with a sentiment, by band of 0.2"
    HOUR = "h00 to h23: calls by hour of the UTC day"
    ATTEMPT = "a1 to a9, a10+: calls by attempt; w1 to w9, w10+: the successful ones"
    EVENTS = "e.<event>: events of calls, summed"
    LEAD_STATUS = "s.<status>: leads; converted: finished and converted leads"
    OUTCOME = "o=<outcome>: calls"
    PROVIDER = "p=<provider>: calls"
    LABEL = "l=<label>: calls"
    EXTREMES = "t=<seconds>: calls by whole seconds of duration"
    EVENT_TYPE = "e=<event type>: contact events"
    ROOM = "r=<room>: joins"
    PAGE = "b=<booking page>: bookings"


# The names of attempts in measures, in ascending order; the last counts all later ones too.
ATTEMPTS: Final = (*map(str, range(1, 10)), "10+")


@dataclass(frozen=True, slots=True)
class GroupRules:
    """The rules of a group: of which record type, and since which contribution version."""

    record_type: str
    rules: tuple[Rule, ...]
    since: int = 1

    @property
    def breakdown(self) -> str | None:
        """The open breakdown that all rules of the group count; None for closed measures."""
        (breakdown,) = {getattr(rule, "breakdown", None) for rule in self.rules}
        return breakdown


def _call(*rules: Rule, since: int = 1) -> GroupRules:
    return GroupRules("call", rules, since)


def _contact_event(*rules: Rule) -> GroupRules:
    return GroupRules("contact_event", rules)


GROUPS: Final[Mapping[Group, GroupRules]] = {
    Group.CALLS: _call(CountRecords("calls")),
    Group.ANSWERED: _call(CountRecords("answered", where=(("answered", True),))),
    Group.DURATION: _call(
        CountRecords("timed", "duration_seconds"), Sum("seconds", "duration_seconds")
    ),
    Group.EXTREMES: _call(Extremes(DURATION, "duration_seconds")),
    Group.COST: _call(Sum("cost_micros", "cost_micros")),
    Group.DISPOSITION: _call(CountValues("d.", "disposition", DISPOSITIONS)),
    Group.SENTIMENT: _call(
        CountBands("sentiment_milli", tuple(f"m{band}" for band in range(5)), width=200)
    ),
    Group.HOUR: _call(CountHours("started_at_ms", tuple(f"h{hour:02d}" for hour in range(24)))),
    Group.ATTEMPT: _call(
        CountBands("attempt", tuple(f"a{attempt}" for attempt in ATTEMPTS), first=1),
        CountBands(
            "attempt",
            tuple(f"w{attempt}" for attempt in ATTEMPTS),
            first=1,
            where=(("disposition", "successful"),),
        ),
    ),
    Group.EVENTS: _call(SumEach("e.", "events", CALL_EVENTS)),
    Group.OUTCOME: _call(CountOpen(OUTCOME, "outcome")),
    Group.PROVIDER: _call(CountOpen(PROVIDER, "provider")),
    Group.LABEL: _call(CountEach(LABEL, "labels")),
    Group.LEAD_STATUS: GroupRules(
        "lead",
        (
            CountValues("s.", "status", LEAD_STATUSES),
            CountRecords("converted", where=(("status", "FINISHED"), ("converted", True))),
        ),
    ),
    Group.EVENT_TYPE: _contact_event(CountOpen(EVENT_TYPE, "event_type")),
    Group.ROOM: _contact_event(CountOpen(ROOM, "room_id", (("event_type", "room_join"),))),
    Group.PAGE: _contact_event(CountOpen(PAGE, "booking_page_id", (("event_type", "booking"),))),
}

# The contribution version that every epoch has at least: queries read no measure of a later one. A
# release raises it once the release before has asked for a rebuild.
READ_VERSION: Final = 1

# The open breakdown that each group is kept in. All other groups are closed measures.
OPEN_GROUPS: Final[Mapping[Group, str]] = {
    group: of_group.breakdown
    for group, of_group in GROUPS.items()
    if of_group.breakdown is not None
}


def per_type(family: str, record_type: str) -> str:
    """The family of what records of one type add to `known`, or to a workspace's lifetime."""
    return f"{family}.{record_type}"


def known_keys(scope: Scope) -> list[RollupKey]:
    """The rollups whose `facts` add up to the live facts that name a scope.

    Contribution version 1 has one that records of every type feed, later ones have one per type.
    """
    return _parts(KNOWN, scope, _NAMED_BY[scope[0]])


def workspace_keys(scope: Scope) -> list[RollupKey]:
    """The rollups that add up to a workspace's lifetime, likewise."""
    return _parts(WORKSPACE, scope, OF_WORKSPACE)


def _parts(family: str, scope: Scope, record_types: Iterable[str]) -> list[RollupKey]:
    families = (family, *(per_type(family, each) for each in record_types))
    return [RollupKey(each, scope, ALL) for each in families]


# The record types that a workspace's lifetime counts.
OF_WORKSPACE: Final = ("room", "recording", "contact", "contact_event")
# The families of its days.
WORKSPACE_DAYS: Final = (
    WORKSPACE,
    *(per_type(WORKSPACE, each) for each in ("contact", "contact_event")),
)
# The record types that name a scope, by the kind of the scope.
_NAMED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "SPACE": ("call", "task", "space"),
    "CAMPAIGN": ("call", "campaign"),
    "WORKSPACE": (*OF_WORKSPACE, "booking_page", "workspace"),
}


def breakdowns_of(key: RollupKey) -> frozenset[str]:
    """The open breakdowns that a rollup may have."""
    if key.family == CALLS:
        return frozenset((OUTCOME, PROVIDER, LABEL, DURATION))
    if key.family in (WORKSPACE, per_type(WORKSPACE, "contact_event")) and key.bucket == ALL:
        return frozenset((EVENT_TYPE, ROOM, PAGE))
    return frozenset()


def has_lifetime(family: str, scope: Scope) -> bool:
    """Whether a scope has an all-time rollup.

    For calls, only the organisation and its spaces have one.
    """
    return family != CALLS or scope[0] in ("ORG", "SPACE")


def is_sum_of_days(family: str) -> bool:
    """Whether a family's all-time rollups are the sums of its day rollups.

    The family `workspace` has measures that are counted for all time only, and `known` has no day
    rollups.
    """
    return family in (CALLS, TASKS, LEADS)


def space_scope(space_token: str) -> Scope:
    """The rollup scope of an Unpod space."""
    return ("SPACE", space_token)


def campaign_scope(direction: str, campaign_id: str) -> Scope:
    """The rollup scope of an NLPearl campaign; campaigns of both directions may share an id."""
    return ("CAMPAIGN", direction, campaign_id)


def workspace_scope(workspace_id: str) -> Scope:
    """The rollup scope of a Nexus workspace."""
    return ("WORKSPACE", workspace_id)


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


def total(rollups: Iterable[Rollup]) -> Rollup:
    """The sum of rollups; a breakdown that is spilled in one of them is spilled in the sum."""
    measures: dict[str, int] = {}
    spilled: set[str] = set()
    for rollup in rollups:
        spilled |= rollup.spilled
        for name, amount in rollup.measures.items():
            measures[name] = measures.get(name, 0) + amount
    kept = {name: n for name, n in measures.items() if breakdown_of(name) not in spilled}
    return Rollup(kept, frozenset(spilled))


def breakdown_of(name: str) -> str | None:
    """The open breakdown that a measure belongs to; None for a closed measure."""
    return name[0] if name[1:2] in ("", "=") else None
