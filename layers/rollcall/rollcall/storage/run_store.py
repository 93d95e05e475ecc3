"""Stores resumable runs beside the organisation, each under the id of the command that executes it.

A write is conditional on the run that was read. When two commands resume the same run, the later
one therefore stops the earlier one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeAlias, TypeVar

from rollcall.domain.errors import Conflict, Unavailable
from rollcall.domain.organisations import tenant
from rollcall.maintenance.audits import Audit
from rollcall.maintenance.rebuilds import RebuildRun
from rollcall.retry import Backoff
from rollcall.storage.client import translated_errors
from rollcall.storage.conditions import text_unchanged

RUN_ID: Final = "run_id"

_Stored = TypeVar("_Stored")


Run: TypeAlias = Audit | RebuildRun


def run_id_of(run: Run | None) -> str | None:
    """The id of a run; None where there is no run."""
    return None if run is None else run.run_id


def run_is(run_id: str | None) -> dict[str, Any]:
    """The condition that this run is the stored one, or, for None, that no run is stored."""
    return text_unchanged(RUN_ID, run_id)


class RunWriter(Generic[_Stored]):
    """Retries the writes of runs until they succeed.

    `read` returns the stored state of an organisation, and `running` the run in it that writes are
    conditional on.
    """

    def __init__(
        self,
        backoff: Backoff,
        read: Callable[[str], _Stored],
        running: Callable[[_Stored], Run | None],
    ) -> None:
        self._backoff = backoff
        self._read = read
        self._running = running

    def write(
        self,
        org_id: str,
        request: Callable[[], Any],
        *,
        expected: str | None,
        is_done: Callable[[_Stored], bool],
    ) -> None:
        """Make a request that is conditional on the run `expected`, and retry it as needed.

        `is_done` returns whether a request took effect although its reply was lost. Raises Conflict
        when another run is stored and the request had no effect, and Unavailable when the store
        stays busy: the request may or may not have taken effect.
        """
        attempts = self._backoff.attempts()
        while True:
            try:
                with tenant(org_id), translated_errors():
                    request()
                return
            except Unavailable as error:
                attempts.failed(error)
            except Conflict as error:
                stored = self._read(org_id)
                if is_done(stored):
                    return
                if run_id_of(self._running(stored)) != expected:
                    raise
                # The condition holds: the request only lost a race with another transaction.
                attempts.failed(error)
