"""Each fault of the list alone; a schedule may or may not draw it.

Unless a test says otherwise: after every scenario each acknowledged record is stored once, every
page and rollup equals a brute-force recount, breakdowns sum to their totals, and nothing of one
organisation is in an item of another.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from rollcall import bootstrap
from rollcall.domain.organisations import Token, new_token, token_id
from rollcall.storage import keys
from tests.simulation.checker import Violation
from tests.simulation.event_source import deliver, replay
from tests.simulation.operators import redrive
from tests.simulation.scenario import ORG, OTHER, Scenario, as_record, open_epoch
from tests.simulation.stored import FactName, StoredRow, fact_of
from tests.simulation.world import ANALYTICS, RECORDS, START_MS, simulating
from tests.support.answering import load_handler
from tests.support.builders import call, deletion, full_call, label, space
from tests.support.emulator.items import Attributes
from tests.support.generate import mixed_records

pytestmark = [pytest.mark.property, pytest.mark.representatives(1)]


@pytest.fixture(autouse=True)
def _product() -> Iterator[None]:
    with simulating():
        yield


def records(count: int = 12, seed: int = 5) -> list[Any]:
    return mixed_records(seed, count, versions=(1, 3), deletes=0.3, days=2, spaces=2, others=2)


def analytics(scenario: Scenario) -> list[Any]:
    return list(scenario.world.store.all_items(ANALYTICS))


# ------------------------------------------------------------------ the store misbehaves
@pytest.mark.representatives(5)
@pytest.mark.parametrize("times", range(1, 10))
@pytest.mark.parametrize("operation", ["PutItem", "TransactWriteItems"])
def test_applied_and_the_reply_lost(operation: str, times: int) -> None:
    scenario = Scenario()
    scenario.world.faults.planned = [(operation, "lost_reply")] * times
    scenario.settle(records())
    assert scenario.world.faults.fired == {"lost_reply": times}


@pytest.mark.parametrize("kind", ["broken_before", "broken_after"])
@pytest.mark.parametrize("operation", ["PutItem", "TransactWriteItems", "Query", "BatchGetItem"])
def test_500_before_or_after_apply(operation: str, kind: str) -> None:
    scenario = Scenario()
    scenario.world.faults.planned = [(operation, kind)] * 3
    scenario.settle(records())
    assert scenario.world.faults.fired == {kind: 3}


@pytest.mark.parametrize(
    "rates", [{"throttle": 0.01}, {"throttle": 0.1}, {"throttle": 0.5}, {"burst": 0.1}]
)
def test_throttles(rates: dict[str, float]) -> None:
    scenario = Scenario()
    scenario.world.faults.rates, scenario.world.faults.budget = rates, 10**9
    scenario.settle(records(30))
    assert scenario.world.faults.fired["throttle"]
    assert scenario.world.now_ms - START_MS < 3_600_000  # bounded time


@pytest.mark.parametrize("rate", [0.1, 0.4, 0.9])
def test_transaction_conflicts_on_a_hot_rollup(rate: float) -> None:
    scenario = Scenario(buckets=16)
    scenario.world.faults.rates, scenario.world.faults.budget = {"conflict": rate}, 10**9
    scenario.settle(records(20))
    assert scenario.world.faults.fired["conflict"] >= 5
    assert scenario.world.now_ms - START_MS < 24 * 3_600_000


def test_transaction_in_progress() -> None:
    scenario = Scenario()
    scenario.world.faults.planned = [("TransactWriteItems", "in_progress")] * 5
    scenario.settle(records())
    assert scenario.world.faults.fired == {"in_progress": 5}


def test_unprocessed_some_and_all() -> None:
    scenario = Scenario()
    scenario.world.faults.rates, scenario.world.faults.budget = {"unprocessed": 0.7}, 40
    scenario.settle(records(30))
    assert scenario.world.faults.fired["unprocessed"] > 10


def test_unprocessed_for_ever_ends_in_an_error_and_never_in_silence() -> None:
    scenario = Scenario()
    world = scenario.world
    world.faults.rates, world.faults.budget = {"unprocessed": 1.0}, 10**9
    scenario.settle(records(4)[:2])  # reads of single items and puts go on; batches never end
    assert not any(attempt.is_taken for attempt in scenario.ledger.attempts)
    assert world.counts["clients that gave up"] == 1
    assert world.now_ms - START_MS < 3_600_000


def test_an_eventually_consistent_read_serves_an_older_page() -> None:
    """A reader sees each row as it was or as it is, once; the updater never reads that way."""
    scenario = Scenario(page_target_bytes=200)
    calls = [
        call(f"c{n}", started_at=f"2024-03-05T{n % 20 + 1:02d}:00:00Z", duration_seconds=5)
        for n in range(40)
    ]
    scenario.settle(calls[:20])
    scenario.world.store.lag_behind(scenario.world.random)
    scenario.settle(calls[20:])
    assert scenario.world.counts["splits"] > 3
    for _ in range(20):
        answer = ask(scenario)
        assert answer["statusCode"] == 200
        assert 20 <= counted(answer) <= 40


def ask(scenario: Scenario) -> dict[str, Any]:
    """A query that only the ledger can answer, through its function."""
    body = {
        "query_type": "call_count",
        "filters": {
            "date_from": "2024-03-05T00:30:00Z",
            "date_to": "2024-03-05T23:59:00Z",
            "min_duration": 1,
        },
    }
    context = {"org_id": ORG, "org_handle": ORG, "epoch": "0"}
    event = {
        "multiValueHeaders": {},
        "requestContext": {"requestId": "r", "authorizer": context},
        "body": json.dumps(body),
    }
    task = scenario.world.invoke("query_analytics", event)
    scenario.run()
    assert task.error is None
    answer: dict[str, Any] = task.result
    return answer


def counted(answer: dict[str, Any]) -> int:
    found = json.loads(answer["body"])
    return int(found["data"][0]["count"])


def test_query_page_2_is_throttled() -> None:
    """No missing and no doubled row, or an error."""
    scenario = Scenario(page_target_bytes=600)
    calls = [
        call(f"c{n}", started_at=f"2024-03-05T{n % 20 + 1:02d}:00:00Z", duration_seconds=5)
        for n in range(40)
    ]
    scenario.settle(calls)
    scenario.world.store.limits.answer_bytes = 700
    for place, times in itertools.product(range(1, 6), (1, 2, 5)):
        planned = [("Query", "")] * place + [("Query", "throttle")] * times
        scenario.world.faults.planned = planned
        answer = ask(scenario)
        assert (answer["statusCode"], counted(answer)) == (200, 40)
    scenario.world.faults.planned = [("Query", "")] + [("Query", "throttle")] * 500
    assert ask(scenario)["statusCode"] == 503


# ------------------------------------------------------------------ the event source
def test_records_delivered_again_in_any_cut_change_nothing() -> None:
    """2 to 10 times, old batches after newer ones, cut otherwise, all at once."""
    scenario = Scenario(buckets=16)
    scenario.settle(records(20))
    before = analytics(scenario)
    for times in range(2, 11):
        for shard in scenario.world.stream.shards:
            for start in reversed(range(0, len(shard.records), times)):
                replay(scenario.world, shard, start, start + times, 2)
    scenario.run()
    scenario.checker.check_at_rest()
    assert analytics(scenario) == before
    assert scenario.world.counts["redeliveries"] > 200


def test_the_oldest_versions_arrive_last() -> None:
    scenario = Scenario()
    for record in records(20):
        scenario.send([record])
    scenario.run()
    for shard in scenario.world.stream.shards:
        for place in reversed(range(len(shard.records))):
            replay(scenario.world, shard, place, place + 1)
            scenario.run()
    scenario.checker.check_at_rest()


@pytest.mark.parametrize("seed", range(5))
def test_two_invocations_on_one_batch(seed: int) -> None:
    scenario = Scenario(seed, buckets=16)
    for start, record in enumerate(records(15)):
        scenario.send([record], (ORG, OTHER)[start % 2])
    scenario.run()
    for shard in scenario.world.stream.shards:
        replay(scenario.world, shard, 0, len(shard.records), 4)
    scenario.run()
    scenario.checker.check_at_rest()


@pytest.mark.parametrize("place", range(6))
def test_an_invocation_that_timed_out_finishes_later(place: int) -> None:
    """Long after its batch came again and newer ones were applied."""
    scenario = Scenario()
    planned = [("TransactWriteItems", "")] * place + [("TransactWriteItems", "suspend")]
    scenario.world.faults.planned = planned
    scenario.settle(records(20), size=2)
    assert scenario.world.faults.fired["suspend"] == 1


@pytest.mark.parametrize("seed", range(5))
def test_batches_that_fail_are_bisected_and_none_is_skipped(seed: int) -> None:
    scenario = Scenario(seed)
    faults = scenario.world.faults
    faults.rates, faults.budget = {"kill": 0.15}, 25
    scenario.settle(records(20))
    assert faults.fired["kill"] > 5


def test_poison_goes_to_the_failure_destination_alone() -> None:
    scenario = Scenario()
    world = scenario.world
    garbage: list[Attributes] = [
        {"rubbish": {"BOOL": True}},
        {"type": {"S": "call"}, "id": {"S": "else"}, "rev": {"N": "1"}},
        {"type": {"S": "unknown"}},
    ]
    for number, attributes in enumerate(garbage):
        pk, sk = f"ORG#beta#call#{number}#", f"FACT#garbage {number}"
        world.planted.add(FactName("beta", "call", f"garbage {number}"))
        world.poisoned.add((pk, sk))
        world.store.put(RECORDS, {"PK": {"S": pk}, "SK": {"S": sk}, **attributes})
    for org_id in (ORG, OTHER):
        scenario.send(records(8), org_id)
    scenario.start_stream(most_records=30)
    scenario.run()
    scenario.checker.check_at_rest()
    assert len({id(record) for record, _ in world.quarantined}) == 3


# ------------------------------------------------------------------ an organisation cannot be applied
def first_page(scenario: Scenario, org_id: str) -> Any:
    """The page of an organisation's calls that covers the earliest ones."""
    prefix = f"{keys.org_prefix(org_id)}E0#LEDGER#call#"
    pages = [item for item in analytics(scenario) if item["PK"]["S"] == prefix]
    return min(pages, key=lambda item: item["SK"]["S"])


