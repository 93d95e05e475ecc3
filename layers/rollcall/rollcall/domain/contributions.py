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
    OPEN_GROUPS,
    ORG,
    Group,
    Measures,
    RollupKey,
    Scope,
)
from rollcall.domain.records import (
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

# The version that new epochs use: the first that has every rule.
CURRENT_VERSION: Final = max(of_group.since for of_group in GROUPS.values())


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
            yield from _task(record)
        case Lead():
            yield from _lead(rules, record)
        case Space():
            yield _known(m.space_scope(record_id))
        case Campaign():
            yield _known(m.campaign_scope(record.direction, record_id))
        case Workspace():
            yield _known(m.workspace_scope(record_id))
        case Label():
            return
        case Room() | Recording() | Contact() | ContactEvent() | BookingPage():
            yield _known(m.workspace_scope(record.workspace_id))
            yield from _workspace(rules, record)
        case _:
            raise TypeError(f"no contribution for {type(record).__name__}")


def families_fed_by(record_type: str) -> frozenset[str]:
    """The rollup families that rows of a type add to, in any version that this release has."""
    return _FED[record_type]


_FED: Final = {
    "call": frozenset({m.CALLS, m.KNOWN}),
    "task": frozenset({m.TASKS, m.KNOWN}),
    "lead": frozenset({m.LEADS}),
    "label": frozenset[str](),
    **dict.fromkeys(("space", "campaign", "workspace", "booking_page"), frozenset({m.KNOWN})),
    **dict.fromkeys(
        ("room", "recording", "contact", "contact_event"), frozenset({m.WORKSPACE, m.KNOWN})
    ),
}


class _Rules(NamedTuple):
    """The rules of one contribution version."""

    call: tuple[Rule, ...]
    open_call: tuple[Rule, ...]
    histogram: tuple[Rule, ...]
    lead: tuple[Rule, ...]
    open_contact_event: tuple[Rule, ...]


def _rules(version: int) -> _Rules:
    def rules_of(record_type: str, *, is_open: bool) -> tuple[Rule, ...]:
        return tuple(
            rule
            for group, of_group in GROUPS.items()
            if of_group.record_type == record_type and of_group.since <= version
            if (group in OPEN_GROUPS) == is_open and group is not Group.EXTREMES
            for rule in of_group.rules
        )

    return _Rules(
        call=rules_of("call", is_open=False),
        open_call=rules_of("call", is_open=True),
        histogram=GROUPS[Group.EXTREMES].rules,
        lead=rules_of("lead", is_open=False),
        open_contact_event=rules_of("contact_event", is_open=True),
    )


_VERSIONS: Final[dict[int, ContributionFunction]] = {
    version: partial(_contribute, _rules(version)) for version in range(1, CURRENT_VERSION + 1)
}


def _measures(rules: tuple[Rule, ...], record: Record) -> dict[str, int]:
    measures: dict[str, int] = {}
    for rule in rules:
        rule.add(record, measures)
    return measures


def _known(scope: Scope) -> tuple[RollupKey, Measures]:
    return RollupKey(m.KNOWN, scope, ALL), {"facts": 1}


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
    closed = {f"s.{call.status}": 1, **_measures(rules.call, call)}
    open_ = _measures(rules.open_call, call)
    with_histogram = {**open_, **_measures(rules.histogram, call)}

    for scope in _owner_scopes(call):
        yield RollupKey(m.CALLS, scope, day), closed
        yield RollupKey(m.CALLS, scope, day, True), with_histogram
    yield RollupKey(m.CALLS, ORG, ALL), closed
    yield RollupKey(m.CALLS, ORG, ALL, True), open_
    if call.space_token is not None:
        space = m.space_scope(call.space_token)
        for bucket in (day, ALL):
            yield RollupKey(m.CALLS, space, bucket), closed
            yield RollupKey(m.CALLS, space, bucket, True), open_
        yield _known(space)
    if call.campaign_id is not None and call.direction is not None:
        campaign = m.campaign_scope(call.direction, call.campaign_id)
        yield RollupKey(m.CALLS, campaign, day), closed
        yield RollupKey(m.CALLS, campaign, day, True), open_
        yield _known(campaign)


def _task(task: Task) -> Contribution:
    measures = {"tasks": 1, f"s.{task.status}": 1}
    scopes = [ORG]
    if task.space_token is not None:
        space = m.space_scope(task.space_token)
        scopes.append(space)
        yield _known(space)
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
    scope = m.workspace_scope(record.workspace_id)
    lifetime = RollupKey(m.WORKSPACE, scope, ALL)
    match record:
        case Room():
            yield lifetime, {"rooms": 1}
        case Recording():
            yield lifetime, {"recordings": 1, "seconds": record.duration_seconds or 0}
        case Contact():
            yield lifetime, {"contacts": 1}
            yield RollupKey(m.WORKSPACE, scope, utc_day(record.created_at_ms)), {"contacts": 1}
        case ContactEvent():
            by_value = _measures(rules.open_contact_event, record)
            yield RollupKey(m.WORKSPACE, scope, ALL, True), by_value
            counted = _COUNTED_EVENTS.get(record.event_type)
            if counted is not None:
                yield lifetime, {counted: 1}
                yield RollupKey(m.WORKSPACE, scope, utc_day(record.occurred_at_ms)), {counted: 1}


# The measures of the event types that are counted by day.
_COUNTED_EVENTS: Final = {"booking": "bookings", "room_join": "room_joins"}
