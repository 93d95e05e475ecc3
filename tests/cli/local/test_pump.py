"""The event source mapping: order, batches, failures, and that nothing is ever skipped."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall_cli.local.failure_destination import FailureFolder
from rollcall_cli.local.filters import EventFilter
from rollcall_cli.local.pump import Pump
from rollcall_cli.local.runtime import FunctionError
from rollcall_cli.local.shard_reader import SENTINEL_KEY, Delivery
from rollcall_cli.local.stream_source import (
    IteratorLost,
    Page,
    RecordsTrimmed,
    Shard,
    lambda_record,
)
from rollcall_cli.local.template_model import StreamMapping, Table
from tests.support.cases import cases

NOW = 1_800_000_000.0
MAPPING = StreamMapping(
    function="UpdateFunction",
    table=Table("RecordsTable", "rollcall-records", {}),
    batch_size=10,
    window_seconds=1.0,
    event_filter=EventFilter([{"dynamodb": {"Keys": {"SK": {"S": [{"prefix": "FACT#"}]}}}}]),
    bisect_on_error=True,
    maximum_retries=-1,
    maximum_age_seconds=-1,
    reports_item_failures=True,
)


def fact(number: int, created: float = NOW, sort_key: str | None = None) -> dict[str, Any]:
    key = {"PK": {"S": "ORG#1#call#0#"}, "SK": {"S": sort_key or f"FACT#{number}"}}
    return {
        "eventID": str(number),
        "eventName": "INSERT",
        "eventSourceARN": "arn:stream",
        "dynamodb": {
            "Keys": key,
            "NewImage": key,
            "SequenceNumber": str(1000 + number),
            "ApproximateCreationDateTime": created,
        },
    }


def number_of(record: dict[str, Any]) -> int:
    return int(record["dynamodb"]["SequenceNumber"]) - 1000


@dataclass
class FakeStream:
    """Shards in memory; `page_size` records a read, iterators can be lost once."""

    records: dict[str, list[dict[str, Any]]]
    parents: dict[str, str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    page_size: int = 4
    lost: set[str] = field(default_factory=set)
    reads: list[str] = field(default_factory=list)
    arn: str = "arn:stream"

    def shards(self) -> list[Shard]:
        return [Shard(name, self.parents.get(name)) for name in self.records]

    def iterator(self, shard_id: str, after: str | None) -> str:
        places = [r["dynamodb"]["SequenceNumber"] for r in self.records[shard_id]]
        return f"{shard_id}:{places.index(after) + 1 if after else 0}"

    def read(self, iterator: str) -> Page:
        shard, _, start = iterator.rpartition(":")
        if iterator in self.lost:
            self.lost.remove(iterator)
            raise IteratorLost
        self.reads.append(shard)
        held = self.records[shard]
        end = min(int(start) + self.page_size, len(held))
        is_end = shard in self.closed and end == len(held)
        return Page(held[int(start) : end], None if is_end else f"{shard}:{end}")

    def write(self, shard: str, record: dict[str, Any]) -> None:
        self.records[shard].append(record)


@dataclass
class Bench:
    """A pump over a fake stream, with a clock that only `run` moves."""

    stream: FakeStream
    folder: Path
    answer: Callable[[list[int]], Any] = lambda numbers: None
    mapping: StreamMapping = MAPPING
    seconds: float = 0.0
    batches: list[list[int]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        delivery = Delivery(
            mapping=self.mapping,
            function_arn="arn:function",
            invoke=self.invoke,
            failures=FailureFolder(self.folder),
            clock=lambda: self.seconds,
            wall_clock=lambda: NOW + self.seconds,
            jitter=lambda: 1.0,
        )
        self.pump = Pump(self.stream, delivery, self.write_sentinel)

    def write_sentinel(self, nonce: str) -> None:
        sentinel = fact(len(self.stream.records["a"]) + 5000)
        sentinel["dynamodb"]["Keys"] = dict(SENTINEL_KEY)
        sentinel["dynamodb"]["NewImage"] = SENTINEL_KEY | {"nonce": {"S": nonce}}
        self.stream.write("a", sentinel)

    def invoke(self, event: Any) -> Any:
        numbers = [number_of(record) for record in event["Records"]]
        self.batches.append(numbers)
        self.times.append(self.seconds)
        return self.answer(numbers)

    def run(self, turns: int = 400, step: float = 0.25) -> None:
        for _ in range(turns):
            if not self.pump.turn():
                self.seconds += step

    def given_up(self) -> list[dict[str, Any]]:
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return [json.loads(path.read_text()) for path in paths]

    def given_up_numbers(self) -> list[int]:
        return sorted(
            number_of(record)
            for document in self.given_up()
            for record in json.loads(document["payload"])["Records"]
        )


def facts(numbers: Iterable[int]) -> list[dict[str, Any]]:
    return [fact(number) for number in numbers]


def failing_at(*poison: int) -> Callable[[list[int]], Any]:
    """A function that reports the first poisoned record of its batch."""

    def answer(numbers: list[int]) -> Any:
        for number in numbers:
            if number in poison:
                return {"batchItemFailures": [{"itemIdentifier": str(1000 + number)}]}
        return {"batchItemFailures": []}

    return answer


def raising_at(*poison: int) -> Callable[[list[int]], Any]:
    def answer(numbers: list[int]) -> Any:
        if set(poison) & set(numbers):
            raise FunctionError("ValueError", "poison")
        return None

    return answer


@pytest.fixture
def bench(tmp_path: Path) -> Callable[..., Bench]:
    def make(stream: FakeStream, **settings: Any) -> Bench:
        answer = settings.pop("answer", lambda numbers: None)
        return Bench(stream, tmp_path, answer, replace(MAPPING, **settings))

    return make


# ------------------------------------------------------------------ batches


def test_everything_arrives_in_order_in_batches_of_the_size(bench):
    run = bench(FakeStream({"a": facts(range(25))}))
    run.run()
    assert run.batches == [[*range(10)], [*range(10, 20)], [*range(20, 25)]]


def test_an_incomplete_batch_waits_for_the_window(bench):
    run = bench(FakeStream({"a": facts(range(3))}))
    run.run(turns=2)
    assert run.batches == []
    run.run()
    assert run.batches == [[0, 1, 2]]
    assert 1.0 <= run.times[0] <= 1.5


def test_a_batch_never_passes_six_megabytes_of_json(bench):
    stream = FakeStream({"a": facts(range(8))})
    for record in stream.records["a"]:
        record["dynamodb"]["NewImage"] = {"data": {"B": "A" * 2_000_000}}
    run = bench(stream, batch_size=1000)
    run.run()
    assert run.batches == [[0, 1, 2], [3, 4, 5], [6, 7]]


def test_only_what_the_filter_lets_through_arrives(bench):
    stream = FakeStream({"a": [fact(0), fact(1, sort_key="TOKEN"), fact(2)]})
    run = bench(stream)
    run.run()
    assert run.batches == [[0, 2]]


def test_children_are_read_after_their_parents(bench):
    stream = FakeStream(
        {"c": facts([4, 5]), "b": facts([2, 3]), "a": facts([0, 1])},
        parents={"c": "b", "b": "a", "a": "trimmed"},
        closed={"a", "b"},
    )
    run = bench(stream)
    run.run()
    assert [number for batch in run.batches for number in batch] == [0, 1, 2, 3, 4, 5]


def test_a_child_waits_until_its_parent_has_been_delivered(bench):
    stream = FakeStream({"a": facts([0]), "b": facts([1])}, parents={"b": "a"}, closed={"a"})
    run = bench(stream, answer=raising_at(0))
    run.run()
    assert set(map(tuple, run.batches)) == {(0,)}


def test_a_lost_iterator_is_asked_for_again_behind_the_last_record(bench):
    stream = FakeStream({"a": facts(range(12))}, lost={"a:4", "a:8"})
    run = bench(stream)
    run.run()
    assert [number for batch in run.batches for number in batch] == [*range(12)]


def test_trimmed_records_are_reported_and_the_rest_is_read(bench, caplog):
    stream = FakeStream({"a": facts(range(3))})
    original = stream.iterator
    tries = []

    def iterator(shard_id: str, after: str | None) -> str:
        tries.append(after)
        if len(tries) == 1:
            raise RecordsTrimmed(shard_id)
        return original(shard_id, after)

    stream.iterator = iterator
    run = bench(stream)
    run.run()
    assert run.batches == [[0, 1, 2]]


def test_a_stream_of_trimmed_records_only_is_at_its_tip(bench, caplog):
    """DynamoDB Local refuses every read while all that it has is older than a day."""

    class OldStream(FakeStream):
        is_old = True

        def read(self, iterator: str) -> Page:
            if self.is_old:
                raise RecordsTrimmed
            return super().read(iterator)

        def write(self, shard: str, record: dict[str, Any]) -> None:
            self.is_old = False
            super().write(shard, record)

    stream = OldStream({"a": []})
    run = bench(stream)
    assert run.pump.turn() is False  # so that the pump pauses
    run.run(turns=5)
    assert caplog.text == ""
    stream.write("a", fact(3))
    drain = run.pump.begin_drain()
    run.run()
    assert drain.done.is_set()
    assert run.batches == [[3]]


def test_a_restart_delivers_again_from_the_trim_horizon(bench):
    run = bench(FakeStream({"a": facts(range(3))}))
    run.run()
    run.restart()
    run.run()
    assert run.batches == [[0, 1, 2], [0, 1, 2]]


# ------------------------------------------------------------------ failures


@pytest.mark.parametrize("answer", [failing_at(7), raising_at(7)])
def test_bisect_isolates_a_poison_record(bench, answer):
    run = bench(FakeStream({"a": facts(range(25))}), answer=answer, maximum_retries=2)
    run.run()
    assert run.given_up_numbers() == [7]
    # Batches that succeed hold the others, or the others up to the reported record.
    delivered = {n for batch in run.batches if 7 not in batch for n in batch}
    reported = {n for batch in run.batches if 7 in batch for n in batch if n < 7}
    assert delivered | reported == set(range(25)) - {7}


def test_a_partial_failure_takes_up_at_the_earliest_reported_record(bench):
    answers = iter(
        [{"batchItemFailures": [{"itemIdentifier": "1008"}, {"itemIdentifier": "1006"}]}]
    )
    run = bench(FakeStream({"a": facts(range(10))}), answer=lambda _: next(answers, None))
    run.run()
    assert run.batches == [[*range(10)], [6, 7, 8, 9]]


@pytest.mark.parametrize(
    "failures",
    [
        [{"itemIdentifier": ""}],
        [{"itemIdentifier": None}],
        [{"itemIdentifier": "unknown"}],
        [{"wrongKey": "1003"}],
        ["1003"],
        [{"itemIdentifier": "1003"}, {"itemIdentifier": ""}],
        "1003",
    ],
)
def test_an_identifier_that_names_no_record_fails_the_whole_batch(bench, failures):
    answers = iter([{"batchItemFailures": failures}])
    run = bench(
        FakeStream({"a": facts(range(4))}),
        answer=lambda _: next(answers, None),
        bisect_on_error=False,
    )
    run.run()
    assert run.batches == [[0, 1, 2, 3], [0, 1, 2, 3]]


@pytest.mark.parametrize(
    "answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}]
)
def test_these_answers_mean_success(bench, answer):
    run = bench(FakeStream({"a": facts(range(4))}), answer=lambda _: answer)
    run.run()
    assert run.batches == [[0, 1, 2, 3]]


@pytest.mark.parametrize("answer", ["ok", [], {"failures": []}, 0])
def test_an_answer_of_another_shape_is_a_failure(bench, answer):
    run = bench(FakeStream({"a": facts([0])}), answer=lambda _: answer, maximum_retries=0)
    run.run()
    assert run.given_up_numbers() == [0]


def test_without_the_response_type_only_an_error_is_a_failure(bench):
    run = bench(FakeStream({"a": facts([0, 1])}), answer=failing_at(0), reports_item_failures=False)
    run.run()
    assert run.batches == [[0, 1]]


def test_without_bisect_the_whole_batch_is_tried_and_discarded(bench):
    run = bench(
        FakeStream({"a": facts(range(4))}),
        answer=raising_at(2),
        bisect_on_error=False,
        maximum_retries=3,
    )
    run.run()
    assert run.batches == [[0, 1, 2, 3]] * 4
    assert run.given_up_numbers() == [0, 1, 2, 3]


def test_retries_without_a_limit_go_on_until_the_function_recovers(bench):
    remaining = [30]

    def answer(numbers: list[int]) -> Any:
        remaining[0] -= 1
        if remaining[0] > 0:
            raise FunctionError("TransactionConflict", "again")
        return None

    run = bench(FakeStream({"a": facts(range(3))}), answer=answer)
    run.run(turns=2000)
    assert run.given_up() == []
    assert [number for batch in run.batches[29:] for number in batch] == [0, 1, 2]


def test_retries_back_off_longer_and_longer_up_to_five_seconds(bench):
    run = bench(FakeStream({"a": facts([0])}), answer=raising_at(0))
    run.run(turns=1000, step=0.01)
    gaps = [after - before for before, after in zip(run.times, run.times[1:], strict=False)]
    assert [round(gap, 1) for gap in gaps[:7]] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0][: len(gaps)]
    assert max(gaps) <= 5.02


def test_records_past_the_maximum_age_are_discarded_and_the_rest_delivered(bench):
    old = [fact(number, created=NOW - 500) for number in range(3)]
    run = bench(FakeStream({"a": old + facts([3, 4])}), maximum_age_seconds=100)
    run.run(turns=40)
    assert run.batches == [[3, 4]]
    (document,) = run.given_up()
    assert document["requestContext"]["condition"] == "RecordAgeExceeded"
    assert run.given_up_numbers() == [0, 1, 2]


def test_a_record_that_keeps_failing_is_discarded_when_it_is_too_old(bench):
    run = bench(
        FakeStream({"a": [fact(0), fact(1, created=NOW + 50)]}),
        answer=raising_at(0),
        maximum_age_seconds=60,
    )
    run.run(turns=2000)
    assert run.given_up_numbers() == [0]
    assert run.batches[-1] == [1]


def test_what_is_discarded_is_laid_out_as_lambda_does(bench):
    run = bench(FakeStream({"a": facts([0])}), answer=raising_at(0), maximum_retries=1)
    run.run()
    (document,) = run.given_up()
    assert set(document) == {
        "requestContext",
        "responseContext",
        "version",
        "timestamp",
        "DDBStreamBatchInfo",
        "payload",
    }
    assert document["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert document["requestContext"]["approximateInvokeCount"] == 2
    assert document["DDBStreamBatchInfo"] == {
        "shardId": "a",
        "startSequenceNumber": "1000",
        "endSequenceNumber": "1000",
        "approximateArrivalOfFirstRecord": "2027-01-15T08:00:00.000Z",
        "approximateArrivalOfLastRecord": "2027-01-15T08:00:00.000Z",
        "batchSize": 1,
        "streamArn": "arn:stream",
    }
    assert json.loads(document["payload"]) == {"Records": [fact(0)]}


@cases(60)
@given(
    count=st.integers(1, 60),
    batch_size=st.integers(1, 20),
    poison=st.sets(st.integers(0, 59), max_size=4),
    flaky=st.lists(st.booleans(), max_size=30),
    bisect=st.booleans(),
)
def test_nothing_is_skipped(tmp_path_factory, count, batch_size, poison, flaky, bisect):
    poison = poison & set(range(count))
    succeeded: set[int] = set()
    luck = iter(flaky)

    def answer(numbers: list[int]) -> Any:
        if next(luck, False):
            raise FunctionError("Flaky", "now and then")
        result = failing_at(*poison)(numbers)
        failures = result["batchItemFailures"]
        failed = int(failures[0]["itemIdentifier"]) - 1000 if failures else None
        succeeded.update(numbers if failed is None else numbers[: numbers.index(failed)])
        return result

    mapping = replace(MAPPING, batch_size=batch_size, bisect_on_error=bisect, maximum_retries=1)
    folder = tmp_path_factory.mktemp("failures")
    run = Bench(FakeStream({"a": facts(range(count))}), folder, answer, mapping)
    run.run(turns=6000, step=1.0)
    given_up = run.given_up_numbers()
    assert succeeded | set(given_up) == set(range(count))
    assert poison <= set(given_up)
    if bisect and not any(flaky):
        assert set(given_up) == poison


# ------------------------------------------------------------------ drain


def test_drain_ends_when_everything_before_it_has_been_applied(bench):
    run = bench(FakeStream({"a": facts(range(15))}, page_size=3))
    drain = run.pump.begin_drain()
    run.stream.write("a", fact(99))
    for _ in range(100):
        if drain.done.is_set():
            break
        run.pump.turn()
    assert drain.done.is_set()
    assert [number for batch in run.batches for number in batch][:15] == [*range(15)]


def test_drain_does_not_end_while_a_record_before_it_keeps_failing(bench):
    run = bench(FakeStream({"a": facts(range(5))}), answer=raising_at(3))
    drain = run.pump.begin_drain()
    run.run()
    assert not drain.done.is_set()


def test_drain_ends_when_what_failed_has_been_discarded(bench):
    run = bench(FakeStream({"a": facts(range(5))}), answer=raising_at(3), maximum_retries=1)
    drain = run.pump.begin_drain()
    run.run()
    assert drain.done.is_set()
    assert run.given_up_numbers() == [3]


def test_drain_does_not_wait_for_the_window(bench):
    run = bench(FakeStream({"a": facts(range(2))}), window_seconds=300)
    drain = run.pump.begin_drain()
    run.run(turns=10, step=0.0)
    assert drain.done.is_set()
    assert run.batches == [[0, 1]]


def test_drain_waits_for_the_other_shards_too(bench):
    stream = FakeStream({"a": facts([0]), "b": facts([1])})
    run = bench(stream, answer=raising_at(1))
    drain = run.pump.begin_drain()
    run.run()
    assert not drain.done.is_set()
    run.answer = lambda numbers: None
    run.run()
    assert drain.done.is_set()


def test_the_sentinel_never_reaches_the_function(bench):
    run = bench(FakeStream({"a": []}), event_filter=EventFilter([]))
    drain = run.pump.begin_drain()
    run.run(turns=10)
    assert drain.done.is_set()
    assert run.batches == []


def test_drain_of_a_replaying_pump_waits_for_the_replay(bench):
    run = bench(FakeStream({"a": facts(range(8))}))
    first = run.pump.begin_drain()
    run.run()
    assert first.done.is_set()
    run.restart()
    second = run.pump.begin_drain()
    assert not second.done.is_set()
    run.run()
    assert second.done.is_set()
    assert run.batches == [[*range(8)], [*range(8)]]


def test_drain_ends_after_its_timeout(bench):
    run = bench(FakeStream({"a": facts([0])}), answer=raising_at(0))
    assert run.pump.drain(0.0) is False


def test_the_thread_delivers_survives_errors_and_stops(bench):
    stream = FakeStream({"a": facts(range(5))})
    shards, failures = stream.shards, iter([OSError("away")])
    before = set(threading.enumerate())

    def flaky() -> list[Shard]:
        for error in failures:
            raise error
        return shards()

    stream.shards = flaky
    run = bench(stream)
    run.pump.start()
    try:
        assert run.pump.drain(30)
        assert [number for batch in run.batches for number in batch] == [*range(5)]
    finally:
        run.pump.close()
    assert not any(thread.name == "pump" for thread in set(threading.enumerate()) - before)


# ------------------------------------------------------------------ shape


def test_records_take_lambdas_shape():
    record = {
        "eventID": "1",
        "eventName": "REMOVE",
        "userIdentity": {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"},
        "dynamodb": {"NewImage": {"data": {"B": b"\x00\xff"}, "many": {"BS": [b"a"]}}},
    }
    converted = lambda_record(record, "arn:stream")
    assert converted["eventSourceARN"] == "arn:stream"
    assert converted["eventSource"] == "aws:dynamodb"
    assert converted["userIdentity"] == {
        "type": "Service",
        "principalId": "dynamodb.amazonaws.com",
    }
    image = converted["dynamodb"]["NewImage"]
    assert image == {
        "data": {"B": base64.b64encode(b"\x00\xff").decode()},
        "many": {"BS": ["YQ=="]},
    }
