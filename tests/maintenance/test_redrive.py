"""Replaying what failed: nothing is lost at any instant, nothing counts twice, poison stays once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.errors import BrokenDestination, CorruptItem, Unavailable
from rollcall.domain.organisations import Organisation
from rollcall.ingest.update import Update
from rollcall.ledger.apply import Applier
from rollcall.ledger.writer import ApplyFacts
from rollcall.maintenance.failed_records import FailureKind
from rollcall.maintenance.redrive import LeftInPlace, Redrive, is_unfinished
from rollcall.retry import Backoff
from rollcall.storage.client import may_pass
from rollcall.storage.fact_items import stream_fact
from rollcall.storage.failure_documents import (
    failed_records,
    quarantine_document,
    quarantine_name,
)
from tests.support.failures import (
    FOLDER,
    MemoryFailures,
    fact_record,
    given_up,
    poison,
    stream_record,
)
from tests.support.fakes import MemoryLedger
from tests.support.generate import deletions, valid_records, without_ties
from tests.support.neutral import neutral
from tests.support.oracle import Oracle
from tests.support.versions import NOW_MS, versions_of

ORG = "org_1"
BACKOFF = Backoff(tries=2, sleep=lambda _seconds: None)


class Directory:
    def __init__(self) -> None:
        self.known = {ORG: Organisation(ORG, "acme", "Acme", 0, contributions={0: 1})}

    def organisation(self, org_id: str, meter: Any = None) -> Organisation | None:
        return self.known.get(org_id)

    def org_id_of_handle(self, handle: str) -> str | None: ...
    def token(self, token_id: str) -> None: ...


class Bench:
    """One organisation's ledger and a failure destination, both in memory."""

    def __init__(self, kind: type[Redrive] = Redrive) -> None:
        self.failures = MemoryFailures()
        self.ledger = MemoryLedger()
        self.directory = Directory()

        def writer(bucket: Bucket, contribute: Any) -> Applier:
            assert bucket == Bucket(Epoch(ORG, 0))
            return Applier(self.ledger, contribute, target_bytes=400, backoff=BACKOFF)

        self.update = Update(
            self.directory, ApplyFacts(writer), stream_fact, LeftInPlace(), may_pass
        )
        self.redrive = kind(self.failures, failed_records, self.update, lambda _delivery: None)

    def kept(self) -> set[str]:
        """The sequence numbers of the records in the destination; each at least once."""
        return set(self.all_kept())

    def all_kept(self) -> list[str]:
        found = [failed_records(json.loads(text)) for text in self.failures.objects.values()]
        return [r["dynamodb"]["SequenceNumber"] for failed in found for r in failed.records]

    def rows(self) -> dict[tuple[str, str], int]:
        return {(record_type, row.id): row.rev for record_type, row in self.ledger.rows()}


class Died(Exception):
    """The process ended here."""


def deaths(bench: Bench, at: int, when: str) -> None:
    """Let the process die at its nth operation, in the ledger or the destination."""
    operations = 0

    def around(_operation: str, act: Callable[[], Any]) -> Any:
        nonlocal operations
        operations += 1
        if operations - 1 == at and when == "before":
            raise Died
        answer = act()
        if operations - 1 == at:
            raise Died
        return answer

    bench.ledger.around = bench.failures.around = around


def lives_on(bench: Bench) -> None:
    bench.ledger.around = bench.failures.around = lambda _operation, act: act()


def replay_all(bench: Bench, **options: Any) -> None:
    for name in list(bench.redrive.names()):
        bench.redrive.replay(name, **options)


CALLS: list[Any] = [
    {
        "type": "call",
        "id": f"c{number % 7}",
        "started_at": "2026-11-21T10:00:00Z",
        "updated_at": f"2026-11-21T11:00:{number:02d}Z",
        "status": "completed",
        "space_token": f"s{number % 2}",
        "duration_seconds": number,
    }
    for number in range(14)
]


