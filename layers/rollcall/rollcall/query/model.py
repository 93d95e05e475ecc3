"""The parts of a query: the selection of rows, the period, and the epoch that is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from rollcall.domain import measures as m
from rollcall.domain.measures import ORG, Scope
from rollcall.domain.records import DIRECTIONS
from rollcall.domain.time.periods import Period
from rollcall.query.metering import ReadMeter

_OWNERS: Final[Mapping[frozenset[str], str]] = {
    frozenset({"template_id"}): "TEMPLATE",
    frozenset({"merchant_id"}): "MERCHANT",
    frozenset({"reseller_id"}): "RESELLER",
}
# Leads have the same owners, but no campaign.
_FAMILIES: Final[Mapping[str, str]] = {"call": m.CALLS, "lead": m.LEADS}


@dataclass(frozen=True, slots=True)
class Selection:
    """Live rows of one record type for which every condition holds.

    `equals` maps a column to its value, `bounds` a column to inclusive integers in the column's
    unit, and `payload` a key to its value as a `payload_text`. No row matches if `can_match` is
    false.
    """

    record_type: str
    equals: Mapping[str, str] = field(default_factory=dict)
    bounds: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    payload: Mapping[str, str] = field(default_factory=dict)
    can_match: bool = True

    @property
    def family(self) -> str:
        """The rollup family of the record type, which must be one that `scopes` supports."""
        return _FAMILIES[self.record_type]

    def scopes(self) -> tuple[Scope, ...] | None:
        """The scopes whose rollups together count exactly these rows; None if there are none.

        Rollups have no combinations of dimensions, and no conditions on values.
        """
        is_counted = self.record_type in _FAMILIES and self.can_match
        if not is_counted or self.bounds or self.payload:
            return None
        columns = frozenset(self.equals)
        if not columns:
            return (ORG,)
        if columns in _OWNERS:
            (value,) = self.equals.values()
            return ((_OWNERS[columns], value),)
        if columns == {"campaign_id", "direction"}:
            return (m.campaign_scope(self.equals["direction"], self.equals["campaign_id"]),)
        if columns == {"campaign_id"}:
            # A call that names a campaign has a direction.
            campaign_id = self.equals["campaign_id"]
            return tuple(m.campaign_scope(direction, campaign_id) for direction in DIRECTIONS)
        return None


class Query(NamedTuple):
    """The rows of a selection in a period."""

    selection: Selection
    period: Period


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


class Epoch(NamedTuple):
    """An organisation, and the number of its live epoch; fixed for the whole of an answer."""

    org_id: str
    number: int
