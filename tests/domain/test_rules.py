"""Kinds of rules, each against a count of its own over some records."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.rules import (
    CountBands,
    CountEach,
    CountHours,
    CountOpen,
    CountRecords,
    CountValues,
    Extremes,
    Rule,
    Sum,
    SumEach,
    open_name,
)

HOUR_MS = 3_600_000
records = st.lists(
    st.builds(
        SimpleNamespace,
        number=st.none() | st.integers(3, 60),
        text=st.none() | st.sampled_from("abc"),
        flag=st.none() | st.booleans(),
        texts=st.sets(st.sampled_from("abc")).map(tuple),
        counts=st.dictionaries(st.sampled_from("ab"), st.integers(1, 9)),
        at_ms=st.integers(0, 100 * HOUR_MS),
    ),
    max_size=8,
)
where = (("text", "a"), ("flag", True))


def counted(rule: Rule, records: list[Any]) -> dict[str, int]:
    """What a rule adds for some records; no count is zero."""
    total: Counter[str] = Counter()
    for record in records:
        measures: dict[str, int] = {}
        rule.add(record, measures)
        total.update(measures)
    if rule.names:
        assert total.keys() <= set(rule.names)
    return {name: count for name, count in total.items() if count}


def brute_force(records: list[Any], name_of: Any, amount: Any = lambda _record: 1) -> Any:
    """Amounts by name; a record whose name is None is left out."""
    total: Counter[str] = Counter()
    for record in records:
        name = name_of(record)
        if name is not None:
            total[name] += amount(record)
    return {name: count for name, count in total.items() if count}


def fits(record: Any) -> bool:
    return record.text == "a" and record.flag is True


@given(records)
def test_records_are_counted_by_their_values(records: list[Any]) -> None:
    assert counted(CountRecords("n"), records) == brute_force(records, lambda _: "n")
    has_number = CountRecords("n", "number")
    expected = brute_force(records, lambda r: None if r.number is None else "n")
    assert counted(has_number, records) == expected
    both = CountRecords("n", "number", where)
    expected = brute_force(records, lambda r: "n" if r.number is not None and fits(r) else None)
    assert counted(both, records) == expected


@given(records)
def test_numbers_are_summed_without_nulls(records: list[Any]) -> None:
    numbers = [record.number for record in records if record.number is not None]
    assert counted(Sum("s", "number"), records) == ({"s": sum(numbers)} if numbers else {})


@given(records)
def test_counts_are_summed_by_their_key(records: list[Any]) -> None:
    total: Counter[str] = Counter()
    for record in records:
        total.update({f"x.{key}": count for key, count in record.counts.items()})
    assert counted(SumEach("x.", "counts", ("a", "b")), records) == total


@given(records)
def test_values_are_counted_without_nulls(records: list[Any]) -> None:
    rule = CountValues("v.", "text", ("a", "b", "c"))
    expected = brute_force(records, lambda r: None if r.text is None else f"v.{r.text}")
    assert counted(rule, records) == expected


@given(records, st.integers(1, 20), st.integers(1, 6))
def test_a_band_has_its_width_and_the_last_one_no_end(
    records: list[Any], width: int, count: int
) -> None:
    first = 3 // width
    rule = CountBands("number", tuple(f"b{n}" for n in range(count)), width, first)

    def band(record: Any) -> str | None:
        for number in range(count):
            end = (first + number + 1) * width
            if record.number is not None and (record.number < end or number == count - 1):
                return f"b{number}"
        return None

    assert counted(rule, records) == brute_force(records, band)
    some = CountBands("number", rule.bands, width, first, where)
    assert counted(some, records) == brute_force([r for r in records if fits(r)], band)


@given(records)
def test_hours_are_those_of_utc(records: list[Any]) -> None:
    rule = CountHours("at_ms", tuple(f"h{hour}" for hour in range(24)))
    expected = brute_force(records, lambda r: f"h{r.at_ms // HOUR_MS % 24}")
    assert counted(rule, records) == expected


@given(records)
def test_an_open_breakdown_counts_null_unless_it_is_restricted(records: list[Any]) -> None:
    expected = brute_force(records, lambda r: open_name("o", r.text))
    assert counted(CountOpen("o", "text"), records) == expected
    restricted = CountOpen("o", "text", (("flag", True),))
    expected = brute_force(
        records, lambda r: None if r.text is None or r.flag is not True else f"o={r.text}"
    )
    assert counted(restricted, records) == expected


@given(records)
def test_every_entry_is_counted(records: list[Any]) -> None:
    expected = Counter(f"l={text}" for record in records for text in record.texts)
    assert counted(CountEach("l", "texts"), records) == expected


@given(records)
def test_extremes_are_kept_as_a_histogram(records: list[Any]) -> None:
    expected = brute_force(records, lambda r: None if r.number is None else f"t={r.number}")
    assert counted(Extremes("t", "number"), records) == expected


@pytest.mark.parametrize(
    "rule", [CountOpen("o", "text"), CountEach("l", "texts"), Extremes("t", "number")]
)
def test_an_open_breakdown_has_no_closed_measures(rule: Rule) -> None:
    assert rule.names == ()


@given(st.lists(st.none() | st.text(max_size=4), unique=True))
def test_no_two_values_share_a_name(values: list[str | None]) -> None:
    assert len({open_name("o", value) for value in values}) == len(values)