def given_up_call_bench(kind: type[Redrive] = Redrive) -> tuple[Bench, list[Any], Oracle]:
    """A batch with poison in it, a poison record of its own, and a good one that was quarantined."""
    oracle = Oracle()
    oracle.post(CALLS, NOW_MS)
    records = [fact_record(n, ORG, fact) for n, fact in enumerate(versions_of(CALLS))]
    bench = Bench(kind)
    bench.failures.objects = {
        FOLDER + "-1": given_up([*records[:6], poison(100), *records[6:10], poison(101)]),
        FOLDER + "-2": given_up(records[8:13]),
        "quarantine/13.json": quarantine_document([records[13]], "a release that was too old"),
        "quarantine/102.json": quarantine_document([poison(102)], "unknown record type"),
    }
    return bench, records, oracle


def test_a_replay_brings_all_but_the_poison() -> None:
    bench, records, oracle = given_up_call_bench()
    first = bench.redrive.replay(FOLDER + "-1")
    assert first.settled == 10
    assert [(kept.name, kept.reason) for kept in first.remaining] == [
        (f"quarantine/{number:021d}.json", "unknown record type") for number in (100, 101)
    ]
    second = bench.redrive.replay(FOLDER + "-2")
    assert (second.settled, second.remaining) == (5, [])
    third = bench.redrive.replay("quarantine/13.json")
    assert (third.settled, third.remaining) == (1, [])
    before = dict(bench.failures.objects)
    fourth = bench.redrive.replay("quarantine/102.json")
    assert [kept.name for kept in fourth.remaining] == ["quarantine/102.json"]
    assert bench.failures.objects == before  # not even written again
    assert sorted(bench.failures.objects) == [
        f"quarantine/{100:021d}.json",
        f"quarantine/{101:021d}.json",
        "quarantine/102.json",
    ]
    assert neutral(bench.ledger.counted()) == oracle.rollups()

    state = dict(bench.failures.objects)
    replay_all(bench)
    assert bench.failures.objects == state
    assert neutral(bench.ledger.counted()) == oracle.rollups()


def losses_at_any_death(kind: type[Redrive]) -> list[tuple[int, str]]:
    """Where a death leaves a record that is neither applied nor in the destination."""
    losses = []
    for when in ("before", "after"):
        for at in range(1_000):
            bench, records, oracle = given_up_call_bench(kind)
            deaths(bench, at, when)
            try:
                replay_all(bench)
            except Died:
                lives_on(bench)
            else:
                break  # there is no such operation any more
            rows = bench.rows()
            everything = [*records, *(poison(n) for n in (100, 101, 102))]
            for record in everything:
                fact = stream_fact(record) if record in records else None
                is_applied = fact is not None and (
                    rows.get((fact.fact.type, fact.fact.id), 0) >= fact.fact.rev
                )
                if not is_applied and record["dynamodb"]["SequenceNumber"] not in bench.kept():
                    losses.append((at, when))
            bench.ledger.check_rollups()
            replay_all(bench)
            assert neutral(bench.ledger.counted()) == oracle.rollups() or losses
            if kind is Redrive:
                assert sorted(bench.all_kept()) == [f"{n:021d}" for n in (100, 101, 102)]
    return losses


def test_nothing_is_lost_wherever_it_dies() -> None:
    assert losses_at_any_death(Redrive) == []


class RemovesFirst(Redrive):
    """A broken one: takes the object away before its records are applied."""

    def replay(self, name: str, *, keep: bool = False) -> Any:
        failed = self.failed(name)
        assert failed is not None
        self._failures.remove(name)
        result = self._update(failed.records)
        for group in result.quarantined:
            records = [failed.records[index] for index in group.indices]
            self._failures.put(records, group.reason)


def test_that_check_finds_a_redrive_that_loses() -> None:
    assert losses_at_any_death(RemovesFirst)


