"""Selections and their scopes: rollups are read only where they count exactly the selected rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
from rollcall.domain.measures import ALL, CALLS, LEADS
from rollcall.domain.records import Call, Lead
from rollcall.query.conditions import NOWHERE
from rollcall.query.datasets import TIMED
from rollcall.query.model import CampaignId, Selection
from rollcall.query.scopes import narrowed
from tests.support.selections import selection

pytestmark = pytest.mark.property

values = st.none() | st.sampled_from("ab")
owners = ("template_id", "merchant_id", "reseller_id")
calls = st.builds(
    lambda direction, campaign_id, **fields: Call(
        1,
        "busy",
        direction=direction,
        campaign_id=campaign_id if direction else None,
        answered=False,
        attempt=1,
        **fields,
    ),
    st.none() | st.sampled_from(["inbound", "outbound"]),
    values,
    **dict.fromkeys(owners, values),
)
conditions: st.SearchStrategy[Mapping[str, str]] = st.dictionaries(
    st.sampled_from([*owners, "campaign_id"]), st.sampled_from("ab"), max_size=2
) | st.fixed_dictionaries(
    {"campaign_id": st.sampled_from("ab"), "direction": st.sampled_from(["inbound", "outbound"])}
)


@given(calls, conditions)
def test_a_call_is_in_the_scopes_of_a_selection_as_often_as_it_is_selected(
    call: Call, equals: Mapping[str, str]
) -> None:
    found = narrowed(selection(**equals))
    if found is None:
        assert len(equals) > 1  # rollups have no combinations
        return
    matches = all(getattr(call, name) == value for name, value in equals.items())
    contributed = [
        key.scope
        for key, _ in contribution_function(CURRENT_VERSION)("x", call)
        if key.family == CALLS and key.bucket != ALL
    ]
    assert not found.restricted
    assert sum(contributed.count(scope) for scope in found.scopes) == matches


@given(
    st.builds(Lead, st.just(1), st.just("RETRY"), **dict.fromkeys(owners, values)),
    st.sampled_from(owners),
    st.sampled_from("ab"),
)
def test_leads_have_the_same_owners(lead: Lead, owner: str, value: str) -> None:
    found = narrowed(selection("lead", **{owner: value}))
    assert found is not None
    (scope,) = found.scopes
    contributed = [
        key.scope
        for key, _ in contribution_function(CURRENT_VERSION)("x", lead)
        if key.family == found.family == LEADS and key.bucket == ALL
    ]
    assert (scope in contributed) == (getattr(lead, owner) == value)


@pytest.mark.parametrize(
    "without_scopes",
    [
        selection(between={"duration_seconds": (0, 5)}),
        selection(payload={"plan": "spro"}),
        selection(payload={"plan": "spro"}, template_id="t"),
        Selection("call", (NOWHERE,)),
        selection("contact_event", workspace_id="w"),
        selection(direction="inbound"),
    ],
)
def test_no_rollup_has_conditions_on_values(without_scopes: Selection) -> None:
    found = narrowed(without_scopes)
    assert found is None or found.restricted


def test_calls_that_have_a_duration_are_those_of_the_same_scopes() -> None:
    of_template = selection(template_id="t")
    timed = (
        Selection("call", (*of_template.conditions, TIMED.where)) if TIMED.where else of_template
    )
    all_calls, some = narrowed(of_template), narrowed(timed)
    assert all_calls is not None
    assert some == replace(all_calls, is_timed=True)


def test_a_pearl_has_calls_of_both_directions() -> None:
    assert set(CampaignId("c", None).directions) == {"inbound", "outbound"}
    assert list(CampaignId("c", "inbound").directions) == ["inbound"]
