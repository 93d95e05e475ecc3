"""Writes of rollups against a model of the store, and spills at their limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.measures import RollupKey, breakdown_of
from rollcall.ledger import transaction
from rollcall.ledger.page import Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.transaction import (
    MAX_ITEMS,
    OPEN_LIMIT_BYTES,
    PageWrite,
    RollupAdd,
    RollupDelete,
    RollupPut,
    RollupWrite,
    StoredRollup,
    Transaction,
    count_bytes,
    put_rollup,
    write_rollup,
)
from rollcall.ledger.tree import EncodedPage

OPEN = RollupKey("calls", ("ORG",), "2026-01-01", True)
CLOSED = OPEN._replace(is_open=False)

names = st.builds(
    lambda breakdown, value: f"{breakdown}={value}",
    st.sampled_from("top"),
    st.sampled_from("abcdé"),
)
counts = st.dictionaries(names, st.integers(1, 4), max_size=8)


def stored_rollups(key: RollupKey) -> st.SearchStrategy[StoredRollup]:
    """Rollups as they are stored: without zeros, and without counts of what is spilled."""
    spills = (
        st.frozensets(st.sampled_from("top"), max_size=2) if key.is_open else st.just(frozenset())
    )

    def build(counts: dict[str, int], spilled: frozenset[str], version: int) -> StoredRollup:
        kept = {name: n for name, n in counts.items() if breakdown_of(name) not in spilled}
        return StoredRollup(kept, spilled, version)

    return st.just(StoredRollup()) | st.builds(build, counts, spills, st.integers(1, 99))


def after(write: RollupWrite, stored: StoredRollup) -> StoredRollup:
    """What a store that holds `stored` has after the write; asserts that the conditions hold."""
    match write:
        case RollupDelete():
            assert write.version_read == stored.version
            return StoredRollup()
        case RollupPut():
            assert write.version_read == stored.version
            return StoredRollup(write.counts, write.spilled, stored.version + 1)
    assert not stored.spilled & set(write.unspilled)
    assert set(write.spilled) <= stored.spilled
    assert all(stored.counts.get(name) == count for name, count in write.gone.items())
    assert all(stored.counts.get(name, 0) > count for name, count in write.staying.items())
    return stored.after(write)


def expected(stored: StoredRollup, delta: Mapping[str, int]) -> dict[str, int]:
    """The sum of what was stored and what is added, without zeros and without spilled counts."""
    total = {n: stored.counts.get(n, 0) + delta.get(n, 0) for n in {**stored.counts, **delta}}
    return {n: c for n, c in total.items() if c and breakdown_of(n) not in stored.spilled}


@pytest.mark.property
@given(st.data(), st.sampled_from([OPEN, CLOSED]))
def test_a_write_leaves_the_sum_and_no_name_whose_count_is_zero(
    data: st.DataObject, key: RollupKey
) -> None:
    stored = data.draw(stored_rollups(key))
    # What the rows of the page that is replaced contributed is in the rollup.
    removed = {name: -data.draw(st.integers(0, count)) for name, count in stored.counts.items()}
    added = data.draw(counts)
    delta = {n: removed.get(n, 0) + added.get(n, 0) for n in {**removed, **added}}
    delta = {name: amount for name, amount in delta.items() if amount}
    if not delta:
        return
    write = write_rollup(key, delta, stored)
    found = after(write, stored)
    assert found.counts == expected(stored, delta)
    assert found.spilled == stored.spilled
    if isinstance(write, RollupDelete):
        assert not expected(stored, delta)
    if not found.counts and stored.version and not stored.spilled:
        assert isinstance(write, RollupDelete)


@pytest.mark.property
@given(st.data(), st.sampled_from([OPEN, CLOSED]))
def test_of_two_writers_that_read_the_same_the_second_is_refused_if_it_would_empty_a_count(
    data: st.DataObject, key: RollupKey
) -> None:
    """Each condition names what it read; otherwise a count of zero would keep its name."""
    name = data.draw(names)
    count = data.draw(st.integers(2, 4))
    stored = StoredRollup({name: count, "s.busy": 9}, version=3)
    write = write_rollup(key, {name: -1}, stored)
    assert isinstance(write, RollupAdd)
    emptied_meanwhile = replace(stored, counts={**stored.counts, name: 1})
    with pytest.raises(AssertionError):
        after(write, emptied_meanwhile)


def test_a_write_with_too_many_conditions_replaces_the_rollup() -> None:
    many = {f"t={n}": 2 for n in range(50)}
    put = write_rollup(OPEN, dict.fromkeys(many, -1), StoredRollup(many, version=4))
    assert isinstance(put, RollupPut)
    assert (put.counts, put.version_read) == (dict.fromkeys(many, 1), 4)


def test_a_put_of_a_closed_rollup_spills_nothing() -> None:
    counts = {f"d.{n}": n for n in range(20_000)}
    put = put_rollup(CLOSED, counts, StoredRollup(version=2))
    assert put == RollupPut(CLOSED, {n: c for n, c in counts.items() if c}, frozenset(), 2)


def test_counts_that_went_back_to_zero_give_way_before_a_breakdown_spills() -> None:
    key = RollupKey("calls", ("ORG",), "2026-01-01", True)
    zeros = {f"t={n}": 0 for n in range(OPEN_LIMIT_BYTES // 6)}
    put = write_rollup(key, {"t=x": 1, "o=y": 1}, StoredRollup({**zeros, "o=y": 4}, version=9))
    assert isinstance(put, RollupPut)
    assert put.counts == {"o=y": 5, "t=x": 1}
    assert put.spilled == frozenset()
    assert put.version_read == 9


@pytest.mark.property
@given(
    st.dictionaries(names, st.integers(0, 10**9), max_size=15),
    st.frozensets(st.sampled_from("top"), max_size=2),
    st.integers(0, 120),
)
def test_the_largest_breakdowns_spill_until_the_rest_fits(
    counts: dict[str, int], spilled: frozenset[str], limit: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction, "OPEN_LIMIT_BYTES", transaction._OPEN_OVERHEAD_BYTES + limit)
        put = put_rollup(OPEN, counts, StoredRollup(spilled=spilled, version=7))
    sizes = dict.fromkeys("top", 0)
    for name, count in counts.items():
        if count and breakdown_of(name) not in spilled:
            sizes[breakdown_of(name)] += count_bytes(name, count)
    # A breakdown that spilled stays spilled; the others are whole or spilled.
    assert spilled <= put.spilled
    assert put.counts == {
        name: count
        for name, count in counts.items()
        if count and breakdown_of(name) not in put.spilled
    }
    new = put.spilled - spilled
    kept = set("top") - put.spilled
    assert sum(sizes[each] for each in kept) <= limit
    assert all(sizes[gone] >= sizes[each] for gone in new for each in kept)
    if new:  # without the smallest of them, the rest did not fit
        assert sum(sizes[each] for each in kept) + min(sizes[gone] for gone in new) > limit


# ------------------------------------------------------------------ the limits of a transaction
def add(number: int, names: int = 1) -> RollupAdd:
    key = CLOSED._replace(bucket=f"{number}")
    return RollupAdd(key, {f"o={'x' * 250}{n}": 1 for n in range(names)})


def page(size: int) -> PageWrite:
    return PageWrite("call", EncodedPage(FIRST, END, Rows.empty("call"), b"x" * size), 0)


def test_a_transaction_has_as_many_items_as_dynamodb_allows() -> None:
    full = Transaction.of([page(9)], [add(number) for number in range(MAX_ITEMS - 1)])
    assert (full.item_count, full.fits) == (MAX_ITEMS, True)
    more = [add(number) for number in range(MAX_ITEMS - 1)]
    for write in (RollupPut(OPEN, {}, frozenset(), 1), RollupDelete(OPEN, 1), add(MAX_ITEMS)):
        assert not Transaction.of([page(9)], [*more, write]).fits


def test_a_transaction_has_as_many_bytes_as_dynamodb_allows() -> None:
    """Items of every kind count, with their keys, up to 4 MB."""
    assert Transaction.of([page(350 * 1024)] * 10, []).fits
    assert not Transaction.of([page(350 * 1024)] * 11, []).fits
    puts = [RollupPut(OPEN, {}, frozenset(), 1)] * 96
    assert Transaction.of([], puts).fits
    assert not Transaction.of([page(350 * 1024)] * 2, puts).fits
    adds = [add(number, 180) for number in range(60)]
    assert Transaction.of([], adds).fits
    assert not Transaction.of([], [add(number, 180) for number in range(90)]).fits


def test_a_written_page_has_the_next_version() -> None:
    write = replace(page(3), version_read=4)
    assert (write.version, write.written.version) == (5, 5)
    assert (write.written.start, write.written.end) == (FIRST, END)


def test_the_bytes_of_a_count_are_those_of_its_name_and_number() -> None:
    # As DynamoDB counts: the name in UTF-8, and a byte per two digits with one or two beside them.
    assert count_bytes("o=é", 0) == 4 + 3
    assert count_bytes("o", 12_345) - count_bytes("o", 1) == 2
    assert OPEN_LIMIT_BYTES < 400 * 1024
