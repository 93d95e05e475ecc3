"""The table of a hook: what a user may add, and what is refused."""

from __future__ import annotations

import json

import pytest

from rollcall.hooks.delivery import Delivery
from rollcall.hooks.maps import PROVIDERS, hook_table
from rollcall.mapping.maps import BadMap
from tests.support.hook_events import GENERIC, START_MS, hook_map

CALL = {
    "event": "call_ended",
    "call": {
        "call_id": "r-1",
        "start_timestamp": START_MS,
        "disconnection_reason": "user_hangup",
        "metadata": {"plan": "pro", "seats": 5, "customer": "c-9"},
    },
}


def values(own, call=CALL):
    sent = Delivery("https://e.com/h", json.dumps(call).encode(), {}, {}, START_MS)
    made = hook_map("retell", own).event(sent, START_MS)
    return {name: json.loads(value) for name, value in made.values.items()}


def test_every_provider_has_a_table():
    for provider in PROVIDERS:
        table = hook_table(provider, GENERIC if provider == "generic" else {})
        assert table.schemes
        assert table.events
        assert {"id", "started_at", "status"} <= set(table.fields)


def test_a_user_adds_fields():
    own = {
        "fields": {
            "payload.plan": {"from": "/call/metadata/plan"},
            "payload.seats": {"from": "/call/metadata/seats"},
            "lead_id": {"from": "/call/metadata/customer"},
        },
        "constants": {"space_token": "s-1"},
    }
    expected = {"payload.plan": "pro", "payload.seats": 5, "lead_id": "c-9", "space_token": "s-1"}
    assert values(own) | expected == values(own)


def test_a_users_rule_comes_before_the_providers():
    own = {"fields": {"outcome": {"from": "/call/metadata/result"}}}
    assert values(own)["outcome"] == "user_hangup"
    call = {**CALL, "call": {**CALL["call"], "metadata": {"result": "sold"}}}
    assert values(own, call)["outcome"] == "sold"


def test_a_constant_takes_the_place_of_rules():
    assert values({"constants": {"outcome": "any"}})["outcome"] == "any"
    assert values({"fields": {"provider": {"value": "acme"}}})["provider"] == "acme"


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"schemes": ["header:X"]}, "schemes is not one of timezone"),
        ({"type": "lead"}, "type is not one of"),
        ({"fields": []}, "fields and constants must be tables"),
        ({"fields": {"planet": {"from": "/a"}}}, "planet is not a field of call"),
        ({"fields": {"outcome": {"form": "/a"}}}, "form: is not a key of a map"),
        ({"events": [{"rank": 9}]}, "rank"),
        ({"timezone": "Mars"}, "Mars must be the name of an IANA time zone"),
        ({"time": "/a"}, "time"),
    ],
)
def test_a_map_that_is_wrong_is_refused(own, message):
    with pytest.raises(BadMap) as refused:
        hook_table("retell", own)
    assert message in str(refused.value)
