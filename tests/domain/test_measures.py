"""Measures are declared once, rollups keep those of their scopes, and version 1 is fixed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
from rollcall.domain.measures import (
    ALL,
    CALLS,
    DURATION,
    GROUPS,
    KNOWN,
    LEADS,
    OPEN_GROUPS,
    OUTCOME,
    PROVIDER,
    TASKS,
    WITH_HISTOGRAM,
    WORKSPACE,
    Group,
    breakdown_of,
    breakdowns_of,
    has_lifetime,
    is_sum_of_days,
    per_type,
    values_of,
)
from rollcall.domain.records import (
    Call,
    ContactEvent,
    Lead,
    Task,
)
from rollcall.domain.rules import open_name

OF_CALLS = {group for group, each in GROUPS.items() if each.record_type == "call"}


def test_every_group_has_rules():
    assert set(GROUPS) == set(Group)


@given(st.dictionaries(st.none() | st.text(max_size=4), st.integers(0, 9)))
def test_the_values_of_a_breakdown_are_read_back_without_zeros(counts):
    measures = {open_name(OUTCOME, value): count for value, count in counts.items()}
    others = {open_name(PROVIDER, value): 1 for value in counts}
    assert {breakdown_of(name) for name in measures} <= {OUTCOME}
    expected = {value: count for value, count in counts.items() if count}
    assert values_of(OUTCOME, measures | others) == expected


# ------------------------------------------------------------------ which rollups have which groups
CALL = Call(
    1,
    "completed",
    direction="inbound",
    campaign_id="c",
    space_token="s",
    template_id="t",
    merchant_id="m",
    reseller_id="r",
    provider="p",
    outcome="o",
    duration_seconds=1,
    answered=True,
    attempt=1,
    labels=("l",),
)


def kept_breakdowns(record, bucket):
    """The open breakdowns that each scope of a record has in a bucket."""
    found = {}
    for key, measures in contribution_function(CURRENT_VERSION)("x", record):
        if key.bucket == bucket and key.family == CALLS:
            letters = {breakdown_of(name) for name in measures} - {None}
            assert letters <= breakdowns_of(key)
            found.setdefault(key.scope, set()).update(letters)
    return found


def test_a_scope_has_an_all_time_rollup_where_calls_contribute_to_one():
    of_lifetime = kept_breakdowns(CALL, ALL)
    for scope in kept_breakdowns(CALL, "1970-01-01"):
        assert has_lifetime(CALLS, scope) == (scope in of_lifetime)
    assert has_lifetime(WORKSPACE, ("WORKSPACE", "w"))


def test_the_histogram_of_durations_is_kept_where_calls_contribute_it():
    breakdowns = {OPEN_GROUPS[group] for group in OF_CALLS if group in OPEN_GROUPS}
    for bucket in ("1970-01-01", ALL):
        for scope, kept in kept_breakdowns(CALL, bucket).items():
            assert breakdowns - kept == (set() if scope[0] in WITH_HISTOGRAM else {DURATION})


def test_all_time_rollups_are_the_sums_of_days_where_each_record_contributes_the_same_to_both():
    event = ContactEvent(workspace_id="w", event_type="booking", occurred_at_ms=1)
    task, lead = Task(1, "pending"), Lead(1, "RETRY")
    events = per_type(WORKSPACE, "contact_event")
    for family, record in ((CALLS, CALL), (TASKS, task), (LEADS, lead), (events, event)):
        by_bucket = {}
        for key, measures in contribution_function(CURRENT_VERSION)("x", record):
            if key.family == family:
                by_bucket.setdefault(key.bucket, {})[key.scope] = measures
        of_days = by_bucket["1970-01-01"]
        assert is_sum_of_days(family) == all(
            of_days.get(place) == measures for place, measures in by_bucket[ALL].items()
        )
    assert not is_sum_of_days(KNOWN)


def names_of(group):
    return tuple(name for rule in GROUPS[group].rules for name in rule.names)


def test_version_1_is_fixed():
    """Stored rollups have these names; a new measure has its rules `since` a later version."""
    first = {group: each for group, each in GROUPS.items() if each.since == 1}
    closed = first.keys() - OPEN_GROUPS.keys()
    assert {group: names_of(group) for group in closed} == {
        Group.CALLS: ("calls",),
        Group.ANSWERED: ("answered",),
        Group.DURATION: ("timed", "seconds"),
        Group.COST: ("cost_micros",),
        Group.DISPOSITION: (
            "d.need_retry",
            "d.wrong_country_code",
            "d.need_follow_up",
            "d.voicemail_left",
            "d.successful",
            "d.unsuccessful",
            "d.wrong_number",
            "d.completed",
            "d.unreachable",
            "d.error",
        ),
        Group.SENTIMENT: ("m0", "m1", "m2", "m3", "m4"),
        Group.HOUR: tuple(f"h{hour:02d}" for hour in range(24)),
        Group.ATTEMPT: (
            *("a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10+"),
            *("w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "w9", "w10+"),
        ),
        Group.EVENTS: (
            "e.take_message",
            "e.sms_sent",
            "e.call_transferred",
            "e.calendar_booked",
            "e.email_sent",
        ),
        Group.LEAD_STATUS: ("s.BACKLOG", "s.PROCESSING", "s.RETRY", "s.FINISHED", "converted"),
    }
    assert {group: OPEN_GROUPS[group] for group in first.keys() & OPEN_GROUPS.keys()} == {
        Group.OUTCOME: "o",
        Group.PROVIDER: "p",
        Group.LABEL: "l",
        Group.EXTREMES: "t",
        Group.EVENT_TYPE: "e",
        Group.ROOM: "r",
        Group.PAGE: "b",
    }
