"""The report of Nexus's dialect: a workspace's lifetime figures, top lists and last 30 days."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from rollcall.domain import measures as m
from rollcall.domain.ids import id_as_sent
from rollcall.domain.measures import Measures, Rollup, Scope
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.domain.time.periods import EVER
from rollcall.domain.validation import is_id
from rollcall.query.components import Values
from rollcall.query.conditions import equals
from rollcall.query.datasets import DATASETS
from rollcall.query.lookups import Lookup, is_named
from rollcall.query.model import Aggregation, Reading, Selection
from rollcall.query.ports import Rollups
from rollcall.query.ranking import by_count

if TYPE_CHECKING:
    from rollcall.query.engine import QueryEngine

DAYS: Final = 30
TOP: Final = 5
# Deleted rooms and pages keep their counts, so more than the top are looked up at once.
_FIRST_BATCH: Final = 10
_MAX_BATCH: Final = 100
_OF_DAYS: Final = ("bookings", "room_joins", "contacts")
_OF_LIFETIME: Final = ("rooms", "recordings", "seconds", *_OF_DAYS)
_EVENT: Final = DATASETS["contact_events"].fields
# The type of the events that name a value, and the values, of the breakdowns by something else than type.
_OF_TYPE: Final[Mapping[str, tuple[str, Values]]] = {
    m.ROOM: ("room_join", Values(_EVENT["room_id"])),
    m.PAGE: ("booking", Values(_EVENT["booking_page_id"])),
}
_OPEN: Final = (m.EVENT_TYPE, *_OF_TYPE)
_NAMES: Final = (m.FACTS, *_OF_LIFETIME, *_OPEN)


@dataclass(frozen=True, slots=True)
class Counted:
    """A live record of the workspace, and the number of events that name it.

    `id` has the type that the client sent.
    """

    id: str | int
    record: Any
    count: int


@dataclass(frozen=True, slots=True)
class WorkspaceReport:
    """Figures of one workspace. `days` maps day numbers, ascending, to measures of the day."""

    lifetime: Measures
    event_types: Mapping[str, int]
    rooms: list[Counted]
    pages: list[Counted]
    days: Mapping[int, Measures]


class ReportWorkspace:
    """Reads rollups and facts; `engine` is called only if a breakdown is spilled."""

    def __init__(
        self,
        rollups: Rollups,
        engine: Callable[[], QueryEngine],
        look_up: Lookup,
        now_ms: Callable[[], int],
    ) -> None:
        self._rollups = rollups
        self._engine = engine
        self._look_up = look_up
        self._now_ms = now_ms

    def __call__(self, reading: Reading, workspace_id: str) -> WorkspaceReport | None:
        """The report; None when no live fact of the organisation names the workspace.

        Raises TooManyRows if a spilled breakdown needs too many ledger rows.
        """
        if not is_id(workspace_id):
            return None
        scope = m.workspace_scope(workspace_id)
        lifetimes = m.workspace_keys(scope)
        wanted = [*m.known_keys(scope), *lifetimes]
        found = self._rollups.read(reading.epoch, wanted, reading.meter, names=_NAMES)
        if not is_named(found.values()):
            return None

        lifetime = m.total(found[key] for key in lifetimes if key in found)
        counts = self._counts(reading, workspace_id, lifetime)
        figures = lifetime.measures
        # Events may name many rooms that were never registered: stop once all rooms are found.
        rooms = islice(
            self._live(reading, "room", workspace_id, counts[m.ROOM]),
            min(TOP, figures.get("rooms", 0)),
        )
        pages = islice(self._live(reading, "booking_page", workspace_id, counts[m.PAGE]), TOP)
        return WorkspaceReport(
            lifetime=figures,
            event_types=counts[m.EVENT_TYPE],
            rooms=list(rooms),
            pages=list(pages),
            days=self._days(reading, scope),
        )

    def _days(self, reading: Reading, scope: Scope) -> dict[int, Measures]:
        epoch, meter = reading.epoch, reading.meter
        today = self._now_ms() // MS_PER_DAY
        shown = range(today - DAYS + 1, today + 1)
        streams = (
            self._rollups.days(epoch, family, scope, shown, meter, names=_OF_DAYS)
            for family in m.WORKSPACE_DAYS
        )
        by_day = groupby(merge(*streams, key=itemgetter(0)), key=itemgetter(0))
        return {day: m.total(rollup for _, rollup in of_day).measures for day, of_day in by_day}

    def _counts(
        self, reading: Reading, workspace_id: str, rollup: Rollup
    ) -> dict[str, dict[str, int]]:
        """The count of each value of the open breakdowns."""
        counts = {
            breakdown: {
                value: count
                for value, count in m.values_of(breakdown, rollup.measures).items()
                if value is not None
            }
            for breakdown in _OPEN
        }
        spilled = rollup.spilled.intersection(_OPEN)
        return counts | self._from_pages(reading, workspace_id, spilled) if spilled else counts

    def _from_pages(
        self, reading: Reading, workspace_id: str, breakdowns: Collection[str]
    ) -> dict[str, dict[str, int]]:
        """The same of some breakdowns, counted in the ledger in one reading."""
        named = {each: _OF_TYPE[each] for each in breakdowns if each in _OF_TYPE}
        selection = Selection("contact_event", (equals(_EVENT["workspace_id"], workspace_id),))
        components = tuple(values for _, values in named.values())
        by_type = Aggregation(
            selection, EVER, (_EVENT["event_type"],), components, is_limited=False
        )
        grouped = self._engine().aggregate(reading, by_type)
        counts: dict[str, dict[str, int]] = {breakdown: {} for breakdown in breakdowns}
        if m.EVENT_TYPE in counts:
            counts[m.EVENT_TYPE] = {str(each): count for each, count in grouped.by_value().items()}
        for (event_type,), index in grouped:
            for breakdown, (of_type, values) in named.items():
                if event_type == of_type:
                    counts[breakdown] = grouped.cell(index).values(values).texts()
        return counts

    def _live(
        self, reading: Reading, record_type: str, workspace_id: str, counts: Mapping[str, int]
    ) -> Iterator[Counted]:
        """Live records of the workspace, the most frequent first; they are looked up lazily."""
        ranked = iter(by_count(counts))
        batch_size = _FIRST_BATCH
        while batch := list(islice(ranked, batch_size)):
            found = self._look_up(reading, record_type, [value for value, _ in batch])
            for value, count in batch:
                fact = found.get(value)
                if fact is None or fact.record is None:
                    continue
                record: Any = fact.record
                if record.workspace_id == workspace_id:
                    yield Counted(id_as_sent(fact.id), record, count)
            batch_size = min(2 * batch_size, _MAX_BATCH)
