"""Resolving versions: the winner does not depend on the order of arrival, and winners move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.api.records.documents import RefusedRecord
from rollcall.domain.errors import RefusedChange
from rollcall.domain.facts import (
    Change,
    Fact,
    Merges,
    Outcome,
    detail_hash,
    hash_of_detail,
    payload_text,
    payload_value,
    resolve,
    state_of,
    state_of_write,
    without_detail,
)
from rollcall.domain.merging import NEVER, join
from rollcall.domain.records import RECORD_TYPES, Call
from tests.support.builders import call
from tests.support.cases import cases
from tests.support.folding import NOW_US, folded, in_two_orders
from tests.support.generate import valid_records
from tests.support.one_record import histories
from tests.support.parsing import parsed
from tests.support.rows import payload_values

pytestmark = pytest.mark.property


def change(record: Any) -> Change | None:
    try:
        return parsed(record)
    except RefusedRecord:
        return None


@cases(300)
@given(st.data(), histories)
def test_writes_end_in_the_same_fact_in_any_order(data: st.DataObject, documents: Any) -> None:
    """Except that a write may break a rule in one order and not in another."""
    _, taken = folded(documents)
    in_two_orders(taken, data.draw(st.permutations(taken)))


@cases(200)
@given(histories)
def test_a_record_that_is_read_back_and_sent_again_is_unchanged(documents: Any) -> None:
    fact, _ = folded(documents)
    if fact is None or fact.record is None:
        return
    again = Change(fact.type, fact.id, fact.updated_at_ms, fact.record, fact.defaulted)
    for updated_at_ms in (fact.updated_at_ms, None):
        verdict = resolve(fact, replace(again, updated_at_ms=updated_at_ms), NOW_US)
        assert verdict.outcome is Outcome.UNCHANGED
        after = verdict.fact or fact
        assert (after.record, after.updated_at_ms) == (fact.record, fact.updated_at_ms)


@cases(300)
@given(histories)
def test_a_fact_is_the_join_of_the_writes_that_were_taken(documents: Any) -> None:
    fact, taken = folded(documents)
    if fact is None:
        return
    written = [state_of_write(parsed(document), 0) for document in taken]
    assert state_of(fact) == reduce(join, written)


@given(valid_records)
def test_the_same_again_is_unchanged(record: Any) -> None:
    incoming = change(record)
    if incoming is None:
        return
    stored = resolve(None, incoming, NOW_US).fact
    assert resolve(stored, incoming, NOW_US + 5).outcome is Outcome.UNCHANGED
    incoming.updated_at_ms = None
    assert resolve(stored, incoming, NOW_US + 5).outcome is Outcome.UNCHANGED


SECOND = "2026-11-10T10:00:05Z"
LATER = "2026-11-10T10:00:06Z"


def merge(**fields: Any) -> dict[str, Any]:
    return {"type": "call", "id": "t", "merge": True, **fields}


def after(*documents: Any) -> list[str]:
    """What became of each of some writes, one after the other."""
    stored: Fact | None = None
    outcomes = []
    for index, document in enumerate(documents):
        try:
            verdict = resolve(stored, parsed(document), NOW_US + index)
        except RefusedChange as refused:
            outcomes.append(f"{refused.field}: {refused}")
            continue
        stored = verdict.fact or stored
        outcomes.append(verdict.outcome.value)
    return outcomes


def test_the_further_status_wins_a_tie() -> None:
    """A provider that stamps to the second gives two states one time."""
    ringing = call("t", status="ringing", updated_at=SECOND)
    completed = call("t", status="completed", duration_seconds=30, updated_at=SECOND)
    assert after(ringing, completed) == ["accepted", "accepted"]
    assert after(completed, ringing) == ["accepted", "stale"]


@pytest.mark.parametrize("type", ["call", "task", "lead"])
def test_the_order_of_statuses_is_that_of_the_contract(type: str) -> None:
    ranks = {
        "call": ["queued", "ringing", "in_progress", "completed"],
        "task": ["pending", "running", "hold", "completed"],
        "lead": ["BACKLOG", "PROCESSING", "RETRY", "FINISHED"],
    }[type]
    statuses = next(c.choices for c in RECORD_TYPES[type].columns if c.name == "status")
    progress = {status: RECORD_TYPES[type].progress(status) for status in statuses}
    assert progress == {s: ranks.index(s) if s in ranks else 3 for s in statuses}


def test_a_part_that_arrives_late_leaves_the_rest() -> None:
    """The analysis of a call names what it knows, and the retried start does not undo the end."""
    end = call("t", duration_seconds=30, cost=1, campaign_id="c", direction="inbound",
               updated_at=SECOND)  # fmt: skip
    analysis = merge(outcome="booked", sentiment=0.5, updated_at=LATER)
    start = call("t", status="ringing", updated_at="2026-11-10T10:00:00Z")
    *_, last = resolved(*map(parsed, (end, analysis, start)))
    assert isinstance(last.record, Call)
    assert (last.record.status, last.record.duration_seconds) == ("completed", 30)
    assert (last.record.campaign_id, last.record.outcome) == ("c", "booked")


def test_a_merge_cannot_create_without_the_required_fields() -> None:
    refused = (
        "started_at: call t is not known; a merge cannot create it without started_at and status"
    )
    assert after(merge(outcome="x")) == [refused]
    gone = {"type": "call", "id": "t", "deleted": True}
    assert after(call("t"), gone, merge(outcome="x"))[-1] == refused
    assert after(merge(started_at=SECOND))[-1].endswith("without status")
    room = {"type": "room", "id": "r", "merge": True, "display_name": "R"}
    assert after(room)[-1].endswith("without workspace_id, created_at and name")
    revival = merge(started_at=SECOND, status="completed")
    assert after(revival) == ["accepted"]
    assert after(call("t"), gone, revival) == ["accepted"] * 3


def test_a_rule_across_fields_holds_for_what_results() -> None:
    refused = "campaign_id: needs direction"
    assert after(call("t"), merge(campaign_id="c"))[-1] == refused
    assert after(call("t", direction="inbound"), merge(campaign_id="c"))[-1] == "accepted"
    both = call("t", direction="inbound", campaign_id="c")
    assert after(both, merge(direction=None))[-1] == refused
    assert after(both, merge(direction=None, campaign_id=None))[-1] == "accepted"
    older = call("t", updated_at=SECOND)
    assert after(both | {"updated_at": "2026-11-10T10:00:00Z"},
                 merge(campaign_id="d", updated_at=LATER), older)[-1] == refused  # fmt: skip


def test_defaults_are_those_of_what_results() -> None:
    *_, last = resolved(*map(parsed, (
        call("t", status="ringing"), merge(status="completed"),
    )))  # fmt: skip
    assert isinstance(last.record, Call)
    assert (last.record.answered, last.record.attempt) == (True, 1)
    assert last.defaulted == {"answered", "attempt"}
    *_, last = resolved(last, parsed(merge(duration_seconds=0, attempt=3)))
    assert isinstance(last.record, Call)
    assert (last.record.answered, last.record.attempt) == (False, 3)
    *_, last = resolved(last, parsed(merge(attempt=None, answered=True)))
    assert isinstance(last.record, Call)
    assert (last.record.answered, last.record.attempt) == (True, 1)


def test_a_merge_without_updated_at_is_unchanged_if_it_says_what_is_stored() -> None:
    stored = call("t", outcome="x", labels=["a", "b"], payload={"k": 1})
    same = merge(outcome="x", labels=["b", "a", "a"], payload={"k": 1}, language=None)
    assert after(stored, same) == ["accepted", "unchanged"]
    for other in ({"payload": {"k": True}}, {"language": "de"}, {"outcome": None}, {"attempt": 1}):
        assert after(stored, merge(**other), merge(**other)) == [
            "accepted",
            "accepted",
            "unchanged",
        ]


def test_a_merge_again_is_unchanged_until_newer_writes_hold_all_its_fields() -> None:
    first = merge(outcome="x", language="de", updated_at=SECOND)
    newer = merge(outcome="y", updated_at=LATER)
    stored = call("t", updated_at="2026-11-10T10:00:00Z")
    assert after(stored, first, first, newer, first)[2:] == ["unchanged", "accepted", "unchanged"]
    assert after(stored, first, newer, call("t", updated_at=LATER), first)[-1] == "stale"
    assert after(stored, newer, first)[-1] == "accepted"
    assert after(stored, newer, first, stored)[-1] == "unchanged"


def test_what_is_read_back_and_sent_again_is_unchanged() -> None:
    """It has the content and the time of the record, though merges have made it."""
    first = call("t", outcome="a", updated_at=SECOND)
    read_back = call("t", outcome="b", updated_at=LATER)
    merged = merge(outcome="b", updated_at=LATER)
    assert after(first, merged, read_back, read_back) == ["accepted"] * 2 + ["unchanged"] * 2
    assert after(first, merged, read_back | {"outcome": "c"})[-1] in {"accepted", "stale"}
    between = merge(language="de", updated_at="2026-11-10T10:00:05.500Z")
    assert after(first, merged, read_back, between)[-1] == "stale"
    assert after(read_back, first, merged, between)[-1] == "stale"


def test_a_deletion_without_updated_at_leaves_no_value() -> None:
    """Not even one that a merge set and that an older deletion does not take away."""
    old_deletion = {"type": "call", "id": "t", "deleted": True, "updated_at": SECOND}
    *_, tombstone = resolved(*map(parsed, (
        call("t", updated_at="2026-11-10T10:00:00Z"),
        merge(lead_id="l", updated_at=LATER),
        old_deletion,
    )))  # fmt: skip
    assert tombstone.record is None
    assert tombstone.merges is not None
    assert tombstone.merges.withheld == {"lead_id": "l"}
    gone = Change("call", "t", None, None)
    *_, empty = resolved(tombstone, gone)
    assert (empty.record, empty.merges) == (None, None)
    assert resolve(empty, gone, NOW_US).outcome is Outcome.UNCHANGED


def at(second: int, updated_at_ms: int | None) -> Change:
    moved = parsed(call("moved", started_at=f"2026-11-10T10:00:{second:02}Z"))
    return replace(moved, updated_at_ms=updated_at_ms)


def test_a_fact_names_each_place_that_it_has_left_once() -> None:
    times = [record.started_at_ms for record in (at(second, 0).record for second in range(4))]  # type: ignore[union-attr]
    gone = Change("call", "moved", None, None)
    places = [
        (fact.time_ms, fact.left_behind)
        for fact in resolved(at(2, None), at(1, None), at(2, None), gone, at(3, None), at(0, 5))
    ]
    assert places == [
        (times[2], ()),
        (times[1], (times[2],)),
        (times[2], (times[1],)),
        (times[2], (times[1],)),
        (times[3], (times[1], times[2])),
        (times[3], (times[1], times[2])),
    ]


def test_only_winning_versions_count_towards_the_16_times() -> None:
    *_, last = resolved(*(at(second, second + 100) for second in range(16)))
    assert last.left_behind == tuple(at(second, 0).record.started_at_ms for second in range(15))  # type: ignore[union-attr]
    assert resolve(last, at(20, 7), NOW_US).outcome is Outcome.STALE
    with pytest.raises(RefusedChange, match="started_at has changed too often") as refused:
        resolve(last, at(20, 200), NOW_US)
    assert refused.value.field == "started_at"
    assert resolve(last, at(3, 200), NOW_US).outcome is Outcome.ACCEPTED


def test_a_fact_knows_the_revision_of_its_last_move() -> None:
    """Every version at a time that it has left has a lower one, also after it came back."""
    gone = Change("call", "moved", None, None)
    versions = list(
        resolved(at(2, None), at(1, None), gone, at(1, None), at(2, None), at(2, NOW_US // 500))
    )
    first, moved, deleted, revived, back, changed = versions
    assert [fact.moved_rev for fact in versions] == [
        None,
        None,
        moved.rev,
        moved.rev,
        None,
        back.rev,
    ]
    assert [fact.last_move for fact in versions[1:4]] == [moved.rev] * 3
    assert (back.last_move, changed.last_move) == (back.rev, back.rev)
    for fact in versions[1:]:
        left = [each for each in versions if each.rev < fact.rev and each.time_ms != fact.time_ms]
        assert all(each.rev < fact.last_move for each in left)
    assert first.with_rev(first.rev + 1) == replace(first, rev=first.rev + 1)
    for fact in versions[1:]:
        raised = fact.with_rev(fact.rev + 9)
        assert (raised.rev, raised.last_move) == (fact.rev + 9, fact.last_move)
        assert replace(raised, rev=fact.rev, moved_rev=fact.moved_rev) == fact


def test_the_times_of_a_fact() -> None:
    (fact,) = resolved(at(2, 5))
    assert replace(fact, left_behind=(1, 2)).times == (fact.time_ms, 1, 2)
    assert Fact("call", "never seen", None, 1, 1, None).times == ()
    assert Fact("label", "without a time", None, 1, 1, None).times == (0,)


def resolved(*changes: Change | Fact) -> Iterator[Fact]:
    """The fact after each of the changes; a fact is what is stored before the next."""
    stored: Fact | None = None
    for change in changes:
        if isinstance(change, Fact):
            stored = change
        else:
            stored = resolve(stored, change, NOW_US).fact or stored
        assert stored is not None
        yield stored


@given(payload_values)
def test_payload_text_is_injective(value: Any) -> None:
    back = payload_value(payload_text(value))
    assert (type(back), back) == (type(value), value)


# ------------------------------------------------------------------ details
DETAIL = {"summary": "A refund."}
WRITTEN = "2024-03-05T13:00:00Z"


def test_pages_hold_a_record_without_its_detail() -> None:
    change = parsed(call(detail=DETAIL))
    record = change.record
    assert isinstance(record, Call)
    assert record.detail == detail_hash(change.detail or "")
    assert without_detail(record) == replace(record, detail=None)
    plain = parsed(call()).record
    assert plain is not None
    assert without_detail(plain) is plain


def test_a_change_without_its_detail_is_otherwise_the_same() -> None:
    whole = parsed(call(updated_at=WRITTEN, detail=DETAIL))
    assert whole.without_detail() == parsed(call(updated_at=WRITTEN))
    merge = parsed(call(updated_at=WRITTEN, merge=True, detail=DETAIL))
    taken = merge.without_detail()
    assert (taken.record, taken.detail) == (None, None)
    assert taken.merge == {**(merge.merge or {}), "detail": None}
    assert taken.without_detail() is taken


def test_a_fact_has_the_hash_of_its_detail_and_a_tombstone_of_the_one_it_withholds() -> None:
    record = parsed(call(detail=DETAIL)).record
    assert isinstance(record, Call)
    fact = Fact("call", "c", 0, 5, 1, record)
    assert hash_of_detail(fact) == record.detail
    withheld = Merges(NEVER, {}, withheld={"detail": record.detail})
    assert hash_of_detail(replace(fact, record=None, merges=withheld)) == record.detail
    assert hash_of_detail(replace(fact, record=None)) is None
    assert hash_of_detail(None) is None
