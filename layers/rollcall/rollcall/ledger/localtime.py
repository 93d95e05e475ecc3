"""Local time of many instants at once."""

from __future__ import annotations

import numpy as np

from rollcall.domain.time.zones import Zone
from rollcall.ledger.columns import Int64s


def offsets_ms(zone: Zone, instants_ms: Int64s) -> Int64s | int:
    """How far the zone's clock is ahead of UTC at each instant; one number where it never differs.

    `instants_ms` must not be empty.
    """
    stretches = zone.stretches(int(instants_ms.min()), int(instants_ms.max()) + 1)
    if len(stretches) == 1:
        return stretches[0].offset_ms
    starts = np.array([stretch.start_ms for stretch in stretches], dtype=np.int64)
    offsets = np.array([stretch.offset_ms for stretch in stretches], dtype=np.int64)
    found: Int64s = offsets[np.searchsorted(starts, instants_ms, side="right") - 1]
    return found
