"""GET /v1/health: it needs no token, and reports whether the records table answers."""

import json
import os
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from rollcall import __version__
from rollcall.domain.organisations import current_org_id
from tests.support import stack as stacks
from tests.support.answering import ENVIRONMENT, Lambda, load_handler, wired
from tests.support.http_answers import gateway_error, malformed

HEALTH = "/v1/health"
OK = {"status": "ok", "version": __version__}


def health(stack, path=HEALTH, method="GET", headers=()):
    return stacks.request(stack.api, method, path, headers)


@pytest.mark.parametrize("path", [HEALTH, f"{HEALTH}/"])
@pytest.mark.parametrize(
    "headers",
    [[], [("Authorization", "Token unknown")], [("Authorization", "a"), ("Authorization", "b")]],
    ids=["no token", "an unknown token", "two"],
)
def test_anyone_is_answered(stack, path, headers):
    answer = health(stack, path, headers=headers)
    assert (answer.status, answer.json) == (200, OK)
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Cache-Control") == "no-store"
    assert not [name for name, _ in answer.headers if name.lower().startswith("x-rollcall")]


def test_a_token_changes_nothing(alice):
    answer = alice.send("GET", HEALTH)
    assert (answer.status, answer.json) == (200, OK)


@pytest.mark.parametrize("query", ["?x=1", "?verbose", "?x=1&x=2"])
def test_a_query_is_refused(stack, query):
    assert malformed(health(stack, HEALTH + query))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_another_method_is_not_found(stack, method):
    answer = health(stack, method=method)
    assert answer.status == 404
    assert method == "HEAD" or gateway_error(answer, 404, "Not Found")


# ------------------------------------------------------------------ when the table does not answer


def asked(client=None):
    """The answer of the function, with this client, or with one whose endpoint does not answer."""
    made = {} if client is None else {"dynamodb": lambda: client}
    with patch.dict(os.environ, ENVIRONMENT), wired(**made):
        return load_handler("get_health")({"requestContext": {"requestId": "r"}}, Lambda())


def refusing(code, status):
    def get_item(**_request):
        error = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(error, "GetItem")

    return SimpleNamespace(get_item=get_item)


@pytest.mark.parametrize(
    "client",
    [
        None,
        refusing("ResourceNotFoundException", 400),
        refusing("AccessDeniedException", 400),
        refusing("ThrottlingException", 400),
        refusing("InternalServerError", 500),
    ],
    ids=["unreachable", "no table", "no permission", "throttled", "broken"],
)
def test_a_table_that_does_not_answer_is_503(client):
    answer = asked(client)
    assert answer["statusCode"] == 503
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert answer["headers"]["Retry-After"] == "5"
    assert json.loads(answer["body"]) == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "The records table does not answer.",
    }


def test_it_reads_one_key_of_no_organisation():
    reads = []

    def get_item(**request):
        reads.append((request, current_org_id()))
        return {}

    assert asked(SimpleNamespace(get_item=get_item))["statusCode"] == 200
    [(request, org_id)] = reads
    assert request["Key"] == {"PK": {"S": "HEALTH#"}, "SK": {"S": "HEALTH"}}
    assert request["ConsistentRead"] is True
    assert org_id is None
