"""How fresh an answer is when nothing that it read can tell."""

from __future__ import annotations

from rollcall.domain import measures as m
from rollcall.domain.measures import ALL, ORG, RollupKey
from rollcall.domain.questions import Reading
from rollcall.maintenance.ports import Rollups
from rollcall.query.metering import ReadMeter

_LIFETIMES = tuple(RollupKey(family, ORG, ALL) for family in (m.CALLS, m.TASKS, m.LEADS))


def ensure_as_of(rollups: Rollups, reading: Reading) -> None:
    """Take the freshness of an answer that found nothing from the organisation's lifetime rollups.

    It stays unknown while the organisation has none.
    """
    epoch, meter = reading.epoch, reading.meter
    if meter.as_of_ms is None:
        # A meter of its own: what is read here is paid for, but answers nothing.
        of_lifetimes = ReadMeter()
        rollups.read(epoch.org_id, epoch.number, _LIFETIMES, of_lifetimes)
        meter.count(of_lifetimes.items, of_lifetimes.units)
        meter.as_of_ms = of_lifetimes.as_of_ms
