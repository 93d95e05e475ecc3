"""The answers that the local gateway gives by itself, with Rollcall's own template."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rollcall_cli.local.gateway_responses import BUILT_IN, gateway_response
from rollcall_cli.local.template import load_template
from rollcall_cli.local.template_model import GatewayResponse

RESPONSES = load_template(Path(__file__).parents[3] / "template.yaml").api.responses


@pytest.mark.parametrize("kind", BUILT_IN)
def test_the_body_states_the_status(kind: str) -> None:
    response = gateway_response(kind, RESPONSES, "request-1")
    assert json.loads(response.body)["status_code"] == response.status


@pytest.mark.parametrize("kind", BUILT_IN)
def test_a_default_keeps_the_status_and_does_not_state_another(kind: str) -> None:
    status, _ = BUILT_IN[kind]
    defaults = {name: each for name, each in RESPONSES.items() if name.startswith("DEFAULT_")}
    response = gateway_response(kind, defaults, "request-1")
    assert response.status == status
    body = json.loads(response.body)
    assert list(body) == ["status_code", "message", "error", "detail"]
    assert body["status_code"] is None


def test_a_default_with_a_status_replaces_that_of_every_kind_that_falls_back_to_it() -> None:
    responses = {"DEFAULT_5XX": GatewayResponse(status=500, body="{}")}
    assert gateway_response("INTEGRATION_TIMEOUT", responses, "request-1").status == 500
    assert gateway_response("UNAUTHORIZED", responses, "request-1").status == 401