@pytest.mark.slow
@given(
    data=st.data(),
    posted=st.lists(st.one_of(valid_records, valid_records, deletions), min_size=1, max_size=25),
)
def test_whatever_failed_the_figures_are_exact_in_the_end(
    data: st.DataObject, posted: list[Any]
) -> None:
    posted = without_ties(posted, Oracle(), NOW_MS)
    oracle = Oracle()
    oracle.post(posted, NOW_MS)
    records = [fact_record(n, ORG, fact) for n, fact in enumerate(versions_of(posted))]
    bench = Bench()
    poisons = [poison(1_000 + n) for n in range(data.draw(st.integers(0, 3)))]
    failed: list[list[Any]] = [[]]
    for record in data.draw(st.permutations([*records, *poisons])):
        fate = data.draw(st.sampled_from(["applied", "batch", "new batch", "quarantined", "both"]))
        if fate in ("applied", "both") and record not in poisons:
            bench.update([record])
        if fate == "new batch":
            failed.append([])
        if fate in ("batch", "new batch", "both"):
            failed[-1].append(record)
        elif record in poisons or fate == "quarantined":
            bench.failures.put([record], "whatever")
    for number, batch in enumerate(failed):
        if batch:
            bench.failures.objects[f"{FOLDER}-{number}"] = given_up(batch)
    names = data.draw(st.permutations(list(bench.redrive.names())))
    bench.failures.around, before = _refuse_changes, dict(bench.failures.objects)
    for name in names:
        bench.redrive.replay(name, keep=True)
    assert bench.failures.objects == before
    lives_on(bench)
    for name in names:
        bench.redrive.replay(name)
    assert sorted(bench.all_kept()) == [f"{1_000 + n:021d}" for n in range(len(poisons))]
    bench.ledger.check_pages()
    assert neutral(bench.ledger.counted()) == oracle.rollups()


def _refuse_changes(operation: str, act: Callable[[], Any]) -> Any:
    assert operation in ("names", "read")
    return act()


# ------------------------------------------------------------------ what stays, and why


def test_what_the_tables_refuse_stays_whole() -> None:
    bench, records, _ = given_up_call_bench()
    before = dict(bench.failures.objects)

    def busy(operation: str, act: Callable[[], Any]) -> Any:
        if operation == "commit":
            raise Unavailable("busy")
        return act()

    bench.ledger.around = busy
    replayed = bench.redrive.replay(FOLDER + "-1")
    assert [kept.name for kept in replayed.remaining] == [FOLDER + "-1"]
    assert "busy" in replayed.remaining[0].reason
    assert (replayed.settled, replayed.is_unreachable) == (0, True)
    assert bench.failures.objects == before


def test_a_release_that_is_too_old_leaves_it_and_is_not_an_outage() -> None:
    bench, _, _ = given_up_call_bench()
    bench.directory.known[ORG] = Organisation(ORG, "acme", "Acme", 0, contributions={0: 99})
    replayed = bench.redrive.replay(FOLDER + "-2")
    assert "UnknownContribution" in replayed.remaining[0].reason
    assert not replayed.is_unreachable
    assert FOLDER + "-2" in bench.failures.objects


def test_a_batch_of_nothing_but_poison_stays_as_it_is() -> None:
    """A replay against the wrong tables leaves everything where it was."""
    bench, _, _ = given_up_call_bench()
    bench.directory.known.clear()
    before = dict(bench.failures.objects)
    replayed = bench.redrive.replay(FOLDER + "-2")
    assert [tuple(kept) for kept in replayed.remaining] == [(FOLDER + "-2", "no such organisation")]
    assert bench.failures.objects == before


def test_what_is_nothing_to_apply_by_rule_leaves() -> None:
    bench = Bench()
    image = {"PK": {"S": "ORG#org_1#call#0#"}, "SK": {"S": "FACT#x"}}
    bench.failures.objects["a"] = given_up([stream_record(1, image, event="REMOVE")])
    assert bench.redrive.replay("a").settled == 1
    bench.directory.known[ORG] = Organisation(ORG, "acme", "Acme", 0, is_deleting=True)
    records = [fact_record(n, ORG, fact) for n, fact in enumerate(versions_of(CALLS))]
    bench.failures.objects["b"] = given_up(records)
    assert bench.redrive.replay("b").settled == len(records)
    assert bench.failures.objects == {}
    assert bench.rows() == {}


def test_a_destination_that_breaks_leaves_the_batch() -> None:
    bench, _, _ = given_up_call_bench()

    def broken(operation: str, act: Callable[[], Any]) -> Any:
        if operation == "put":
            raise BrokenDestination("full")
        return act()

    bench.failures.around = broken
    with pytest.raises(BrokenDestination, match="full"):
        bench.redrive.replay(FOLDER + "-1")
    assert FOLDER + "-1" in bench.failures.objects


