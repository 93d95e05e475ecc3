"""`rollcall local --data-dir`: a restart finds the same data, and exact numbers after any death."""

import contextlib
import os
import random
import re
import signal
import sqlite3
import stat
import subprocess
import threading
import time
from http.client import HTTPException

import pytest

from rollcall.domain.organisations import token_id
from rollcall_cli.local.data_folder import DataFolder
from tests.support import stack as stacks
from tests.support.figures import assert_figures
from tests.support.generate import batches, mixed_records
from tests.support.oracle import Oracle

DAY_MS = 24 * 60 * 60 * 1_000
pytestmark = [pytest.mark.slow, pytest.mark.dynamodb_local]


class Keeper:
    """A stack with a data folder, started again on the same one."""

    def __init__(self, folder):
        stacks.skip_without_dynamodb_local()
        self.folder = folder
        self.token_file = folder / "token"
        self.start()

    def start(self):
        self.stack = stacks.start(
            "dynamodb-local",
            arguments=[
                *("--org", "acme", "--token-file", self.token_file),
                *("--data-dir", self.folder / "data"),
            ],
            start_new_session=True,
        )
        token = self.token_file.read_text().strip()
        self.organisation = stacks.Organisation(self.stack, "acme", "acme", token)

    def kill(self):
        """SIGKILL to the whole process group, as a terminal that dies would."""
        os.killpg(self.stack.process.pid, signal.SIGKILL)
        self.stack.process.wait(30)
        self.stack.stop()

    def said(self):
        return self.stack.log.read_text()


@pytest.fixture
def keeper(tmp_path):
    keeper = Keeper(tmp_path)
    yield keeper
    keeper.stack.stop()


def requests(seed, count):
    return list(batches(mixed_records(seed, count, days=3, spaces=3), 40))


def send(keeper, oracle, batch):
    answer = keeper.organisation.post(batch)
    assert answer.status == 200, answer.body
    oracle.post(batch, time.time_ns() // 1_000_000)


def test_an_orderly_restart_keeps_everything_and_checks_nothing(keeper):
    oracle = Oracle()
    for batch in requests(5, 80):
        send(keeper, oracle, batch)
    token = keeper.token_file.read_text()
    assert stat.S_IMODE(keeper.token_file.stat().st_mode) == 0o600
    keeper.stack.stop()
    assert keeper.said().splitlines()[-1] == "rollcall: stopped"
    keeper.start()
    assert "is valid and is kept" in keeper.said()
    assert "replaying" not in keeper.said()
    assert keeper.token_file.read_text() == token
    keeper.stack.drain()
    assert_figures(keeper.organisation, oracle)


def test_killed_in_the_middle_of_ingest(keeper):
    """Acknowledged records are counted exactly once; a request that broke off is sent again."""
    seed = int(os.environ.get("ROLLCALL_TEST_SEED", "23"))
    print(f"seed {seed}: ROLLCALL_TEST_SEED={seed} replays it")
    dice = random.Random(seed)
    oracle, load = Oracle(), requests(seed, 300)
    kills = set(dice.sample(range(1, len(load)), 2))
    for number, batch in enumerate(load):
        if number not in kills:
            send(keeper, oracle, batch)
            continue
        killer = threading.Timer(dice.uniform(0.01, 0.5), keeper.kill)
        killer.start()
        with contextlib.suppress(OSError, HTTPException):
            keeper.organisation.post(batch)
        killer.join()
        keeper.start()
        assert "the last run was killed" in keeper.said()
        send(keeper, oracle, batch)
    keeper.kill()
    keeper.start()
    # Exact as soon as it is ready, and after what waits in the stream.
    assert_figures(keeper.organisation, oracle)
    keeper.stack.drain()
    assert_figures(keeper.organisation, oracle)
    audit = keeper.organisation.send("GET", "/v1/audit").json
    assert audit["exact"] is True
    assert_figures(keeper.organisation, oracle)


def test_what_the_stream_has_forgotten_is_found_again(keeper):
    """DynamoDB Local trims a stream after a day; the comparison brings back what it held."""
    oracle, load = Oracle(), requests(7, 60)
    for batch in load[:-1]:
        send(keeper, oracle, batch)
    keeper.kill()
    data = keeper.folder / "data"
    DataFolder(data).close()  # which waits for the killed database
    file = data / "dynamodb" / "shared-local-instance.db"
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute('DELETE FROM "rollcall-analytics"')
        database.execute("UPDATE us SET CreationDateTime = CreationDateTime - ?", [2 * DAY_MS])
    keeper.start()
    assert re.search(r"acme: .* compared; [1-9]\d* drifted .*repaired", keeper.said())
    assert_figures(keeper.organisation, oracle)
    send(keeper, oracle, load[-1])
    keeper.stack.drain()
    assert_figures(keeper.organisation, oracle)


# ------------------------------------------------------------------ the token


def local(*arguments):
    return subprocess.run(
        [stacks.ROLLCALL, "local", "--engine", "moto", "--port", "0", *map(str, arguments)],
        env=stacks.local_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_revoked_token_is_replaced(keeper):
    before = keeper.token_file.read_text()
    keeper.stack.administer.revoke_token(token_id(before.strip()))
    keeper.stack.stop()
    keeper.start()
    assert keeper.token_file.read_text() != before
    assert keeper.organisation.unpod()["total_calls"] == 0


def test_a_file_that_holds_something_else_is_left_alone(tmp_path):
    precious = tmp_path / "id_rsa"
    precious.write_text("a private key\n")
    done = local("--dynamodb-port", "0", "--org", "acme", "--token-file", precious)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == (
        f"rollcall: --token-file {precious}: it contains something other than a token; name another file"
    )
    assert precious.read_text() == "a private key\n"


def test_a_token_file_needs_an_organisation(tmp_path):
    done = local("--token-file", tmp_path / "token")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "rollcall: --token-file needs --org\n"
