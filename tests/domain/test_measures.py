"""Measures are declared once: records and columns of pages give the same, and version 1 is fixed."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.measures import DURATION, GROUPS, OPEN_GROUPS, Group, closed_names
from rollcall.domain.records import (
    CALL_EVENTS,
    DISPOSITIONS,
    LEAD_STATUSES,
    Call,
    ContactEvent,
    Lead,
)
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