@pytest.mark.parametrize(
    ("attribute", "damaged"), [("data", {"B": b"\x09"}), ("end", {"S": "0"}), ("v", {"S": "x"})]
)
def test_a_damaged_page_delays_no_other_organisation(attribute: str, damaged: Any) -> None:
    """One delivery of one batch applies the other's records, whichever come first."""
    scenario = Scenario()
    world = scenario.world
    for org_id in (ORG, OTHER):
        scenario.send([call(f"old {number}") for number in range(3)], org_id)
    scenario.start_stream()
    scenario.run()
    page = first_page(scenario, ORG)
    world.store.put(ANALYTICS, {**page, attribute: damaged})

    for org_id in (ORG, OTHER):
        scenario.send([call(f"new {number}") for number in range(3)], org_id)
    world.run()
    new = [as_record(item) for org in (ORG, OTHER) for item in scenario.list_facts(org)]
    task = deliver(world, new)
    world.run()
    assert task.result == {"batchItemFailures": []}
    left = {record["dynamodb"]["Keys"]["PK"]["S"] for record, _ in world.quarantined}
    assert all(pk.startswith(keys.org_prefix(ORG)) for pk in left)
    assert left

    # As it was, and what was quarantined replayed: everything is exact again.
    world.store.put(ANALYTICS, page)
    world.spawn("redrive", lambda: redrive(world))
    world.run()
    assert world.failures.objects == {}
    world.quarantined.clear()
    scenario.checker.check_at_rest()


