"""The report of Unpod's dialect: lifetime counts of an organisation or one of its spaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rollcall.domain import measures as m
from rollcall.domain.choices import CALL_STATUSES, TASK_STATUSES
from rollcall.domain.measures import ALL, ORG, Measures, Rollup, RollupKey, Scope
from rollcall.domain.validation import is_id
from rollcall.query.lookups import ensure_as_of, is_named
from rollcall.query.model import Reading
from rollcall.query.ports import Rollups

_NAMES: Final = (
    *("calls", "timed", "seconds", "tasks", m.FACTS),
    *(f"s.{status}" for status in sorted({*CALL_STATUSES, *TASK_STATUSES})),
)


@dataclass(frozen=True, slots=True)
class Totals:
    """Numbers by status, and seconds, of all calls and tasks of one scope; empty if there are none."""

    calls: Measures
    tasks: Measures


class ReportTotals:
    """Reads two rollups, or six for a space, however many calls there are."""

    def __init__(self, rollups: Rollups) -> None:
        self._rollups = rollups

    def __call__(self, reading: Reading, space_token: str | None) -> Totals | None:
        """Totals of the organisation, or of one of its spaces.

        None when no live fact of the organisation names the space.
        """
        if space_token is None:
            totals = self._totals(reading, ORG)
            ensure_as_of(self._rollups, reading)
            return totals
        if not is_id(space_token):
            return None
        space = m.space_scope(space_token)
        return self._totals(reading, space, m.known_keys(space))

    def _totals(
        self, reading: Reading, scope: Scope, known: Sequence[RollupKey] = ()
    ) -> Totals | None:
        calls = RollupKey(m.CALLS, scope, ALL)
        tasks = RollupKey(m.TASKS, scope, ALL)
        wanted = (calls, tasks, *known)
        found = self._rollups.read(reading.epoch, wanted, reading.meter, names=_NAMES)
        if known and not is_named(found.values()):
            return None
        nothing = Rollup({})
        return Totals(found.get(calls, nothing).measures, found.get(tasks, nothing).measures)
