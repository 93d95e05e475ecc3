"""The report of NLPearl's dialect: one campaign's calls over a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rollcall.domain import measures as m
from rollcall.domain.choices import CALL_EVENTS, DISPOSITIONS
from rollcall.domain.errors import TooManyLabels
from rollcall.domain.records import Label
from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.periods import Period
from rollcall.domain.validation import is_id
from rollcall.query.components import Cell, Component, Count, Sum
from rollcall.query.conditions import equals
from rollcall.query.datasets import (
    ANSWERED,
    DATASETS,
    HOURS,
    LABELS,
    LEADS,
    TALK_SECONDS,
    TIMED,
)
from rollcall.query.fields import EVENT_PREFIX, SENTIMENT_BANDS
from rollcall.query.lookups import Lookup, is_known
from rollcall.query.model import Aggregation, CampaignId, Reading, Selection, TimeBucket
from rollcall.query.ports import Rollups

if TYPE_CHECKING:
    from rollcall.query.engine import QueryEngine

# The labels of an answer are looked up one by one, 100 to a request.
MAX_LABELS: Final = 5_000

_FIELDS: Final = DATASETS["calls"].fields
COST: Final = Sum(_FIELDS["cost"])
OF_DISPOSITION: Final = {
    value: Count(equals(_FIELDS["disposition"], value)) for value in DISPOSITIONS
}
OF_BAND: Final = {band: Count(equals(_FIELDS["sentiment_band"], band)) for band in SENTIMENT_BANDS}
OF_EVENT: Final = {event: Sum(_FIELDS[f"{EVENT_PREFIX}{event}"]) for event in CALL_EVENTS}
_COMPONENTS: Final[tuple[Component, ...]] = (
    ANSWERED,
    TIMED,
    TALK_SECONDS,
    COST,
    *OF_DISPOSITION.values(),
    *OF_BAND.values(),
    *OF_EVENT.values(),
    HOURS,
    LABELS,
    LEADS,
)


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """A campaign's calls: by number of the UTC day, of the whole period, and of a day without calls.

    `labels` maps the ids of labels in use to their records, if they are registered.
    """

    days: Mapping[int, Cell]
    whole: Cell
    nothing: Cell
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
        conditions = [equals(_FIELDS["campaign_id"], campaign.id)]
        if campaign.direction is not None:
            conditions.append(equals(_FIELDS["direction"], campaign.direction))
        by_day = Aggregation(
            Selection("call", tuple(conditions)),
            period,
            (TimeBucket(Granularity.DAY),),
            _COMPONENTS,
            is_mixed=True,
        )
        grouped = self._engine.aggregate(reading, by_day)
        whole = grouped.whole()
        used = list(whole.values(LABELS).texts())
        if len(used) > MAX_LABELS:
            raise TooManyLabels(MAX_LABELS)
        found = self._look_up(reading, "label", used)
        labels = {
            fact_id: fact.record
            for fact_id, fact in found.items()
            if isinstance(fact.record, Label)
        }
        days = {int(day or 0): grouped.cell(index) for (day,), index in grouped}
        return CampaignReport(days, whole, grouped.merged([]), labels)
