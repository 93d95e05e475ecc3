"""An invocation: its id, and what it counts."""

from __future__ import annotations

import pytest

from rollcall.invocation import Metric, correlation_id, count, invocation


def test_what_is_counted_belongs_to_the_innermost_invocation() -> None:
    with invocation("outer") as outer:
        count(Metric.DRIFT, 2)
        with invocation("inner") as inner:
            assert correlation_id() == "inner"
            count(Metric.DRIFT, 5)
        assert correlation_id() == "outer"
        count(Metric.DRIFT, 1)
        count(Metric.FRESHNESS, 0)  # reported as 0
    assert (outer, inner) == ({Metric.DRIFT: 3, Metric.FRESHNESS: 0}, {Metric.DRIFT: 5})


def test_outside_of_an_invocation_there_is_no_id_and_counting_has_no_effect() -> None:
    assert correlation_id() is None
    count(Metric.DRIFT, 1)
    with invocation("next") as counted:
        pass
    assert counted == {}


def fail() -> None:
    with invocation("failing"):
        count(Metric.DRIFT, 1)
        raise ZeroDivisionError


def test_an_invocation_ends_with_its_error() -> None:
    with pytest.raises(ZeroDivisionError):
        fail()
    assert correlation_id() is None


def test_all_metrics_are_counts_but_freshness() -> None:
    assert {metric.name for metric in Metric if metric.unit != "Count"} == {"FRESHNESS"}
    assert Metric.FRESHNESS.unit == "Seconds"
    names = [metric.value for metric in Metric]
    assert all(name.isalpha() and name[0].isupper() for name in names)
