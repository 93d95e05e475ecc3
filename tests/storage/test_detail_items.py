"""The item of a detail: whole, or damaged; and never without its fact."""

from __future__ import annotations

import contextlib
import itertools
import time
import uuid
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import example, given
from hypothesis import strategies as st

from rollcall.api import strict_json
from rollcall.domain.errors import CorruptItem, RefusedChange, Unavailable
from rollcall.domain.facts import Change, Fact, Outcome, detail_hash, hash_of_detail
from rollcall.domain.organisations import tenant
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff, time_limit
from rollcall.storage import keys
from rollcall.storage.detail_items import detail_of_item, item_of_detail
from rollcall.storage.facts import FactStore
from rollcall_cli.local.project import find_template
from rollcall_cli.local.template import load_template
from tests.support.builders import OMIT, call, deletion
from tests.support.emulator.client import MemoryClient
from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.parsing import parsed

TABLE = "rollcall-records"
KEY = keys.fact("org#1", "call", "c#1", 1)
BACKOFF = Backoff(tries=40, first_seconds=0.001, max_seconds=0.01)


def now_us() -> int:
    return time.time_ns() // 1_000


def change(detail: dict[str, Any] | None, **fields: Any) -> Change:
    return parsed(call("c#1", **fields, **({} if detail is None else {"detail": detail})))


class Stored:
    """One call of an organisation of its own, and its detail."""

    def __init__(self, client: Any, backoff: Backoff = BACKOFF) -> None:
        self.client = client
        self.org_id = f"org#{uuid.uuid4()}"
        self.store = FactStore(client, TABLE, now_us, backoff)

    def write(self, wanted: Change, stored: Fact | None = None) -> Outcome:
        with tenant(self.org_id), time_limit(600):
            return self.store.write(self.org_id, 1, stored, wanted)[0]

    def fact(self) -> Fact | None:
        with tenant(self.org_id):
            return self.store.read(self.org_id, 1, [("call", "c#1")]).get(("call", "c#1"))

    def detail(self) -> dict[str, Any] | None:
        """The stored detail, which is there exactly if the fact names it."""
        fact = self.fact()
        with tenant(self.org_id):
            found = self.client.get_item(
                TableName=TABLE,
                Key=keys.detail(keys.fact(self.org_id, "call", "c#1", 1)).attributes(),
                ConsistentRead=True,
            )
            assert ("Item" in found) == (hash_of_detail(fact) is not None)
            if fact is None or "Item" not in found:
                return None
            detail = self.store.detail(self.org_id, 1, fact, ReadMeter())
        assert detail is not None
        return detail


# ------------------------------------------------------------------ items

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
details = st.fixed_dictionaries(
    {"summary": texts},
    optional={
        "transcript": st.lists(
            st.fixed_dictionaries({"role": texts, "text": texts}), min_size=1, max_size=3
        ),
        "recording_url": st.just("https://recordings.example/1"),
        "from_number": texts,
    },
)


@pytest.mark.property
@given(details)
def test_any_detail_is_read_as_it_was_stored(detail: dict[str, Any]) -> None:
    text = change(detail).detail
    assert text is not None
    assert detail_of_item(item_of_detail(KEY, text)) == (detail_hash(text), detail)


def test_numbers_keep_their_digits() -> None:
    text = '{"transcript":[{"role":"a","text":"b","at_seconds":1.230}]}'
    _, detail = detail_of_item(item_of_detail(KEY, text))
    assert strict_json.dumps(detail) == text
    assert detail["transcript"][0]["at_seconds"] == Decimal("1.23")


DAMAGE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no hash": lambda item: item.pop("hash"),
    "another hash": lambda item: item.update(hash={"S": "0" * 64}),
    "no content": lambda item: item.pop("detail"),
    "text": lambda item: item.update(detail={"S": "{}"}),
    "no deflate": lambda item: item.update(detail={"B": b"{}"}),
    "cut off": lambda item: item.update(detail={"B": item["detail"]["B"][:-6]}),
    "no JSON": lambda item: item.update(detail={"B": zlib.compress(b"{")}),
    "no object": lambda item: item.update(detail={"B": zlib.compress(b"[]")}),
    "not UTF-8": lambda item: item.update(detail={"B": zlib.compress(b"\xff")}),
    "a bomb": lambda item: item.update(detail={"B": zlib.compress(b" " * 10_000_000)}),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_anything_else_is_damage(damage: str) -> None:
    item = item_of_detail(KEY, '{"summary":"x"}')
    DAMAGE[damage](item)
    with pytest.raises(CorruptItem):
        detail_of_item(item)


