"""The last use of a token: recorded at most once an hour, and never in the way of a request."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import Conflict, Unavailable
from rollcall.domain.organisations import Organisation, Token, new_token, token_id
from rollcall.ingest.authorize import Authorize
from rollcall.ingest.token_use import RecordUse

HOUR_MS = 3_600_000
START_MS = 1_800_000_000_000
TOKEN = Token("f" * 64, "org_1", ("read",), 0)


class Later:
    """An executor that runs nothing until `run` is called."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, lambda: work(*arguments)))
        return future

    def run(self) -> None:
        waiting, self.waiting = self.waiting, []
        for future, work in waiting:
            try:
                future.set_result(work())
            except Exception as error:  # noqa: BLE001 - as an executor does
                future.set_exception(error)


class Bench:
    """One execution environment; what it writes, the next read of the token has."""

    def __init__(self, error: Exception | None = None) -> None:
        self.now_ms = START_MS
        self.token = TOKEN
        self.error = error
        self.tries = 0
        self.warnings: list[BaseException] = []
        self.later = Later()
        self.record = RecordUse(self, self.later, lambda: self.now_ms, self.warnings.append)

    def record_use(self, wanted: str, hour_ms: int) -> None:
        self.tries += 1
        if self.error is not None:
            raise self.error
        assert wanted == self.token.id
        self.token = replace(self.token, last_used_ms=hour_ms)

    def use(self) -> None:
        self.record(self.token)
        self.later.run()


@given(st.lists(st.integers(0, 2 * HOUR_MS), max_size=20))
def test_what_is_recorded_is_the_hour_of_the_last_use_and_is_written_once(gaps: list[int]) -> None:
    bench = Bench()
    hours = set()
    for gap in gaps:
        bench.now_ms += gap
        bench.use()
        hours.add(bench.now_ms // HOUR_MS)
        assert bench.token.last_used_ms == bench.now_ms // HOUR_MS * HOUR_MS
    assert bench.tries == len(hours)


def test_a_second_write_never_waits_behind_one_that_is_under_way() -> None:
    bench = Bench()
    for _ in range(5):
        bench.record(bench.token)
    assert len(bench.later.waiting) == 1
    bench.later.run()
    bench.now_ms += HOUR_MS
    bench.use()
    assert bench.tries == 2


@pytest.mark.parametrize("error", [Unavailable("busy"), PermissionError("read only")])
def test_a_write_that_fails_is_reported_and_not_tried_for_an_hour(error: Exception) -> None:
    bench = Bench(error)
    for _ in range(3):
        bench.use()
        bench.now_ms += HOUR_MS // 4
    assert (bench.tries, bench.warnings) == (1, [error])
    bench.now_ms += HOUR_MS // 4
    bench.error = None
    bench.use()
    assert bench.token.last_used_ms is not None


def test_another_environment_that_was_first_is_no_failure() -> None:
    bench = Bench(Conflict("ConditionalCheckFailedException"))
    bench.use()
    bench.use()
    assert (bench.tries, bench.warnings) == (2, [])


def test_the_authorization_does_not_wait_for_the_record() -> None:
    text = new_token()
    bench = Bench()
    bench.token = replace(TOKEN, id=token_id(text))

    class Directory:
        def token(self, wanted: str) -> Token | None:
            return bench.token

        def organisation(self, org_id: str) -> Organisation | None:
            assert len(bench.later.waiting) == 1  # under way while this is read
            return Organisation("org_1", "acme", "Acme", 0)

        def org_id_of_handle(self, handle: str) -> str | None: ...

    grant = Authorize(Directory(), lambda: START_MS, bench.record)(f"Token {text}")
    assert grant.organisation.handle == "acme"
    assert bench.tries == 0
