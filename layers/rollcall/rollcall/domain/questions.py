"""Questions: which rows of which time are asked about, and the answer that is being read for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from rollcall.domain.epochs import Epoch
from rollcall.domain.time.periods import Period
from rollcall.query.metering import ReadMeter
from rollcall.query.model import Selection


class Question(NamedTuple):
    """Rows that a selection means, of a period."""

    selection: Selection
    period: Period


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer in the making: whose analytics it is read from, and what has been read for it."""

    epoch: Epoch
    meter: ReadMeter = field(default_factory=ReadMeter)
