"""Contributions of single records against the oracle, and what every version promises."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given

from rollcall.api.records.documents import RefusedRecord
from rollcall.domain.contributions import (
    CURRENT_VERSION,
    contribution_function,
    families_fed_by,
)
from rollcall.domain.errors import UnknownContribution
from rollcall.domain.facts import Change
from rollcall.domain.measures import (
    ALL,
    GROUPS,
    KNOWN,
    WORKSPACE,
    WORKSPACE_DAYS,
    RollupKey,
    breakdown_of,
    breakdowns_of,
    known_keys,
    workspace_keys,
)
from rollcall.domain.records import RECORD_TYPES
from tests.support.generate import mixed_records, valid_records
from tests.support.neutral import neutral
from tests.support.oracle import Oracle
from tests.support.parsing import parsed
from tests.support.versions import NOW_MS, versions_of

pytestmark = pytest.mark.property

VERSIONS = range(1, CURRENT_VERSION + 1)


def change_of(document: Any) -> Change | None:
    try:
        return parsed(document)
    except RefusedRecord:
        return None


def contribution(version: int, change: Change) -> dict[RollupKey, dict[str, int]]:
    totals: dict[RollupKey, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    assert change.record is not None
    for key, measures in contribution_function(version)(change.id, change.record):
        for name, amount in measures.items():
            totals[key][name] += amount
    return totals


@given(valid_records)
def test_one_record_contributes_what_brute_force_counts(document: Any) -> None:
    change = change_of(document)
    if change is None:
        return
    oracle = Oracle()
    oracle.post([document], NOW_MS)
    found = contribution(CURRENT_VERSION, change)
    assert neutral(found.items()) == oracle.rollups()
    assert contribution(CURRENT_VERSION, change) == found


@given(valid_records)
def test_every_version_feeds_the_families_of_the_type_and_declared_measures(document: Any) -> None:
    change = change_of(document)
    if change is None:
        return
    for version in VERSIONS:
        found = contribution(version, change)
        assert {key.family for key in found} <= families_fed_by(change.type)
        for key, measures in found.items():
            assert all(amount >= 0 for amount in measures.values())
            assert {breakdown_of(name) for name in measures} <= {None, *breakdowns_of(key)}


@given(valid_records)
def test_a_later_version_only_adds_measures(document: Any) -> None:
    """What types had in common may be kept per type."""
    change = change_of(document)
    if change is None:
        return
    before: dict[Any, int] = {}
    for version in VERSIONS:
        found = neutral(contribution(version, change).items())
        assert before.items() <= found.items()
        before = found


def test_rows_add_to_no_other_families_than_are_named() -> None:
    fed: dict[str, set[str]] = {name: set() for name in RECORD_TYPES}
    for fact in versions_of(mixed_records(4, 600, versions=(1, 1), deletes=0.0)):
        assert fact.record is not None
        for version in VERSIONS:
            contributed = contribution_function(version)(fact.id, fact.record)
            fed[fact.type] |= {key.family for key, _ in contributed}
    assert fed == {name: set(families_fed_by(name)) for name in RECORD_TYPES}


def test_no_rollup_is_fed_by_two_types() -> None:
    """Each type has shards of its own, and a rollup is written by one writer at a time."""
    fed: dict[RollupKey, set[str]] = defaultdict(set)
    for fact in versions_of(mixed_records(4, 600, versions=(1, 1), deletes=0.0)):
        assert fact.record is not None
        for key, _ in contribution_function(CURRENT_VERSION)(fact.id, fact.record):
            fed[key].add(fact.type)
    assert all(len(types) == 1 for types in fed.values())


def test_what_names_a_scope_or_counts_for_a_workspace_is_read_in_every_version() -> None:
    for fact in versions_of(mixed_records(4, 600, versions=(1, 1), deletes=0.0)):
        assert fact.record is not None
        for version in VERSIONS:
            for key, _ in contribution_function(version)(fact.id, fact.record):
                family = key.family.partition(".")[0]
                if family == KNOWN:
                    assert key in known_keys(key.scope)
                elif family == WORKSPACE and key.bucket == ALL:
                    assert key in workspace_keys(key.scope)
                elif family == WORKSPACE:
                    assert key.family in WORKSPACE_DAYS


def test_every_measure_of_calls_is_that_of_a_rule() -> None:
    """Beside the status, which each call has."""
    document = {"type": "call", "id": "c", "started_at": "2024-03-01T00:00:00Z", "status": "busy"}
    change = parsed(
        {**document, "disposition": "successful", "sentiment": 1, "events": {"sms_sent": 2}}
    )
    contributed = contribution(CURRENT_VERSION, change)
    names = {n for m in contributed.values() for n in m if breakdown_of(n) is None}
    declared = {n for each in GROUPS.values() for rule in each.rules for n in rule.names}
    assert names - {"s.busy", "facts"} <= declared


def test_a_version_that_this_release_lacks_is_an_error() -> None:
    for version in (0, CURRENT_VERSION + 1):
        with pytest.raises(UnknownContribution, match=f"no contribution version {version}"):
            contribution_function(version)


def test_what_is_no_record_is_an_error() -> None:
    stranger: Any = object()
    with pytest.raises(TypeError, match="no contribution for object"):
        list(contribution_function(CURRENT_VERSION)("x", stranger))
