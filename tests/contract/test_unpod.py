"""Unpod's published endpoint, as its clients see it (docs/contract.md#unpod)."""

import time
from datetime import UTC, datetime

import pytest

from tests.support import stack as stacks
from tests.support.builders import OMIT, call, deletion, space, task
from tests.support.http_answers import compact, forged, gateway_error
from tests.support.oracle import instant
from tests.support.stack import ORGANISATIONS, RECORDS, UNPOD

KNOWN, UNKNOWN = "known #1/é", "unknown"
KNOWN_QUERY = "space_token=known%20%231%2F%C3%A9"


@pytest.fixture(scope="module")
def figures(alice):
    """Three spaces' worth of calls and tasks; the answer for the organisation as a whole."""
    records = [
        call("c1", space_token=KNOWN, duration_seconds=1),
        call("c2", space_token=KNOWN, duration_seconds=0.4, status="failed"),
        call("c3", status="no_answer", duration_seconds=60),
        call("c4", space_token="only deleted"),
        call("c5", space_token=42),
        task("t1", space_token=KNOWN, status="in_progress"),
        task("t2", space_token=KNOWN, status="hold"),
        task("t3", status="partially_completed"),
        space("empty"),
        space("bare", name=OMIT),
        space("deleted"),
        deletion("call", "c4"),
        deletion("space", "deleted"),
    ]
    answer = alice.post(records)
    assert (answer.status, answer.json["accepted"]) == (200, len(records)), answer.body
    alice.stack.drain()
    return (
        b'{"status_code":200,"message":"Analytics fetched successfully","data":{'
        b'"total_calls":4,"completed_calls":2,"failed_calls":1,"avg_duration_seconds":20.3,'
        b'"total_tasks":3,"task_status_breakdown":'
        b'{"pending":0,"running":1,"completed":0,"failed":0}}}'
    )


def unpod_error(answer, status, message=None):
    assert answer.status == status, answer.body
    assert list(answer.json) == ["status_code", "message"]
    assert answer.json["status_code"] == status
    assert isinstance(answer.json["message"], str)
    if message is not None:
        assert answer.json["message"] == message
    assert answer.header("Content-Type").startswith("application/json")
    return True


# ------------------------------------------------------------------ the figures


def test_the_published_answer_byte_for_byte(alice, figures):
    answer = alice.get()
    assert answer.status == 200
    assert compact(answer.body) == figures


def test_headers_of_an_answer(alice, figures):
    answer = alice.get()
    assert answer.header("Content-Type").startswith("application/json")
    assert answer.header("X-Rollcall-Source") == "rollups"
    assert 1 <= int(answer.header("X-Rollcall-Items-Read")) <= 10
    assert 0 < float(answer.header("X-Rollcall-Read-Units")) <= 30
    assert answer.header("Cache-Control") == "no-store"
    as_of = answer.header("X-Rollcall-As-Of")
    assert as_of.endswith("Z")
    age_ms = datetime.now(UTC).timestamp() * 1000 - instant(as_of, "as of")
    assert -5_000 < age_ms < 600_000


def test_an_organisation_without_data(bob):
    answer = bob.get()
    assert answer.status == 200
    assert compact(answer.body) == (
        b'{"status_code":200,"message":"Analytics fetched successfully","data":{'
        b'"total_calls":0,"completed_calls":0,"failed_calls":0,"avg_duration_seconds":0.0,'
        b'"total_tasks":0,"task_status_breakdown":'
        b'{"pending":0,"running":0,"completed":0,"failed":0}}}'
    )
    assert answer.header("X-Rollcall-As-Of") is None
    assert answer.header("X-Rollcall-Source") == "rollups"
    assert answer.header("Cache-Control") == "no-store"


def test_one_space(alice, figures):
    assert alice.unpod(KNOWN) == {
        "total_calls": 2,
        "completed_calls": 1,
        "failed_calls": 1,
        "avg_duration_seconds": 0.5,
        "total_tasks": 2,
        "task_status_breakdown": {"pending": 0, "running": 1, "completed": 0, "failed": 0},
    }