# ------------------------------------------------------------------ beside the fact


@pytest.mark.engine
def test_a_detail_is_written_replaced_removed_and_deleted_with_its_fact(client: Any) -> None:
    stored = Stored(client)
    assert stored.write(change({"summary": "one"})) is Outcome.ACCEPTED
    assert stored.detail() == {"summary": "one"}
    assert stored.write(change({"summary": "one"}), stored.fact()) is Outcome.UNCHANGED
    assert stored.write(change({"summary": "two"}), stored.fact()) is Outcome.ACCEPTED
    assert stored.detail() == {"summary": "two"}
    # Another field changes, and the detail stays.
    assert stored.write(change({"summary": "two"}, outcome="x"), stored.fact()) is Outcome.ACCEPTED
    assert stored.detail() == {"summary": "two"}
    old = change({"summary": "old"}, updated_at="2020-01-01T00:00:00Z")
    assert stored.write(old, stored.fact()) is Outcome.STALE
    assert stored.detail() == {"summary": "two"}
    assert stored.write(change(None), stored.fact()) is Outcome.ACCEPTED
    assert stored.detail() is None
    assert stored.write(change({"summary": "three"}), stored.fact()) is Outcome.ACCEPTED
    removal = parsed(deletion("call", "c#1", None) | {"updated_at": "2990-01-01T00:00:00Z"})
    assert stored.write(removal, stored.fact()) is Outcome.ACCEPTED
    assert stored.detail() is None
    revival = change({"summary": "four"}, updated_at="2991-01-01T00:00:00Z")
    assert stored.write(revival, stored.fact()) is Outcome.ACCEPTED
    assert stored.detail() == {"summary": "four"}


TIMES = [f"2024-03-05T12:00:0{second}Z" for second in range(6)]
times = st.sampled_from(TIMES)
some_details = st.sampled_from([OMIT, {"summary": "a"}, {"summary": "b"}, {"links": []}])


def _without_omitted(**fields: Any) -> dict[str, Any]:
    sent = {"type": "call", "id": "c#1", **fields}
    return {name: value for name, value in sent.items() if value is not OMIT}


documents = st.builds(call, st.just("c#1"), detail=some_details, updated_at=times)
merges = st.builds(
    _without_omitted,
    merge=st.just(True),
    detail=st.one_of(some_details, st.none()),
    outcome=st.sampled_from(["x", OMIT]),
    updated_at=times,
).filter(lambda merge: merge.keys() & {"detail", "outcome"})
removals = st.builds(_without_omitted, deleted=st.just(True), updated_at=times)


@pytest.mark.property
@given(st.lists(st.one_of(documents, merges, merges, removals), max_size=8))
@example(
    [
        _without_omitted(merge=True, detail={"summary": "a"}, updated_at=TIMES[4]),
        _without_omitted(merge=True, detail={"summary": "b"}, outcome="x", updated_at=TIMES[2]),
        _without_omitted(deleted=True, updated_at=TIMES[3]),
        call("c#1", updated_at=TIMES[5]),
    ]
)
def test_the_stored_detail_is_that_of_the_fact_whatever_is_written(records: list[Any]) -> None:
    """The detail of a fact may come from a merge that a later document or deletion did not reach."""
    stored = Stored(MemoryClient(MemoryDynamoDb()))
    for record in (call("c#1", updated_at=TIMES[0]), *records):
        with contextlib.suppress(RefusedChange):
            stored.write(parsed(record), stored.fact())
        detail, fact = stored.detail(), stored.fact()
        expected = None if detail is None else detail_hash(strict_json.dumps(detail))
        assert expected == hash_of_detail(fact)
        if fact is not None:
            with tenant(stored.org_id):
                stored.store.restate(stored.org_id, 1, fact, fact.with_rev(fact.rev + 1))
            assert stored.detail() == detail


