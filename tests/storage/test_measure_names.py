"""The attributes of closed measures: all that calls can have, as the data model lists them."""

from __future__ import annotations

from itertools import chain

from rollcall.domain.choices import CALL_STATUSES
from rollcall.domain.measures import CALLS, GROUPS, LEADS, TASKS
from rollcall.storage.measure_names import attribute_of, attributes_of, measure_of
from tests.support.rollup_items import META, measures_of

OF_CALLS = {
    *(f"s.{status}" for status in CALL_STATUSES),
    *chain.from_iterable(
        rule.names
        for group in GROUPS.values()
        if group.record_type == "call"
        for rule in group.rules
    ),
}


def test_every_measure_of_calls_has_an_attribute_of_its_own() -> None:
    attributes = {attribute_of(CALLS, measure): measure for measure in OF_CALLS}
    assert len(attributes) == len(OF_CALLS) > 70
    assert not attributes.keys() & META
    for attribute, measure in attributes.items():
        assert measure_of(attribute) == measure == measure_of(measure)
        assert len(attribute) > 1  # one letter is a breakdown
        assert measures_of({attribute: {"N": "3"}}) == {measure: 3}
    assert max(len(each) for each in attributes) <= len("cost_micros")


def test_what_reads_some_measures_reads_their_earlier_attributes_too() -> None:
    wanted = ("calls", "s.failed", "s.pending")
    assert list(attributes_of(wanted)) == ["calls", "s.failed", "s.fa", "s.pending"]


def test_only_rollups_of_calls_have_short_names() -> None:
    for family in (TASKS, LEADS):
        assert attribute_of(family, "s.completed") == "s.completed"
