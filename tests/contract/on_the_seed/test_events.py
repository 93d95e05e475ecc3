"""The sample events for `sam local invoke`: each gives, on the seed, the answer beside it.

A clock that stands still makes whole answers comparable. `make events` rewrites events and answers;
the oracles, which share no code with the functions, say whether what it wrote is right.
"""

import base64
import hashlib
import json
from collections import Counter, defaultdict
from urllib.parse import unquote

import pytest

from rollcall.api.records.documents import parse_record
from tests.sample_events.answering import answer_path, expected_answer, sample_events
from tests.sample_events.cases import CASES, SAMPLES, Batch
from tests.sample_events.documents import EVENTS, FUNCTIONS, NOW_MS, documents, text_of
from tests.support.merging_oracle import OneRecord, write_of
from tests.support.oracle import Oracle
from tests.support.queries_of_dialects import DIALECTS
from tests.support.queries_of_dialects import expected as expected_by_the_oracle
from tests.support.query_oracle import QueryOracle
from tests.support.scenes import Query
from tests.support.stack import from_json, to_json

HANDLES = {sample.id: sample.handle for sample in SAMPLES.organisations}
NAMES = {path: f"{path.parent.name}/{path.stem}" for path in sample_events()}
UNPOD = "get_organisation_analytics"  # its errors depend on a header
READING = {name for name in CASES if name.startswith(("get", "list", "query", "search"))}
MS_PER_DAY = 86_400_000
PUBLIC = {"get_health", "receive_hook"}  # take no token
# The scheduled functions read nothing of their events, so there is none that they could refuse.
NEVER_REFUSES = {"reconcile_organisations", "merge_pages", "sweep_hooks", "replay_deliveries"}
# A delivery is signed with the time: tests/contract/test_hooks.py.
NEVER_SUCCEEDS = {"receive_hook"}


def events(*functions):
    """A test for each event, or for each of these functions."""
    chosen = [path for path in NAMES if not functions or path.parent.name in functions]
    return pytest.mark.parametrize("path", chosen, ids=NAMES.get)


def read(path):
    return json.loads(path.read_text("utf-8"))


# ------------------------------------------------------------------ the files


def test_every_file_is_made_from_a_case():
    made = {path: text_of(event) + "\n" for path, event in documents()}
    assert {path: path.read_text("utf-8") for path in NAMES} == made, "run `make events`"
    answers = {*EVENTS.glob("*/*")} - {*NAMES, *EVENTS.glob("imports/*"), *EVENTS.glob("hooks/*")}
    assert answers == {answer_path(path) for path in NAMES} - {None}, "run `make events`"


def test_every_function_has_an_event_that_succeeds_and_one_that_is_refused():
    kinds = Counter((path.parent.name, is_refusal(expected_answer(path))) for path in NAMES)
    assert {name for name, refused in kinds if not refused} == set(FUNCTIONS) - NEVER_SUCCEEDS
    assert {name for name, refused in kinds if refused} == set(FUNCTIONS) - NEVER_REFUSES


def is_refusal(answer):
    """An error, the status of an error, or a record that is quarantined."""
    return (
        "errorType" in answer or answer.get("status", 0) >= 400 or bool(answer.get("quarantined"))
    )


@events()
def test_events_have_the_shape_of_their_source(path):
    event = read(path)
    if "Records" in event:
        for record in event["Records"]:
            assert record["eventSource"] == "aws:dynamodb"
            images = record["dynamodb"].keys() & {"NewImage", "OldImage"}
            names = {"INSERT": {"NewImage"}, "MODIFY": {"NewImage", "OldImage"}}
            assert images == names.get(record["eventName"], {"OldImage"})
            for name in images:
                image = record["dynamodb"][name]
                assert record["dynamodb"]["Keys"] == {name: image[name] for name in ("PK", "SK")}
        return
    if event.get("source") == "aws.s3":  # EventBridge's, of an object
        assert event["detail-type"] == "Object Created"
        assert event["resources"] == [f"arn:aws:s3:::{event['detail']['bucket']['name']}"]
        assert event["detail"]["object"]["key"].startswith("hooks/waiting/")
        return
    if "detail-type" in event:  # EventBridge's, of a schedule
        assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
        assert all(":rule/" in resource for resource in event["resources"])
        assert event["detail"] == {}
        return
    for single, multiple in (
        ("headers", "multiValueHeaders"),
        ("queryStringParameters", "multiValueQueryStringParameters"),
    ):
        last = {name: values[-1] for name, values in (event[multiple] or {}).items()}
        assert (event[single] or {}) == last
    context = event["requestContext"]
    assert context["resourcePath"] == event["resource"]
    if path.parent.name == "authorize_request":
        assert event["type"] == "REQUEST"
        assert event["methodArn"].endswith(event["httpMethod"] + event["path"])
        assert "authorizer" not in context
        return
    if path.parent.name in PUBLIC:
        assert "authorizer" not in context
        assert "Authorization" not in event["multiValueHeaders"]
    else:
        assert all(isinstance(context["authorizer"][name], str) for name in ("org_id", "epoch"))
    # BinaryMediaTypes is */*: a body comes as base64, or not at all.
    assert event["isBase64Encoded"] == (event["body"] is not None)
    if event["body"] is not None:
        base64.b64decode(event["body"], validate=True)