def test_a_space_is_known_by_its_record_or_by_what_names_it(alice, figures):
    assert alice.unpod("empty")["total_calls"] == 0
    assert alice.unpod("bare")["total_calls"] == 0
    assert alice.unpod("42")["total_calls"] == 1
    for unknown in ("only deleted", "deleted", "known", UNKNOWN, "4", "x" * 129, "a\x00b", "#"):
        assert alice.unpod(unknown) is None


def test_the_average_of_whole_seconds_is_a_float(alice, figures):
    answer = alice.get(f"{UNPOD}?space_token=42")
    assert b'"avg_duration_seconds":0.0,' in compact(answer.body)


# ------------------------------------------------------------------ routes


@pytest.mark.parametrize("path", [UNPOD, UNPOD.rstrip("/")])
def test_with_and_without_the_trailing_slash(alice, figures, path):
    assert compact(alice.get(path).body) == figures
    assert alice.get(f"{path}?{KNOWN_QUERY}").json["data"]["total_calls"] == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", [UNPOD, UNPOD.rstrip("/"), ORGANISATIONS])
@pytest.mark.parametrize("authorised", [True, False])
def test_a_wrong_method_is_not_found(alice, method, path, authorised):
    headers = [("Org-Handle", "alice"), ("X-HTTP-Method-Override", "GET")]
    if authorised:
        headers.append(("Authorization", f"Token {alice.token}"))
    assert gateway_error(
        stacks.request(alice.stack.api, method, path, headers, b""), 404, "Not Found"
    )


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/v2/platform/organisation",
        "/api/v2/platform/organisation/analytics/more",
        "/API/v2/platform/organisation/analytics/",
        "/api/v2/platform/organisation%2Fanalytics/",
        "/api/v2/platform/organisation/analytics//",
    ],
)
@pytest.mark.parametrize("authorised", [True, False])
def test_an_unknown_route_is_not_found(alice, path, authorised):
    headers = [("Authorization", f"Token {alice.token}")] if authorised else []
    assert gateway_error(stacks.request(alice.stack.api, "GET", path, headers), 404, "Not Found")


# ------------------------------------------------------------------ tokens


def ask(organisation, *authorizations, handle=None, path=UNPOD):
    headers = [("Authorization", value) for value in authorizations]
    headers.append(("Org-Handle", handle or organisation.handle))
    return stacks.request(organisation.stack.api, "GET", path, headers)


@pytest.mark.parametrize("scheme", ["Token", "Bearer", "jwt", "TOKEN", "token", "bEARER", "JWT"])
def test_schemes_in_any_case(alice, figures, scheme):
    assert compact(ask(alice, f"{scheme} {alice.token}").body) == figures


@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION", "aUTHORIZATION"])
def test_header_names_in_any_case(alice, figures, name):
    handle = "ORG-HANDLE" if name.isupper() else "oRG-handle"
    headers = [(name, f"Token {alice.token}"), (handle, "alice")]
    assert compact(stacks.request(alice.stack.api, "GET", UNPOD, headers).body) == figures


def test_tokens_that_do_not_open(alice):
    token = alice.token
    typo = token[:-1] + ("a" if token[-1] != "a" else "b")
    for value in (
        "",
        "Token",
        "Token ",
        token,
        f"Basic {token}",
        f"Token{token}",
        f"Token {token} {token}",
        f"Token {typo}",
        f"Token {token[:-1]}",
        f"Token {token}a",
        f"Token {token.upper()}",
        f"Token {forged(token)}",
        "Token rc_",
        f"Token rc_{'0' * 36}",
        f"Token {'x' * 4000}",
        f"Token {token[:10]}é",
        "Token " + "\U0001f600" * 9,
    ):
        assert gateway_error(ask(alice, value), 401, "Unauthorized"), value