def test_a_batch_under_the_name_of_its_own_poison_is_not_lost() -> None:
    bench, records, _ = given_up_call_bench()
    name = quarantine_name([poison(100)])
    bench.failures.objects = {name: given_up([records[0], poison(100)])}
    replayed = bench.redrive.replay(name)
    assert (replayed.settled, [kept.name for kept in replayed.remaining]) == (1, [name])
    assert bench.all_kept() == [f"{100:021d}"]


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"null", b"[]", b"\xff", b"[" * 100_000, b"{}", b'{"payload": "{"}'),
        *(b'{"payload": "[]"}', b'{"payload": {"Records": [5]}}', b'{"record": null}'),
    ],
)
def test_what_is_damaged_stays_and_is_named(content: bytes) -> None:
    bench = Bench()
    bench.failures.objects["x"] = content
    replayed = bench.redrive.replay("x")
    assert [kept.name for kept in replayed.remaining] == ["x"]
    assert "damaged or not ours" in replayed.remaining[0].reason
    assert bench.failures.objects == {"x": content}
    with pytest.raises(CorruptItem):
        bench.redrive.failed("x")


def test_what_is_gone_is_not_replayed() -> None:
    replayed = Bench().redrive.replay("missing")
    assert (replayed.is_found, replayed.settled, replayed.remaining) == (False, 0, [])


# ------------------------------------------------------------------ documents

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "dynamodb Keys PK S NewImage SequenceNumber eventName Records eventID type id rev"
                " ApproximateCreationDateTime".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(record=json_values, other=json_values)
def test_nothing_in_a_document_makes_it_crash(record: Any, other: Any) -> None:
    """A document may hold anything: it is understood, or it is reported as damaged."""
    bench = Bench()
    payload = {"Records": [record]}
    documents = {
        "a": {"record": record, "reason": other, "quarantined_at": other},
        "b": {"payload": json.dumps(payload), "requestContext": other, "timestamp": other},
        "c": {"payload": other},
    }
    for name, document in documents.items():
        bench.failures.objects[name] = json.dumps(document).encode()
        replayed = bench.redrive.replay(name)
        assert (replayed.settled == 0) or name not in bench.failures.objects


def test_what_a_document_says() -> None:
    records = [poison(1, org_id="b", written_at=20.25), poison(2, org_id="a~-", written_at=10)]
    records.append(poison(3, org_id="~", written_at=30))  # not how any organisation is written
    failed = failed_records(json.loads(given_up(records)))
    assert (failed.kind, failed.reason) == (FailureKind.BATCH, "RecordAgeExceeded")
    assert (failed.oldest_ms, failed.kept_at_ms) == (10_000, 1_795_262_400_000)
    assert failed.org_ids == ("a#", "b")
    assert list(failed.records) == records
    failed = failed_records(json.loads(quarantine_document(records[:1], "because")))
    assert (failed.kind, failed.reason) == (FailureKind.QUARANTINED, "because")
    assert failed.kept_at_ms is not None
    assert (failed.oldest_ms, list(failed.records)) == (20_250, records[:1])


def test_an_unfolded_payload_is_understood_too() -> None:
    document = json.loads(given_up([poison(1)]))
    document["payload"] = json.loads(document["payload"])
    assert len(failed_records(document).records) == 1


@pytest.mark.parametrize(
    "record",
    [
        *({}, {"dynamodb": None}, {"eventID": ""}, {"dynamodb": {"SequenceNumber": "../../x"}}),
        {"dynamodb": {"SequenceNumber": 5}, "eventName": "INSERT"},
    ],
)
def test_a_name_is_made_of_the_record_and_stays_in_its_folder(record: dict[str, Any]) -> None:
    name = quarantine_name([record])
    assert name == quarantine_name([json.loads(json.dumps(record))])
    folder, file = name.split("/")
    assert (folder, file[-5:], len(file)) == ("quarantine", ".json", 37)
    others: Sequence[Any] = [{"x": 1}, {"dynamodb": {"x": 1}}]
    assert name not in [quarantine_name([other]) for other in others]


def test_names_of_unfinished_writes() -> None:
    assert is_unfinished("quarantine/.5.json")
    assert is_unfinished(f"{FOLDER.rpartition('/')[0]}/.2026")
    assert not is_unfinished(".hidden/5.json")
    assert not is_unfinished(FOLDER)
