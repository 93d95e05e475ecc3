"""What the product's readers find at rest, compared with the rows that the checker has decoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rollcall.domain.epochs import Epoch
from rollcall.domain.measures import ALL, CALLS, ORG, RollupKey
from rollcall.domain.organisations import tenant
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.domain.time.periods import EVER
from rollcall.ledger.page import TOMBSTONE
from rollcall.query.metering import ReadMeter
from rollcall.query.model import Selection
from rollcall.query.search import CallSearch, SearchCalls
from rollcall.retry import Backoff
from rollcall.storage.ledger_reader import LedgerReader
from rollcall.storage.ledger_walk import LedgerWalk
from rollcall.storage.rollups import RollupStore
from tests.simulation.world import ANALYTICS, InlineExecutor, World
from tests.support.emulator.client import MemoryClient

_NO_WAIT = Backoff(tries=3, sleep=lambda _seconds: None)


class Readers:
    """Rollups and ledger pages of calls, as queries read them."""

    def __init__(self, world: World) -> None:
        client = MemoryClient(world.store)
        executor: Any = InlineExecutor()
        self._rollups = RollupStore(client, ANALYTICS, executor, _NO_WAIT)
        self._ledger = LedgerReader(client, ANALYTICS, executor, 4, _NO_WAIT)
        walk = LedgerWalk(client, ANALYTICS, _NO_WAIT)
        look_up: Any = lambda *_: {}  # noqa: E731 - only candidates are asked for
        self._search = SearchCalls(walk, look_up, self._rollups, executor, 10**9)

    def faults(self, epoch: Epoch, live: dict[str, int]) -> Iterator[tuple[Any, ...]]:
        """What differs; `live` has the time of each live call, by id."""
        with tenant(epoch.org_id):
            if (found := self._all_time(epoch)) != len(live):
                yield "all time has", found, "calls, not", len(live)
            if live and (found := self._in_days(epoch, live)) != len(live):
                yield "the days have", found, "calls, not", len(live)
            if (scanned := self._scanned(epoch)) != sorted(live):
                yield "a scan finds", scanned, "and not", sorted(live)
            for is_newest_first in (False, True):
                walked = self._walked(epoch, is_newest_first=is_newest_first)
                times = [live.get(id, -1) for id in walked]
                in_order = sorted(times, reverse=is_newest_first)
                if sorted(walked) != sorted(live) or times != in_order:
                    yield "a walk finds", walked, times, "and not", live

    def _all_time(self, epoch: Epoch) -> int:
        key = RollupKey(CALLS, ORG, ALL)
        found = self._rollups.read(epoch, [key], ReadMeter(), names=("calls",))
        return found[key].measures.get("calls", 0) if key in found else 0

    def _in_days(self, epoch: Epoch, live: dict[str, int]) -> int:
        days = range(min(live.values()) // MS_PER_DAY, max(live.values()) // MS_PER_DAY + 1)
        found = self._rollups.days(epoch, CALLS, ORG, days, ReadMeter(), names=("calls",))
        return sum(rollup.measures.get("calls", 0) for _, rollup in found)

    def _scanned(self, epoch: Epoch) -> list[str]:
        ids = []
        for read in self._ledger.pages(epoch, "call", [EVER], ReadMeter()):
            rows = read.page.rows
            dead = rows.integers(TOMBSTONE)
            ids += [
                row.id
                for index, row in enumerate(rows)
                if dead.get(index) is None and row.position >= read.first
            ]
        return sorted(ids)

    def _walked(self, epoch: Epoch, *, is_newest_first: bool) -> list[str]:
        search = CallSearch(Selection("call"), EVER, is_newest_first, None, 1, 0)
        meters = [ReadMeter() for _ in epoch.buckets]
        found = self._search._candidates(epoch, search, meters)
        return [candidate.place.id for candidate in found]