def test_no_authorization_header(alice):
    headers = [("Org-Handle", "alice")]
    for path in (UNPOD, ORGANISATIONS, f"{UNPOD}?token={alice.token}"):
        answer = stacks.request(alice.stack.api, "GET", path, headers)
        assert gateway_error(answer, 401, "Unauthorized")


def test_a_repeated_authorization_header(alice, bob):
    same, other = f"Token {alice.token}", f"Token {bob.token}"
    for values in ((same, same), (same, other), (other, same), (same, "Token x")):
        assert gateway_error(ask(alice, *values), 401, "Unauthorized")
        assert gateway_error(ask(alice, *values, path=ORGANISATIONS), 401, "Unauthorized")


def test_an_expired_token(alice):
    expires_at_ms = time.time_ns() // 1_000_000 + 10_000
    made = alice.new_token("read", expires_at_ms=expires_at_ms)
    while time.time_ns() // 1_000_000 <= expires_at_ms:
        time.sleep(0.1)
    # Its first use comes after its end, so that no cache remembers it.
    assert gateway_error(ask(alice, f"Token {made['token']}"), 401, "Unauthorized")


def test_a_token_that_ends_while_the_gateway_remembers_it(alice):
    """Its first use comes before its end, so the authorizer's answer is in the cache after it."""
    expires_at_ms = time.time_ns() // 1_000_000 + 10_000
    token = alice.new_token("read", expires_at_ms=expires_at_ms)["token"]
    assert ask(alice, f"Token {token}").status == 200
    while time.time_ns() // 1_000_000 <= expires_at_ms:
        time.sleep(0.1)
    assert gateway_error(ask(alice, f"Token {token}"), 401, "Unauthorized")


def test_a_rotated_token_ends_with_its_overlap(alice):
    old = alice.new_token("read")
    rotated = alice.stack.cli("token", "rotate", old["token_id"], "--overlap", "4s", "--json")
    until = time.time() + 10
    while (answer := ask(alice, f"Token {old['token']}")).status == 200 and time.time() < until:
        time.sleep(0.1)
    assert gateway_error(answer, 401, "Unauthorized")
    assert ask(alice, f"Token {rotated['token']}").status == 200


@pytest.mark.slow
def test_a_revoked_token(alice):
    """One that the command made; the end that was given is the end that is stored."""
    cli, ends = alice.stack.cli, "2999-01-31T00:00:00.000Z"
    options = ("--scope", "read", "--expires-at", ends, "--json")
    made = cli("token", "create", alice.handle, *options)
    listed = {token["token_id"]: token for token in cli("token", "list", alice.handle, "--json")}
    stored = listed[made["token_id"]]
    assert (stored["expires_at"], stored["scopes"]) == (ends, ["read"])
    cli("token", "revoke", made["token_id"])
    for _ in range(2):
        assert gateway_error(ask(alice, f"Token {made['token']}"), 401, "Unauthorized")
    assert ask(alice, f"Token {alice.token}").status == 200


@pytest.mark.slow
def test_the_last_use_of_a_token_is_recorded(alice):
    cli, options = alice.stack.cli, ("--scope", "read", "--name", "dashboard", "--json")
    made = cli("token", "create", alice.handle, *options)
    unused = cli("token", "create", alice.handle, *options)

    def last_use(token):
        listed = cli("token", "list", alice.handle, "--json")
        (found,) = [each for each in listed if each["token_id"] == token["token_id"]]
        assert found["name"] == "dashboard"
        return found["last_used_at"]

    before = datetime.now(UTC)
    assert ask(alice, f"Token {made['token']}").status == 200
    # It is recorded beside the answer.
    deadline = time.monotonic() + 60
    while last_use(made) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    hours = {f"{moment:%Y-%m-%dT%H}:00:00.000Z" for moment in (before, datetime.now(UTC))}
    assert last_use(made) in hours
    assert last_use(unused) is None
    cli("token", "revoke", made["token_id"][:16])


