"""Resolving versions: the winner does not depend on the order of arrival, and winners move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.api.records.documents import RefusedRecord
from rollcall.domain.errors import RefusedChange
from rollcall.domain.facts import (
    Change,
    Fact,
    Outcome,
    content_hash,
    payload_text,
    payload_value,
    resolve,
)
from tests.support.builders import call
from tests.support.generate import deletions, valid_records
from tests.support.parsing import parsed
from tests.support.rows import payload_values

pytestmark = pytest.mark.property


NOW_US = 1_800_000_000_000_000


def change(record: Any) -> Change | None:
    try:
        return parsed(record)
    except RefusedRecord:
        return None


def settle(changes: list[Change]) -> Fact | None:
    stored: Fact | None = None
    for index, incoming in enumerate(changes):
        verdict = resolve(stored, incoming, NOW_US + index)
        if verdict.fact is not None:
            assert stored is None or verdict.fact.rev > stored.rev
            stored = verdict.fact
    return stored


@settings(max_examples=300)
@given(st.data(), valid_records, st.lists(valid_records | deletions, max_size=4))
def test_explicit_versions_settle_alike_in_any_order(
    data: st.DataObject, first: Any, others: list[Any]
) -> None:
    """Equal times, explicit updated_at, ties included: one winner."""
    base = change(first)
    if base is None or base.record is None:
        return
    versions = [base]
    for number, record in enumerate(others):
        parsed = change({**record, "type": first["type"], "id": first["id"]})
        if parsed is None:
            parsed = Change(base.type, base.id, None, None)
        if parsed.record is not None and type(parsed.record) is not type(base.record):
            continue
        parsed.updated_at_ms = 1_700_000_000_000 + number // 2
        versions.append(parsed)
    base.updated_at_ms = 1_700_000_000_000
    shuffled = data.draw(st.permutations(versions))
    one, other = settle(versions), settle(list(shuffled))
    assert one is not None
    assert other is not None
    assert one.updated_at_ms == other.updated_at_ms
    assert content_hash(one.record) == content_hash(other.record)


@given(valid_records)
def test_the_same_again_is_unchanged(record: Any) -> None:
    incoming = change(record)
    if incoming is None:
        return
    stored = resolve(None, incoming, NOW_US).fact
    assert resolve(stored, incoming, NOW_US + 5).outcome is Outcome.UNCHANGED
    incoming.updated_at_ms = None
    assert resolve(stored, incoming, NOW_US + 5).outcome is Outcome.UNCHANGED


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


def resolved(*changes: Change) -> Iterator[Fact]:
    """The fact after each of the changes."""
    stored: Fact | None = None
    for change in changes:
        stored = resolve(stored, change, NOW_US).fact or stored
        assert stored is not None
        yield stored


@given(payload_values)
def test_payload_text_is_injective(value: Any) -> None:
    back = payload_value(payload_text(value))
    assert (type(back), back) == (type(value), value)
