"""The stores of queries in memory, for tests of reports and look-ups."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from rollcall.domain.epochs import Epoch
from rollcall.domain.facts import Fact
from rollcall.domain.measures import Rollup, RollupKey, Scope, breakdown_of
from rollcall.domain.organisations import Organisation
from rollcall.domain.time.calendar import day_text
from rollcall.query.lookups import Lookup
from rollcall.query.metering import ReadMeter
from rollcall.query.model import Reading

APPLIED_AT_MS = 1_800_000_000_000


def reading() -> Reading:
    return Reading(Epoch("org", 2))


class MemoryRollups:
    """Rollups of one epoch (`rollcall.query.ports.Rollups`); remembers what was wanted."""

    def __init__(self, stored: Mapping[RollupKey, Rollup]) -> None:
        self.stored = stored
        self.wanted: list[RollupKey] = []

    def read(
        self,
        epoch: Epoch,
        wanted: Collection[RollupKey],
        meter: ReadMeter,
        *,
        names: Collection[str],
    ) -> Mapping[RollupKey, Rollup]:
        assert epoch == reading().epoch
        self.wanted += wanted
        found = {key: _part(self.stored[key], names) for key in wanted if key in self.stored}
        meter.used_rollups = True
        meter.count(len(found), len(wanted) / 2)
        if found:
            meter.saw(APPLIED_AT_MS)
        return found

    def days(
        self,
        epoch: Epoch,
        family: str,
        scope: Scope,
        days: range,
        meter: ReadMeter,
        *,
        names: Collection[str],
        requests: int = 1,
    ) -> Iterator[tuple[int, Rollup]]:
        for day in days:
            key = RollupKey(family, scope, day_text(day))
            found = self.read(epoch, [key], meter, names=names)
            if key in found:
                yield day, found[key]


class MemoryFacts:
    """Facts by type and id (`rollcall.query.ports.Facts` and `Directory`)."""

    def __init__(self, *facts: Fact, organisation: Organisation | None = None) -> None:
        self.stored = {(fact.type, fact.id): fact for fact in facts}
        self.found = organisation
        self.looked_up: list[list[str]] = []
        self.organisations_read = 0

    def organisation(self, org_id: str, meter: ReadMeter | None = None) -> Organisation | None:
        self.organisations_read += 1
        return self.found

    def look_up(
        self, org_id: str, buckets: int, record_type: str, ids: Collection[str], meter: ReadMeter
    ) -> Mapping[str, Fact]:
        assert self.found is not None
        assert buckets == self.found.buckets
        self.looked_up.append(list(ids))
        meter.count(len(ids), 1)
        return {id: self.stored[record_type, id] for id in ids if (record_type, id) in self.stored}

    def detail(self, org_id: str, buckets: int, fact: Fact, meter: ReadMeter) -> None:
        raise AssertionError("no report reads a detail")


def lookup(facts: MemoryFacts) -> Lookup:
    """Look-ups of facts, one request at a time."""
    return Lookup(facts, facts, ThreadPoolExecutor(1))


def _part(rollup: Rollup, names: Collection[str]) -> Rollup:
    measures = {
        name: count
        for name, count in rollup.measures.items()
        if (breakdown_of(name) or name) in names
    }
    return Rollup(measures, rollup.spilled.intersection(names))
