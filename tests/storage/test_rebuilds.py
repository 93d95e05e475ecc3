"""Rebuilds on real engines: their state, and the command `rollcall rebuild` at the keyboard."""

from __future__ import annotations

import json
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from rollcall import bootstrap, commands
from rollcall.domain.contributions import CURRENT_VERSION
from rollcall.domain.errors import Conflict, CorruptItem
from rollcall.domain.organisations import Organisation, tenant
from rollcall.maintenance.rebuilds import Phase, RebuildRun
from rollcall.retry import Backoff
from rollcall.settings import settings
from rollcall.storage import keys
from rollcall.storage.accounts import Directory, item_of_organisation
from rollcall.storage.epochs import EpochContents
from rollcall.storage.rebuilds import RebuildStore
from rollcall_cli import rebuild_command
from rollcall_cli.main import run
from tests.support.answering import wired
from tests.support.broken_requests import break_requests
from tests.support.builders import call, task
from tests.support.engines import MEMORY_CLIENT
from tests.support.neutral import neutral
from tests.support.oracle import Oracle
from tests.support.parsing import parsed
from tests.support.stored_ledger import Stored

pytestmark = pytest.mark.engine


TABLE = "rollcall-records"
ANALYTICS = "rollcall-analytics"
BACKOFF = Backoff(tries=40, first_seconds=0.001, max_seconds=0.01)
NOW_MS = 1_800_000_000_000
FIRST = RebuildRun("first", Phase.ENTERING, 1, 1, 0, 1, NOW_MS)
SECOND = replace(FIRST, run_id="second")


@pytest.fixture
def org_id() -> str:
    return f"org#{uuid.uuid4()}"


@pytest.fixture
def store(client: Any) -> RebuildStore:
    return RebuildStore(client, TABLE, BACKOFF)


# ------------------------------------------------------------------ the stored state


def test_a_run_is_kept_from_its_begin_to_its_end_and_after(
    store: RebuildStore, org_id: str
) -> None:
    assert store.read(org_id) is None
    store.begin(org_id, FIRST, replacing=None)
    assert store.read(org_id) == FIRST
    whole = replace(
        FIRST,
        phase=Phase.DONE,
        cursor="call/0/FACT#é~-",
        facts=7,
        rows=6,
        damaged=1,
        switched_at_ms=NOW_MS + 1,
        dropped_at_ms=NOW_MS + 2,
        looked_at_ms=NOW_MS + 3,
        empty_since_ms=NOW_MS + 4,
        removed=9,
        finished_at_ms=NOW_MS + 5,
    )
    store.save(org_id, whole)
    assert store.read(org_id) == whole
    store.begin(org_id, SECOND, replacing=whole)
    assert store.read(org_id) == SECOND


def test_one_that_was_taken_over_can_write_no_more(store: RebuildStore, org_id: str) -> None:
    with pytest.raises(Conflict):
        store.save(org_id, FIRST)
    with pytest.raises(Conflict):
        store.begin(org_id, SECOND, replacing=FIRST)
    store.begin(org_id, FIRST, replacing=None)
    with pytest.raises(Conflict):
        store.begin(org_id, SECOND, replacing=None)
    store.begin(org_id, SECOND, replacing=FIRST)
    with pytest.raises(Conflict):
        store.save(org_id, FIRST)
    with pytest.raises(Conflict):
        store.begin(org_id, replace(FIRST, run_id="third"), replacing=FIRST)
    assert store.read(org_id) == SECOND


def test_of_many_that_take_over_one_does(store: RebuildStore, org_id: str) -> None:
    store.begin(org_id, FIRST, replacing=None)

    def take_over(number: int) -> bool:
        try:
            store.begin(org_id, replace(FIRST, run_id=f"run {number}"), replacing=FIRST)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as executor:
        assert sum(executor.map(take_over, range(8))) == 1