@pytest.mark.engine
@pytest.mark.parametrize("writers", [12])
def test_writers_at_once_leave_the_fact_and_the_detail_of_one_of_them(
    client: Any, writers: int
) -> None:
    stored = Stored(client)
    start = Barrier(writers)

    def write(number: int) -> Outcome:
        # Every fourth version has no detail, and each starts from a stale read.
        detail = {"summary": f"writer {number}"} if number % 4 else None
        wanted = change(detail, outcome=f"writer {number}")
        start.wait()
        return stored.write(wanted)

    for turn in range(3):
        with ThreadPoolExecutor(writers) as pool:
            numbers = range(turn * writers, (turn + 1) * writers)
            assert set(pool.map(write, numbers)) == {Outcome.ACCEPTED}
        fact = stored.fact()
        assert fact is not None
        outcome = fact.record.outcome  # type: ignore[union-attr]
        expected = None if int(outcome.split()[1]) % 4 == 0 else {"summary": outcome}
        assert stored.detail() == expected


@pytest.mark.parametrize("lost", [1, 2, 3])
@pytest.mark.parametrize("is_made", [True, False], ids=["after", "before"])
def test_a_lost_request_leaves_both_or_neither(lost: int, is_made: bool) -> None:
    """The request is lost before or after the store has made it, and sent again."""
    stored = Stored(MemoryClient(MemoryDynamoDb()))
    for number, detail in enumerate(({"summary": "one"}, {"summary": "two"}, None)):
        sent = itertools.count()

        def around(
            _operation: str, send: Callable[[], Any], sent: itertools.count[int] = sent
        ) -> Any:
            is_lost = next(sent) < lost
            answer = send() if is_made or not is_lost else None
            if is_lost:
                raise ReadTimeoutError(endpoint_url="memory")
            return answer

        fact = stored.fact()
        stored.client.around = around
        assert stored.write(change(detail, outcome=f"{number}"), fact) is Outcome.ACCEPTED
        stored.client.around = lambda _operation, send: send()
        assert stored.detail() == detail


def test_a_store_that_never_answers_is_an_error() -> None:
    stored = Stored(MemoryClient(MemoryDynamoDb()), Backoff(tries=2, first_seconds=0.001))

    def around(_operation: str, send: Callable[[], Any]) -> Any:
        raise ReadTimeoutError(endpoint_url="memory")

    stored.client.around = around
    with tenant(stored.org_id), pytest.raises(Unavailable):
        stored.store.write(stored.org_id, 1, None, change({"summary": "x"}))


# ------------------------------------------------------------------ what it costs


def cost(store: MemoryDynamoDb, act: Callable[[], Any]) -> tuple[dict[str, int], float]:
    """The requests of an act and the write units that they consume."""
    store.meter.reset()
    act()
    return dict(store.meter.requests), store.meter.write_units["other"]


def test_a_call_without_a_detail_costs_one_unit_as_ever() -> None:
    store = MemoryDynamoDb()
    stored = Stored(MemoryClient(store))
    assert cost(store, lambda: stored.write(change(None))) == ({"PutItem": 1}, 1)
    fact = stored.fact()
    again = change(None, outcome="x")
    assert cost(store, lambda: stored.write(again, fact)) == ({"PutItem": 1}, 1)


def test_a_detail_costs_two_units_for_each_item_and_only_when_it_changes() -> None:
    store = MemoryDynamoDb()
    stored = Stored(MemoryClient(store))
    first = change({"summary": "x"})
    assert cost(store, lambda: stored.write(first)) == ({"TransactWriteItems": 1}, 4)
    fact, same = stored.fact(), change({"summary": "x"}, outcome="y")
    assert cost(store, lambda: stored.write(same, fact)) == ({"PutItem": 1}, 1)
    fact, without = stored.fact(), change(None)
    assert cost(store, lambda: stored.write(without, fact)) == ({"TransactWriteItems": 1}, 4)


def test_the_content_is_in_no_image_of_the_stream() -> None:
    """The function reads the images that the template's filter lets through: those of facts."""
    store = MemoryDynamoDb()
    images: list[dict[str, Any]] = []
    store.on_write = lambda _table, _before, after: images.append(after)
    text = "never in a fact"
    Stored(MemoryClient(store)).write(change({"summary": text, "from_number": text}))
    (mapping,) = load_template(find_template()).mappings
    records = [
        {"dynamodb": {"Keys": {name: image[name] for name in ("PK", "SK")}, "NewImage": image}}
        for image in images
    ]
    assert len(records) == 2
    (passed,) = [each for each in records if mapping.event_filter.matches(each)]
    assert passed["dynamodb"]["Keys"]["SK"] == {"S": "FACT#c~-1"}
    assert text not in repr(passed)
