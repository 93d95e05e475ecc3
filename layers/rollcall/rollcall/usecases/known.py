"""Whether an organisation knows a space, a campaign or a workspace."""

from __future__ import annotations

from collections.abc import Collection

from rollcall.domain import measures as m
from rollcall.domain.measures import ALL, RollupKey, Scope
from rollcall.domain.questions import Reading
from rollcall.maintenance.ports import Rollups
from rollcall.query.metering import ReadMeter


def is_known(rollups: Rollups, reading: Reading, scopes: Collection[Scope]) -> bool:
    """Whether a live fact of the organisation names any of the scopes.

    What is read for it is paid for, but tells neither where an answer comes from nor how fresh it is.
    """
    of_knowing = ReadMeter()
    wanted = [RollupKey(m.KNOWN, scope, ALL) for scope in scopes]
    epoch = reading.epoch
    found = rollups.read(epoch.org_id, epoch.number, wanted, of_knowing)
    reading.meter.count(of_knowing.items, of_knowing.units)
    return any(rollup.measures.get("facts", 0) > 0 for rollup in found.values())
