"""Ingest, the updater and the merging of pages, each in real processes that SIGKILL themselves.

They do so at chosen requests. Each is started again until its work is done, as Lambda would: what was answered is never sent
again, what was not comes back, in other batches. Whatever the place of the deaths, every
acknowledged record is stored once and counted once, wherever it has moved meanwhile.

`ROLLCALL_TEST_SEED` replays a run, `ROLLCALL_TEST_KILLS` (for each of the three) makes a longer one:

    ROLLCALL_TEST_KILLS=300 ROLLCALL_TEST_SEED=5 pytest -s tests/e2e/test_kill_at_requests.py
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest

from rollcall.ledger.page import Row, Rows
from rollcall.storage.segment_items import directory_of, page_of_parts
from rollcall_cli.local.stream_source import DynamoStream
from rollcall_cli.local.tables import create_tables, stream_arn
from rollcall_cli.local.template import load_template
from tests.support import stack as stacks
from tests.support.generate import batches, mixed_records, wander
from tests.support.neutral import neutral
from tests.support.oracle import TYPES, Fact, Oracle, resolve
from tests.support.raw_items import expected_facts, facts_of, rollups_of, scanned
from tests.support.stack import ROLLCALL, ROOT, local_environment, to_json

SEED = int(os.environ.get("ROLLCALL_TEST_SEED", "11"))
KILLS = int(os.environ.get("ROLLCALL_TEST_KILLS", "8"))
RECORDS_A_KILL = 40  # more than a life gets done before it ends
BATCH = 20
MAX_CUT = 25
MAX_REWOUND = 10
PATIENCE_SECONDS = 120

Death = dict[str, Any]


@dataclass
class Life:
    """What a process answered before it ended, and where it died if it did."""

    answers: list[Any]
    died: tuple[str, str] | None


@dataclass
class Deployment:
    """Both tables on DynamoDB Local, one organisation, and processes that may die.

    `mutant` is a broken way to commit, for the checks of the checks; see `mortal`.
    """

    endpoint: str
    folder: Path
    handle: str
    mutant: str | None = None
    org_id: str = ""
    deaths: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.template = load_template(ROOT / "template.yaml")
        create_tables(self.client(), self.template)
        created = subprocess.run(
            [ROLLCALL, "org", "create", self.handle, "--name", "Survivor", "--json"],
            env=self.environment(),
            capture_output=True,
            check=True,
            timeout=120,
        )
        self.org_id = json.loads(created.stdout)["id"]

    def client(self, service: str = "dynamodb") -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="eu-central-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def environment(self) -> dict[str, str]:
        return local_environment() | {
            "AWS_ENDPOINT_URL_DYNAMODB": self.endpoint,
            "ROLLCALL_FAILURE_DESTINATION": (self.folder / "failures").as_uri(),
            "ROLLCALL_PAGE_TARGET_BYTES": "1024",  # so that pages split, and often
            "ROLLCALL_SEGMENT_BYTES": "2048",
        }

    def live(
        self, function: str, events: Sequence[Any], death: Death | None, hours_ahead: int = 0
    ) -> Life:
        """One process, with these events one after the other."""
        job = self.folder / "job.json"
        what = {"function": function, "events": events, "death": death, "mutant": self.mutant}
        what["hours_ahead"] = hours_ahead
        job.write_text(json.dumps(what))
        done = subprocess.run(
            [sys.executable, "-m", "tests.e2e.mortal", job],
            env=self.environment(),
            cwd=ROOT,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        said = [json.loads(line) for line in done.stdout.splitlines()]
        answers = [line["answer"] for line in said if "answer" in line]
        died = next((tuple(line["died"]) for line in said if "died" in line), None)
        assert done.returncode == (0 if died is None else -signal.SIGKILL), done.stderr.decode()
        assert died or len(answers) == len(events)
        if died is not None:
            self.deaths[died] += 1
        return Life(answers, died)

    # ------------------------------------------------------------------ what is stored
    def facts(self) -> dict[tuple[str, str], tuple[int, Any]]:
        return facts_of(scanned(self.client(), "rollcall-records", self.org_id))

    def analytics(self) -> tuple[dict[Any, int], dict[tuple[str, str], dict[int, Row]]]:
        """Every measure that is not zero; and the rows of each fact in the pages, by time."""
        items = self._items()
        found: dict[tuple[str, str], dict[int, Row]] = {}
        beside = {
            (item["PK"]["S"].replace("#IDENTITIES#", "#LEDGER#"), item["SK"]["S"]): item
            for item in items
            if "#IDENTITIES#" in item["PK"]["S"]
        }
        for item in items:
            parts = item["PK"]["S"].split("#")
            if parts[3] == "LEDGER":
                identities = beside.pop((item["PK"]["S"], item["SK"]["S"]), None)
                for row in rows_in(parts[4], item, identities):
                    rows = found.setdefault((parts[4], row.id), {})
                    assert row.time_ms not in rows, f"{row.id} is in two pages"
                    rows[row.time_ms] = row
        assert not beside, "identities without their segment"
        return neutral(rollups_of(items)), found

    def segments(self) -> int:
        """The number of segments."""
        return sum("directory" in item for item in self._items())

    def _items(self) -> list[Any]:
        return list(scanned(self.client(), "rollcall-analytics", self.org_id))

    def stream(self) -> list[Any]:
        """Every stream record of a fact written so far, in order."""
        table = next(t for t in self.template.tables if t.name == "rollcall-records")
        source = DynamoStream(self.client("dynamodbstreams"), stream_arn(self.client(), table))
        last = {"PK": {"S": "LOCAL#"}, "SK": {"S": "LAST"}}
        self.client().put_item(TableName=table.name, Item=last)
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends_at:
            records = [r for shard in source.shards() for r in _read(source, shard.shard_id)]
            if any(record["dynamodb"]["Keys"] == last for record in records):
                keys = [record["dynamodb"]["Keys"] for record in records]
                return [
                    record
                    for record, key in zip(records, keys, strict=True)
                    if key["PK"]["S"].startswith(f"ORG#{self.org_id}#")
                    and key["SK"]["S"].startswith("FACT#")
                ]
            time.sleep(0.1)
        raise AssertionError("the stream does not bring what was written")


def rows_in(record_type: str, item: Any, identities: Any) -> Iterator[Row]:
    """The rows of a page, or of a segment with its identities."""
    if "segment" not in item:
        yield from Rows.decode(record_type, item["data"]["B"])
        return
    assert identities["v"] == item["v"]
    directory = directory_of(item)
    yield from page_of_parts(record_type, directory, item, identities, None).rows


def _read(source: DynamoStream, shard_id: str) -> Iterator[Any]:
    iterator: str | None = source.iterator(shard_id, None)
    while iterator is not None:
        page = source.read(iterator)
        yield from page.records
        iterator = page.next_iterator if page.records else None


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    engine = stacks.start_dynamodb_local(tmp_path_factory.mktemp("engine"))
    yield engine.url
    engine.close()


@pytest.fixture
def deployment(endpoint: str, tmp_path: Path, request: pytest.FixtureRequest) -> Deployment:
    handle = hashlib.sha256(request.node.name.encode()).hexdigest()[:12]
    return Deployment(endpoint, tmp_path, handle)


def records_of(seed: int) -> list[Any]:
    """Enough versions for all the kills, at several times each; which one wins is theirs alone."""
    versions = mixed_records(seed, KILLS * RECORDS_A_KILL // 2, days=3, spaces=2, others=2)
    assert len(versions) >= KILLS * RECORDS_A_KILL
    random_ = random.Random(seed)
    return [wander(random_, version) for version in versions]


def deaths(random_: random.Random, write: str, most_requests: int, most_writes: int) -> Death:
    """A place to die: at any request, or, as often, at a write."""
    of, most = random_.choice([(None, most_requests), (write, most_writes)])
    when = random_.choice(["before", "after"])
    return {"request": random_.randint(1, most), "of": of, "when": when}


# ------------------------------------------------------------------ ingest
def request_event(org_id: str, records: Sequence[Any]) -> Any:
    """POST /v1/records as API Gateway hands it on."""
    authorizer = {"org_id": org_id, "org_handle": "survivor", "epoch": "0", "scopes": "ingest"}
    return {
        "resource": "/v1/records",
        "httpMethod": "POST",
        "headers": {},
        "multiValueHeaders": {},
        "pathParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"requestId": "request-1", "authorizer": authorizer},
        "body": to_json({"records": records}),
        "isBase64Encoded": False,
    }


def ingest(
    deployment: Deployment,
    requests: Sequence[Sequence[Any]],
    death: Callable[[], Death | None],
    after_death: Callable[[int], None],
) -> None:
    """Send until every request is acknowledged; an unanswered one is sent again."""
    acknowledged = 0
    while acknowledged < len(requests):
        dies_at = death()
        ahead = requests[acknowledged:][: 10 if dies_at else None]
        events = [request_event(deployment.org_id, records) for records in ahead]
        life = deployment.live("ingest_records", events, dies_at)
        for answer in life.answers:
            assert answer["statusCode"] == 200, answer
        acknowledged += len(life.answers)
        if life.died:
            after_death(acknowledged)


# ------------------------------------------------------------------ updater
def update(
    deployment: Deployment,
    records: Sequence[Any],
    death: Callable[[], Death | None],
    after_death: Callable[[], None],
    random_: random.Random,
) -> None:
    """Deliver until every record is answered for; a new life begins somewhat before that."""
    answered = 0
    while answered < len(records):
        dies_at = death()
        start = max(0, answered - random_.randint(0, MAX_REWOUND))
        cuts = list(range(start, len(records), MAX_CUT * 8))
        if dies_at:
            cuts = [start]
            for _ in range(10):
                cuts.append(cuts[-1] + random_.randint(1, MAX_CUT))
        ends = [*cuts[1:], len(records)] if not dies_at else cuts[1:]
        events = [
            {"Records": records[begin:end]}
            for begin, end in zip(cuts, ends, strict=False)
            if begin < len(records)
        ]
        life = deployment.live("update_rollups", events, dies_at)
        for event, answer in zip(events, life.answers, strict=False):
            assert answer == {"batchItemFailures": []}
            start += len(event["Records"])
        answered = max(answered, start)
        if life.died:
            after_death()


def never() -> None:
    """A life without an end."""


def nothing(*_: Any) -> None:
    """There is nothing to check."""


class Kills:
    """Says of each life where it ends, until there were enough deaths."""

    def __init__(self, deployment: Deployment, draw: Callable[[], Death]) -> None:
        self._deployment = deployment
        self._draw = draw

    def __call__(self) -> Death | None:
        return self._draw() if self._deployment.deaths.total() < KILLS else None


class Figures(NamedTuple):
    """What is not as it should be."""

    lost: list[Any]
    too_low: list[Any]
    too_high: list[Any]


def figures(deployment: Deployment, oracle: Oracle) -> Figures:
    """Facts that are not stored; measures below and above what counting the records gives."""
    stored, measures, expected = deployment.facts(), deployment.analytics()[0], oracle.rollups()
    return Figures(
        [key for key in oracle.facts if key not in stored],
        [key for key, value in expected.items() if measures.get(key, 0) < value],
        [key for key, value in measures.items() if value > expected.get(key, 0)],
    )


def report(deployment: Deployment, what: str, oracle: Oracle) -> None:
    """Print the figures, and fail unless they are exact."""
    found = figures(deployment, oracle)
    print(f"\n{what}: seed {SEED}, {deployment.deaths.total()} kills")
    for (when, operation), count in sorted(deployment.deaths.items()):
        print(f"  {count:5} {when:6} {operation}")
    print(f"  {len(oracle.facts)} facts, {len(oracle.rollups())} measures")
    print(f"  lost {len(found.lost)}, too low {len(found.too_low)}, doubled {len(found.too_high)}")
    assert found == Figures([], [], [])
    assert deployment.facts() == expected_facts(oracle)
    assert deployment.analytics()[0] == oracle.rollups()
    assert deployment.deaths.total() == KILLS


@pytest.mark.slow
@pytest.mark.dynamodb_local
def test_ingest_killed_at_its_requests(deployment: Deployment) -> None:
    random_ = random.Random(f"{SEED}/ingest")
    now_ms = time.time_ns() // 1_000_000
    requests = list(batches(records_of(SEED), BATCH))
    attempted = {}
    for record in (record for request in requests for record in request):
        version = resolve(record, now_ms)
        attempted[version.kind, version.id, version.updated_at] = version.content
    oracle = Oracle()
    posted = 0

    def check(acknowledged: int) -> None:
        nonlocal posted
        for request in requests[posted:acknowledged]:
            oracle.post(request, now_ms)
        posted = acknowledged
        stored = deployment.facts()
        for key, fact in oracle.facts.items():
            assert stored[key][0] >= fact.updated_at, f"{key} was acknowledged, and is lost"
        for key, (updated_at, content) in stored.items():
            assert attempted[(*key, updated_at)] == content

    kills = Kills(deployment, lambda: deaths(random_, "PutItem", 2 * BATCH + 10, 2 * BATCH))
    ingest(deployment, requests, kills, check)
    check(len(requests))
    update(deployment, deployment.stream(), never, nothing, random_)
    report(deployment, "ingest", oracle)


@pytest.mark.slow
@pytest.mark.dynamodb_local
def test_the_updater_killed_at_its_requests(deployment: Deployment) -> None:
    random_ = random.Random(f"{SEED}/updater")
    requests = list(batches(records_of(SEED + 1), 500))
    oracle = Oracle()
    for request in requests:
        oracle.post(request, time.time_ns() // 1_000_000)
    ingest(deployment, requests, never, nothing)
    records = deployment.stream()
    versions = {}
    times: dict[tuple[str, str, int], set[int]] = {}  # at which a fact has been by a revision
    seen: dict[tuple[str, str], set[int]] = {}
    for record in records:
        image = record["dynamodb"]["NewImage"]
        ((key, version),) = facts_of([image]).items()
        rev = int(image["rev"]["N"])
        versions[(*key, rev)] = version
        if "time_ms" in image or TYPES[key[0]].time is None:
            seen.setdefault(key, set()).add(int(image.get("time_ms", {"N": "0"})["N"]))
        times[(*key, rev)] = set(seen.get(key, ()))

    def check() -> None:
        """What is counted now is what the rows in the pages say now: one version of each fact."""
        measures, rows_of = deployment.analytics()
        applied = Oracle()
        for key, rows in rows_of.items():
            rev = max(row.rev for row in rows.values())
            updated_at, content = versions[(*key, rev)]
            applied.facts[key] = Fact(updated_at, content, None, False)
            assert rows.keys() == times[(*key, rev)]
            live = [row.rev for row in rows.values() if row.record is not None]
            assert live == ([] if content is None else [rev])
        assert measures == applied.rollups()

    kills = Kills(deployment, lambda: deaths(random_, "TransactWriteItems", 30, 4))
    update(deployment, records, kills, check, random_)
    check()
    _, rows_of = deployment.analytics()
    revisions = {key: max(row.rev for row in rows.values()) for key, rows in rows_of.items()}
    newest = {key: max(r for *k, r in versions if tuple(k) == key) for key in revisions}
    assert revisions == newest
    assert sum(len(rows) > 1 for rows in rows_of.values()) > len(rows_of) / 4
    report(deployment, "updater", oracle)


@pytest.mark.slow
@pytest.mark.dynamodb_local
def test_merging_killed_at_its_requests(deployment: Deployment) -> None:
    """Rows and rollups are the same after each death; then late changes split segments again."""
    random_ = random.Random(f"{SEED}/merging")
    requests = list(batches(records_of(SEED + 2), 500))
    oracle = Oracle()
    for request in requests:
        oracle.post(request, time.time_ns() // 1_000_000)
    ingest(deployment, requests, never, nothing)
    records = deployment.stream()
    cuts = [len(records) * (KILLS + n) // (2 * KILLS) for n in range(KILLS + 1)]
    for begin, end in zip([0, *cuts], cuts, strict=False):
        # Later versions split what was merged.
        update(deployment, records[begin:end], never, nothing, random_)
        before = deployment.analytics()
        died = True
        while died:
            is_enough = deployment.deaths.total() == KILLS
            death = None if is_enough else deaths(random_, "TransactWriteItems", 14, 3)
            died = deployment.live("merge_pages", [{}], death, hours_ahead=100).died is not None
            assert deployment.analytics() == before
    assert deployment.segments() > 3
    report(deployment, "merging", oracle)


# ------------------------------------------------------------------ can it fail?
@pytest.mark.slow
@pytest.mark.dynamodb_local
@pytest.mark.parametrize("mutant", ["rollups first", "page first"])
def test_a_commit_in_two_parts_is_found_out(deployment: Deployment, mutant: str) -> None:
    """One death between the two: what is redelivered is counted twice, or never."""
    random_ = random.Random(f"{SEED}/{mutant}")
    requests = list(batches(records_of(SEED)[:60], BATCH))
    oracle = Oracle()
    for request in requests:
        oracle.post(request, time.time_ns() // 1_000_000)
    ingest(deployment, requests, never, nothing)
    records = deployment.stream()
    deployment.mutant = mutant
    death = {"request": 1, "of": "TransactWriteItems", "when": "after"}
    ends = iter([death])
    update(deployment, records, lambda: next(ends, None), nothing, random_)
    assert deployment.deaths == {("after", "TransactWriteItems"): 1}
    found = figures(deployment, oracle)
    assert found.lost == []
    assert bool(found.too_high) == (mutant == "rollups first")
    assert bool(found.too_low) == (mutant == "page first")


@pytest.mark.slow
@pytest.mark.dynamodb_local
def test_an_acknowledgement_before_the_write_is_found_out(deployment: Deployment) -> None:
    requests = list(batches(records_of(SEED)[:60], BATCH))
    oracle = Oracle()
    for request in requests:
        oracle.post(request, time.time_ns() // 1_000_000)
    death = {"request": 5, "of": "PutItem", "when": "before"}
    for request, dies_at in zip(requests, [None, death, None], strict=True):
        deployment.live("ingest_records", [request_event(deployment.org_id, request)], dies_at)
    assert figures(deployment, oracle).lost
