"""Writes of runs: retried until they are made, and refused once another command has the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from rollcall.domain.errors import Conflict, Unavailable
from rollcall.domain.organisations import current_org_id
from rollcall.retry import Backoff
from rollcall.storage.run_store import RunWriter, run_id_of, run_is

TRIES = 6
BACKOFF = Backoff(tries=TRIES, sleep=lambda _seconds: None)
LOST_RACE = ClientError(
    {"Error": {"Code": "TransactionConflictException", "Message": ""}}, "PutItem"
)
REFUSED = ClientError(
    {"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}, "PutItem"
)
LOST_REPLY = ReadTimeoutError(endpoint_url="nowhere")


@dataclass
class Run:
    run_id: str


class Item:
    """One stored run, and what goes wrong with the writes to it, in turn."""

    def __init__(self, stored: Run | None, *problems: tuple[Exception, bool]) -> None:
        self.stored = stored
        self.problems = list(problems)
        self.writes = 0

    def write(self, expected: str | None, new: Run) -> None:
        def request() -> None:
            assert current_org_id() == "org"
            problem, is_made = self.problems.pop(0) if self.problems else (None, True)
            if run_id_of(self.stored) != expected:
                raise REFUSED
            if is_made:
                self.writes += 1
                self.stored = new
            if problem is not None:
                raise problem

        writer = RunWriter(BACKOFF, lambda _org_id: self.stored, lambda stored: stored)
        writer.write("org", request, expected=expected, is_done=lambda stored: stored is new)


@pytest.mark.parametrize("expected", [None, "mine"])
@pytest.mark.parametrize(
    "problems",
    [
        [],
        [(LOST_RACE, False)] * (TRIES - 1),
        [(LOST_REPLY, False)] * (TRIES - 1),
        [(LOST_REPLY, True)],  # the retry meets its own write
        [(LOST_RACE, False), (LOST_REPLY, True), (LOST_REPLY, False)],
    ],
)
def test_a_write_is_made_once_whatever_happens_to_its_requests(
    expected: str | None, problems: list[Any]
) -> None:
    item = Item(None if expected is None else Run(expected), *problems)
    new = Run("next")
    item.write(expected, new)
    assert item.stored is new
    assert item.writes == 1


@pytest.mark.parametrize("stored", [None, Run("of another")])
def test_a_run_that_another_command_took_over_is_a_conflict(stored: Run | None) -> None:
    item = Item(stored)
    with pytest.raises(Conflict):
        item.write("mine", Run("mine"))
    assert (item.stored, item.writes) == (stored, 0)


@pytest.mark.parametrize("problem", [LOST_RACE, LOST_REPLY])
def test_a_store_that_stays_busy_is_an_error(problem: Exception) -> None:
    item = Item(Run("mine"), *[(problem, False)] * TRIES)
    with pytest.raises(Unavailable):
        item.write("mine", Run("next"))
    assert item.problems == []


def test_the_condition_names_the_run_or_that_there_is_none() -> None:
    assert run_is("x")["ExpressionAttributeValues"] == {":read": {"S": "x"}}
    assert "attribute_not_exists" in run_is(None)["ConditionExpression"]
    assert (run_id_of(None), run_id_of(Run("x"))) == (None, "x")
