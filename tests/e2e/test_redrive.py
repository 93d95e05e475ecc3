"""What a running stack could not apply comes back through `rollcall redrive`, and nothing twice."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollcall_cli.local.tables import create_tables
from rollcall_cli.local.template import load_template
from tests.support import stack as stacks
from tests.support.builders import call, label
from tests.support.figures import assert_figures, send
from tests.support.generate import mixed_records
from tests.support.neutral import neutral
from tests.support.oracle import Oracle
from tests.support.raw_items import rollups_of, scanned
from tests.support.stack import ROLLCALL, ROOT, Stack

DRAINS = 3


@pytest.fixture
def impatient(tmp_path: Path) -> Path:
    """The template, but the event source gives a batch up, whole, at its first failure."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("functions", "layers", "infrastructure"):
        if (ROOT / name).exists():
            (folder / name).symlink_to(ROOT / name)
    text = (ROOT / "template.yaml").read_text()
    for setting, value in (("BisectBatchOnFunctionError", "false"), ("MaximumRetryAttempts", "0")):
        text, changed = re.subn(rf"({setting}): \S+", rf"\1: {value}", text)
        assert changed >= 1
    (folder / "template.yaml").write_text(text)
    return folder / "template.yaml"


@pytest.fixture
def stack(impatient: Path, tmp_path: Path) -> Iterator[Stack]:
    stacks.skip_without_dynamodb_local()
    arguments = ("--template", str(impatient), "--state-dir", str(tmp_path / "state"))
    running = stacks.start("dynamodb-local", arguments=arguments)
    yield running
    running.stop()


class Redrive:
    """The command as a process, at the folder that the stack announced."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        announced = re.search(r"rollcall redrive list --from (\S+)", stack.log.read_text())
        assert announced
        self.folder = announced[1]

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [ROLLCALL, "redrive", *arguments],
            env=self.stack.environment()
            | {"ROLLCALL_FAILURE_DESTINATION": f"file://{self.folder}"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    def list(self) -> list[Any]:
        return self.stack.cli("redrive", "list", "--json", "--from", self.folder)

    def files(self) -> list[str]:
        folder = Path(self.folder)
        paths = (path for path in folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(folder).as_posix() for path in paths)


@pytest.mark.slow
@pytest.mark.dynamodb_local
def test_what_failed_comes_back(stack: Stack, impatient: Path) -> None:
    dynamodb, redrive = stack.client, Redrive(stack)
    org = stack.new_organisation("acme")
    records = mixed_records(31, 240, days=3, spaces=2, others=2)
    assert len(records) > 480
    oracle = Oracle()

    # While the analytics table is away, what comes in is discarded in batches.
    dynamodb.delete_table(TableName=stack.ready["analytics_table"])
    for start in range(0, 300, 100):
        send(org, oracle, records[start : start + 100])
        stack.drain()
    batches = redrive.list()
    assert len(batches) >= DRAINS
    assert {(each["kind"], each["reason"]) for each in batches} == {
        ("batch", "RetryAttemptsExhausted")
    }
    (org_id,) = {name for each in batches for name in each["organisations"]}
    assert [each["kept_at"] for each in batches] == sorted(each["kept_at"] for each in batches)
    status, out, said = redrive("replay", "--all")
    assert (status, "3 objects in a row" in said) == (2, True)
    assert out.count("not applied: ResourceNotFoundException") == 3
    assert len(redrive.files()) == len(batches)

    # It is back; newer versions of the same records are applied before those that failed.
    create_tables(dynamodb, load_template(impatient))
    send(org, oracle, records[300:], 200)
    stack.drain()
    assert org.unpod() != oracle.unpod()
    sent = sum(each["records"] for each in batches)
    status, out, _ = redrive("replay", *(each["name"] for each in batches))
    assert (status, out) == (
        0, f"{sent} records of {len(batches)} objects applied; 0 objects remain\n"
    )  # fmt: skip
    assert redrive.files() == []
    assert_figures(org, oracle)
    assert_rollups(dynamodb, stack, org_id, oracle)

    # Poison, written past the API: set aside alone, and what is around it counts.
    for number in range(2):
        garbage = {
            "PK": {"S": f"ORG#{org_id}#call#0#"},
            "SK": {"S": f"FACT#garbage-{number}"},
            "type": {"S": "call"},
            "id": {"S": f"garbage-{number}"},
        }
        dynamodb.put_item(TableName=stack.ready["records_table"], Item=garbage)
        send(org, oracle, [call(f"after-{number}", space_token="space-1")])
    stack.drain()
    assert_figures(org, oracle)
    listed = redrive.list()
    assert [(each["kind"], each["records"]) for each in listed] == [("quarantined", 1)] * 2
    assert [each["organisations"] for each in listed] == [[org_id]] * 2
    status, shown, _ = redrive("show", listed[0]["name"])
    assert (status, "FACT#garbage-" in shown) == (0, True)

    # It stays poison: reported, neither removed nor doubled nor counted.
    before = redrive.files()
    for _ in range(2):
        status, out, _ = redrive("replay", "--all")
        assert (status, out.count("remains quarantine/")) == (1, 2)
    assert redrive.files() == before
    assert_rollups(dynamodb, stack, org_id, oracle)


@pytest.mark.slow
@pytest.mark.dynamodb_local
def test_a_damaged_page_delays_no_other_organisation(stack: Stack) -> None:
    dynamodb, table, redrive = stack.client, stack.ready["analytics_table"], Redrive(stack)
    damaged, other = stack.new_organisation("damaged"), stack.new_organisation("other")
    of_damaged, of_other = Oracle(), Oracle()
    send(damaged, of_damaged, [call("before")])
    stack.drain()
    (page,) = [
        item
        for item in dynamodb.scan(TableName=table)["Items"]
        if "#LEDGER#call#" in item["PK"]["S"]
    ]
    # With another version, else the updater would write what it kept over the damage.
    version = {"N": str(int(page["v"]["N"]) + 1)}
    dynamodb.put_item(TableName=table, Item={**page, "v": version, "data": {"B": b"\x09"}})
    for number in range(3):
        send(damaged, of_damaged, [call(f"after-{number}"), label(f"label-{number}")])
        send(other, of_other, [call(f"after-{number}")])
        stack.drain()
        assert_figures(other, of_other)
    listed = redrive.list()
    assert {each["kind"] for each in listed} == {"quarantined"}
    assert sum(each["records"] for each in listed) == 3  # the calls; labels have another page
    assert {each["reason"] for each in listed} == {
        f"CorruptItem: the call page at {page['start']['S']}: unknown ledger page format 09"
    }
    status, out, _ = redrive("replay", "--all")
    assert (status, out.count("remains quarantine/")) == (1, len(listed))

    dynamodb.put_item(TableName=table, Item=page)
    assert redrive("replay", "--all")[0] == 0
    assert redrive.files() == []
    assert_figures(damaged, of_damaged)
    assert_figures(other, of_other)


def assert_rollups(dynamodb: Any, stack: Stack, org_id: str, oracle: Oracle) -> None:
    """Every stored rollup is what counting the records gives."""
    items = scanned(dynamodb, stack.ready["analytics_table"], org_id)
    assert neutral(rollups_of(items)) == oracle.rollups()