@pytest.mark.representatives(4)
@pytest.mark.parametrize("is_applied", [True, False], ids=["applied", "not applied"])
@pytest.mark.parametrize("lost", [1, 2, 9])
def test_a_lost_reply_is_no_conflict(
    store: RebuildStore, client: Any, org_id: str, lost: int, is_applied: bool
) -> None:
    further = replace(SECOND, phase=Phase.COPYING, facts=3)
    writes: list[tuple[Callable[[], None], RebuildRun]] = [
        (lambda: store.begin(org_id, FIRST, None), FIRST),
        (lambda: store.begin(org_id, SECOND, FIRST), SECOND),
        (lambda: store.save(org_id, further), further),
    ]
    for write, expected in writes:
        sent = break_requests(client, lost, is_applied=is_applied)
        write()
        assert sent() > lost
        assert store.read(org_id) == expected


def test_garbage_is_reported_as_garbage(store: RebuildStore, client: Any, org_id: str) -> None:
    store.begin(org_id, FIRST, replacing=None)
    key = keys.rebuild(org_id)
    for broken in ({"phase": {"S": "dreaming"}}, {"epoch": {"S": "one"}}, {"cursor": {"N": "1"}}):
        with tenant(org_id):
            stored = client.get_item(
                TableName=TABLE, Key={"PK": {"S": key.pk}, "SK": {"S": key.sk}}, ConsistentRead=True
            )["Item"]
            client.put_item(TableName=TABLE, Item={**stored, **broken})
            with pytest.raises(CorruptItem):
                store.read(org_id)
            client.put_item(TableName=TABLE, Item=stored)


# ------------------------------------------------------------------ the command