# ------------------------------------------------------------------ the answers


@pytest.mark.representatives(20)
@events()
def test_an_event_is_answered_as_its_answer_says(functions, path):
    expected = expected_answer(path)
    answer = functions.answer(path)
    assert answer == expected
    assert json.dumps(answer) == json.dumps(
        expected
    )  # 1 is not 1.0 here, and members have an order


def test_only_what_is_named_depends_on_the_clock(functions, monkeypatch):
    monkeypatch.setattr(functions.clock, "now_ms", NOW_MS + 60 * MS_PER_DAY)
    for path, name in NAMES.items():
        if path.parent.name in READING:
            expected, answer = expected_answer(path), functions.answer(path)
            named = expected.get("depends_on_clock", [])
            for member in named:
                del expected["body"][member], answer["body"][member]
            assert answer == expected, name


def test_the_last_30_days_are_those_before_the_clock(functions, monkeypatch):
    path = EVENTS / "get_workspace_analytics/workspace.json"
    monkeypatch.setattr(functions.clock, "now_ms", NOW_MS + 60 * MS_PER_DAY)
    assert functions.answer(path)["body"]["activityTimeline"] == []


@pytest.mark.slow
def test_the_audit_reads_nothing_of_its_event(functions):
    expected = read(EVENTS / "reconcile_organisations/hourly.answer.json")["answer"]
    functions.answer(EVENTS / "reconcile_organisations/hourly.json")
    for event in ({}, {"detail": "garbage"}, []):
        assert functions.invoke("reconcile_organisations", event) == dict.fromkeys(expected, 0)


@events("merge_pages", "sweep_hooks", "replay_deliveries")
def test_what_a_schedule_does_reads_nothing_else_of_its_event(functions, path):
    expected = expected_answer(path)["answer"]
    for event in ({}, {"detail": "garbage"}):
        assert functions.invoke(path.parent.name, event) == expected


# ------------------------------------------------------------------ the oracles


def oracle_of(handle):
    """The seed's records of an organisation."""
    oracle = Oracle()
    records = next(sample.records for sample in SAMPLES.organisations if sample.handle == handle)
    status, _ = oracle.post(list(from_json(to_json(records))), NOW_MS)
    assert status == 200
    return oracle


def asked(path):
    """(the caller's handle, path parameter, query, body) of an event."""
    event = from_json(path.read_bytes())
    handle = HANDLES[event["requestContext"]["authorizer"]["org_id"]]
    parameters = list((event["pathParameters"] or {}).values())
    body = base64.b64decode(event["body"]) if event["body"] else None
    return handle, unquote(*parameters) if parameters else None, event, body


def answered(path):
    """(status, body); None for the body of an error, because the oracles do not know its words."""
    answer = from_json(to_json(expected_answer(path)).encode())
    return answer["status"], answer["body"] if answer["status"] == 200 else None


@events(*(name for dialect in DIALECTS for name in dialect.routes if name != UNPOD))
def test_queries_are_answered_as_the_oracle_has_them(path):
    handle, path_id, event, body = asked(path)
    query = Query(
        path.parent.name,
        path_id,
        None if body is None else from_json(body),
        event["multiValueQueryStringParameters"] or {},
        NOW_MS,
    )
    status, expected = expected_by_the_oracle(oracle_of(handle), query)
    assert answered(path) == (status, expected if status == 200 else None)


def is_answered_with_json(path):
    """Brute force knows neither refusals nor CSV."""
    status, body = answered(path)
    return status == 200 and isinstance(body, dict)


OWN_QUERIES = [
    path
    for path in NAMES
    if path.parent.name in ("query_records", "search_calls") and is_answered_with_json(path)
]


@pytest.mark.parametrize("path", OWN_QUERIES, ids=NAMES.get)
def test_own_queries_are_answered_as_brute_force_has_them(path):
    handle, _, _, body = asked(path)
    records = next(sample.records for sample in SAMPLES.organisations if sample.handle == handle)
    oracle, query = QueryOracle(from_json(to_json(records).encode()), NOW_MS), from_json(body)
    _, answer = answered(path)
    if path.parent.name == "search_calls":
        expected = oracle.search(query, NOW_MS)[: query.get("limit", 50)]
        assert [call["id"] for call in answer["calls"]] == [call["id"] for call in expected]
        return
    expected = oracle.answer(query, NOW_MS)
    assert answer | {"next": None} == expected | {"next": None}