def test_an_unknown_token_is_not_remembered_as_refused_for_others(alice, figures):
    assert ask(alice, f"Token {forged(alice.token)}").status == 401
    assert compact(ask(alice, f"Token {alice.token}").body) == figures


def test_a_token_without_the_scope(alice):
    ingest_only = alice.new_token("ingest")["token"]
    read_only = alice.new_token("read")["token"]
    for _ in range(2):  # cold, then warm
        assert gateway_error(ask(alice, f"Token {ingest_only}"), 403, "Forbidden")
        answer = stacks.request(
            alice.stack.api, "POST", RECORDS, [("Authorization", f"Token {read_only}")], b"{"
        )
        assert gateway_error(answer, 403, "Forbidden")
        # What the same token may do is still open, in the same moment.
        assert ask(alice, f"Token {read_only}").status == 200
        answer = stacks.request(
            alice.stack.api, "POST", RECORDS, [("Authorization", f"Token {ingest_only}")], b"{"
        )
        assert answer.status == 400


# ------------------------------------------------------------------ the handle

MISSING = "Org-Handle header is required."
CASES = {
    "answer": ([("Org-Handle", "alice")], "", 200, None),
    "missing": ([], "", 400, MISSING),
    "empty": ([("Org-Handle", "")], "", 400, MISSING),
    "repeated": ([("Org-Handle", "alice"), ("Org-Handle", "alice")], "", 400, None),
    "repeated, different": ([("Org-Handle", "alice"), ("org-handle", "bob")], "", 400, None),
    "foreign": ([("Org-Handle", "bob")], "", 403, "Invalid organization handle."),
    "unknown": ([("Org-Handle", "carol")], "", 404, "Organization not found."),
    "another case": ([("Org-Handle", "Alice")], "", 404, "Organization not found."),
    "not a handle": ([("Org-Handle", "alice#")], "", 404, "Organization not found."),
    "not ascii": ([("Org-Handle", "älice")], "", 404, "Organization not found."),
    "long": ([("Org-Handle", "a" * 3000)], "", 404, "Organization not found."),
    "unknown space": (
        [("Org-Handle", "alice")],
        f"?space_token={UNKNOWN}",
        404,
        "Space not found.",
    ),
    "empty space": ([("Org-Handle", "alice")], "?space_token=", 404, "Space not found."),
    "no id": ([("Org-Handle", "alice")], "?space_token=%00", 404, "Space not found."),
    "longer than a key": (
        [("Org-Handle", "alice")],
        f"?space_token={'x' * 5_000}",
        404,
        "Space not found.",
    ),
    "known space": ([("Org-Handle", "alice")], f"?{KNOWN_QUERY}", 200, None),
    "unknown parameter": ([("Org-Handle", "alice")], "?space=1", 400, None),
    "known space, unknown parameter": ([("Org-Handle", "alice")], f"?{KNOWN_QUERY}&x=", 400, None),
    "repeated space": ([("Org-Handle", "alice")], f"?{KNOWN_QUERY}&{KNOWN_QUERY}", 400, None),
    # The order of checks: whichever comes first in the list names the error.
    "missing before parameter": ([], "?space=1", 400, MISSING),
    "missing before space": ([], f"?space_token={UNKNOWN}", 400, MISSING),
    "unknown before parameter": (
        [("Org-Handle", "carol")],
        "?x=1",
        404,
        "Organization not found.",
    ),
    "foreign before parameter": (
        [("Org-Handle", "bob")],
        "?x=1",
        403,
        "Invalid organization handle.",
    ),
    "foreign before space": (
        [("Org-Handle", "bob")],
        f"?space_token={UNKNOWN}",
        403,
        "Invalid organization handle.",
    ),
    "unknown space before parameter": (
        [("Org-Handle", "alice")],
        f"?x=1&space_token={UNKNOWN}",
        404,
        "Space not found.",
    ),
}


