"""Values are those that brute force counts, with the names that records give them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall import bootstrap
from rollcall.query.reports import values as module
from tests.support.answering import Answer, Deployment, deployed
from tests.support.builders import call, deletion, label, room, space
from tests.support.cases import cases
from tests.support.query_agreement import organisation_with
from tests.support.query_generator import generate

pytestmark = pytest.mark.property

NOW_MS = 1_900_000_000_000
EVER = {"from": "1970-01-01"}


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with deployed(NOW_MS) as made:
        yield made


def ask(deployment: Deployment, org_id: str, dimension: str, asked: Mapping[str, str]) -> Answer:
    query = {name: [value] for name, value in asked.items()}
    return deployment.ask("list_values", org_id, path={"dimension": dimension}, query=query)


def listed(deployment: Deployment, org_id: str, dimension: str, **asked: str) -> list[Any]:
    answer = ask(deployment, org_id, dimension, EVER | asked)
    assert answer.status == 200, answer.text
    assert all(list(each) == ["value", "name", "count"] for each in answer.body["values"])
    return [tuple(each.values()) for each in answer.body["values"]]


@cases(8)
@given(seed=st.integers(0, 2**32))
def test_values_are_those_of_brute_force(deployment: Deployment, seed: int) -> None:
    check_values(deployment, Random(seed))


@pytest.mark.slow
@cases(120)
@given(seed=st.integers(0, 2**32))
def test_values_of_many_datasets(deployment: Deployment, seed: int) -> None:
    check_values(deployment, Random(seed))


def check_values(deployment: Deployment, random: Random) -> None:
    scenario = generate(random, queries=60)
    oracle, org_id = organisation_with(deployment, scenario, NOW_MS)
    for dimension, asked in scenario.values:
        answer = ask(deployment, org_id, dimension, asked)
        assert answer.status == 200, answer.text
        assert answer.body == oracle.values(dimension, asked, scenario.now_ms), (dimension, asked)


def test_values_are_found_by_their_names(deployment: Deployment) -> None:
    deployment.now_ms = NOW_MS
    org_id = deployment.organisation(
        [
            *(call(n, space_token=f"s{n % 7}", labels=[n % 3]) for n in range(21)),
            space("s1", name="North"),
            space("s2", name="south"),
            space("s3", name="Nordic"),
            deletion("space", "s3"),
            label(1, name="S2"),
        ]
    )
    assert listed(deployment, org_id, "space_token", q="NOR") == [("s1", "North", 3)]
    assert listed(deployment, org_id, "space_token", q="s2") == [("s2", "south", 3)]
    assert listed(deployment, org_id, "space_token", q="S", limit="2") == [
        *(("s0", None, 3), ("s1", "North", 3)),
    ]
    assert listed(deployment, org_id, "label") == [("0", None, 7), ("1", "S2", 7), ("2", None, 7)]


def test_the_name_of_a_room_is_the_one_to_show(deployment: Deployment) -> None:
    deployment.now_ms = NOW_MS
    joins = [
        {
            "type": "contact_event",
            "id": f"e{name}",
            "workspace_id": "w",
            "event_type": "room_join",
            "occurred_at": "2026-01-01T00:00:00Z",
            "room_id": name,
        }
        for name in "abc"
    ]
    rooms = [
        room("a", name="plain", display_name="To show"),
        room("b", name="plain", display_name=None),
    ]
    org_id = deployment.organisation([*joins, *rooms])
    assert listed(deployment, org_id, "room_id", dataset="contact_events") == [
        *(("a", "To show", 1), ("b", "plain", 1), ("c", None, 1)),
    ]


def test_names_are_looked_up_in_batches_and_only_for_the_most_frequent(
    deployment: Deployment,
) -> None:
    deployment.now_ms = NOW_MS
    org_id = deployment.organisation(
        [*(call(n, space_token=f"s{n:02}") for n in range(30)), space("s29", name="last")]
    )
    with patch.object(module, "_LOOKUPS_AT_ONCE", 4), patch.object(module, "MAX_LOOKUPS", 30):
        assert listed(deployment, org_id, "space_token", q="last") == [("s29", "last", 1)]
    with patch.object(module, "_LOOKUPS_AT_ONCE", 4), patch.object(module, "MAX_LOOKUPS", 29):
        answer = ask(deployment, org_id, "space_token", EVER | {"q": "last"})
        assert answer.status == 422
        assert "29 most frequent values" in answer.body["detail"]
        # Enough are found before, and no name is needed where records have none.
        assert len(listed(deployment, org_id, "space_token", q="s0", limit="9")) == 9
        assert listed(deployment, org_id, "provider", q="nothing") == []


def test_names_are_looked_up_only_for_what_is_shown(deployment: Deployment) -> None:
    deployment.now_ms = NOW_MS
    org_id = deployment.organisation([call(n, space_token=f"s{n:02}") for n in range(30)])
    wanted: list[int] = []
    look_up = bootstrap.report_values()._look_up

    def counting(reading: Any, record_type: str, ids: Any) -> Any:
        wanted.append(len(ids))
        return look_up(reading, record_type, ids)

    with patch.object(bootstrap.report_values(), "_look_up", counting):
        assert len(listed(deployment, org_id, "space_token", limit="5")) == 5
    assert wanted == [5]


def test_too_many_values_are_refused_with_advice(deployment: Deployment) -> None:
    deployment.now_ms = NOW_MS
    org_id = deployment.organisation([call(n, provider=f"p{n}") for n in range(12)])
    with patch("rollcall.query.sums.MAX_GROUPS", 11):
        answer = ask(deployment, org_id, "provider", EVER)
    assert answer.status == 422
    assert "Shorten the range." in answer.body["detail"]
