"""The documentation's page in the demo: each form, executed as it is shown, is answered with data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from rollcall.settings import settings
from rollcall_cli.demo_data import demo_records
from rollcall_cli.demo_examples import Setting, try_out
from rollcall_cli.demo_filling import fill, new_tenant
from rollcall_cli.local.documentation import DOCUMENT, TOKEN
from rollcall_cli.local.stack import LocalStack
from tests.support.answering import wired
from tests.support.stack import request, skip_without_dynamodb_local

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.dynamodb_local]  # fills a demo

WITHOUT_FIGURES = {
    "/v1/audit",
    "/v1/health",
    "/v1/hooks",
    "/v1/records/{type}/{id}",
    "/api/v2/platform/organizations",
}
# Only a provider can sign what this one takes.
DELIVERIES = "/v1/hooks/{provider}/{hook_id}"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A stack that is filled as the demo fills it, with a second demo's handle."""
    skip_without_dynamodb_local()
    end = datetime.now(UTC).replace(microsecond=0)
    records = list(demo_records(seed=4, calls=60, days=5, now=end))
    folder = tmp_path_factory.mktemp("state")
    # Settings are read when they are imported, which another test of this process may have done.
    own = replace(settings, failure_destination=(folder / "failures").as_uri())
    with (
        wired(settings=own),
        LocalStack(engine="dynamodb-local", port=0, dynamodb_port=0, state_dir=folder) as stack,
    ):
        new_tenant(stack.api_url)
        tenant = new_tenant(stack.api_url)
        assert tenant.handle == "demo-2"
        task = next(record for record in records if record["type"] == "task")
        setting = Setting(tenant.handle, tenant.token, task, end)
        stack.offer(try_out(stack.template, setting))
        fill(stack, tenant, records)
        yield stack.api_url


@pytest.fixture(scope="module")
def token(api: str) -> str:
    """The token as the page gets it."""
    answer = request(api, "POST", TOKEN, [("Origin", api)])
    assert answer.status == 200
    return str(answer.json["token"])


def test_the_token_stays_on_its_own_page(api: str, token: str) -> None:
    for headers in ([], [("Origin", "https://evil.example")], [("Origin", "null")]):
        answer = request(api, "POST", TOKEN, headers)
        assert answer.status in (403, 404)
        assert token.encode() not in answer.body
    assert token.encode() not in request(api, "GET", DOCUMENT).body


def test_every_form_is_answered_as_it_is_shown(api: str, token: str) -> None:
    document = json.loads(request(api, "GET", DOCUMENT).body)
    [scheme] = document["components"]["securitySchemes"]
    assert scheme == "bearer"
    executed = 0
    del document["paths"][DELIVERIES]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            answer = execute(api, token, method.upper(), path, operation)
            assert answer.status == 200, (path, answer.body)
            assert has_figures(answer.json) or path in WITHOUT_FIGURES, (path, answer.body)
            executed += 1
    assert executed == 18


def execute(api: str, token: str, method: str, path: str, operation: dict[str, Any]) -> Any:
    """Send what the form of an operation shows when it is opened."""
    headers = [("Authorization", f"Bearer {token}"), ("Origin", api)]
    query = {}
    for parameter in operation.get("parameters", ()):
        if "example" not in parameter:
            assert not parameter["required"]
            continue
        value = parameter["example"]
        match parameter["in"]:
            case "path":
                path = path.replace(f"{{{parameter['name']}}}", quote(value, safe=""))
            case "query":
                query[parameter["name"]] = value
            case _:
                headers.append((parameter["name"], value))
    body = None
    if "requestBody" in operation:
        [(media_type, content)] = operation["requestBody"]["content"].items()
        body = json.dumps(next(iter(content["examples"].values()))["value"]).encode()
        headers.append(("Content-Type", media_type))
    return request(api, method, f"{path}?{urlencode(query)}" if query else path, headers, body)


def has_figures(value: Any) -> bool:
    """Whether there is a number above zero anywhere in an answer, its own status aside."""
    if isinstance(value, dict):
        return any(has_figures(item) for name, item in value.items() if name != "status_code")
    if isinstance(value, list):
        return any(map(has_figures, value))
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and value > 0
