"""What queries read of rollups is what contributions write: component by component."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.dialects.breeze.query_type import CountsType, TotalsType
from rollcall.dialects.breeze.query_types import QUERY_TYPES
from rollcall.domain import measures as m
from rollcall.domain.choices import LEAD_STATUSES, TASK_STATUSES
from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
from rollcall.domain.measures import ALL, ORG, RollupKey
from rollcall.domain.records import Lead, Record, Task
from rollcall.domain.time.zones import UTC
from rollcall.ledger.page import Row, Rows
from rollcall.query import kept
from rollcall.query.components import Count, Sum
from rollcall.query.datasets import DATASETS, LEADS
from rollcall.query.filtering import Selected
from rollcall.query.masks import masking
from rollcall.query.reports import campaign
from rollcall.query.values import integers_of
from tests.support.rollup_calls import calls

leads = st.builds(
    Lead,
    created_at_ms=st.integers(0, 10**9),
    status=st.sampled_from(LEAD_STATUSES),
    converted=st.sampled_from([None, True, False]),
)
tasks = st.builds(Task, created_at_ms=st.integers(0, 10**9), status=st.sampled_from(TASK_STATUSES))
RECORDS = {"calls": calls, "leads": leads, "tasks": tasks}
FAMILIES = {"calls": m.CALLS, "leads": m.LEADS, "tasks": m.TASKS}


def rollup(dataset: str, found: list[Record]) -> Counter[str]:
    """The all-time rollup of the organisation, closed measures and open breakdowns."""
    contribute = contribution_function(CURRENT_VERSION)
    measures: Counter[str] = Counter()
    for record in found:
        for key, added in contribute("id", record):
            if key == RollupKey(FAMILIES[dataset], ORG, ALL):
                measures.update(added)
    return measures


def selected(dataset: str, found: list[Any]) -> Selected:
    record_type = DATASETS[dataset].record_type
    time = {"calls": "started_at_ms"}.get(dataset, "created_at_ms")
    rows = [Row(str(n), 1, getattr(each, time), each) for n, each in enumerate(found)]
    return Selected(Rows.empty(record_type).with_rows({}, rows), None)


def counted(component: Count | Sum, rows: Selected) -> int:
    """A component of rows, by the definitions of masks and values."""
    if isinstance(component, Sum):
        values = integers_of(component.field, rows, UTC).tolist()
        return sum(value for value in values if value > 0)
    if component.where is None:
        return rows.count
    return int(masking(component.where, UTC)(rows).sum())


@pytest.mark.parametrize("dataset", RECORDS)
@given(data=st.data())
def test_closed_measures_are_the_components(dataset: str, data: st.DataObject) -> None:
    found = data.draw(st.lists(RECORDS[dataset], max_size=8))
    rows, measures = selected(dataset, found), rollup(dataset, found)
    record_type = DATASETS[dataset].record_type
    for component in components_of(dataset) | kept._NAMES[record_type].keys():
        names = kept.closed_names(record_type, component)
        if names is not None:
            assert sum(measures[name] for name in names) == counted(component, rows)


def components_of(dataset: str) -> set[Count | Sum]:
    """The components of measures, and those of the dialects."""
    of_measures = (each for m in DATASETS[dataset].measures.values() for each in m.needs)
    types = [each for each in QUERY_TYPES if isinstance(each, TotalsType)]
    about_leads = dataset == "leads"
    of_breeze = (each for t in types if t.is_about_leads == about_leads for each in t.components)
    of_nlpearl = campaign._COMPONENTS if dataset == "calls" else ()
    found = chain(of_measures, of_breeze if dataset != "tasks" else (), of_nlpearl)
    return {each for each in found if isinstance(each, Count | Sum)}


def test_every_component_of_the_dialects_is_kept() -> None:
    for query_type in QUERY_TYPES:
        record_type = "lead" if query_type.is_about_leads else "call"
        if not isinstance(query_type, CountsType):
            for component in query_type.components:
                is_histogram = component in kept.HISTOGRAMS
                assert is_histogram or kept.closed_names(record_type, component), component
    for component in campaign._COMPONENTS:
        if component != LEADS:
            assert component in kept.HISTOGRAMS or kept.closed_names("call", component), component


@given(st.lists(calls, max_size=8))
def test_components_of_calls_that_have_a_duration(found: list[Any]) -> None:
    measures = rollup("calls", found)
    timed = selected("calls", [each for each in found if each.duration_seconds is not None])
    for component in components_of("calls"):
        names = kept.timed_names(component)
        if names is not None:
            assert sum(measures[name] for name in names) == counted(component, timed)
    assert kept.timed_names(Sum(DATASETS["calls"].fields["cost"])) is None


@pytest.mark.parametrize("dataset", RECORDS)
@given(data=st.data())
def test_breakdowns_are_the_values_of_their_field(dataset: str, data: st.DataObject) -> None:
    found = data.draw(st.lists(RECORDS[dataset], max_size=8))
    rows, measures = selected(dataset, found), rollup(dataset, found)
    record_type = DATASETS[dataset].record_type
    for name, breakdown in kept.BREAKDOWNS[record_type].items():
        if breakdown.beyond is not None and measures[breakdown.beyond]:
            continue
        counts = dict(breakdown.counts(measures, measures[kept.ROWS_NAME[record_type]]))
        assert counts == expected(name, DATASETS[dataset].fields[name], rows, found)


def expected(name: str, field: Any, rows: Selected, found: list[Any]) -> Counter[Any]:
    if name in ("label", "outcome", "provider", "status", "disposition"):
        if name == "label":
            return Counter(label for record in found for label in record.labels)
        return Counter(getattr(record, name) for record in found)
    numbers = integers_of(field, rows, UTC).tolist()
    decoded = {
        "sentiment_band": lambda n: None if n < 0 else field.choices[n],
        "answered": bool,
    }.get(name, int)
    return Counter(decoded(number) for number in numbers)


def test_every_rule_of_closed_measures_is_a_component() -> None:
    of_breakdowns = {
        name
        for breakdowns in kept.BREAKDOWNS.values()
        for breakdown in breakdowns.values()
        for name in breakdown.names.values()
    }
    for group in m.GROUPS.values():
        if group.record_type in kept.ROWS_NAME:
            found = set(chain.from_iterable(kept._NAMES[group.record_type].values()))
            for rule in group.rules:
                assert set(rule.names) <= found | of_breakdowns, rule


def test_measures_that_an_epoch_may_lack_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert m.READ_VERSION <= CURRENT_VERSION
    monkeypatch.setattr(m, "READ_VERSION", 0)
    assert dict(kept._names_of_rules("call")) == {}


def test_a_component_that_is_not_kept_has_no_names() -> None:
    fields = DATASETS["calls"].fields
    assert kept.closed_names("call", Sum(fields["latency_ms"])) is None
    assert kept.closed_names("lead", DATASETS["calls"].measures["answered"].needs[0]) is None
