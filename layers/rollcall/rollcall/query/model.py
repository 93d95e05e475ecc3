"""The parts of a query: the selection of rows, the period, and the epoch that is read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TypeAlias

from rollcall.domain.choices import DIRECTIONS
from rollcall.domain.epochs import Epoch
from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.periods import Period
from rollcall.domain.time.zones import UTC, Zone
from rollcall.query.components import Component
from rollcall.query.conditions import NOWHERE, Condition
from rollcall.query.fields import Field
from rollcall.query.metering import ReadMeter


@dataclass(frozen=True, slots=True)
class Selection:
    """Live rows of one record type for which every condition holds.

    Conditions on the clock are of local time in `zone`.
    """

    record_type: str
    conditions: tuple[Condition, ...] = ()
    zone: Zone = UTC

    @property
    def can_match(self) -> bool:
        """False if no stored row can match."""
        return NOWHERE not in self.conditions


@dataclass(frozen=True, slots=True)
class TimeBucket:
    """The dimension of buckets of local time."""

    granularity: Granularity


Dimension: TypeAlias = TimeBucket | Field


@dataclass(frozen=True, slots=True)
class Aggregation:
    """The components of each group of selected rows; a group has equal values of all dimensions.

    Buckets and clock fields are of local time in the zone of the selection. If `is_limited`, there
    may be `MAX_GROUPS` groups; else there is one dimension at most. If `is_mixed`, values that no
    rollup keeps are read from pages beside the rollups of all else.
    """

    selection: Selection
    period: Period
    dimensions: tuple[Dimension, ...]
    components: tuple[Component, ...]
    is_limited: bool = True
    is_mixed: bool = False

    @property
    def zone(self) -> Zone:
        """The zone of local time."""
        return self.selection.zone

    @property
    def granularity(self) -> Granularity | None:
        """The length of a time bucket; None if no dimension has buckets."""
        found = (d.granularity for d in self.dimensions if isinstance(d, TimeBucket))
        return next(found, None)


@dataclass(frozen=True, slots=True)
class Reading:
    """The reading of one answer: the epoch that is read, and the meter of the reads."""

    epoch: Epoch
    meter: ReadMeter = field(default_factory=ReadMeter)


@dataclass(frozen=True, slots=True)
class CampaignId:
    """A campaign: its id, and its direction; None means calls of both directions."""

    id: str
    direction: str | None

    @property
    def directions(self) -> Collection[str]:
        """The directions of the campaign's calls."""
        return DIRECTIONS if self.direction is None else (self.direction,)