def test_only_the_records_of_the_damaged_page_are_quarantined() -> None:
    scenario = Scenario(page_target_bytes=200)
    world = scenario.world
    days = [f"2024-03-{day:02d}T10:00:00Z" for day in range(1, 21)]
    scenario.send([call(f"old {day}", started_at=day) for day in days])
    scenario.start_stream()
    scenario.run()
    page = first_page(scenario, ORG)
    assert page["end"]["S"] < "~"
    world.store.put(ANALYTICS, {**page, "data": {"B": b"\x09"}})
    world.replace_environments()  # one that kept the page would write over the damage
    scenario.send([call(f"new {day}", started_at=day) for day in days])
    world.run()
    new = [as_record(item) for item in scenario.list_facts() if "new" in item["SK"]["S"]]
    deliver(world, new)
    world.run()
    positions = {
        StoredRow(fact.name.id, 0, fact.time or 0, None).position: fact.name.id
        for fact in map(fact_of, scenario.list_facts())
        if "new" in fact.name.id
    }
    inside = {id for place, id in positions.items() if place < page["end"]["S"]}
    assert 0 < len(inside) < len(days)
    kept = {record["dynamodb"]["Keys"]["SK"]["S"] for record, _ in world.quarantined}
    assert kept == {f"FACT#{id}" for id in inside}


