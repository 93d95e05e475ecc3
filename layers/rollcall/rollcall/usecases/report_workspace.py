"""Report on one workspace: lifetime figures, its busiest rooms and pages, and the last 30 days."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from rollcall.domain import measures as m
from rollcall.domain.calendar import MS_PER_DAY
from rollcall.domain.epochs import Epoch
from rollcall.domain.limits import is_id
from rollcall.domain.measures import ALL, Group, Measures, Rollup, RollupKey
from rollcall.domain.metering import ReadMeter
from rollcall.domain.periods import EVER
from rollcall.domain.selection import Selection
from rollcall.usecases.look_up import LookUp
from rollcall.usecases.ports import Rollups

if TYPE_CHECKING:
    from rollcall.usecases.measure import Measure

DAYS: Final = 30
TOP: Final = 5
# Deleted rooms and pages keep their counts, so somewhat more than the top are looked up at once.
_BATCH: Final = 10
_OPEN: Final[Mapping[str, Group]] = {
    m.EVENT_TYPE: Group.EVENT_TYPE,
    m.ROOM: Group.ROOM,
    m.PAGE: Group.PAGE,
}


@dataclass(frozen=True, slots=True)
class Counted:
    """A live record of the workspace, and how often events name it. `id` is as it was sent."""

    id: str | int
    record: Any
    count: int


@dataclass(frozen=True, slots=True)
class WorkspaceReport:
    """Figures of one workspace. `days` has the measures of a day by its number, oldest first."""

    lifetime: Measures
    event_types: Mapping[str, int]
    rooms: list[Counted]
    pages: list[Counted]
    days: Mapping[int, Measures]


class ReportWorkspace:
    """Reads rollups alone, unless one gave up counting a breakdown; only then is `measure` made."""

    def __init__(
        self,
        rollups: Rollups,
        measure: Callable[[], Measure],
        look_up: LookUp,
        now_ms: Callable[[], int],
    ) -> None:
        self._rollups = rollups
        self._measure = measure
        self._look_up = look_up
        self._now_ms = now_ms

    def __call__(self, epoch: Epoch, workspace_id: str, meter: ReadMeter) -> WorkspaceReport | None:
        """The report; None when no live fact of the organisation names the workspace.

        Raises TooManyRows where the ledger has to be asked and holds too much.
        """
        if not is_id(workspace_id):
            return None
        scope = m.workspace_scope(workspace_id)
        known = RollupKey(m.KNOWN, scope, ALL)
        lifetime = RollupKey(m.WORKSPACE, scope, ALL)
        by_value = RollupKey(m.WORKSPACE, scope, ALL, True)
        wanted = (known, lifetime, by_value)
        found = self._rollups.read(epoch.org_id, epoch.number, wanted, meter)
        nothing = Rollup({})
        if found.get(known, nothing).measures.get("facts", 0) <= 0:
            return None

        today = self._now_ms() // MS_PER_DAY
        days = self._rollups.days(
            epoch.org_id,
            epoch.number,
            m.WORKSPACE,
            scope,
            range(today - DAYS + 1, today + 1),
            meter,
            is_open=False,
        )
        counts = self._counts(epoch, workspace_id, found.get(by_value, nothing), meter)
        event_types = {
            value: count for value, count in counts[m.EVENT_TYPE].items() if value is not None
        }
        return WorkspaceReport(
            lifetime=found.get(lifetime, nothing).measures,
            event_types=event_types,
            rooms=self._top(epoch, "room", workspace_id, counts[m.ROOM], meter),
            pages=self._top(epoch, "booking_page", workspace_id, counts[m.PAGE], meter),
            days={day: rollup.measures for day, rollup in days},
        )

    def _counts(
        self, epoch: Epoch, workspace_id: str, rollup: Rollup, meter: ReadMeter
    ) -> dict[str, dict[str | None, int]]:
        counts = {breakdown: m.values_of(breakdown, rollup.measures) for breakdown in _OPEN}
        spilled = [breakdown for breakdown in _OPEN if breakdown in rollup.spilled]
        if spilled:
            selection = Selection("contact_event", {"workspace_id": workspace_id})
            groups = [_OPEN[breakdown] for breakdown in spilled]
            tally = self._measure().tally(epoch, selection, EVER, groups, meter)
            counts |= {breakdown: tally.values(breakdown) for breakdown in spilled}
        return counts

    def _top(
        self,
        epoch: Epoch,
        record_type: str,
        workspace_id: str,
        counts: Mapping[str | None, int],
        meter: ReadMeter,
    ) -> list[Counted]:
        """The most counted live records that name the workspace, ties by the text of their ids."""
        ranked = sorted(
            ((value, count) for value, count in counts.items() if value is not None),
            key=lambda counted: (-counted[1], counted[0]),
        )
        live = self._live(epoch.org_id, record_type, workspace_id, iter(ranked), meter)
        return list(islice(live, TOP))

    def _live(
        self,
        org_id: str,
        record_type: str,
        workspace_id: str,
        ranked: Iterator[tuple[str, int]],
        meter: ReadMeter,
    ) -> Iterator[Counted]:
        while batch := list(islice(ranked, _BATCH)):
            found = self._look_up(org_id, record_type, [value for value, _ in batch], meter)
            for value, count in batch:
                fact = found.get(value)
                if fact is None or fact.record is None:
                    continue
                record: Any = fact.record
                if record.workspace_id == workspace_id:
                    yield Counted(int(value) if fact.id_is_integer else value, record, count)
