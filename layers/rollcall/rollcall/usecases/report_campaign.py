"""Report on one campaign's calls over a range of days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rollcall.domain import measures as m
from rollcall.domain.campaigns import CampaignId
from rollcall.domain.epochs import Epoch
from rollcall.domain.limits import is_id
from rollcall.domain.measures import ALL, Group, RollupKey
from rollcall.domain.metering import ReadMeter
from rollcall.domain.periods import Period
from rollcall.domain.records import Label
from rollcall.domain.selection import Selection
from rollcall.domain.tally import Tally, total
from rollcall.usecases.look_up import LookUp
from rollcall.usecases.measure import Measure
from rollcall.usecases.ports import Rollups

_GROUPS: Final = (
    Group.CALLS,
    Group.ANSWERED,
    Group.DURATION,
    Group.COST,
    Group.DISPOSITION,
    Group.SENTIMENT,
    Group.HOUR,
    Group.EVENTS,
    Group.LABEL,
    Group.LEADS,
)


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """Measures of a campaign's calls: by UTC day number, and of the whole period.

    `labels` has the registered ones among those that were used, by id.
    """

    days: Mapping[int, Tally]
    whole: Tally
    labels: Mapping[str, Label]


class ReportCampaign:
    """Whole days from rollups; partial days and distinct leads from the ledger."""

    def __init__(self, rollups: Rollups, measure: Measure, look_up: LookUp) -> None:
        self._rollups = rollups
        self._measure = measure
        self._look_up = look_up

    def is_known(self, epoch: Epoch, campaign: CampaignId, meter: ReadMeter) -> bool:
        """Whether a live fact of the organisation names the campaign in that direction."""
        if not is_id(campaign.id):
            return False
        wanted = [
            RollupKey(m.KNOWN, m.campaign_scope(direction, campaign.id), ALL)
            for direction in campaign.directions
        ]
        found = self._rollups.read(epoch.org_id, epoch.number, wanted, meter)
        return any(rollup.measures.get("facts", 0) > 0 for rollup in found.values())

    def __call__(
        self, epoch: Epoch, campaign: CampaignId, period: Period, meter: ReadMeter
    ) -> CampaignReport:
        """The report; raises TooManyRows."""
        equals = {"campaign_id": campaign.id}
        if campaign.direction is not None:
            equals["direction"] = campaign.direction
        selection = Selection("call", equals)
        days = self._measure.tally_by_day(epoch, selection, period, _GROUPS, meter)
        whole = total(days)
        used = [label for label in whole.values(m.LABEL) if label is not None]
        found = self._look_up(epoch.org_id, "label", used, meter)
        labels = {
            fact_id: fact.record
            for fact_id, fact in found.items()
            if isinstance(fact.record, Label)
        }
        return CampaignReport(days, whole, labels)
