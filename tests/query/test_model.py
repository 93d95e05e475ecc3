"""Selections and their scopes: rollups are read only where they count exactly the selected rows."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
from rollcall.domain.measures import ALL, CALLS, LEADS
from rollcall.domain.records import Call, Lead
from rollcall.query.conditions import NOWHERE
from rollcall.query.model import CampaignId, Selection
from rollcall.query.scopes import family_of, scopes_of
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
    scopes = scopes_of(selection(**equals))
    if scopes is None:
        assert len(equals) > 1  # rollups have no combinations
        return
    matches = all(getattr(call, name) == value for name, value in equals.items())
    contributed = [
        key.scope
        for key, _ in contribution_function(CURRENT_VERSION)("x", call)
        if key.family == CALLS and not key.is_open and key.bucket != ALL
    ]
    assert sum(contributed.count(scope) for scope in scopes) == matches


@given(
    st.builds(Lead, st.just(1), st.just("RETRY"), **dict.fromkeys(owners, values)),
    st.sampled_from(owners),
    st.sampled_from("ab"),
)
def test_leads_have_the_same_owners(lead: Lead, owner: str, value: str) -> None:
    scopes = scopes_of(selection("lead", **{owner: value}))
    assert scopes is not None
    found = [
        key.scope
        for key, _ in contribution_function(CURRENT_VERSION)("x", lead)
        if key.family == family_of("lead") == LEADS and key.bucket == ALL
    ]
    assert (scopes[0] in found) == (getattr(lead, owner) == value)


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
    assert scopes_of(without_scopes) is None


def test_a_pearl_has_calls_of_both_directions() -> None:
    assert set(CampaignId("c", None).directions) == {"inbound", "outbound"}
    assert list(CampaignId("c", "inbound").directions) == ["inbound"]
