"""The report of a campaign: known by its direction, and labels with their records."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from rollcall.domain.facts import Fact
from rollcall.domain.measures import ALL, KNOWN, Rollup, RollupKey, campaign_scope
from rollcall.domain.organisations import Organisation
from rollcall.domain.records import Label
from rollcall.domain.time.periods import Period
from rollcall.query.model import CampaignId
from rollcall.query.reports.campaign import ReportCampaign
from rollcall.query.results import DayTallies, Tally
from tests.support.reading import MemoryFacts, MemoryRollups, lookup, reading
from tests.support.selections import selection

PERIOD = Period(0, 5)
HOT = Label("Hot", color="#fff")
LABELS = MemoryFacts(
    Fact("label", "hot", None, 1, 1, HOT),
    Fact("label", "deleted", None, 1, 1, None),
    organisation=Organisation("org", "h", "n", 0),
)


class Engine:
    """Answers with two days; remembers what was asked for."""

    def tally_by_day(self, _reading: Any, query: Any, _groups: Any) -> DayTallies:
        self.query = query
        days = {
            1: Tally(Counter({"calls": 2, "l=hot": 1, "l": 1})),
            2: Tally(Counter({"calls": 3, "l=hot": 1, "l=deleted": 2, "l=unregistered": 1})),
        }
        return DayTallies(days, {}, 0)


def make(engine: Any, rollups: MemoryRollups | None = None) -> ReportCampaign:
    return ReportCampaign(rollups or MemoryRollups({}), engine, lookup(LABELS))


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ("inbound", selection(campaign_id="c", direction="inbound")),
        (None, selection(campaign_id="c")),
    ],
)
def test_the_calls_of_a_campaign_are_added_up_over_its_days(direction: Any, expected: Any) -> None:
    engine = Engine()
    report = make(engine)(reading(), CampaignId("c", direction), PERIOD)
    assert engine.query == (expected, PERIOD)
    assert (report.whole["calls"], report.whole["l=hot"]) == (5, 2)
    assert report.labels == {"hot": HOT}


@pytest.mark.parametrize(
    ("campaign", "expected"),
    [
        (CampaignId("c", "inbound"), True),
        (CampaignId("c", "outbound"), False),
        (CampaignId("c", None), True),
        (CampaignId("other", None), False),
        (CampaignId("", None), False),
    ],
)
def test_a_campaign_is_known_in_the_direction_of_a_live_fact(
    campaign: CampaignId, expected: bool
) -> None:
    key = RollupKey(KNOWN, campaign_scope("inbound", "c"), ALL)
    rollups = MemoryRollups({key: Rollup({"facts": 1})})
    assert make(Engine(), rollups).is_known(reading(), campaign) is expected
