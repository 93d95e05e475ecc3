"""What one row adds to each rollup.

A contribution function is pure and total: the delta of a change is the contribution of the new row
minus that of the old one, and nothing else decides what a rollup holds. Each epoch has a
contribution version, and every update of the epoch uses that version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from rollcall.domain import measures as m
from rollcall.domain.errors import UnknownContribution
from rollcall.domain.measures import ALL, ORG, Measures, RollupKey, Scope
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
from rollcall.domain.time.calendar import utc_day, utc_hour

Contribution: TypeAlias = Iterator[tuple[RollupKey, Measures]]
ContributionFunction: TypeAlias = Callable[[str, Record], Contribution]

CURRENT_VERSION: Final = 1


def contribution_function(version: int) -> ContributionFunction:
    """The contribution function of a version.

    Raises UnknownContribution if this release does not have it.
    """
    try:
        return _VERSIONS[version]
    except KeyError:
        raise UnknownContribution(f"this release has no contribution version {version}") from None


def _contribute_v1(record_id: str, record: Record) -> Contribution:
    """Yield (rollup, measures) for one live record; a rollup may be yielded more than once."""
    match record:
        case Call():
            yield from _call(record)
        case Task():
            yield from _task(record)
        case Lead():
            yield from _lead(record)
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
            yield from _workspace(record)
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
_VERSIONS: Final[dict[int, ContributionFunction]] = {1: _contribute_v1}


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


def _call(call: Call) -> Contribution:
    day = utc_day(call.started_at_ms)
    closed = _closed_call_measures(call)
    open_ = _open_call_measures(call)
    with_histogram = open_
    if call.duration_seconds is not None:
        with_histogram = {**open_, m.open_name(m.DURATION, str(call.duration_seconds)): 1}

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


def _closed_call_measures(call: Call) -> dict[str, int]:
    attempt = m.attempt_name(call.attempt)
    measures = {
        "calls": 1,
        f"s.{call.status}": 1,
        f"h{utc_hour(call.started_at_ms):02d}": 1,
        f"a{attempt}": 1,
    }
    if call.answered:
        measures["answered"] = 1
    if call.disposition is not None:
        measures[f"d.{call.disposition}"] = 1
        if call.disposition == "successful":
            measures[f"w{attempt}"] = 1
    if call.duration_seconds is not None:
        measures["timed"] = 1
        measures["seconds"] = call.duration_seconds
    if call.sentiment_milli is not None:
        measures[f"m{m.sentiment_band(call.sentiment_milli)}"] = 1
    if call.cost_micros is not None:
        measures["cost_micros"] = call.cost_micros
    for event, count in call.events.items():
        measures[f"e.{event}"] = count
    return measures


def _open_call_measures(call: Call) -> dict[str, int]:
    measures = {
        m.open_name(m.OUTCOME, call.outcome): 1,
        m.open_name(m.PROVIDER, call.provider): 1,
    }
    for label in call.labels:
        measures[m.open_name(m.LABEL, label)] = 1
    return measures


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


def _lead(lead: Lead) -> Contribution:
    measures = {"leads": 1, f"s.{lead.status}": 1}
    if lead.status == "FINISHED" and lead.converted:
        measures["converted"] = 1
    for scope in _owner_scopes(lead):
        for bucket in (utc_day(lead.created_at_ms), ALL):
            yield RollupKey(m.LEADS, scope, bucket), measures


def _workspace(record: Room | Recording | Contact | ContactEvent | BookingPage) -> Contribution:
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
            by_value = {m.open_name(m.EVENT_TYPE, record.event_type): 1}
            counted = None
            if record.event_type == "booking":
                counted = "bookings"
                if record.booking_page_id is not None:
                    by_value[m.open_name(m.PAGE, record.booking_page_id)] = 1
            elif record.event_type == "room_join":
                counted = "room_joins"
                if record.room_id is not None:
                    by_value[m.open_name(m.ROOM, record.room_id)] = 1
            yield RollupKey(m.WORKSPACE, scope, ALL, True), by_value
            if counted is not None:
                yield lifetime, {counted: 1}
                yield RollupKey(m.WORKSPACE, scope, utc_day(record.occurred_at_ms)), {counted: 1}
