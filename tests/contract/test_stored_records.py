"""GET /v1/calls/{id} and GET /v1/records/{type}/{id}: what was sent, and nothing of another organisation."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import stack as stacks
from tests.support.builders import BUILDERS, call, full_call
from tests.support.cases import cases
from tests.support.generate import RECORDS
from tests.support.http_answers import gateway_error, malformed

CALLS = "/v1/calls"
PROBLEM = "application/problem+json"
IDS = [
    *("a/b", "a//b", "/", "100%", "%2F", "a%2Fb", "%252F", "#", "c#1#", "?x=1", "a&b=c", "a+b"),
    *("a b", " ", "ñ 😀", "é", "e\u0301", "..", "~", "~-", "x" * 128, "ü" * 128, "{id}"),
    *(5, 0, -7, "05", 10**127, -(10**127)),
]


def path_of(type, id):
    return f"/v1/records/{type}/{encoded(id)}"


def encoded(id):
    """An id in a path: everything but letters and digits is encoded, dots too."""
    return quote(str(id), safe="").replace(".", "%2E")


def unchanged(org, record):
    answer = org.post([record])
    assert (answer.status, answer.json["unchanged"]) == (200, 1), answer.body
    return True


@pytest.fixture(scope="module")
def org(stack):
    return stack.new_organisation()


# ------------------------------------------------------------------ what comes back


@cases(8)
@given(records=st.lists(st.one_of(*RECORDS.values()), min_size=20, max_size=40))
def test_a_record_that_is_sent_back_is_unchanged(stack, records):
    org = stack.new_organisation()
    org.post(records)
    names = {(record["type"], str(record["id"])) for record in records}
    for type, id in names:
        answer = org.send("GET", path_of(type, id))
        assert answer.status == 200, answer.body
        assert unchanged(org, answer.json["record"])


@pytest.mark.parametrize("type", BUILDERS)
def test_every_type_is_read_by_its_name(org, type):
    record = BUILDERS[type]("typed")
    org.post([record])
    for path in (path_of(type, "typed"), path_of(type, "typed") + "/"):
        answer = org.send("GET", path)
        assert answer.status == 200, answer.body
        assert list(answer.json) == ["record", "updated_at", "counted"]
        assert answer.json["record"].items() >= {"type": type, "id": "typed"}.items()


def test_a_call_in_full(stack):
    org = stack.new_organisation()
    record = full_call("full", labels=["b", 7, "b"])
    org.post([record])
    stack.drain()
    answer = org.send("GET", f"{CALLS}/full")
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Cache-Control") == "no-store"
    assert answer.json == {
        "record": {
            **{name: value for name, value in record.items() if name != "updated_at"},
            "started_at": "2024-03-05T12:00:00.000Z",
            "duration_seconds": 62,
            "labels": [7, "b"],
            # Decimals, not the floats that they were sent as.
            "sentiment": stacks.from_json("0.75"),
            "cost": stacks.from_json("0.0425"),
            "detail": stacks.from_json(json.dumps(record["detail"])),
        },
        "updated_at": "2024-03-05T13:00:00.000Z",
        "counted": True,
    }
    assert answer.body == org.send("GET", path_of("call", "full")).body
    headers = {name.lower(): value for name, value in answer.headers}
    assert headers["x-rollcall-source"] == "ledger"
    assert int(headers["x-rollcall-items-read"]) in (3, 4)  # once, the organisation too
    assert float(headers["x-rollcall-read-units"]) > 0
    assert headers["x-rollcall-as-of"].endswith("Z")


def test_only_what_has_a_value_is_shown(org):
    org.post([call("bare", labels=[], events={"sms_sent": 0}, payload={})])
    record = org.send("GET", f"{CALLS}/bare").json["record"]
    assert record == {
        "type": "call",
        "id": "bare",
        "started_at": "2024-03-05T12:00:00.000Z",
        "status": "completed",
    }


@pytest.mark.parametrize("id", IDS, ids=repr)
def test_an_id_is_decoded_once(stack, id):
    org = stack.new_organisation()
    org.post([call(id, outcome="this one")])
    for path in (f"{CALLS}/{encoded(id)}", path_of("call", id)):
        record = org.send("GET", path).json["record"]
        assert (record["id"], record["outcome"]) == (id, "this one")
        assert record["id"].__class__ is id.__class__
    # Encoded once more, it is another id, unless nothing in it is encoded.
    again = org.send("GET", f"{CALLS}/{encoded(encoded(id))}")
    assert again.status == (200 if encoded(id) == encoded(encoded(id)) else 404)


def test_the_newest_version_is_shown_and_a_deleted_one_comes_back(stack):
    org = stack.new_organisation()
    path = f"{CALLS}/c"
    org.post([full_call("c")])
    org.post([call("c", status="failed", updated_at="2024-03-05T14:00:00Z")])
    org.post([call("c", status="busy", updated_at="2024-03-05T13:30:00Z")])  # stale
    found = org.send("GET", path).json
    assert found["record"]["status"] == "failed"
    assert "outcome" not in found["record"]
    assert found["updated_at"] == "2024-03-05T14:00:00.000Z"
    deletion = {"type": "call", "id": "c", "deleted": True, "updated_at": "2024-03-05T15:00:00Z"}
    org.post([deletion])
    assert org.send("GET", path).status == 404
    org.post([call("c", updated_at="2024-03-05T16:00:00Z")])
    assert org.send("GET", path).json["record"]["status"] == "completed"


def test_what_is_read_after_a_drain_is_counted(stack):
    org = stack.new_organisation()
    for outcome in ("first", "second"):
        org.post([call("c", outcome=outcome)])
        stack.drain()
        found = org.send("GET", f"{CALLS}/c").json
        assert (found["record"]["outcome"], found["counted"]) == (outcome, True)


# ------------------------------------------------------------------ refusals


@pytest.fixture(scope="module")
def strangers(stack):
    """(an organisation, the one 404 that it gets), with a deleted call and a foreign one."""
    own, other = stack.new_organisation(), stack.new_organisation()
    own.post([call("gone"), call("own")])
    own.post([{"type": "call", "id": "gone", "deleted": True}])
    other.post([call("foreign")])
    return own, own.send("GET", f"{CALLS}/unknown")


def test_the_404_is_a_problem(strangers):
    _, answer = strangers
    assert (answer.status, answer.header("Content-Type")) == (404, PROBLEM)
    assert answer.json == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such record.",
    }


IMPOSSIBLE = ["%00", "a%0Ab", "%7F", "%C2%80", "%FF", "%ED%A0%80", "x" * 129, "%", "%zz"]


@pytest.mark.parametrize(
    "path",
    [
        *(f"{CALLS}/{id}" for id in ("unknown", "gone", "foreign", *IMPOSSIBLE)),
        *(f"/v1/records/call/{id}" for id in ("unknown", "gone", "foreign", *IMPOSSIBLE)),
        *(f"/v1/records/{type}/own" for type in ("lead", "calls", "Call", "%00", "%FF", "call%20")),
        f"{CALLS}/unknown?x=1",  # 404 comes before 400
    ],
)
def test_whatever_is_not_there_is_the_same_404(strangers, path):
    own, expected = strangers
    answer = own.send("GET", path)
    assert (answer.status, answer.body) == (404, expected.body)
    assert answer.header("Content-Type") == PROBLEM


@pytest.mark.parametrize("query", ["?x=1", "?id=own", "?detail", "?x=1&x=2"])
def test_a_query_is_refused(strangers, query):
    own, _ = strangers
    for path in (f"{CALLS}/own", path_of("call", "own")):
        assert malformed(own.send("GET", path + query))


def test_the_scope_is_read(strangers):
    own, _ = strangers
    for scopes, status in ((("read",), 200), (("ingest", "admin"), 403)):
        headers = [("Authorization", f"Token {own.new_token(*scopes)['token']}")]
        for path in (f"{CALLS}/own", path_of("call", "own")):
            answer = stacks.request(own.stack.api, "GET", path, headers)
            assert answer.status == status
    for path in (f"{CALLS}/own", path_of("call", "own")):
        answer = stacks.request(own.stack.api, "GET", path)
        assert gateway_error(answer, 401, "Unauthorized")


@pytest.mark.parametrize("path", [CALLS, f"{CALLS}//", "/v1/records/call", "/v1/calls/a/b"])
def test_there_is_no_such_route(strangers, path):
    own, _ = strangers
    assert gateway_error(own.send("GET", path), 404, "Not Found")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_record_is_only_read_here(strangers, method):
    own, _ = strangers
    for path in (f"{CALLS}/own", path_of("call", "own")):
        assert gateway_error(own.send(method, path, b"{}"), 404, "Not Found")


# ------------------------------------------------------------------ the detail of a call


def test_the_detail_of_a_call_is_given_again_and_nowhere_else(stack):
    org = stack.new_organisation()
    sent = full_call("c", detail={**full_call()["detail"], "summary": "CANARY"})
    assert org.post([sent]).json["accepted"] == 1
    stack.drain()
    for path in (f"{CALLS}/c", path_of("call", "c")):
        answer = org.send("GET", path).json
        assert answer["record"]["detail"] == stacks.from_json(stacks.to_json(sent["detail"]))
        assert answer["counted"] is True
        assert unchanged(org, answer["record"])
    elsewhere = [
        org.send("POST", "/v1/calls/search", {"filters": []}),
        org.send("POST", "/v1/calls/search", {}, [("Accept", "text/csv")]),
        org.send("GET", "/v1/values/outcome"),
        org.send("GET", "/v1/schema"),
    ]
    for answer in elsewhere:
        assert answer.status == 200
        assert b"CANARY" not in answer.body
    assert "detail" not in elsewhere[0].json["calls"][0]
    query = org.send("POST", "/v1/query", {"measures": ["calls"], "dimensions": ["detail"]})
    assert query.status == 400


def test_a_detail_changes_with_its_document(stack):
    org = stack.new_organisation()
    versions = [
        ("2026-01-01T00:00:01Z", {"summary": "one"}, "accepted"),
        ("2026-01-01T00:00:01Z", {"summary": "one"}, "unchanged"),
        ("2026-01-01T00:00:00Z", {"summary": "zero"}, "stale"),
        ("2026-01-01T00:00:02Z", {"summary": "two"}, "accepted"),
        ("2026-01-01T00:00:03Z", {}, "accepted"),
        ("2026-01-01T00:00:04Z", {"summary": "four"}, "accepted"),
    ]
    for updated_at, detail, outcome in versions:
        record = call("c", updated_at=updated_at, detail=detail)
        assert org.post([record]).json[outcome] == 1, updated_at
        if outcome == "accepted":
            shown = org.send("GET", f"{CALLS}/c").json["record"]
            assert shown.get("detail", {}) == detail
    org.post([{"type": "call", "id": "c", "deleted": True}])
    assert org.send("GET", f"{CALLS}/c").status == 404
    org.post([call("c")])
    assert "detail" not in org.send("GET", f"{CALLS}/c").json["record"]
