"""Measures are declared once: records and columns of pages give the same, and version 1 is fixed."""

from __future__ import annotations

from collections import Counter

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
    ORG,
    OUTCOME,
    PROVIDER,
    TASKS,
    WORKSPACE,
    Group,
    breakdown_of,
    closed_names,
    has_lifetime,
    is_sum_of_days,
    never_kept,
    values_of,
)
from rollcall.domain.records import (
    CALL_EVENTS,
    DISPOSITIONS,
    LEAD_STATUSES,
    Call,
    ContactEvent,
    Lead,
    Task,
)
from rollcall.domain.rules import open_name
from rollcall.domain.time.periods import EVER
from rollcall.domain.time.zones import UTC
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST, position
from rollcall.ledger.tree import Page
from rollcall.query import aggregation
from rollcall.query.aggregation import Tallier
from rollcall.query.filtering import PageRead, select
from rollcall.query.model import Selection
from rollcall.query.results import WHOLE, Tally

INSTANTS = st.integers(0, 253_370_764_799_999)
AMOUNTS = st.none() | st.integers(0, 10**15)
TEXTS = st.none() | st.sampled_from(["", "a", "é", "a=b", "successful"])
RECORDS = {
    "call": st.builds(
        Call,
        INSTANTS,
        st.just("completed"),
        answered=st.booleans(),
        attempt=st.integers(1, 12) | st.just(10**15),
        disposition=st.none() | st.sampled_from(DISPOSITIONS),
        outcome=TEXTS,
        provider=TEXTS,
        duration_seconds=AMOUNTS,
        sentiment_milli=st.none() | st.integers(0, 1000),
        cost_micros=AMOUNTS,
        labels=st.sets(st.sampled_from("abcd")).map(lambda labels: tuple(sorted(labels))),
        events=st.dictionaries(st.sampled_from(CALL_EVENTS), st.integers(1, 10**9)),
    ),
    "lead": st.builds(Lead, INSTANTS, st.sampled_from(LEAD_STATUSES), st.none() | st.booleans()),
    "contact_event": st.builds(
        ContactEvent,
        workspace_id=st.just("w"),
        occurred_at_ms=INSTANTS,
        event_type=st.sampled_from(["booking", "room_join", "other", ""]),
        room_id=TEXTS,
        booking_page_id=TEXTS,
    ),
}


OF_CALLS = {group for group, each in GROUPS.items() if each.record_type == "call"} | {Group.LEADS}


def of_records(record_type, records):
    """The sums of what every rule of a type adds for each record."""
    together = Counter()
    for of_group in GROUPS.values():
        if of_group.record_type == record_type:
            for record in records:
                measures = {}
                for rule in of_group.rules:
                    rule.add(record, measures)
                together.update(measures)
    return together


def of_columns(record_type, instant, records):
    rows = [
        Row(f"{n:04d}", 1, getattr(record, instant), record) for n, record in enumerate(records)
    ]
    rows.sort(key=lambda row: position(row.time_ms, row.id))
    encoded = Rows.empty(record_type).with_rows({}, rows).encode()
    page = Page(FIRST, END, 1, Rows.decode(record_type, encoded))
    groups = [group for group, each in GROUPS.items() if each.record_type == record_type]
    tallier = Tallier(groups, UTC, is_by_day=False)
    tallier.add(select(PageRead(page, EVER, 0), Selection(record_type))[1])
    return tallier.tallies()[WHOLE]


@given(st.data(), st.sampled_from(sorted(RECORDS)))
def test_records_and_columns_have_the_same_measures(data, record_type):
    instant = {"call": "started_at_ms", "lead": "created_at_ms"}.get(record_type, "occurred_at_ms")
    records = data.draw(st.lists(RECORDS[record_type], min_size=1, max_size=8))
    expected = Tally()
    counts = of_records(record_type, records)
    expected.add_breakdown(DURATION, counts)
    expected.add_measures(
        {name: count for name, count in counts.items() if count and not name.startswith("t=")}
    )
    found = of_columns(record_type, instant, records)
    found.measures = Counter({name: count for name, count in found.measures.items() if count})
    assert found == expected


def test_every_group_but_distinct_leads_has_rules():
    assert set(GROUPS) == set(Group) - {Group.LEADS}


def test_every_kind_of_rule_applies_to_columns():
    kinds = {type(rule) for of_group in GROUPS.values() for rule in of_group.rules}
    assert kinds == set(aggregation._APPLIED)


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


def breakdowns_of(record, bucket):
    """The open breakdowns that each scope of a record has in a bucket."""
    found = {}
    for key, measures in contribution_function(CURRENT_VERSION)("x", record):
        if key.bucket == bucket and key.is_open:
            found.setdefault(key.scope, set()).update(map(breakdown_of, measures))
    return found


def test_a_scope_has_an_all_time_rollup_where_calls_contribute_to_one():
    scopes = set(breakdowns_of(CALL, "1970-01-01"))
    of_lifetime = breakdowns_of(CALL, ALL)
    for group in (*GROUPS, Group.LEADS):
        breakdown = OPEN_GROUPS.get(group)
        for scope in scopes:
            kept = of_lifetime.get(scope)
            has_group = kept is not None and (breakdown is None or breakdown in kept)
            if group not in OF_CALLS:
                continue
            assert has_lifetime(CALLS, scope, [group]) == (has_group and group is not Group.LEADS)
    assert has_lifetime(WORKSPACE, ("WORKSPACE", "w"), [Group.ROOM])


def test_the_groups_that_day_rollups_never_have_are_those_that_calls_do_not_contribute():
    of_day = breakdowns_of(CALL, "1970-01-01")
    groups = [group for group in Group if group in OF_CALLS]
    for scope, kept in of_day.items():
        missing = {g for g in groups if g in OPEN_GROUPS and OPEN_GROUPS[g] not in kept}
        assert never_kept([scope], groups) == missing | {Group.LEADS}
        assert never_kept([ORG, scope], groups) == missing | {Group.LEADS}
        assert never_kept([scope], [Group.CALLS]) == set()


def test_all_time_rollups_are_the_sums_of_days_where_each_record_contributes_the_same_to_both():
    event = ContactEvent(workspace_id="w", event_type="booking", occurred_at_ms=1)
    task, lead = Task(1, "pending"), Lead(1, "RETRY")
    for family, record in ((CALLS, CALL), (TASKS, task), (LEADS, lead), (WORKSPACE, event)):
        by_bucket = {}
        for key, measures in contribution_function(CURRENT_VERSION)("x", record):
            if key.family == family and (key.is_open, key.scope[0]) != (True, "ORG"):
                by_bucket.setdefault(key.bucket, {})[key.scope, key.is_open] = measures
        of_days = by_bucket["1970-01-01"]
        assert is_sum_of_days(family) == all(
            of_days.get(place) == measures for place, measures in by_bucket[ALL].items()
        )
    assert not is_sum_of_days(KNOWN)


def test_version_1_is_fixed():
    """Stored rollups have these names; a new measure has its rules `since` a later version."""
    first = {group: each for group, each in GROUPS.items() if each.since == 1}
    assert {group: closed_names([group])[1:] for group in first.keys() - OPEN_GROUPS.keys()} == {
        Group.CALLS: (),
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
