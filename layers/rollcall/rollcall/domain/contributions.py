"""What one row adds to each rollup.

A contribution function is pure and total: the delta of a change is the contribution of the new row
minus that of the old one, and nothing else decides what a rollup holds. Each epoch has a
contribution version, and every update of the epoch uses that version. Measures that queries also
count in ledger pages are declared in `rollcall.domain.measures`; the others are only here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from rollcall.domain import measures as m
from rollcall.domain.errors import UnknownContribution
from rollcall.domain.measures import (
    ALL,
    GROUPS,
    ORG,
    Group,
    Measures,
    RollupKey,
    Scope,
)
from rollcall.domain.records import (
    RECORD_TYPES,
    BookingPage,
    Call,
    Campaign,
    Contact,
    ContactEvent,
    Label,
    Lead,
    Record,
    Recording,
    Room,
    Space,
    Task,
    Workspace,
)
from rollcall.domain.rules import Rule
from rollcall.domain.time.calendar import utc_day

Contribution: TypeAlias = Iterator[tuple[RollupKey, Measures]]
ContributionFunction: TypeAlias = Callable[[str, Record], Contribution]

# Since this version, each record type has rollups of its own for what several types count.
_PER_TYPE_SINCE: Final = 2
# The version that new epochs use: the first that has every rule.
CURRENT_VERSION: Final = max(_PER_TYPE_SINCE, *(of_group.since for of_group in GROUPS.values()))


def contribution_function(version: int) -> ContributionFunction:
    """The contribution function of a version.

    Raises UnknownContribution if this release does not have it.
    """
    try:
        return _VERSIONS[version]
    except KeyError:
        raise UnknownContribution(f"this release has no contribution version {version}") from None


def _contribute(rules: _Rules, record_id: str, record: Record) -> Contribution:
    """Yield (rollup, measures) for one live record; a rollup may be yielded more than once."""
    match record:
        case Call():
            yield from _call(rules, record)
        case Task():
            yield from _task(rules, record)
        case Lead():
            yield from _lead(rules, record)
        case Space():
            yield rules.known("space", m.space_scope(record_id))
        case Campaign():
            yield rules.known("campaign", m.campaign_scope(record.direction, record_id))
        case Workspace():
            yield rules.known("workspace", m.workspace_scope(record_id))
        case Label():
            return
        case Room() | Recording() | Contact() | ContactEvent() | BookingPage():
            yield from _workspace(rules, record)
        case _:
            raise TypeError(f"no contribution for {type(record).__name__}")


def families_fed_by(record_type: str) -> frozenset[str]:
    """The rollup families that rows of a type add to, in any version that this release has."""
    return _FED[record_type]


def _fed(record_type: str, *families: str) -> frozenset[str]:
    """The families of a type: `known` and a workspace's lifetime also as it has them of its own."""
    shared = {m.KNOWN, m.WORKSPACE}.intersection(families)
    return frozenset((*families, *(m.per_type(family, record_type) for family in shared)))


_FED: Final = {
    "call": _fed("call", m.CALLS, m.KNOWN),
    "task": _fed("task", m.TASKS, m.KNOWN),
    "lead": _fed("lead", m.LEADS),
    "label": _fed("label"),
    **{each: _fed(each, m.KNOWN) for each in ("space", "campaign", "workspace", "booking_page")},
    **{each: _fed(each, m.WORKSPACE, m.KNOWN) for each in m.OF_WORKSPACE},
}


class _Rules(NamedTuple):
    """The rules of one contribution version."""

    call: tuple[Rule, ...]
    histogram: tuple[Rule, ...]
    lead: tuple[Rule, ...]
    contact_event: tuple[Rule, ...]
    is_per_type: bool

    def known(self, record_type: str, scope: Scope) -> tuple[RollupKey, Measures]:
        """What a record adds to the number of those that name a scope."""
        return RollupKey(self.family(m.KNOWN, record_type), scope, ALL), {m.FACTS: 1}

    def family(self, family: str, record_type: str) -> str:
        """The family of what several record types count."""
        return m.per_type(family, record_type) if self.is_per_type else family