def test_the_stream_is_off_for_an_hour() -> None:
    scenario = Scenario()
    for start, record in enumerate(records(30)):
        scenario.send([record], (ORG, OTHER)[start % 2])
    scenario.run()
    scenario.world.scheduler.now_ms += 3_600_000
    scenario.start_stream()
    scenario.run()
    scenario.checker.check_at_rest()


@pytest.mark.parametrize("seed", range(5))
def test_lost_records_are_seen_by_the_checker_and_repaired_by_a_replay(seed: int) -> None:
    """Trimmed and dropped records are drift, which every fact through the ordinary path repairs."""
    scenario = Scenario(seed)
    scenario.world.drop_stream_records(0.3)
    with pytest.raises(Violation, match=r"I2: .*(without its row|differ)"):
        scenario.settle(records(20))
    scenario.world.drop_stream_records(0.0)
    assert scenario.world.stream.dropped
    scenario.world.spawn("repair", scenario.replay_facts())
    scenario.run()
    scenario.checker.check_at_rest()


def test_the_stream_is_off_beyond_retention() -> None:
    scenario = Scenario()
    scenario.settle(records(10))
    scenario.world.stop_stream()
    scenario.send([call("unseen")])
    scenario.run()
    with pytest.raises(Violation, match="without its row"):
        scenario.checker.check_at_rest()
    scenario.world.spawn("repair", scenario.replay_facts())
    scenario.run()
    scenario.checker.check_at_rest()


def test_restore_from_backup_with_the_stream_gone_is_drift() -> None:
    scenario = Scenario()
    scenario.settle(records(10))
    backup = scenario.world.snapshot_records()
    scenario.settle([call("since the backup"), full_call("too")])
    scenario.world.restore_records(backup)
    scenario.ledger.attempts.clear()  # what was acknowledged since is lost with the restore
    scenario.world.planted |= set(scenario.checker.facts())
    with pytest.raises(Violation, match=r"since the backup.* of a version \{\}"):
        scenario.checker.check_at_rest()


@pytest.mark.parametrize("most_tries", [1, 2, 3])
def test_what_is_discarded_is_in_the_failure_destination_whole(most_tries: int) -> None:
    scenario = Scenario()
    world = scenario.world
    for record in records(20):
        scenario.send([record])
    scenario.run()
    world.faults.planned = [("TransactWriteItems", "throttle")] * 600
    source = scenario.start_stream(most_records=4, most_tries=most_tries)
    scenario.run()
    assert world.given_up
    assert source.lag == 0
    with pytest.raises(Violation):
        scenario.checker.check_at_rest()
    world.faults.planned.clear()
    deliver(world, list(world.given_up))  # redriven
    scenario.run()
    scenario.checker.check_at_rest()


# ------------------------------------------------------------------ what is written
def test_another_time_for_a_known_id_moves_it() -> None:
    scenario = Scenario()
    scenario.settle([call("c", updated_at="2024-04-01T00:00:00Z")])
    moved = call("c", started_at="2024-03-09T00:00:00Z", updated_at="2024-04-02T00:00:00Z")
    scenario.settle([moved])
    assert scenario.world.counts["moves"] == 1
    (fact,) = scenario.checker.facts().values()
    assert [row.content is None for row in fact.rows()] == [False, True]
    scenario.checker.check_at_rest()


