"""Merging changes no row and no rollup, while records are written, erased and merged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.contributions import (
    CURRENT_VERSION,
    ContributionFunction,
    contribution_function,
)
from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.errors import Conflict, CorruptItem, Unavailable
from rollcall.domain.organisations import Organisation, tenant
from rollcall.domain.time.periods import EVER
from rollcall.ledger.apply import Applier
from rollcall.ledger.page import Row
from rollcall.ledger.warm import WarmWriters
from rollcall.ledger.writer import ApplyFacts, fold
from rollcall.maintenance.merge_pages import MergePages
from rollcall.query.metering import ReadMeter
from rollcall.settings import settings
from rollcall.storage.ledger_reader import LedgerReader
from rollcall.storage.page_scan import PageScan
from rollcall.storage.pages import PageStore
from rollcall.storage.row_revisions import RowRevisions
from tests.support.builders import call
from tests.support.cases import cases
from tests.support.erasing import ANALYTICS, BACKOFF, Deployment

pytestmark = pytest.mark.property


def minute(number: int) -> str:
    return f"2024-03-{1 + number // 1_440:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00Z"


def calls(numbers: Any, **values: Any) -> list[dict[str, Any]]:
    """Calls that compress badly, so that few of them fill a page."""
    return [
        call(
            f"call-{n}",
            started_at=minute(n),
            lead_id=f"lead-{n % 7}",
            **{"outcome": sha256(b"%d" % n).hexdigest()} | values,
        )
        for n in numbers
    ]


def filled(count: int = 90) -> tuple[Deployment, Organisation]:
    at = Deployment(target_bytes=500)
    organisation = at.organisation()
    at.put(organisation, *calls(range(count)))
    at.drain()
    return at, organisation


def rows(at: Deployment, organisation: Organisation) -> list[Row]:
    scan = PageScan(at.client, ANALYTICS, BACKOFF)
    with tenant(organisation.id):
        found = [row for page in scan.pages(Epoch(organisation.id, 0), "call") for row in page.rows]
    return sorted(found, key=lambda row: row.position)


def items(at: Deployment, partition: str) -> list[dict[str, Any]]:
    return [dict(item) for item in at.items(ANALYTICS) if f"#{partition}#" in item["PK"]["S"]]


def segments(at: Deployment) -> list[dict[str, Any]]:
    found = [item for item in items(at, "LEDGER") if "segment" in item]
    return sorted(found, key=lambda item: item["SK"]["S"])


def incompressible(dice: Random, count: int) -> str:
    return "".join(map(chr, dice.choices(range(0x4E00, 0x9FFF), k=count)))


def size(item: dict[str, Any]) -> int:
    return sum(len(value.get("B", b"")) for value in item.values())


def check_tiles(at: Deployment) -> None:
    """Every position is covered once, and every segment has its identities, and nothing else has."""
    stored = sorted(items(at, "LEDGER"), key=lambda item: item["SK"]["S"])
    starts = [item["SK"]["S"] for item in stored]
    assert starts[1:] == [item["end"]["S"] for item in stored[:-1]]
    beside = {item["SK"]["S"]: item["v"] for item in items(at, "IDENTITIES")}
    assert beside == {item["SK"]["S"]: item["v"] for item in segments(at)}


def test_merging_changes_no_row_and_no_rollup() -> None:
    at, organisation = filled()
    before = rows(at, organisation), at.rollups()
    pages = len(items(at, "LEDGER"))
    merged = at.merge(organisation)
    assert merged.segments > 1
    assert merged.pages > 2 * merged.segments
    assert len(items(at, "LEDGER")) == pages - merged.pages + merged.segments
    assert (rows(at, organisation), at.rollups()) == before
    check_tiles(at)
    assert at.merge(organisation).segments == 0


def test_a_late_change_splits_its_segment_alone_and_changes_the_rollups() -> None:
    at, organisation = filled()
    at.merge(organisation)
    first, *others = segments(at)
    change = calls([2], outcome="late")
    at.put(organisation, *change)
    at.drain()
    check_tiles(at)
    assert segments(at) == others
    plain, plain_organisation = filled()
    plain.put(plain_organisation, *change)
    plain.drain()
    assert at.rollups() == plain.rollups()
    assert [row.record for row in rows(at, organisation)] == [
        row.record for row in rows(plain, plain_organisation)
    ]
    assert at.merge(organisation).segments >= 1
    check_tiles(at)
    assert at.rollups() == plain.rollups()
    assert first["SK"] in [item["SK"] for item in segments(at)]


def test_a_record_that_is_delivered_again_leaves_a_segment_alone() -> None:
    at, organisation = filled()
    at.merge(organisation)
    before = list(at.items(ANALYTICS))
    with tenant(organisation.id):
        listed = [f for page in at.facts.listed(organisation.id, 0, "call") for f in page.facts]
    at.apply_facts(organisation, listed)
    assert list(at.items(ANALYTICS)) == before


def test_an_erasure_leaves_no_byte_in_a_segment() -> None:
    at, organisation = filled()
    at.merge(organisation)
    assert b"lead-3" in at.bytes_of(ANALYTICS)
    at.erase(organisation.handle, "lead-3")
    at.drain()
    assert b"lead-3" not in at.bytes_of(ANALYTICS)
    check_tiles(at)
    at.merge(organisation)
    assert b"lead-3" not in at.bytes_of(ANALYTICS)
    assert sum(row.record is None for row in rows(at, organisation)) == len(range(3, 90, 7))


@pytest.mark.parametrize(
    ("columns", "can_match", "batches"),
    [({"rev"}, True, 1), ({"rev"}, False, 0), ({"lead_id"}, True, 0), (None, True, 1)],
)
def test_identities_are_read_at_once_and_only_where_they_are_needed(
    columns: set[str] | None, can_match: bool, batches: int
) -> None:
    at, organisation = filled()
    at.merge(organisation)
    get, asked = at.client.batch_get_item, []

    def counted(**request: Any) -> Any:
        asked.append(request["RequestItems"][ANALYTICS])
        return get(**request)

    with (
        ThreadPoolExecutor(1) as executor,
        tenant(organisation.id),
        patch.object(at.client, "batch_get_item", counted),
    ):
        reader = LedgerReader(at.client, ANALYTICS, executor, 1, BACKOFF)
        read = list(
            reader.pages(
                Epoch(organisation.id, 0),
                "call",
                [EVER],
                ReadMeter(),
                columns,
                lambda *_: can_match,
            )
        )
    assert len(asked) == 2 * batches  # what covers the start of a period is read on its own
    assert sum(len(each["Keys"]) for each in asked) == batches * len(segments(at))
    assert not any(each["ConsistentRead"] for each in asked)
    assert sum(each.can_match for each in read) == (
        len(read) if can_match else len(read) - len(segments(at))
    )


def test_deleting_an_organisation_leaves_no_segment() -> None:
    at, organisation = filled()
    at.merge(organisation)
    with tenant(organisation.id):
        for _ in at.purge.remove_epoch(organisation.id, 0):
            pass
    assert list(at.items(ANALYTICS)) == []


def test_the_revision_of_a_row_is_found_in_a_segment() -> None:
    at, organisation = filled()
    at.merge(organisation)
    stored = rows(at, organisation)
    revisions = RowRevisions(at.client, ANALYTICS, BACKOFF)
    with tenant(organisation.id):
        for row in (stored[0], stored[40]):
            found = revisions.revision(Epoch(organisation.id, 0), "call", row.position, row.id)
            assert found == row.rev
            assert revisions.revision(Epoch(organisation.id, 0), "call", row.position, "other") == 0


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(st.integers(0, 400), min_size=1, max_size=30)),
        st.tuples(st.just("move"), st.integers(0, 400)),
        st.tuples(st.just("merge"), st.sampled_from([800, 1_500, 4_000])),
    ),
    min_size=4,
    max_size=25,
)


@pytest.mark.slow
@cases(60)
@given(steps=steps)
def test_a_ledger_that_is_merged_equals_one_that_never_is(steps: list[tuple[str, Any]]) -> None:
    merged, plain = Deployment(target_bytes=400), Deployment(target_bytes=400)
    of_merged, of_plain = merged.organisation(), plain.organisation()
    for number, (step, value) in enumerate(steps):
        updated = {"template_id": f"step {number}"}
        if step == "merge":
            merged.merge(of_merged, value)
            check_tiles(merged)
            continue
        changed = calls(value, **updated) if step == "put" else calls([value], **updated)
        if step == "move":
            changed[0]["started_at"] = minute(value + 600)
        for at, organisation in ((merged, of_merged), (plain, of_plain)):
            at.put(organisation, *{record["id"]: record for record in changed}.values())
            at.drain()
    assert merged.rollups() == plain.rollups()
    assert [(row.id, row.record) for row in rows(merged, of_merged)] == [
        (row.id, row.record) for row in rows(plain, of_plain)
    ]


@pytest.mark.parametrize("damage", ["missing", "other version", "unknown format", "damaged"])
def test_a_damaged_sibling_is_an_error_that_names_the_segment(damage: str) -> None:
    at, organisation = filled()
    at.merge(organisation)
    segment = segments(at)[1]
    (beside,) = (item for item in items(at, "IDENTITIES") if item["SK"] == segment["SK"])
    key = {name: beside[name] for name in ("PK", "SK")}
    with tenant(organisation.id):
        if damage == "missing":
            at.client.delete_item(TableName=ANALYTICS, Key=key)
        else:
            changed = {
                "other version": {"v": {"N": "999"}},
                "unknown format": {"segment": {"N": "2"}},
                "damaged": {"c.id": {"B": b"\x00" + beside["c.id"]["B"][1:]}},
            }[damage]
            at.client.put_item(TableName=ANALYTICS, Item=beside | changed)
    with pytest.raises(CorruptItem) as raised:
        rows(at, organisation)
    assert segment["SK"]["S"] in str(raised.value)


def test_a_page_that_changes_meanwhile_is_not_merged() -> None:
    at, organisation = filled()
    before = list(at.items(ANALYTICS))

    def busy(**_: Any) -> None:
        raise Conflict("another writer")

    with patch.object(at.client, "transact_write_items", busy):
        merged = at.merge(organisation)
    assert merged.segments == 0
    assert merged.changed > 0
    assert list(at.items(ANALYTICS)) == before


def test_a_change_between_the_read_and_the_merge_is_kept() -> None:
    at, organisation = filled()
    write, raced = at.client.transact_write_items, []

    def race(**asked: Any) -> Any:
        is_merge = any(
            "segment" in action.get("Put", {}).get("Item", {}) for action in asked["TransactItems"]
        )
        if is_merge and not raced:
            raced.append(True)
            at.put(organisation, *calls([2, 40, 70], outcome="late"))
            at.drain()
        return write(**asked)

    with patch.object(at.client, "transact_write_items", race):
        merged = at.merge(organisation)
    assert merged.changed > 0
    at.merge(organisation)
    check_tiles(at)
    found = [row.record for row in rows(at, organisation) if row.id in ("call-2", "call-40")]
    plain, plain_organisation = filled()
    plain.put(plain_organisation, *calls([2, 40, 70], outcome="late"))
    plain.drain()
    assert at.rollups() == plain.rollups()
    assert [record.outcome for record in found if record] == [
        row.record.outcome
        for row in rows(plain, plain_organisation)
        if row.id in ("call-2", "call-40") and row.record
    ]


def test_a_writer_that_read_a_page_before_it_was_merged_and_split_again_fails() -> None:
    """What covers a position never has a version again: a stale write meets no page as it was."""
    at, organisation = filled()
    stale = [item for item in items(at, "LEDGER") if item["end"]["S"] != "~"]
    for _ in range(3):
        assert at.merge(organisation).segments
        at.put(organisation, *calls([1, 30, 60, 80], outcome=f"{_}"))
        at.drain()
    now = {item["SK"]["S"]: item for item in items(at, "LEDGER")}
    begin_again = [old for old in stale if old["SK"]["S"] in now]
    assert len(begin_again) > 2
    for old in begin_again:
        new = now[old["SK"]["S"]]
        assert new == old or int(new["v"]["N"]) > int(old["v"]["N"])


def warm_writer(at: Deployment) -> WarmWriters:
    def applier(bucket: Bucket, contribute: ContributionFunction) -> Applier:
        pages = PageStore(at.client, ANALYTICS, bucket, at.now_ms, BACKOFF)
        return Applier(pages, contribute, target_bytes=500, backoff=BACKOFF)

    return WarmWriters(applier)


def all_facts(at: Deployment, organisation: Organisation) -> list[Any]:
    with tenant(organisation.id):
        found = [
            fact
            for bucket in range(organisation.buckets)
            for each in at.facts.listed(organisation.id, bucket, "call")
            for fact in each.facts
        ]
    return sorted(found, key=lambda fact: int(fact.id.removeprefix("call-")))


@pytest.mark.representatives(4)
@pytest.mark.parametrize(
    ("late", "again"), [([2], []), ([41], []), ([2, 9], [8]), ([2, 9, 30], [0, 8, 29]), ([8], [2])]
)
@pytest.mark.parametrize("meanwhile", ["merge", "merge change", "merge change merge"])
def test_a_writer_that_keeps_pages_while_they_are_merged_writes_as_any_other(
    late: list[int], again: list[int], meanwhile: str
) -> None:
    """It has pages from before, and reads the segment for a row that was delivered `again`.

    No rollup counts what changes of call 41, so only the version of its page shows what was written.
    """
    at, organisation = filled()
    apply = ApplyFacts(warm_writer(at))
    with tenant(organisation.id):
        apply(organisation, all_facts(at, organisation))
        at.put(organisation, *calls([2, 5, 8, 30, 60, 80, 88], outcome="kept"))
        apply(organisation, all_facts(at, organisation))
    for step in meanwhile.split():
        if step == "merge":
            assert at.merge(organisation).segments
        else:  # pages begin again where they were
            at.put(organisation, *calls([1, 40], outcome="between"))
            at.drain()
    at.put(organisation, *calls(late, payload={"late": True}))
    delivered = {f"call-{number}" for number in (*late, *again)}
    with tenant(organisation.id):
        apply(organisation, [f for f in all_facts(at, organisation) if f.id in delivered])
    check_tiles(at)
    found = rows(at, organisation), at.rollups()
    plain = Deployment(target_bytes=500)
    of_plain = plain.organisation()
    plain.put(of_plain, *calls(range(90)))
    plain.put(of_plain, *calls([2, 5, 8, 30, 60, 80, 88], outcome="kept"))
    if "change" in meanwhile:
        plain.put(of_plain, *calls([1, 40], outcome="between"))
    plain.put(of_plain, *calls(late, payload={"late": True}))
    plain.drain()
    assert found[1] == plain.rollups()
    assert [(row.id, row.record) for row in found[0]] == [
        (row.id, row.record) for row in rows(plain, of_plain)
    ]


def test_each_segment_that_a_change_splits_is_counted() -> None:
    at, organisation = filled()
    at.merge(organisation)
    split: list[int] = []
    pages = PageStore(at.client, ANALYTICS, Bucket(Epoch(organisation.id, 0)), at.now_ms, BACKOFF)
    applier = Applier(
        pages, contribution_function(CURRENT_VERSION), target_bytes=500, on_split=split.append
    )
    before = len(segments(at))
    at.put(organisation, *calls([2, 3, 30, 89], outcome="late"))
    with tenant(organisation.id):
        applier.apply(fold(all_facts(at, organisation)))
    assert sum(split) == before - len(segments(at)) == 2


def test_a_record_in_sixteen_segments_is_written_in_one_transaction() -> None:
    """A record has at most 16 times, each perhaps in another full segment."""
    at = Deployment(target_bytes=settings.page_target_bytes)
    organisation = at.organisation()
    dice = Random(31)
    for day in range(1, 18):
        for hour in range(7, 17):
            payload = {f"k{n}": incompressible(dice, 256) for n in range(32)}  # some 14 KB
            started_at = f"2024-03-{day:02d}T{hour:02d}:00:00Z"
            at.put(organisation, call(f"{day}-{hour}", started_at=started_at, payload=payload))
    at.drain()
    at.merge(organisation, settings.segment_bytes)
    stored = segments(at)
    assert min(map(size, stored)) > 0.8 * settings.segment_bytes
    for day in range(1, 17):
        at.put(organisation, call("mover", started_at=f"2024-03-{day:02d}T12:25:30Z"))
    at.drain()
    assert at.quarantine.kept == []
    assert len(stored) - len(segments(at)) == 16
    check_tiles(at)
    assert [row.record is None for row in rows(at, organisation) if row.id == "mover"] == [
        *[True] * 15,
        False,
    ]


def test_a_damaged_page_is_left_alone_and_reported() -> None:
    at, organisation = filled()
    page = items(at, "LEDGER")[3]
    with tenant(organisation.id):
        at.client.put_item(TableName=ANALYTICS, Item=page | {"data": {"B": b"\x09"}})
    merging = merging_of(at)
    merged = merging.organisation(organisation)
    assert page["SK"]["S"] in str(merged.error)
    assert merged.segments >= 1
    assert {item["SK"]["S"]: item for item in items(at, "LEDGER")}[page["SK"]["S"]]["data"]


def merging_of(at: Deployment) -> MergePages:
    return MergePages(at.directory, at.merges, at.now_ms, cold_after_hours=0, segment_bytes=2_000)


def test_what_no_time_is_left_for_is_merged_by_the_next_run() -> None:
    at, organisation = filled()
    before = rows(at, organisation)
    with patch("rollcall.maintenance.merge_pages.seconds_left", lambda: 1.0):
        (merged,) = merging_of(at)()
    assert (merged.segments, merged.is_finished, merged.error) == (0, False, None)
    seconds = iter([10.0, 10.0, 10.0] + [0.0] * 99)
    with patch("rollcall.maintenance.merge_pages.seconds_left", lambda: next(seconds)):
        (merged,) = merging_of(at)()
    assert (merged.segments, merged.is_finished) == (2, False)
    (merged,) = merging_of(at)()
    assert merged.is_finished
    assert merged.segments > 0
    assert rows(at, organisation) == before


def test_a_failure_of_one_organisation_does_not_prevent_the_others() -> None:
    at, _ = filled()
    other = at.organisation("zebra")
    at.put(other, *calls(range(90)))
    at.drain()
    starts = at.merges.starts

    def failing(bucket: Bucket) -> Any:
        if bucket.epoch.org_id != other.id:
            raise Unavailable("busy")
        return starts(bucket)

    with patch.object(at.merges, "starts", failing):
        found = {merged.org_id: merged for merged in merging_of(at)()}
    assert found[other.id].segments > 0
    assert [type(merged.error) for merged in found.values() if merged.org_id != other.id] == [
        Unavailable
    ]