COLD = ["answer", "missing", "foreign", "unknown", "unknown space", "unknown parameter"]


@pytest.mark.parametrize(
    ("cache", "case"),
    [
        *[("cold", case) for case in COLD],  # each costs a token
        *[(cache, case) for cache in ("warm", "other warm") for case in CASES],
    ],
)
def test_handle_and_space(alice, bob, figures, cache, case):
    """The answer is the same whether or not the authorizer has cached one."""
    headers, query, status, message = CASES[case]
    token = alice.token
    if cache == "cold":
        token = alice.new_token("read")["token"]
    elif cache == "warm":
        assert ask(alice, f"Token {alice.token}").status == 200
    else:
        assert ask(bob, f"Token {bob.token}").status == 200
        assert ask(bob, f"Token {bob.token}", handle="alice").status == 403
    headers = [("Authorization", f"Token {token}"), *headers]
    answer = stacks.request(alice.stack.api, "GET", UNPOD + query, headers)
    if status == 200:
        assert answer.status == 200, answer.body
        assert answer.json["data"]["total_calls"] == (2 if query else 4)
    else:
        assert unpod_error(answer, status, message)


def test_401_comes_before_anything_of_the_request(alice):
    for headers in ([], [("Org-Handle", "carol")], [("Org-Handle", "bob")]):
        answer = stacks.request(
            alice.stack.api, "GET", f"{UNPOD}?x=1", [("Authorization", "Token x"), *headers]
        )
        assert gateway_error(answer, 401, "Unauthorized")


def test_403_scope_comes_before_the_headers(alice):
    token = alice.new_token("ingest")["token"]
    answer = stacks.request(
        alice.stack.api, "GET", f"{UNPOD}?x=1", [("Authorization", f"Token {token}")]
    )
    assert gateway_error(answer, 403, "Forbidden")


def test_an_organisation_never_sees_another(alice, bob, figures):
    assert compact(alice.get().body) == figures
    assert bob.get().json["data"]["total_calls"] == 0
    assert bob.unpod(KNOWN) is None
    assert unpod_error(
        stacks.request(
            bob.stack.api,
            "GET",
            UNPOD,
            [("Authorization", f"Token {bob.token}"), ("Org-Handle", "alice")],
        ),
        403,
        "Invalid organization handle.",
    )


# ------------------------------------------------------------------ the companion


@pytest.mark.parametrize("path", [ORGANISATIONS, ORGANISATIONS.rstrip("/")])
@pytest.mark.parametrize("handle", [None, "alice", "bob", "unknown", ""])
def test_list_organisations(alice, bob, path, handle):
    headers = [("Authorization", f"Bearer {alice.token}")]
    if handle is not None:
        headers.append(("Org-Handle", handle))
    answer = stacks.request(alice.stack.api, "GET", path, headers)
    assert answer.status == 200
    assert list(answer.json) == ["status_code", "message", "data"]
    assert answer.json["status_code"] == 200
    assert answer.json["message"] == "Organizations fetched successfully"
    [organisation] = answer.json["data"]
    assert list(organisation) == ["id", "name", "domain_handle", "created_at"]
    assert organisation["name"] == "Alice & Söhne"
    assert organisation["domain_handle"] == "alice"
    instant(organisation["created_at"], "created_at")
    assert answer.header("Content-Type").startswith("application/json")


def test_list_organisations_refuses_a_query(alice):
    headers = [("Authorization", f"Token {alice.token}")]
    for query in ("?x=1", "?space_token=1", "?page"):
        answer = stacks.request(alice.stack.api, "GET", ORGANISATIONS + query, headers)
        assert unpod_error(answer, 400)


def test_list_organisations_needs_the_scope(alice):
    token = alice.new_token("ingest")["token"]
    headers = [("Authorization", f"Token {token}")]
    answer = stacks.request(alice.stack.api, "GET", ORGANISATIONS, headers)
    assert gateway_error(answer, 403, "Forbidden")