@pytest.mark.parametrize("seed", range(8))
def test_modify_delete_revive_and_delete_before_the_first_arrival(seed: int) -> None:
    scenario = Scenario(seed)
    versions: list[Any] = []
    for number in range(6):
        at = [f"2024-04-01T00:00:0{n}Z" for n in range(5)]
        versions += [
            full_call(f"c{number}", updated_at=at[0]),
            deletion("call", f"c{number}", at[1]),
            full_call(f"c{number}", updated_at=at[2], outcome="revived"),
            full_call(f"c{number}", updated_at=at[3], cost=7),
        ]
        if number % 2:
            versions.append(deletion("call", f"c{number}", at[4]))
    scenario.world.random.shuffle(versions)
    scenario.settle(versions, size=3)
    for name, fact in scenario.checker.facts().items():
        assert (fact.content is None) == bool(int(name.id[1:]) % 2)


def test_a_removed_fact_changes_neither_pages_nor_rollups() -> None:
    """REMOVE by time-to-live or by hand: reconcile handles it, and the updater does not."""
    scenario = Scenario()
    scenario.settle([full_call("c1"), full_call("c2")])
    before = analytics(scenario)
    world = scenario.world
    name = FactName(ORG, "call", "c1")
    place = next(place for place in world.history if place[1] == "FACT#c1")
    world.removed[name] = place
    world.store.answer(
        "DeleteItem",
        {"TableName": RECORDS, "Key": {"PK": {"S": place[0]}, "SK": {"S": place[1]}}},
    )
    assert world.stream.shards[0].records[-1]["eventName"] == "REMOVE" or (
        world.stream.shards[1].records[-1]["eventName"] == "REMOVE"
    )
    scenario.start_stream()
    scenario.run()
    assert analytics(scenario) == before
    scenario.checker.check_at_rest()


@pytest.mark.parametrize("seed", range(10))
def test_a_page_splits_during_concurrent_writes(seed: int) -> None:
    scenario = Scenario(seed, page_target_bytes=300, buckets=16)
    calls = [full_call(f"c{n}", started_at=f"2024-03-05T{n:02d}:00:00Z") for n in range(20)]
    for start in range(0, 20, 2):
        scenario.send(calls[start : start + 2])
    scenario.run()
    for shard in scenario.world.stream.shards:
        for place in range(len(shard.records)):
            replay(scenario.world, shard, place, place + 1)
    scenario.run()
    scenario.checker.check_at_rest()
    assert scenario.world.counts["splits"] >= 3


@pytest.mark.parametrize("seed", range(10))
def test_a_breakdown_spills_while_others_add_to_it(seed: int) -> None:
    """Every call has a page of its own, and they all meet in the same rollups."""
    scenario = Scenario(seed, page_target_bytes=1, buckets=16)
    scenario.world.open_limit_bytes = 40
    calls = [
        full_call(f"c{n}", outcome=f"outcome {n}", started_at=f"2024-03-05T{n:02d}:00:00Z")
        for n in range(16)
    ]
    scenario.settle(calls[:6])
    scenario.send(calls[6:])
    scenario.run()
    for shard in scenario.world.stream.shards:
        for place in range(len(shard.records)):
            replay(scenario.world, shard, place, place + 1)
    scenario.run()
    scenario.checker.check_at_rest()
    rollups = scenario.checker.epochs()[ORG, 0].buckets[None].rollups.values()
    assert any("o" in rollup.spilled for rollup in rollups)


def facts_of(scenario: Scenario, sent: list[Any]) -> list[dict[str, Any]]:
    """Stored through the real ingest, 500 at a time, and read back as stream records."""
    for start in range(0, len(sent), 500):
        scenario.send(sent[start : start + 500])
        scenario.run()
    return [as_record(item) for item in scenario.list_facts()]