@events("get_call", "get_record")
def test_records_are_read_back_as_the_seed_has_them(path):
    event, answer = read(path), read(answer_path(path))
    handle = HANDLES[event["requestContext"]["authorizer"]["org_id"]]
    parameters = {name: unquote(text) for name, text in event["pathParameters"].items()}
    named = (parameters.get("type", "call"), parameters["id"])
    records = next(each.records for each in SAMPLES.organisations if each.handle == handle)
    stored = [each for each in records if (each["type"], str(each["id"])) == named]
    if not stored or event["queryStringParameters"]:
        assert answer["status"] == (400 if stored else 404)
        return
    shown = answer["body"]["record"]
    assert (answer["status"], answer["body"]["counted"]) == (200, True)
    # Sent again, it is the record of the seed.
    assert parse_record(from_json(to_json(shown))) == parse_record(from_json(to_json(stored[0])))


@events(UNPOD)
def test_totals_are_as_the_oracle_has_them(path):
    handle, _, event, _ = asked(path)
    oracle, query = oracle_of(handle), event["queryStringParameters"] or {}
    named = event["headers"].get("Org-Handle")
    space = query.get("space_token")
    answer = read(answer_path(path))
    if named != handle:
        refusals = {None: 400, **dict.fromkeys(HANDLES.values(), 403)}
        assert answer["status"] == refusals.get(named, 404)
    elif oracle.unpod(space) is None:
        assert answer["status"] == 404
    elif query.keys() - {"space_token"}:
        assert answer["status"] == 400
    else:
        assert (answer["status"], answer["body"]["data"]) == (200, oracle.unpod(space))


@events("ingest_records")
def test_records_are_resolved_as_the_oracle_resolves_them(path):
    handle, _, _, body = asked(path)
    answer = from_json(answer_path(path).read_bytes())
    if path.stem in ("malformed_json", "not_utf8"):
        assert answer["status"] == 400
        return
    records = from_json(body)["records"]
    if path.stem == "merges":
        assert answer["body"] | {"rejected": []} == merged(records) | {"rejected": []}
        assert [(r["index"], r["field"]) for r in answer["body"]["rejected"]] == [(2, "started_at")]
        return
    verdict = oracle_of(handle).post(records, NOW_MS)
    for rejection in answer["body"]["rejected"]:
        assert rejection.pop("message")
    assert (answer["status"], answer["body"]) == verdict


def merged(records):
    """How many records have each outcome, if none of them was stored before."""
    known = defaultdict(OneRecord)
    outcomes = Counter()
    for number, record in enumerate(records):
        dated = record | {"updated_at": f"2026-11-21T12:00:{number:02}Z"}
        outcomes[known[record["id"]].write(write_of(dated)).partition(":")[0]] += 1
    assert outcomes["rejected"] == 1
    return {name: outcomes[name] for name in ("accepted", "unchanged", "stale")}


@events("update_rollups")
def test_batches_change_numbers_as_the_oracle_does(path):
    batch = CASES[path.parent.name][path.stem]
    assert isinstance(batch, Batch)
    handle = HANDLES.get(batch.organisation_id)
    oracle = oracle_of(handle) if handle else Oracle()
    records = [
        change.new.record for change in batch.changes if change.new and not change.new.damage
    ]
    if handle and records:
        oracle.post(records, NOW_MS)
    answer = read(answer_path(path))
    assert answer["numbers_of_space"] == {batch.space: oracle.unpod(batch.space)}
    damaged = sum(bool(handle is None or (c.new and c.new.damage)) for c in batch.changes)
    assert len(answer["quarantined"]) == damaged
    assert answer["answer"] == {"batchItemFailures": []}


@events("authorize_request")
def test_active_tokens_are_let_in_as_whom_the_seed_says(path):
    headers = read(path)["multiValueHeaders"]["Authorization"]
    answer = read(answer_path(path))
    active = {
        token.token: (sample, token)
        for sample in SAMPLES.organisations
        for token in sample.tokens
        if token.name not in ("expired", "revoked")
    }
    scheme, _, text = headers[0].partition(" ")
    if len(headers) > 1 or text not in active or scheme not in ("Token", "Bearer", "JWT"):
        assert answer["errorMessage"] == "Unauthorized"
        return
    sample, token = active[text]
    assert answer["answer"]["context"] == {
        "org_id": sample.id,
        "org_handle": sample.handle,
        "epoch": 0,
        "buckets": 1,
        "scopes": " ".join(token.scopes),
        "token_id": hashlib.sha256(text.encode()).hexdigest(),
    }
