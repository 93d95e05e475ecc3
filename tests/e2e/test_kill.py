"""SIGKILL at random moments of a load: whatever was acknowledged is counted exactly once."""

import os
import random
import threading
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import TypeVar

import pytest

from tests.support import stack as stacks
from tests.support.figures import assert_figures
from tests.support.generate import batches, mixed_records
from tests.support.oracle import Oracle

KILLS = 5
Answer = TypeVar("Answer")


@pytest.fixture
def dynamodb(tmp_path):
    """DynamoDB Local as a process of its own, so that it survives the stack."""
    engine = stacks.start_dynamodb_local(tmp_path)
    yield engine.url
    engine.close()


class Mortal:
    """A stack that is killed a moment after `kill_after` was called, and started again when used."""

    def __init__(self, dynamodb: str) -> None:
        self.dynamodb = dynamodb
        self.stack = stacks.start(dynamodb)
        self.organisation = self.stack.new_organisation("survivor")
        self.deaths = 0

    def kill_after(self, seconds: float) -> None:
        # Popen.kill does nothing once the process is gone: no stranger with its number dies.
        threading.Timer(seconds, self.stack.process.kill).start()

    def insist(self, ask: Callable[[], Answer]) -> Answer:
        """Ask until there is an answer, as a client would."""
        for _ in range(KILLS + 2):
            try:
                return ask()
            except (OSError, HTTPException):
                self.stack.process.wait(30)
                self.stack.stop()
                self.deaths += 1
                self.stack = self.organisation.stack = stacks.start(self.dynamodb)
        raise AssertionError("died more often than it was killed")


@pytest.mark.slow
@pytest.mark.dynamodb_local
def test_killed_during_a_load(dynamodb):
    seed = int(os.environ.get("ROLLCALL_TEST_SEED", "11"))
    print(f"seed {seed}: ROLLCALL_TEST_SEED={seed} replays it")
    random_ = random.Random(seed)
    requests = list(batches(mixed_records(seed, 3_000, days=4, spaces=3), 200))
    kills = set(random_.sample(range(len(requests)), KILLS - 1))
    mortal, oracle = Mortal(dynamodb), Oracle()
    try:
        for number, batch in enumerate(requests):
            if number in kills:
                mortal.kill_after(random_.uniform(0.001, 1.2))
            answer = mortal.insist(lambda batch=batch: mortal.organisation.post(batch))
            assert answer.status == 200, answer.body
            oracle.post(batch, time.time_ns() // 1_000_000)
        mortal.kill_after(random_.uniform(0.05, 2))
        mortal.insist(lambda: mortal.stack.drain())  # noqa: PLW0108 - of the stack that lives then
        mortal.insist(lambda: assert_figures(mortal.organisation, oracle))
        print(f"{mortal.deaths} deaths")
        assert mortal.deaths > 1
    finally:
        mortal.stack.stop()
