"""A store that is always busy ends in an error while there is still time to give it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from rollcall.api.endpoint import endpoint
from rollcall.api.http import Request, Response
from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
from rollcall.domain.errors import Conflict, Unavailable
from rollcall.ledger.apply import Applier
from rollcall.ledger.writer import fold
from rollcall.retry import MAX_REQUEST_SECONDS, Attempts, Backoff, seconds_left, time_limit
from rollcall.storage.client import translated_errors, with_retries
from tests.support.fakes import MemoryLedger
from tests.support.versions import versions_of


def throttled(code: str = "ThrottlingException") -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "Op")


def cancelled(*codes: str) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    response = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    return ClientError(response, "TransactWriteItems")  # type: ignore[arg-type]


class Clock:
    """Time that passes only in sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_patience_ends_before_the_invocation_does(clock: Clock) -> None:
    backoff = Backoff(tries=10_000, sleep=clock.sleep, jitter=lambda: 1.0)

    def request() -> None:
        clock.sleep(0.5)
        raise throttled()

    began = clock.now
    with time_limit(15), pytest.raises(Unavailable):
        with_retries(backoff, request)
    assert clock.now - began <= 15 - MAX_REQUEST_SECONDS + 1


def test_an_updater_that_never_gets_through_reports_in_time(clock: Clock) -> None:
    def around(operation: str, act: Callable[[], Any]) -> Any:
        clock.sleep(0.2)
        if operation == "commit":
            raise Conflict("always")
        return act()

    store = MemoryLedger(around=around)
    facts = versions_of([{"type": "space", "id": "s"}])
    backoff = Backoff(tries=10_000, sleep=clock.sleep, jitter=lambda: 1.0)
    applier = Applier(store, contribution_function(CURRENT_VERSION), backoff=backoff)
    began = clock.now
    with time_limit(120), pytest.raises(Unavailable):
        applier.apply(fold(facts))
    assert clock.now - began <= 120 - MAX_REQUEST_SECONDS + 1


def lose_races(attempts: Attempts, count: int) -> None:
    for _ in range(count):
        attempts.persist(Conflict("another writer was first"))


def test_a_lost_race_is_repeated_while_there_is_time(clock: Clock) -> None:
    attempts = Backoff(tries=3, sleep=clock.sleep, jitter=lambda: 0.5).attempts()
    began = clock.now
    with time_limit(29), pytest.raises(Unavailable, match="out of time"):
        lose_races(attempts, 1_000)
    assert attempts.number > 3
    assert clock.now - began <= 29 - MAX_REQUEST_SECONDS
    assert clock.now - began >= 29 - MAX_REQUEST_SECONDS - 1  # the longest pause


def test_pauses_stay_bounded_however_many_races_are_lost() -> None:
    slept: list[float] = []
    attempts = Backoff(sleep=slept.append, jitter=lambda: 1.0).attempts()
    with time_limit(60):
        lose_races(attempts, 2_000)
    assert max(slept) == 2.0


def test_without_a_limit_of_time_lost_races_are_counted() -> None:
    attempts = Backoff(tries=3, sleep=lambda _: None).attempts()
    with pytest.raises(Unavailable, match="3 tries"):
        lose_races(attempts, 4)
    assert attempts.number == 4


def test_a_limit_ends_with_its_block() -> None:
    with time_limit(10):
        assert seconds_left() < 10
    assert seconds_left() == float("inf")


def test_an_endpoint_gives_its_invocation_s_time(clock: Clock) -> None:
    def error_body(status: int, message: str) -> dict[str, Any]:
        return {"status": status}

    left = []

    @endpoint(error_body)
    def handler(request: Request) -> Response:
        left.append(seconds_left())
        raise Unavailable("busy")

    context = {"requestId": "r", "authorizer": {"org_id": "o", "org_handle": "h", "epoch": "0"}}
    remaining = SimpleNamespace(get_remaining_time_in_millis=lambda: 15_000)
    answer = handler({"requestContext": context}, remaining)
    assert answer["statusCode"] == 503
    assert left == [15 - MAX_REQUEST_SECONDS]


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (throttled(), Unavailable),
        (throttled("ProvisionedThroughputExceededException"), Unavailable),
        (throttled("ConditionalCheckFailedException"), Conflict),
        (throttled("TransactionInProgressException"), Conflict),
        (cancelled("None", "ConditionalCheckFailed"), Conflict),
        (cancelled("TransactionConflict", "ThrottlingError"), Conflict),
        (cancelled("ValidationError"), ClientError),
        (cancelled("ConditionalCheckFailed", "ValidationError"), ClientError),
        (throttled("ValidationException"), ClientError),
        (throttled("AccessDeniedException"), ClientError),
        (EndpointConnectionError(endpoint_url="http://x"), Unavailable),
        (ConnectTimeoutError(endpoint_url="http://x"), Unavailable),
        (ReadTimeoutError(endpoint_url="http://x"), Unavailable),
        (NoCredentialsError(), NoCredentialsError),
        (throttled("ResourceNotFoundException"), ClientError),
    ],
)
def test_what_may_be_tried_again(error: Exception, meaning: type[Exception]) -> None:
    with pytest.raises(meaning), translated_errors():
        raise error


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3])
def test_conflicts_and_lost_replies_in_any_share_end_exact(share: float) -> None:
    """Every nth operation fails, in turn before and after it was made."""
    numbers = itertools.count(1)
    every = round(1 / share)

    def around(operation: str, act: Callable[[], Any]) -> Any:
        number = next(numbers)
        if number % every:
            return act()
        if operation == "commit" and number % (2 * every):
            act()
            raise Unavailable("the reply was lost")
        raise Conflict("in the way")

    store = MemoryLedger(around=around)
    records = [
        {"type": "task", "id": f"t{n % 40}", "created_at": "2026-01-01T00:00:00Z",
         "status": ("pending", "running", "completed")[n % 3], "space_token": f"s{n % 5}"}
        for n in range(200)
    ]  # fmt: skip
    versions = versions_of(records)
    backoff = Backoff(tries=50, sleep=lambda _: None)
    for start in range(0, len(versions), 7):
        batch = versions[start : start + 7]
        Applier(
            store, contribution_function(CURRENT_VERSION), target_bytes=800, backoff=backoff
        ).apply(fold(batch))
    store.around = lambda _operation, act: act()
    store.check_pages()
    store.check_rollups()
    assert sum(1 for _ in store.rows()) == 40