def _rules(version: int) -> _Rules:
    def rules_of(record_type: str) -> tuple[Rule, ...]:
        return tuple(
            rule
            for group, of_group in GROUPS.items()
            if of_group.record_type == record_type and of_group.since <= version
            if group is not Group.EXTREMES
            for rule in of_group.rules
        )

    return _Rules(
        call=rules_of("call"),
        histogram=GROUPS[Group.EXTREMES].rules,
        lead=rules_of("lead"),
        contact_event=rules_of("contact_event"),
        is_per_type=version >= _PER_TYPE_SINCE,
    )


_VERSIONS: Final[dict[int, ContributionFunction]] = {
    version: partial(_contribute, _rules(version)) for version in range(1, CURRENT_VERSION + 1)
}


def _measures(rules: tuple[Rule, ...], record: Record) -> dict[str, int]:
    measures: dict[str, int] = {}
    for rule in rules:
        rule.add(record, measures)
    return measures


def _owner_scopes(record: Call | Lead) -> list[Scope]:
    scopes: list[Scope] = [ORG]
    if record.template_id is not None:
        scopes.append(("TEMPLATE", record.template_id))
    if record.merchant_id is not None:
        scopes.append(("MERCHANT", record.merchant_id))
    if record.reseller_id is not None:
        scopes.append(("RESELLER", record.reseller_id))
    return scopes


def _call(rules: _Rules, call: Call) -> Contribution:
    day = utc_day(call.started_at_ms)
    counted = {f"s.{call.status}": 1, **_measures(rules.call, call)}
    with_histogram = {**counted, **_measures(rules.histogram, call)}

    for scope in _owner_scopes(call):
        yield RollupKey(m.CALLS, scope, day), with_histogram
    yield RollupKey(m.CALLS, ORG, ALL), with_histogram
    if call.space_token is not None:
        space = m.space_scope(call.space_token)
        for bucket in (day, ALL):
            yield RollupKey(m.CALLS, space, bucket), counted
        yield rules.known("call", space)
    if call.campaign_id is not None and call.direction is not None:
        campaign = m.campaign_scope(call.direction, call.campaign_id)
        yield RollupKey(m.CALLS, campaign, day), counted
        yield rules.known("call", campaign)


def _task(rules: _Rules, task: Task) -> Contribution:
    measures = {"tasks": 1, f"s.{task.status}": 1}
    scopes = [ORG]
    if task.space_token is not None:
        space = m.space_scope(task.space_token)
        scopes.append(space)
        yield rules.known("task", space)
    for scope in scopes:
        for bucket in (utc_day(task.created_at_ms), ALL):
            yield RollupKey(m.TASKS, scope, bucket), measures


def _lead(rules: _Rules, lead: Lead) -> Contribution:
    measures = {"leads": 1, **_measures(rules.lead, lead)}
    for scope in _owner_scopes(lead):
        for bucket in (utc_day(lead.created_at_ms), ALL):
            yield RollupKey(m.LEADS, scope, bucket), measures


def _workspace(
    rules: _Rules, record: Room | Recording | Contact | ContactEvent | BookingPage
) -> Contribution:
    record_type = _TYPE_NAMES[type(record)]
    family, scope = rules.family(m.WORKSPACE, record_type), m.workspace_scope(record.workspace_id)
    yield rules.known(record_type, scope)
    lifetime = RollupKey(family, scope, ALL)
    match record:
        case Room():
            yield lifetime, {"rooms": 1}
        case Recording():
            yield lifetime, {"recordings": 1, "seconds": record.duration_seconds or 0}
        case Contact():
            yield lifetime, {"contacts": 1}
            yield RollupKey(family, scope, utc_day(record.created_at_ms)), {"contacts": 1}
        case ContactEvent():
            counted = _COUNTED_EVENTS.get(record.event_type)
            once = {} if counted is None else {counted: 1}
            yield lifetime, once | _measures(rules.contact_event, record)
            if once:
                yield RollupKey(family, scope, utc_day(record.occurred_at_ms)), once


_TYPE_NAMES: Final = {of_type.cls: name for name, of_type in RECORD_TYPES.items()}
# The measures of the event types that are counted by day.
_COUNTED_EVENTS: Final = {"booking": "bookings", "room_join": "room_joins"}
