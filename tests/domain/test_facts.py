"""Judging versions: the winner does not depend on the order of arrival, and time never changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.api.records.documents import RefusedRecord
from rollcall.domain.facts import (
    Change,
    Fact,
    Outcome,
    content_hash,
    payload_text,
    payload_value,
    resolve,
)
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
        time_column = next(
            (c for c in ("started_at_ms", "created_at_ms", "occurred_at_ms")
             if hasattr(base.record, c)), None)  # fmt: skip
        if parsed.record is not None and time_column:
            setattr(parsed.record, time_column, getattr(base.record, time_column))
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


@given(payload_values)
def test_payload_text_is_injective(value: Any) -> None:
    back = payload_value(payload_text(value))
    assert (type(back), back) == (type(value), value)
