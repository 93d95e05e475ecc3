"""The report of a campaign: known by its direction, and labels with their records."""

from __future__ import annotations

from typing import Any, cast
from unittest.mock import patch

import pytest

from rollcall.domain.errors import TooManyLabels
from rollcall.domain.facts import Fact
from rollcall.domain.measures import ALL, KNOWN, Rollup, RollupKey, campaign_scope
from rollcall.domain.organisations import Organisation
from rollcall.domain.records import Label
from rollcall.domain.time.periods import Period
from rollcall.query.components import ALL_ROWS
from rollcall.query.datasets import LABELS
from rollcall.query.grouping import GroupedRows
from rollcall.query.model import CampaignId
from rollcall.query.reports import campaign
from rollcall.query.reports.campaign import ReportCampaign
from tests.support.groups import groups
from tests.support.reading import MemoryFacts, MemoryRollups, lookup, reading
from tests.support.selections import selection

PERIOD = Period(0, 5)
HOT = Label("Hot", color="#fff")
REGISTERED = MemoryFacts(
    Fact("label", "hot", None, 1, 1, HOT),
    Fact("label", "deleted", None, 1, 1, None),
    organisation=Organisation("org", "h", "n", 0),
)


class Engine:
    """Answers with two days; remembers what was asked for."""

    def aggregate(self, _reading: Any, asked: Any) -> GroupedRows:
        self.asked = asked
        later = {"hot": 1, "deleted": 2, "unregistered": 1}
        return groups(
            asked.dimensions[0],
            asked.components,
            (1, (1,), {ALL_ROWS: 2}, {LABELS: {"hot": 1}}),
            (2, (2,), {ALL_ROWS: 3}, {LABELS: later}),
        )


def make(engine: Any, rollups: MemoryRollups | None = None) -> ReportCampaign:
    return ReportCampaign(rollups or MemoryRollups({}), engine, lookup(REGISTERED))


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
    assert (engine.asked.selection, engine.asked.period) == (expected, PERIOD)
    assert {day: calls.integer(ALL_ROWS) for day, calls in report.days.items()} == {1: 2, 2: 3}
    assert report.whole.integer(ALL_ROWS) == 5
    assert report.whole.values(LABELS).texts() == {"hot": 2, "deleted": 2, "unregistered": 1}
    assert report.nothing.integer(ALL_ROWS) == 0
    assert report.labels == {"hot": HOT}


def test_too_many_labels_are_refused_before_they_are_looked_up() -> None:
    facts = MemoryFacts()
    report = ReportCampaign(MemoryRollups({}), cast(Any, Engine()), lookup(facts))
    with (
        patch.object(campaign, "MAX_LABELS", 2),
        pytest.raises(TooManyLabels, match="more than 2 different labels"),
    ):
        report(reading(), CampaignId("c", None), PERIOD)
    assert facts.looked_up == []


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (CampaignId("c", "inbound"), True),
        (CampaignId("c", "outbound"), False),
        (CampaignId("c", None), True),
        (CampaignId("other", None), False),
        (CampaignId("", None), False),
    ],
)
def test_a_campaign_is_known_in_the_direction_of_a_live_fact(
    asked: CampaignId, expected: bool
) -> None:
    key = RollupKey(KNOWN, campaign_scope("inbound", "c"), ALL)
    rollups = MemoryRollups({key: Rollup({"facts": 1})})
    assert make(Engine(), rollups).is_known(reading(), asked) is expected