class Deployed:
    """An engine with organisations, whose functions run in this process."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.directory = Directory(client, TABLE, BACKOFF)
        self.organisations: dict[str, Organisation] = {}
        self.oracles: dict[str, Oracle] = {}
        self.clock_ms = NOW_MS

    def organisation(self, handle: str, calls: int) -> Organisation:
        made = Organisation(f"org-{uuid.uuid4()}", handle, handle.title(), NOW_MS, 2)
        self.directory.create_organisation(made)
        self.organisations[handle], self.oracles[handle] = made, Oracle()
        records = [call(f"call-{n}", cost=n) for n in range(calls)]
        self.put(handle, [*records, task(), {"type": "call", "id": "call-0", "deleted": True}])
        return made

    def put(self, handle: str, records: list[Any]) -> None:
        org = self.organisations[handle]
        self.oracles[handle].post(records, self.clock_ms)
        facts = []
        for record in records:
            self.clock_ms += 1
            change = parsed(record)
            with tenant(org.id):
                name = (change.type, change.id)
                stored = bootstrap.facts().read(org.id, org.buckets, [name]).get(name)
                _, fact = bootstrap.facts().write(org.id, org.buckets, stored, change)
            assert fact is not None
            facts.append(fact)
        now = self.directory.organisation(org.id)
        assert now is not None
        bootstrap.apply_facts()(now, facts)

    def assert_exact(self, handle: str, epoch: int) -> None:
        org = self.directory.organisation(self.organisations[handle].id)
        assert org is not None
        assert (org.live, org.written) == (epoch, (epoch,))
        with tenant(org.id):
            memory = Stored(self.client, org.id, epoch).memory
        memory.check_pages()
        assert neutral(memory.counted()) == self.oracles[handle].rollups()
        contents = EpochContents(self.client, ANALYTICS, BACKOFF)
        assert all(contents.is_empty(org.id, old) for old in range(epoch))


@contextmanager
def deploying(client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    made = Deployed(client)

    def pause(_stop: threading.Event, seconds: float) -> None:
        made.clock_ms += int(seconds * 1_000) + 1

    monkeypatch.setattr(rebuild_command, "pause", pause)
    with wired(
        dynamodb=lambda: client,
        now_ms=lambda: made.clock_ms,
        now_us=lambda: made.clock_ms * 1_000,
        settings=replace(settings, rebuild_chunk_facts=3),
    ):
        yield made


@pytest.fixture
def deployed(client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    with deploying(client, monkeypatch) as made:
        yield made


@pytest.fixture
def alone(client_of: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """One on tables of its own."""
    with deploying(client_of(MEMORY_CLIENT), monkeypatch) as made:
        yield made


def handle() -> str:
    return f"h-{uuid.uuid4().hex[:12]}"


def rebuild(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        run(["rebuild", *arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return int(ended.value.code or 0), out, err


def test_the_command_replaces_the_epoch_and_says_so(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    name = handle()
    deployed.organisation(name, calls=8)
    status, out, err = rebuild(capsys, "--org", name, "--json")
    assert status == 0
    report = json.loads(out)
    assert report.pop("seconds") >= 1_800
    assert report == {
        "organisation": name,
        "facts": 9,
        "rows": 9,
        "damaged": 0,
        "old_epoch": 0,
        "new_epoch": 1,
        "buckets": 1,
        "old_contribution_version": CURRENT_VERSION,
        "new_contribution_version": CURRENT_VERSION,
    }
    lines = [line.removeprefix(f"rollcall: {name}: ") for line in err.splitlines()]
    assert lines == [
        "rebuilding epoch 0 as epoch 1",
        "epoch 1 is live, with 9 facts; epoch 0 is kept for 15:00",
        "epoch 0 is no longer written; it is removed in 15:00",
    ]
    deployed.assert_exact(name, 1)
    deployed.put(name, [call("late")])
    deployed.assert_exact(name, 1)


def test_interrupted_it_says_how_to_go_on_and_does(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = handle()
    deployed.organisation(name, calls=8)
    let_time_pass = rebuild_command.pause
    # Ignored, where the tests run in the background.
    handler = signal.getsignal(signal.SIGINT)

    def interrupted(stop: threading.Event, seconds: float) -> None:
        signal.raise_signal(signal.SIGINT)
        let_time_pass(stop, seconds)

    monkeypatch.setattr(rebuild_command, "pause", interrupted)
    status, out, err = rebuild(capsys, "--org", name)
    assert (status, out) == (130, "")
    assert "run the same command again to resume" in err
    monkeypatch.setattr(rebuild_command, "pause", let_time_pass)
    assert signal.getsignal(signal.SIGINT) is handler
    status, out, err = rebuild(capsys, "--org", name)
    assert status == 0
    assert f"{name}: resuming epoch 1, overlapping" in err
    assert f"{name}: 9 facts, 9 rows in 1,8" in out
    version = CURRENT_VERSION
    replaced = f"epoch 0 (contribution version {version}) replaced by epoch 1 (version {version})"
    assert replaced in out
    deployed.assert_exact(name, 1)


def test_a_damaged_fact_is_named_and_the_status_tells(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    name = handle()
    org = deployed.organisation(name, calls=3)
    with tenant(org.id):
        key = {"PK": {"S": keys.facts(org.id, "call", 1)}, "SK": {"S": "FACT#broken"}}
        deployed.client.put_item(TableName=TABLE, Item=key)
    status, out, err = rebuild(capsys, "--org", name, "--json")
    assert status == 1
    assert json.loads(out)["damaged"] == 1
    assert f"{name}: damaged call 'FACT#broken' is excluded from all results" in err
    assert f"{name}: damaged facts, excluded from all results: 1" in err
    deployed.assert_exact(name, 1)


# ------------------------------------------------------------------ several organisations


def test_all_are_rebuilt_side_by_side(alone: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("alpha", "beta", "gamma"):
        alone.organisation(name, calls=4)
    began_ms = alone.clock_ms
    status, out, _ = rebuild(capsys, "--all", "--json")
    assert status == 0
    assert {json.loads(line)["organisation"] for line in out.splitlines()} == {
        "alpha",
        "beta",
        "gamma",
    }
    assert alone.clock_ms - began_ms < 2_000_000  # they waited together
    for name in ("alpha", "beta", "gamma"):
        alone.assert_exact(name, 1)


def test_bars_on_a_terminal_leave_the_reports_alone(
    alone: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes stderr for a terminal
    alone.organisation("acme", calls=4)
    status, out, err = rebuild(capsys, "--org", "acme", "--json")
    assert status == 0
    assert json.loads(out)["facts"] == 5
    assert "\x1b[" in err
    assert "epoch 1 is live" in err


def test_what_fails_at_one_keeps_no_other_from_its_rebuild(
    alone: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("alpha", "beta"):
        alone.organisation(name, calls=4)
    key = keys.rebuild(alone.organisations["alpha"].id)
    with tenant(alone.organisations["alpha"].id):
        garbage = {"PK": {"S": key.pk}, "SK": {"S": key.sk}, "run_id": {"S": "x"}}
        alone.client.put_item(TableName=TABLE, Item=garbage)
    status, out, err = rebuild(capsys, "--all")
    assert status == 2
    assert out.startswith("beta: 5 facts")
    assert "rollcall: alpha: attribute 'phase'" in err
    alone.assert_exact("beta", 1)


def test_outdated_are_those_half_rebuilt_or_of_another_release(
    alone: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("alpha", "beta", "gamma"):
        alone.organisation(name, calls=2)
    old = alone.organisations["beta"]
    other = replace(old, contributions={0: 77})
    alone.directory.change_epochs(old, other)
    service = commands.rebuild()
    service.begin(alone.organisations["gamma"].id)
    status, out, err = rebuild(capsys, "--outdated", "--json")
    assert status == 0
    reports = {report["organisation"]: report for report in map(json.loads, out.splitlines())}
    assert reports.keys() == {"beta", "gamma"}
    assert reports["beta"]["old_contribution_version"] == 77
    assert "beta: epoch 0 has contribution version 77, which this release lacks" in err
    alone.assert_exact("beta", 1)
    alone.assert_exact("gamma", 1)
    status, out, _ = rebuild(capsys, "--outdated")
    assert (status, out) == (0, "")


def test_organisations_are_listed_with_the_buckets_that_queries_read(
    alone: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("acme", "zenith"):
        alone.organisation(name, calls=2)
    assert rebuild(capsys, "--org", "acme", "--buckets", "3")[0] == 0
    plain, document = (listed(capsys, *arguments) for arguments in ((), ("--json",)))
    numbers = [(each["handle"], each["shards"], each["buckets"]) for each in json.loads(document)]
    assert numbers == [("acme", 2, 3), ("zenith", 2, 1)]
    for line, (_, shards, buckets) in zip(plain.splitlines(), numbers, strict=True):
        assert line.endswith(f"  (shards: {shards}, buckets: {buckets})")


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit):
        run(["org", "list", *arguments])
    return capsys.readouterr().out


# ------------------------------------------------------------------ what is asked for


def test_a_grace_that_is_too_short_is_raised_and_reported(
    alone: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    alone.organisation("acme", calls=1)
    status, _, err = rebuild(capsys, "--org", "acme", "--grace", "5s", "--settle", "0s")
    assert status == 0
    assert "--grace 5s is shorter than gateways cache an authorizer's answer" in err
    assert "using the minimum of 1:00" in err
    assert "epoch 0 is kept for 1:00" in err
    assert "it is removed in 0:2" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "specify exactly one of --org, --all and --outdated"),
        (("--org", "acme", "--all"), "specify exactly one of"),
        (("--org", "acme", "--buckets", "0"), "--buckets must be 1 to 64, not 0"),
        (("--org", "acme", "--buckets", "65"), "--buckets must be 1 to 64, not 65"),
        (("--org", "acme", "--buckets", "many"), "Invalid value for '--buckets'"),
        (("--all", "--buckets", "2"), "--buckets needs --org"),
        (("--org", "unknown"), "no organisation has the handle 'unknown'"),
        (("--org", "acme", "--grace", "soon"), "--grace must be a duration such as 90s"),
        (("--org", "acme", "--settle", "5"), "--settle must be a duration such as 90s"),
    ],
)
def test_what_cannot_be_done_is_reported_in_one_line(
    alone: Deployed,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    alone.organisation("acme", calls=1)
    status, out, err = rebuild(capsys, *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_one_that_is_being_deleted_is_refused(
    alone: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    org = alone.organisation("acme", calls=1)
    with tenant(org.id):
        going = item_of_organisation(keys.organisation(org.id), replace(org, is_deleting=True))
        alone.client.put_item(TableName=TABLE, Item=going)
    status, out, err = rebuild(capsys, "--org", "acme")
    assert (status, out) == (2, "")
    assert "rollcall: acme: the organisation is being deleted; it is not rebuilt" in err