@pytest.mark.slow
def test_one_batch_touches_5_000_rollups() -> None:
    scenario = Scenario(page_target_bytes=8_192)
    spaces = [space(f"s{n}") for n in range(1_500)]
    calls = [
        call(f"c{n}", space_token=f"t{n}", started_at="2024-03-05T12:00:00Z") for n in range(1_200)
    ]
    task = deliver(scenario.world, facts_of(scenario, spaces + calls))
    scenario.run()
    assert task.result == {"batchItemFailures": []}
    for shard in scenario.world.stream.shards:
        shard.trimmed = len(shard.records)
    scenario.checker.check_at_rest()
    assert len(scenario.checker.epochs()[ORG, 0].buckets[None].rollups) >= 5_000


@pytest.mark.slow
def test_100_000_rows_at_one_instant() -> None:
    """Labels all sit at time 0: only the hash of an id tells where a row lives."""
    scenario = Scenario(page_target_bytes=65_536)
    world = scenario.world
    for number in range(100_000):
        pk, sk = f"ORG#alpha~-1#label#{number % 16}#", f"FACT#l{number}"
        world.planted.add(FactName(ORG, "label", f"l{number}"))
        item: Attributes = {
            "PK": {"S": pk},
            "SK": {"S": sk},
            "type": {"S": "label"},
            "id": {"S": f"l{number}"},
            "updated_at_ms": {"N": "5"},
            "rev": {"N": str(number + 1)},
            "record": {"M": {"name": {"S": f"n{number % 9}"}, "color": {"S": "red"}}},
        }
        world.store.put(RECORDS, item)
    stream = [as_record(item) for item in scenario.list_facts()]
    for start in range(0, len(stream), 20_000):
        task = deliver(world, stream[start : start + 20_000])
        world.run(most_steps=10**6)
        assert task.error is None
        assert task.result == {"batchItemFailures": []}
    for shard in world.stream.shards:
        shard.trimmed = len(shard.records)
    scenario.checker.check_at_rest()
    assert len(scenario.checker.epochs()[ORG, 0].buckets[None].pages["label"]) >= 16


@pytest.mark.slow
def test_a_page_near_the_ceiling() -> None:
    """Rows too large for their page's target, up to what an item can hold."""
    scenario = Scenario(page_target_bytes=680_000)  # few facts at a time halve it
    random = scenario.world.random
    calls = [
        call(
            f"c{n}",
            started_at="2024-03-05T12:00:00Z",
            payload={f"k{k}": f"{random.getrandbits(1_000):0250x}" for k in range(30)},
        )
        for n in range(120)
    ]
    scenario.settle(calls, size=20)
    sizes = [len(item["data"]["B"]) for item in analytics(scenario) if "data" in item]
    assert 250_000 < max(sizes) <= 350 * 1024


def test_labels_and_spaces_without_time_live_in_one_page() -> None:
    scenario = Scenario(page_target_bytes=200)
    scenario.settle([label(f"l{n}") for n in range(20)] + [space(f"s{n}") for n in range(20)])
    assert scenario.world.counts["splits"]


# ------------------------------------------------------------------ who may come in
def authorize(scenario: Scenario, token: str) -> Any:
    event = {
        "methodArn": "arn:aws:execute-api:eu-central-1:1:api/live/GET/x",
        "multiValueHeaders": {"Authorization": [f"Bearer {token}"]},
    }
    task = scenario.world.invoke("authorize_request", event)
    scenario.run()
    return task


def issue(scenario: Scenario, org_id: str, **fields: Any) -> str:
    text = new_token()
    token = Token(token_id(text), org_id, ("read", "ingest"), START_MS, **fields)
    bootstrap.directory().put_token(token)
    return text


def is_allowed(task: Any) -> bool:
    """Whether the gateway would let the caller in; an error is its 401 or 500."""
    if task.error is not None:
        return False
    (statement,) = task.result["policyDocument"]["Statement"]
    return bool(statement["Effect"] == "Allow")


@pytest.mark.parametrize("kind", ["throttle", "broken_before", "broken_after", "lost_reply"])
@pytest.mark.parametrize("place", [0, 1])
def test_the_authorizers_store_fails_and_no_caller_gets_in(kind: str, place: int) -> None:
    scenario = Scenario()
    token = issue(scenario, ORG)
    assert is_allowed(authorize(scenario, token))
    scenario.world.faults.planned = [("GetItem", "")] * place + [("GetItem", kind)] * 200
    refused = authorize(scenario, token)
    assert not is_allowed(refused)
    assert str(refused.error) != "Unauthorized"  # a 500: the token is good


