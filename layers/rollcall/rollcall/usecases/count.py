"""Lifetime counts of an organisation or one of its spaces."""

from __future__ import annotations

from dataclasses import dataclass

from rollcall.domain import measures as m
from rollcall.domain.measures import ALL, ORG, Measures, RollupKey
from rollcall.domain.metering import ReadMeter
from rollcall.usecases.ports import Rollups


@dataclass(frozen=True, slots=True)
class Totals:
    """Measures of all calls and all tasks of one scope; empty where nothing was counted."""

    calls: Measures
    tasks: Measures


class Count:
    """Reads two rollups, or three for a space: never more, however many calls there are."""

    def __init__(self, rollups: Rollups) -> None:
        self._rollups = rollups

    def organisation(self, org_id: str, epoch: int, meter: ReadMeter) -> Totals:
        """Totals of the whole organisation."""
        calls = RollupKey(m.CALLS, ORG, ALL)
        tasks = RollupKey(m.TASKS, ORG, ALL)
        found = self._rollups.read(org_id, epoch, (calls, tasks), meter)
        return Totals(found.get(calls, {}), found.get(tasks, {}))

    def space(self, org_id: str, epoch: int, space_token: str, meter: ReadMeter) -> Totals | None:
        """Totals of one space; None when no live fact of the organisation names it."""
        scope = m.space_scope(space_token)
        calls = RollupKey(m.CALLS, scope, ALL)
        tasks = RollupKey(m.TASKS, scope, ALL)
        known = RollupKey(m.KNOWN, scope, ALL)
        found = self._rollups.read(org_id, epoch, (calls, tasks, known), meter)
        if found.get(known, {}).get("facts", 0) <= 0:
            return None
        return Totals(found.get(calls, {}), found.get(tasks, {}))
