"""Selections: which rows a question is about, and which rollups hold just these."""

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
# Leads have these owners too, but no campaign.
_FAMILIES: Final[Mapping[str, str]] = {"call": m.CALLS, "lead": m.LEADS}


@dataclass(frozen=True, slots=True)
class Selection:
    """Live rows of one record type for which every condition holds.

    `equals` maps a column to its text, `bounds` a column to inclusive integers in the column's own
    unit, and `payload` a key to its value as `payload_text` writes it. Without `can_match` no row
    is meant.
    """

    record_type: str
    equals: Mapping[str, str] = field(default_factory=dict)
    bounds: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    payload: Mapping[str, str] = field(default_factory=dict)
    can_match: bool = True

    @property
    def family(self) -> str:
        """The family of rollups that counts these records, of the types that `scopes` knows."""
        return _FAMILIES[self.record_type]

    def scopes(self) -> tuple[Scope, ...] | None:
        """The scopes whose rollups together count exactly these rows; None where there are none.

        A combination of dimensions is in no rollup, nor is any condition on values.
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
    """Rows that a selection means, of a period."""

    selection: Selection
    period: Period


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer in the making: whose analytics it is read from, and what has been read for it."""

    epoch: Epoch
    meter: ReadMeter = field(default_factory=ReadMeter)


@dataclass(frozen=True, slots=True)
class CampaignId:
    """A campaign: its id, and its direction; None means calls of either."""

    id: str
    direction: str | None

    @property
    def directions(self) -> Collection[str]:
        """The directions whose calls are meant."""
        return DIRECTIONS if self.direction is None else (self.direction,)


class Epoch(NamedTuple):
    """An organisation, and the number of the epoch that is live; one for the whole of an answer."""

    org_id: str
    number: int
