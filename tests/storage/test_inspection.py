"""The inspection of stored pages and rollups: damage is described, and repairs are conditional."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import pytest

from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.errors import Conflict
from rollcall.domain.measures import ALL, CALLS, ORG, RollupKey
from rollcall.domain.organisations import Organisation, tenant
from rollcall.ledger.positions import END, FIRST
from rollcall.maintenance.reconcile.inspection import ForeignItem, Misindexed
from rollcall.storage import keys
from rollcall.storage.inspection import EpochInspection
from tests.support.builders import call, lead
from tests.support.erasing import ANALYTICS, BACKOFF, Deployment

DAY = RollupKey(CALLS, ORG, "2024-03-05")
Item = dict[str, Any]


class Bench:
    """A ledger of several pages, its inspection, and raw access to its items."""

    def __init__(self) -> None:
        self.at = Deployment(target_bytes=300)
        self.made: Organisation = self.at.organisation()
        times = [f"2024-03-05T{hour:02d}:00:00Z" for hour in range(24)]
        calls = [
            call(f"{n}", started_at=time, outcome=sha256(b"%d" % n).hexdigest())
            for n, time in enumerate(times)
        ]
        self.at.put(self.made, *calls, lead("7"))
        self.at.drain()
        now: Callable[[], int] = lambda: 1_900_000_000_000  # noqa: E731
        inspection = EpochInspection(
            self.at.client, ANALYTICS, Epoch(self.made.id, 0), now, BACKOFF
        )
        self.inspection, self.index = inspection.buckets[0], inspection.index

    def pages(self) -> list[Item]:
        ledger = keys.ledger(Bucket(Epoch(self.made.id, 0)), "call")
        found = (dict(item) for item in self.at.items(ANALYTICS) if item["PK"]["S"] == ledger)
        return sorted(found, key=lambda item: item["SK"]["S"])

    def rollup(self, key: RollupKey) -> Item:
        wanted = keys.rollup(Bucket(Epoch(self.made.id, 0)), key).attributes()
        return next(dict(i) for i in self.at.items(ANALYTICS) if wanted.items() <= i.items())

    def put(self, item: Item) -> None:
        self.at.client.put_item(TableName=ANALYTICS, Item=item)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    assert len(bench.pages()) > 2
    with tenant(bench.made.id):
        yield bench


def without(item: Item, name: str) -> Item:
    return {n: value for n, value in item.items() if n != name}


def test_whole_pages_have_no_fault_and_tile_their_range(bench: Bench) -> None:
    pages = list(bench.inspection.pages("call", FIRST, END))
    assert [page.fault for page in pages] == [""] * len(bench.pages())
    assert [page.start for page in pages] == [FIRST, *(page.end for page in pages[:-1])]
    assert sum(len(page.rows or ()) for page in pages) == 24
    versions = list(bench.inspection.versions("call", FIRST, END))
    assert versions == [(page.start, page.end, page.version) for page in pages]
    second = pages[1].start
    assert [p.start for p in bench.inspection.pages("call", second, END)] == [
        page.start for page in pages[1:]
    ]
    assert bench.inspection.page_from("call", second) == pages[1]
    assert bench.inspection.page_from("task", FIRST) is None


FAULTS: list[tuple[str, Callable[[Item], Item], bool]] = [
    ("it has no end", lambda item: item | {"end": {"S": "somewhere"}}, False),
    ("it has no end", lambda item: without(item, "end"), False),
    ("CorruptItem", lambda item: without(item, "data"), False),
    ("CorruptItem", lambda item: item | {"data": {"B": item["data"]["B"][:-3]}}, False),
    ("its range does not match", lambda item: item | {"end": item["SK"]}, False),
    ("it has no version", lambda item: without(item, "v"), True),
    ("it has no version", lambda item: item | {"v": {"N": "0"}}, True),
    ("GSI1 does not list it", lambda item: without(item, "GSI1PK"), True),
    ("GSI1 does not list it", lambda item: without(item, "GSI1SK"), True),
    ("'applied_at'", lambda item: without(item, "applied_at"), True),
    ("its number of rows", lambda item: item | {"n": {"N": "99"}}, True),
]


@pytest.mark.parametrize(("fault", "damage", "has_rows"), FAULTS)
def test_the_damage_of_a_page_is_described(
    bench: Bench, fault: str, damage: Callable[[Item], Item], has_rows: bool
) -> None:
    item = bench.pages()[1]
    bench.put(damage(item))
    page = bench.inspection.page_from("call", item["SK"]["S"])
    assert page is not None
    assert fault in page.fault
    assert (page.rows is not None) == has_rows
    others = [p for p in bench.inspection.pages("call", FIRST, END) if p.start != page.start]
    assert {p.fault for p in others} == {""}


def test_rollups_are_seen_with_what_is_wrong_with_them(bench: Bench) -> None:
    item = bench.rollup(DAY)
    (seen,) = bench.inspection.seen([DAY, DAY._replace(bucket="2024-03-06")]).values()
    assert seen.stored is not None
    assert (seen.stored.counts["calls"], seen.is_whole) == (24, True)
    for damaged, has_counts, has_version in (
        (item | {"calls": {"S": "?"}}, False, True),
        (item | {"r": {"BOOL": True}}, False, True),  # no such breakdown of calls
        (item | {"o": {"B": b"\x01?"}}, False, True),
        (without(item, "v"), True, False),
        (without(item, "applied_at"), True, True),
    ):
        bench.put(damaged)
        (seen,) = bench.inspection.seen([DAY]).values()
        assert (seen.stored is not None, seen.version is not None) == (has_counts, has_version)
        assert not seen.is_whole
    bench.put(without(item, "v"))
    (seen,) = bench.inspection.seen([DAY]).values()
    assert seen.stored is not None
    assert seen.stored.breakdowns  # a lost version does not make the item one of an earlier release
    assert not seen.stored.spilled
    assert len(list(bench.inspection.days_of(CALLS, ORG))) == 1


def test_the_index_lists_rollups_by_bucket(bench: Bench) -> None:
    assert set(bench.inspection.rollup_buckets()) == {"2024-03-05"}
    all_time = set(bench.inspection.rollup_keys(ALL))
    assert {key.family for key in all_time} == {"calls", "leads"}
    assert DAY in set(bench.inspection.rollup_keys("2024-03-05"))
    assert list(bench.inspection.rollup_keys("2024-03-06")) == []


def test_kinds_of_misplaced_items_are_distinguished(bench: Bench) -> None:
    assert list(bench.index.strays()) == []
    page, rollup = bench.pages()[1], bench.rollup(DAY)
    listed = {name: page[name] for name in ("GSI1PK", "GSI1SK")}
    prefix = keys.epoch_prefix(bench.made.id, 0)
    bench.put(page | {"GSI1SK": {"S": "ROLLUP#DAY#2024-03-05"}})
    bench.put(rollup | {"GSI1SK": {"S": "ROLLUP#ALL"}})
    bench.put({"PK": {"S": f"{prefix}OTHER#"}, "SK": {"S": "x"}, **listed})
    bench.put({"PK": {"S": keys.epoch_prefix(bench.made.id, 7)}, "SK": {"S": "x"}, **listed})
    found = set(bench.index.strays())
    assert found == {
        Misindexed(page["PK"]["S"], page["SK"]["S"], is_page=True),
        Misindexed(rollup["PK"]["S"], rollup["SK"]["S"], is_page=False),
        ForeignItem(f"{prefix}OTHER#", "x"),
        ForeignItem(keys.epoch_prefix(bench.made.id, 7), "x", is_own=False),
    }
    for item in found:
        if isinstance(item, Misindexed):
            bench.index.relist(item)
        elif item.is_own:
            bench.index.remove(item)
    assert [type(item) for item in bench.index.strays()] == [ForeignItem]
    assert (bench.pages()[1], bench.rollup(DAY)) == (page, rollup)


def test_what_no_longer_exists_is_not_listed_again(bench: Bench) -> None:
    with pytest.raises(Conflict):
        bench.index.relist(
            Misindexed(keys.ledger(Bucket(Epoch(bench.made.id, 0)), "call"), "gone", True)
        )


def test_a_version_is_given_only_where_there_is_none(bench: Bench) -> None:
    page, rollup = bench.pages()[1], bench.rollup(DAY)
    start = page["SK"]["S"]
    with pytest.raises(Conflict):
        bench.inspection.repair_page_version("call", start)
    with pytest.raises(Conflict):
        bench.inspection.repair_rollup_version(DAY._replace(bucket="2024-03-06"))
    for damaged in (without(page, "v"), page | {"v": {"S": "?"}}, page | {"v": {"N": "-1"}}):
        bench.put(damaged)
        bench.inspection.repair_page_version("call", start)
        assert bench.pages()[1] == page | {"v": {"N": "1900000000000"}}
    bench.put(without(rollup, "v"))
    bench.inspection.repair_rollup_version(DAY)
    assert bench.rollup(DAY) == rollup | {"v": {"N": "1900000000000"}}


def test_a_page_is_removed_only_as_it_was_read(bench: Bench) -> None:
    item = bench.pages()[1]
    page = bench.inspection.page_from("call", item["SK"]["S"])
    assert page is not None
    bench.put(item | {"v": {"N": "77"}})
    with pytest.raises(Conflict):
        bench.inspection.remove_page("call", page)
    bench.put(item)
    bench.inspection.remove_page("call", page)
    assert item not in bench.pages()