def test_the_authorizers_store_is_slow_and_no_refused_caller_gets_in() -> None:
    scenario = Scenario()
    good, revoked = issue(scenario, ORG), issue(scenario, OTHER, revoked_at_ms=START_MS)
    for place in range(2):
        for token in (good, revoked):
            scenario.world.faults.planned = [("GetItem", "")] * place + [("GetItem", "suspend")]
            task = authorize(scenario, token)
            assert is_allowed(task) == (token == good)
            assert task.error is not None or task.result["context"]["org_id"] == ORG


class Gateway:
    """API Gateway in front of the authorizer: its answer is kept for 60 s by the header's value."""

    TTL_MS = 60_000

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._kept: dict[str, tuple[int, Any]] = {}

    def org_id(self, token: str) -> str | None:
        """Whose data a request with this token reaches; None: it is refused."""
        now_ms = self._scenario.world.now_ms
        until_ms, task = self._kept.get(token, (0, None))
        if until_ms <= now_ms:
            task = authorize(self._scenario, token)
            if task.error is None:
                self._kept[token] = (now_ms + self.TTL_MS, task)
        return task.result["context"]["org_id"] if is_allowed(task) else None


def test_a_warm_authorizer_cache_keeps_organisations_apart_and_lags_no_longer_than_its_ttl() -> (
    None
):
    scenario = Scenario()
    scheduler = scenario.world.scheduler
    gateway = Gateway(scenario)
    expiring = issue(scenario, ORG, expires_at_ms=START_MS + 100_000)
    ours, theirs = issue(scenario, ORG), issue(scenario, OTHER)
    for _ in range(3):
        assert [gateway.org_id(t) for t in (ours, theirs, expiring)] == [ORG, OTHER, ORG]
    # Revoked, and rotated with an overlap.
    bootstrap.directory().revoke_token(token_id(ours), scenario.world.now_ms)
    renewed = issue(scenario, ORG)
    bootstrap.directory().revoke_token(token_id(theirs), scenario.world.now_ms + 30_000)
    assert [gateway.org_id(t) for t in (ours, theirs, renewed)] == [ORG, OTHER, ORG]
    scheduler.now_ms += 90_001
    assert [gateway.org_id(t) for t in (ours, theirs, renewed)] == [None, None, ORG]
    scheduler.now_ms += 100_000
    assert gateway.org_id(expiring) is None
    assert gateway.org_id(renewed) == ORG


# ------------------------------------------------------------------ epochs
@pytest.mark.parametrize("seed", range(6))
def test_a_new_epoch_is_filled_while_records_come_in(seed: int) -> None:
    """Written first, then filled with every fact; an operator that dies begins again."""
    scenario = Scenario(seed)
    world = scenario.world
    for start, record in enumerate(records(20)):
        scenario.send([record], (ORG, OTHER)[start % 2])

    def rebuild() -> None:
        world.scheduler.pause(seed * 300)
        open_epoch(world, ORG)
        dying = world.spawn("rebuild that dies", scenario.replay_facts(size=2))
        world.scheduler.join(dying, 2_000)
        if not dying.is_done:
            dying.kill()
        scenario.replay_facts(size=3)()

    world.spawn("rebuild", rebuild)
    scenario.start_stream(most_records=3)
    scenario.run()
    scenario.checker.check_at_rest()
    assert (ORG, 1) in scenario.checker.epochs()


def test_context_of_an_invocation_ends_with_its_time() -> None:
    """The updater stops before Lambda would stop it, and says what is not applied."""
    scenario = Scenario()
    (item,) = facts_of(scenario, [call("c")])
    handler = load_handler("update_rollups")
    context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 1)
    answer = handler({"Records": [item]}, context)
    assert answer["batchItemFailures"] == [{"itemIdentifier": item["dynamodb"]["SequenceNumber"]}]
