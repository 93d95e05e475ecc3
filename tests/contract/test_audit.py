"""GET /v1/audit: what the last audit found, nothing before the first audit, nothing of another organisation."""

import json
from dataclasses import replace

import pytest

from tests.support import stack as stacks
from tests.support.auditing import EXACT, difference, have_audited, store_of
from tests.support.http_answers import gateway_error, malformed

AUDIT = "/v1/audit"
FIGURES = ("facts", "rows", "pages", "rollups", "drift", "repaired", "unsettled", "exact")
KEYS = [
    *("last_run", "started_at", "facts", "rows", "pages", "rollups", "drift", "drift_by_kind"),
    *("repaired", "unsettled", "exact", "differences", "running"),
]


@pytest.fixture
def org(stack):
    return stack.new_organisation()


def audited(org, path=AUDIT):
    """The body of a 200."""
    answer = org.send("GET", path)
    assert answer.status == 200, answer.body
    assert list(answer.json) == KEYS
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Cache-Control") == "no-store"
    return answer.json


@pytest.mark.slow
def test_before_the_first_audit_nothing_looks_like_a_clean_one(org):
    body = audited(org)
    assert {name: body[name] for name in FIGURES} == dict.fromkeys(FIGURES)
    assert (body["last_run"], body["started_at"], body["running"]) == (None, None, None)
    assert (body["drift_by_kind"], body["differences"]) == ({}, [])


@pytest.mark.parametrize("path", [AUDIT, f"{AUDIT}/"])
def test_an_exact_audit(org, path):
    have_audited(org, EXACT)
    assert audited(org, path) == {
        "last_run": "2026-11-21T03:00:41.250Z",
        "started_at": "2026-11-21T03:00:02.000Z",
        "facts": 120_431,
        "rows": 120_409,
        "pages": 318,
        "rollups": 2_077,
        "drift": 0,
        "drift_by_kind": {},
        "repaired": 0,
        "unsettled": 0,
        "exact": True,
        "differences": [],
        "running": None,
    }


def test_what_differs(org):
    found = replace(
        EXACT,
        drift={"row_missing": 1, "rollup_differs": 2},
        repaired=2,
        unsettled=4,
        differences=(
            difference(is_repaired=True, name="calls of space sales"),
            difference(kind="row_missing", epoch=3, subject="call", bucket="", amount=1),
        ),
    )
    have_audited(org, found)
    body = audited(org)
    assert (body["drift"], body["repaired"], body["unsettled"]) == (3, 2, 4)
    assert body["exact"] is False
    assert body["drift_by_kind"] == {"row_missing": 1, "rollup_differs": 2}
    since = "2026-11-21T00:00:00.000Z"
    assert body["differences"] == [
        {
            "kind": "rollup_differs",
            "epoch": 0,
            "subject": "calls",
            "bucket": "2026-11-20",
            "amount": 2,
            "since": since,
            "repaired": True,
        },
        {
            "kind": "row_missing",
            "epoch": 3,
            "subject": "call",
            "bucket": "",
            "amount": 1,
            "since": since,
            "repaired": False,
        },
    ]
    assert "sales" not in json.dumps(body)


@pytest.mark.parametrize(
    ("repaired", "unsettled", "exact"), [(3, 0, True), (2, 0, False), (3, 1, False)]
)
def test_exact_is_what_is_left(org, repaired, unsettled, exact):
    drift = {"row_behind": 3}
    have_audited(org, replace(EXACT, drift=drift, repaired=repaired, unsettled=unsettled))
    assert audited(org)["exact"] is exact


def test_a_run_under_way(org):
    store, org_id = store_of(org)
    running = replace(
        EXACT, run_id="run-2", finished_at_ms=None, drift={"row_missing": 5}, cursor="secret"
    )
    store.begin(org_id, running, replacing=None)
    shown = {
        "started_at": "2026-11-21T03:00:02.000Z",
        "checked_at": "2026-11-21T03:00:41.000Z",
        "facts": 120_431,
        "rows": 120_409,
        "pages": 318,
        "rollups": 2_077,
        "drift": 5,
    }
    body = audited(org)
    assert body["running"] == shown
    assert {body[name] for name in FIGURES} == {None}
    assert "secret" not in json.dumps(body)
    have_audited(org, EXACT)
    store.begin(org_id, running, replacing=None)
    body = audited(org)
    assert (body["drift"], body["exact"], body["running"]) == (0, True, shown)


def test_no_organisation_sees_the_audit_of_another(org, stack):
    have_audited(org, EXACT)
    other = stack.new_organisation()
    assert audited(other)["last_run"] is None
    body = json.loads(other.send("GET", AUDIT, headers=[("Org-Handle", org.handle)]).body)
    assert body["last_run"] is None


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize("query", ["?x=1", "?page=2&page=3", "?org_id=1", "?exact"])
def test_a_query_is_refused(org, query):
    answer = org.send("GET", AUDIT + query)
    assert malformed(answer)
    assert answer.json["type"] == "about:blank"
    assert answer.header("Cache-Control") == "no-store"


def test_the_scope_is_needed_and_comes_before_the_query(org):
    token = org.new_token("ingest")["token"]
    headers = [("Authorization", f"Token {token}")]
    for path in (AUDIT, f"{AUDIT}/", f"{AUDIT}?x=1"):
        answer = stacks.request(org.stack.api, "GET", path, headers)
        assert gateway_error(answer, 403, "Forbidden")


def test_readers_see_the_audit_too(org):
    token = org.new_token("read")["token"]
    headers = [("Authorization", f"Token {token}")]
    assert stacks.request(org.stack.api, "GET", AUDIT, headers).status == 200


def test_the_scope_opens_nothing_else(org):
    token = org.new_token("admin")["token"]
    headers = [("Authorization", f"Token {token}"), ("Org-Handle", org.handle)]
    assert stacks.request(org.stack.api, "GET", AUDIT, headers).status == 200
    for method, path in [("GET", stacks.UNPOD), ("POST", stacks.BREEZE), ("POST", stacks.RECORDS)]:
        answer = stacks.request(org.stack.api, method, path, headers, b"{}")
        assert gateway_error(answer, 403, "Forbidden")


def test_a_token_is_needed(org):
    for headers in ([], [("Authorization", "Token x")]):
        assert gateway_error(
            stacks.request(org.stack.api, "GET", AUDIT, headers), 401, "Unauthorized"
        )


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_another_method_is_not_found(org, method):
    assert gateway_error(org.send(method, AUDIT, b"{}"), 404, "Not Found")
