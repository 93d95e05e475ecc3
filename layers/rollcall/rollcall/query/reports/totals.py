"""The report of Unpod's dialect: lifetime counts of an organisation or one of its spaces."""

from __future__ import annotations

from dataclasses import dataclass

from rollcall.domain import measures as m
from rollcall.domain.measures import ALL, ORG, Measures, Rollup, RollupKey, Scope
from rollcall.domain.validation import is_id
from rollcall.query.lookups import ensure_as_of
from rollcall.query.model import Reading
from rollcall.query.ports import Rollups


@dataclass(frozen=True, slots=True)
class Totals:
    """Measures of all calls and all tasks of one scope; empty if nothing was counted."""

    calls: Measures
    tasks: Measures


class ReportTotals:
    """Reads two rollups, or three for a space, however many calls there are."""

    def __init__(self, rollups: Rollups) -> None:
        self._rollups = rollups

    def __call__(self, reading: Reading, space_token: str | None) -> Totals | None:
        """Totals of the organisation, or of one of its spaces.

        None when no live fact of the organisation names the space.
        """
        if space_token is None:
            totals = self._totals(reading, ORG, None)
            ensure_as_of(self._rollups, reading)
            return totals
        if not is_id(space_token):
            return None
        scope = m.space_scope(space_token)
        return self._totals(reading, scope, RollupKey(m.KNOWN, scope, ALL))

    def _totals(self, reading: Reading, scope: Scope, known: RollupKey | None) -> Totals | None:
        calls = RollupKey(m.CALLS, scope, ALL)
        tasks = RollupKey(m.TASKS, scope, ALL)
        wanted = (calls, tasks) if known is None else (calls, tasks, known)
        org_id, epoch = reading.epoch
        found = self._rollups.read(org_id, epoch, wanted, reading.meter)
        nothing = Rollup({})
        if known is not None and found.get(known, nothing).measures.get("facts", 0) <= 0:
            return None
        return Totals(found.get(calls, nothing).measures, found.get(tasks, nothing).measures)
