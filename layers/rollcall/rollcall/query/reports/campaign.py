"""The report of NLPearl's dialect: one campaign's calls over a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rollcall.domain import measures as m
from rollcall.domain.errors import TooManyLabels
from rollcall.domain.measures import Group
from rollcall.domain.records import Label
from rollcall.domain.time.periods import Period
from rollcall.domain.validation import is_id
from rollcall.query.conditions import equals
from rollcall.query.datasets import DATASETS
from rollcall.query.engine import QueryEngine
from rollcall.query.lookups import Lookup, is_known
from rollcall.query.model import CampaignId, Query, Reading, Selection
from rollcall.query.ports import Rollups
from rollcall.query.results import DayTallies, Tally, total

# The labels of an answer are looked up one by one, 100 to a request.
MAX_LABELS: Final = 5_000
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
    """Measures of a campaign's calls: by UTC day, and of the whole period.

    `labels` maps the ids of labels in use to their records, if they are registered.
    """

    by_day: DayTallies
    whole: Tally
    labels: Mapping[str, Label]


class ReportCampaign:
    """Reads whole days from rollups, and partial days and distinct leads from the ledger."""

    def __init__(self, rollups: Rollups, engine: QueryEngine, look_up: Lookup) -> None:
        self._rollups = rollups
        self._engine = engine
        self._look_up = look_up

    def is_known(self, reading: Reading, campaign: CampaignId) -> bool:
        """Whether a live fact of the organisation names the campaign in that direction."""
        scopes = [m.campaign_scope(direction, campaign.id) for direction in campaign.directions]
        return is_id(campaign.id) and is_known(self._rollups, reading, scopes)

    def __call__(self, reading: Reading, campaign: CampaignId, period: Period) -> CampaignReport:
        """The report on a campaign. Raises TooManyRows and TooManyLabels."""
        fields = DATASETS["calls"].fields
        conditions = [equals(fields["campaign_id"], campaign.id)]
        if campaign.direction is not None:
            conditions.append(equals(fields["direction"], campaign.direction))
        query = Query(Selection("call", tuple(conditions)), period)
        by_day = self._engine.tally_by_day(reading, query, _GROUPS)
        whole = total(by_day.days)
        used = [label for label in whole.values(m.LABEL) if label is not None]
        if len(used) > MAX_LABELS:
            raise TooManyLabels(MAX_LABELS)
        found = self._look_up(reading, "label", used)
        labels = {
            fact_id: fact.record
            for fact_id, fact in found.items()
            if isinstance(fact.record, Label)
        }
        return CampaignReport(by_day, whole, labels)
