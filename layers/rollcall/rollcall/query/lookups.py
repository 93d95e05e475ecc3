"""Reads beside the measures of a query: facts by id, known scopes, and an answer's freshness."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any, Final

from rollcall.at_once import at_once
from rollcall.domain import measures as m
from rollcall.domain.errors import UnknownOrganisation
from rollcall.domain.facts import Fact
from rollcall.domain.measures import ALL, ORG, Rollup, RollupKey, Scope
from rollcall.query.metering import ReadMeter
from rollcall.query.model import Reading
from rollcall.query.ports import Directory, Facts, Rollups

# As many as one request to the store can ask for.
_IDS_AT_ONCE: Final = 100


class Lookup:
    """Looks up facts of one type by their ids, consistently; many of them in several requests at once."""

    def __init__(self, directory: Directory, facts: Facts, executor: Executor) -> None:
        self._directory = directory
        self._facts = facts
        self._executor = executor
        # An organisation's number of shards never changes, so it can be cached; nothing else can.
        self._buckets: dict[str, int] = {}

    def __call__(
        self, reading: Reading, record_type: str, ids: Collection[str]
    ) -> Mapping[str, Fact]:
        """The stored facts among `ids`, by id, with tombstones. Raises UnknownOrganisation."""
        if not ids:
            return {}
        org_id, meter = reading.epoch.org_id, reading.meter
        buckets = self._buckets_of(reading)
        distinct = list(dict.fromkeys(ids))

        def look_up(first: int) -> tuple[Mapping[str, Fact], ReadMeter]:
            own = ReadMeter()  # a meter is for one thread
            some = distinct[first : first + _IDS_AT_ONCE]
            return self._facts.look_up(org_id, buckets, record_type, some, own), own

        facts: dict[str, Fact] = {}
        firsts = range(0, len(distinct), _IDS_AT_ONCE)
        reads = [partial(look_up, first) for first in firsts]
        for found, own in at_once(self._executor, reads):
            facts |= found
            meter.count(own.items, own.units)
        return facts

    def detail(self, reading: Reading, fact: Fact) -> dict[str, Any] | None:
        """The detail of a fact that has one; None if it has changed since the fact was read."""
        buckets = self._buckets_of(reading)
        return self._facts.detail(reading.epoch.org_id, buckets, fact, reading.meter)

    def _buckets_of(self, reading: Reading) -> int:
        org_id = reading.epoch.org_id
        if org_id not in self._buckets:
            organisation = self._directory.organisation(org_id, reading.meter)
            if organisation is None:
                raise UnknownOrganisation(org_id)
            self._buckets[org_id] = organisation.buckets
        return self._buckets[org_id]


def is_known(rollups: Rollups, reading: Reading, scopes: Collection[Scope]) -> bool:
    """Whether a live fact of the organisation names any of the scopes.

    The reads count towards the cost of the answer, but not towards its source or freshness.
    """
    meter = ReadMeter()
    wanted = [key for scope in scopes for key in m.known_keys(scope)]
    epoch = reading.epoch
    found = rollups.read(epoch, wanted, meter, names=(m.FACTS,))
    reading.meter.count(meter.items, meter.units)
    return is_named(found.values())


def is_named(rollups: Iterable[Rollup]) -> bool:
    """Whether any of the rollups counts live facts that name its scope; only those of `known` do."""
    return any(rollup.measures.get(m.FACTS, 0) > 0 for rollup in rollups)


_LIFETIMES = tuple(RollupKey(family, ORG, ALL) for family in (m.CALLS, m.TASKS, m.LEADS))


def ensure_as_of(rollups: Rollups, reading: Reading) -> None:
    """Set the freshness of an answer without data to that of the organisation's lifetime rollups.

    It stays unknown if the organisation has none.
    """
    epoch, meter = reading.epoch, reading.meter
    if meter.as_of_ms is None:
        # A separate meter: these reads count towards the cost, but not towards the source.
        lifetimes_meter = ReadMeter()
        rollups.read(epoch, _LIFETIMES, lifetimes_meter, names=())
        meter.count(lifetimes_meter.items, lifetimes_meter.units)
        meter.as_of_ms = lifetimes_meter.as_of_ms
