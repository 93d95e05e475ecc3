"""POST /v1/records, limit by limit (docs/contract.md and docs/records.md)."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest

from tests.support import stack as stacks
from tests.support.builders import BUILDERS, OMIT, call, deletion, full_call, lead, space, task
from tests.support.http_answers import gateway_error, malformed
from tests.support.record_limits import (
    IDENTIFIER,
    LIMITS,
    REQUIRED,
    TIME,
)
from tests.support.stack import RECORDS

OLD, NEW, NEWER = "2024-04-01T00:00:00Z", "2024-04-02T00:00:00Z", "2024-04-03T00:00:00Z"
LIMIT = 2_097_152

numbers = count(1)


def fresh(prefix="id"):
    """An id that no other test uses."""
    return f"{prefix}-{next(numbers)}"


@pytest.fixture(scope="module")
def org(stack):
    return stack.new_organisation()


@pytest.fixture(scope="module")
def one(stack):
    return stack.new_organisation()


@pytest.fixture(scope="module")
def other(stack):
    return stack.new_organisation()


def id_as_answered(record):
    """What an answer says of a record's id: texts and numbers as they came."""
    id = record.get("id") if isinstance(record, dict) else None
    return None if isinstance(id, bool | list | dict) else id


def top(field):
    """The field of a record that a fault is in: `payload` for a key of a payload."""
    return field.partition(".")[0]


def outcome(org, record):
    """accepted, unchanged, stale, or (rejected, first field) for a request of one record."""
    answer = org.post([record])
    body = answer.json
    assert list(body) == ["accepted", "unchanged", "stale", "rejected"], answer.body
    assert answer.header("Content-Type").startswith("application/json")
    counts = {name: body[name] for name in ("accepted", "unchanged", "stale")}
    if answer.status == 422:
        assert counts == {"accepted": 0, "unchanged": 0, "stale": 0}
        for rejected in body["rejected"]:
            assert list(rejected) == ["index", "id", "field", "message"]
            assert rejected["index"] == 0
            assert rejected["id"] == id_as_answered(record)
            assert isinstance(rejected["message"], str)
            assert rejected["message"]
        return "rejected", body["rejected"][0]["field"]
    assert answer.status == 200, answer.body
    assert body["rejected"] == []
    assert sum(counts.values()) == 1
    return next(name for name, number in counts.items() if number)


# ------------------------------------------------------------------ fields


FIELDS = [(type, field) for type, fields in LIMITS.items() for field in fields]


@pytest.mark.parametrize(("type", "field"), FIELDS)
def test_field_limits(org, type, field):
    """Every good edge is accepted and every bad one is rejected by name, in one request."""
    good, bad = LIMITS[type][field]
    records = [BUILDERS[type](fresh(), **{field: value}) for value in [*good, *bad]]
    answer = org.post(records)
    assert answer.status == 207, answer.body
    refused = {entry["index"]: entry for entry in answer.json["rejected"]}
    problems = [value for index, value in enumerate(good) if index in refused]
    assert not problems, f"refused: {problems!r}"
    problems = [value for index, value in enumerate(bad, len(good)) if index not in refused]
    assert not problems, f"accepted: {problems!r}"
    assert {top(entry["field"]) for entry in answer.json["rejected"]} == {field}
    assert {i: entry["id"] for i, entry in refused.items()} == {
        i: id_as_answered(records[i]) for i in refused
    }
    assert answer.json["accepted"] == len(good)


@pytest.mark.parametrize("type", BUILDERS)
def test_required_fields(org, type):
    for field in REQUIRED[type]:
        record = BUILDERS[type](fresh(), **{field: OMIT})
        assert outcome(org, record) == ("rejected", field)
    optional = set(LIMITS[type]) - set(REQUIRED[type])
    record = BUILDERS[type](fresh(), **dict.fromkeys(optional, OMIT))
    assert outcome(org, record) == "accepted"


@pytest.mark.parametrize("type", BUILDERS)
def test_unknown_fields_reject_one_record_only(org, type):
    good = BUILDERS[type](fresh())
    answer = org.post([good, {**BUILDERS[type](fresh()), "colour": 1}, BUILDERS[type](fresh())])
    assert answer.status == 207
    assert answer.json["accepted"] == 2
    [rejected] = answer.json["rejected"]
    assert (rejected["index"], rejected["field"]) == (1, "colour")
    for name in ("org_id", "rev", "PK", "", "Status"):
        assert outcome(org, {**BUILDERS[type](fresh()), name: 1}) == ("rejected", name)


def test_fields_of_another_type_are_unknown(org):
    assert outcome(org, task(fresh(), started_at=NEW)) == ("rejected", "started_at")
    assert outcome(org, call(fresh(), created_at=NEW)) == ("rejected", "created_at")
    assert outcome(org, space(fresh(), direction="inbound")) == ("rejected", "direction")
    assert outcome(org, lead(fresh(), space_token="s")) == ("rejected", "space_token")


@pytest.mark.parametrize("type", [OMIT, None, "", "Call", "calls", "organisation", 1, [], {}])
def test_types(org, type):
    record = call(fresh())
    record.pop("type")
    if type is not OMIT:
        record["type"] = type
    assert outcome(org, record) == ("rejected", "type")


def test_a_record_is_rejected_with_all_its_faults(org):
    wrong = {"status": "Completed", "duration_seconds": "67", "disposition": "", "sentiment": 3}
    answer = org.post(
        [call("bad", **wrong, payload={"city": []}, durationseconds=1), call(fresh())]
    )
    assert (answer.status, answer.json["accepted"]) == (207, 1)
    assert [(entry["index"], entry["id"], entry["field"]) for entry in answer.json["rejected"]] == [
        (0, "bad", "status"),
        (0, "bad", "disposition"),
        (0, "bad", "duration_seconds"),
        (0, "bad", "sentiment"),
        (0, "bad", "payload.city"),
        (0, "bad", "durationseconds"),
    ]
    assert "did you mean duration_seconds?" in answer.json["rejected"][-1]["message"]
    assert org.post([call("bad", **wrong)]).status == 422


def test_the_answer_to_a_hostile_request_is_delivered(org):
    """An id of quotes, which Lambda carries as four bytes each, with 50,000 unknown names."""
    unknown = {f"{number:08}": 1 for number in range(50_000)}
    answer = org.post([{**call('"' * 500_000), **unknown}, call("x", a=1, b=2), call(fresh())])
    assert (answer.status, answer.json["accepted"]) == (207, 1)
    last = {entry["index"]: entry["message"] for entry in answer.json["rejected"]}
    assert last.keys() == {0, 1}
    assert re.search(r"; [0-9]+ more faults of this record not listed$", last[0])
    assert not last[1].endswith("not listed")


def test_a_campaign_needs_its_direction(org):
    assert outcome(org, call(fresh(), campaign_id=5, direction="inbound")) == "accepted"
    assert outcome(org, call(fresh(), direction="inbound")) == "accepted"
    status, field = outcome(org, call(fresh(), campaign_id=5))
    assert (status, field) in (("rejected", "campaign_id"), ("rejected", "direction"))
    for value in IDENTIFIER[0]:
        record = call(fresh(), campaign_id=value, direction="outbound")
        assert outcome(org, record) == "accepted"
    for value in IDENTIFIER[1]:
        record = call(fresh(), campaign_id=value, direction="outbound")
        assert outcome(org, record) == ("rejected", "campaign_id")


# ------------------------------------------------------------------ ids


def test_ids(org):
    good, bad = IDENTIFIER
    for value in good:
        assert outcome(org, lead(value)) == "accepted", value
    for value in bad:
        assert outcome(org, lead(value)) == ("rejected", "id"), value
    record = lead()
    record.pop("id")
    assert outcome(org, record) == ("rejected", "id")


def test_an_integer_and_its_text_are_one_id(org):
    number = 7_000_000 + next(numbers)
    assert outcome(org, call(number, updated_at=NEW)) == "accepted"
    assert outcome(org, call(str(number), updated_at=NEW)) == "unchanged"
    assert outcome(org, call(f"0{number}", updated_at=NEW)) == "accepted"
    answer = org.post_body(b'{"records":[{"type":"space","id":-0,"name":"zero"}]}')
    assert answer.json["accepted"] == 1
    assert outcome(org, {"type": "space", "id": "0", "name": "zero"}) == "unchanged"


def test_a_record_that_is_no_object(org):
    for record in (None, True, 1, 1.5, "call", [], [call(fresh())]):
        assert outcome(org, record) == ("rejected", "record")


@pytest.mark.parametrize(
    "id",
    ["1.50", "-0.0", "1E400", "1e-400", "null", '""', "12345e0", '"a\\u0000b"',
     '"' + "x" * 400 + '"', "9" * 400],
)  # fmt: skip
def test_a_rejected_id_goes_back_as_it_came(org, id):
    body = b'{"records":[{"type":"call","id":%s}]}' % id.encode()
    answer = org.post_body(body)
    assert answer.status == 422
    rejected, *others = answer.json["rejected"]
    assert rejected["field"] == "id"
    assert {repr(each["id"]) for each in others} == {repr(rejected["id"])}
    assert rejected["id"] == stacks.from_json(id)
    if id != "12345e0":  # the one number here with more than one spelling of its digits
        assert repr(rejected["id"]) == repr(stacks.from_json(id))


@pytest.mark.parametrize("id", ["true", "false", "[]", "[1.50,[]]", '{"a":"b"}', '["long"]'])
def test_an_id_that_is_neither_text_nor_number_goes_back_as_null(org, id):
    """A list of two megabytes would be sent back whole."""
    body = b'{"records":[{"type":"call","id":%s}]}' % id.encode()
    rejected = org.post_body(body).json["rejected"]
    assert [(each["field"], each["id"]) for each in rejected] == [
        ("id", None),
        ("started_at", None),
        ("status", None),
    ]


def test_ids_of_enormous_length(org):
    for id in ("9" * 5_000, "-" + "9" * 5_000):
        answer = org.post_body(b'{"records":[{"type":"call","id":%s}]}' % id.encode())
        assert answer.status == 422
        assert answer.json["rejected"][0]["field"] == "id"
        assert id.encode() in answer.body
    for field in ("attempt", "duration_seconds", "payload"):
        value = "9" * 5_000 if field != "payload" else '{"a":%s}' % ("9" * 5_000)
        record = json.dumps(call(fresh()))[:-1] + f',"{field}":{value}}}'
        answer = org.post_body(b'{"records":[%s]}' % record.encode())
        assert answer.status == 422
        assert [top(each["field"]) for each in answer.json["rejected"]] == [field]


# ------------------------------------------------------------------ the body as a whole

RECORD = json.dumps(call("body"))
MALFORMED = {
    "empty": b"",
    "blank": b"  \n",
    "truncated": f'{{"records":[{RECORD}'.encode(),
    "one byte short": f'{{"records":[{RECORD}]'.encode(),
    "trailing comma": f'{{"records":[{RECORD},]}}'.encode(),
    "trailing text": f'{{"records":[{RECORD}]}}x'.encode(),
    "two documents": f'{{"records":[{RECORD}]}}{{}}'.encode(),
    "byte order mark": b"\xef\xbb\xbf" + f'{{"records":[{RECORD}]}}'.encode(),
    "UTF-16": f'{{"records":[{RECORD}]}}'.encode("utf-16"),
    "invalid UTF-8": b'{"records":[{"type":"space","id":"\xff"}]}',
    "overlong UTF-8": b'{"records":[{"type":"space","id":"\xc0\xaf"}]}',
    "surrogate in UTF-8": b'{"records":[{"type":"space","id":"\xed\xa0\x80"}]}',
    "lone surrogate": b'{"records":[{"type":"space","id":"\\ud800"}]}',
    "lone low surrogate": b'{"records":[{"type":"space","id":"a\\udc00b"}]}',
    "surrogates swapped": b'{"records":[{"type":"space","id":"\\udc00\\ud800"}]}',
    "lone surrogate in a key": b'{"records":[{"type":"space","id":"a","\\ud800":1}]}',
    "duplicate key at the top": f'{{"records":[],"records":[{RECORD}]}}'.encode(),
    "duplicate key in a record": b'{"records":[{"type":"space","id":"a","id":"a"}]}',
    "duplicate key, escaped": b'{"records":[{"type":"space","id":"a","\\u0069d":"a"}]}',
    "duplicate key below": b'{"records":[{"type":"call","id":{"a":1,"a":1}}]}',
    "NaN": b'{"records":[{"type":"space","id":NaN}]}',
    "Infinity": b'{"records":[{"type":"space","id":Infinity}]}',
    "-Infinity": b'{"records":[{"type":"space","id":-Infinity}]}',
    "raw control character": b'{"records":[{"type":"space","id":"a\x01"}]}',
    "raw line feed": b'{"records":[{"type":"space","id":"a\n"}]}',
    "bad escape": b'{"records":[{"type":"space","id":"\\x41"}]}',
    "single quotes": b"{'records':[]}",
    "comment": f'{{"records":[{RECORD}]/**/}}'.encode(),
    "leading zero": b'{"records":[{"type":"space","id":01}]}',
    "plus sign": b'{"records":[{"type":"space","id":+1}]}',
    "bare fraction": b'{"records":[{"type":"space","id":.5}]}',
    "bare point": b'{"records":[{"type":"space","id":1.}]}',
    "hexadecimal": b'{"records":[{"type":"space","id":0x1}]}',
    "True": b'{"records":[{"type":"space","id":True}]}',
    "no-break space": f'{{"records":\u00a0[{RECORD}]}}'.encode(),
    "null": b"null",
    "number": b"1",
    "string": b'"{}"',
    "list": f"[{RECORD}]".encode(),
    "one record": RECORD.encode(),
    "no records": b"{}",
    "records null": b'{"records":null}',
    "records an object": b'{"records":{}}',
    "records a string": b'{"records":"[]"}',
    "empty list": b'{"records":[]}',
    "unknown field": f'{{"records":[{RECORD}],"dry_run":true}}'.encode(),
    "another case": f'{{"Records":[{RECORD}]}}'.encode(),
    "depth 17": b'{"records":' + b"[" * 16 + b"]" * 16 + b"}",
    "depth 17 in a record": b'{"records":[{"x":' + b'{"x":' * 14 + b"1" + b"}" * 15 + b"]}",
    "depth 10,000": b'{"records":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "depth 10,000, never closed": b"[" * 10_000,
    "depth 10,000 of objects": b'{"x":' * 10_000 + b"1" + b"}" * 10_000,
    "depth 500,000": b"[" * 500_000 + b"]" * 500_000,
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_bodies(org, case):
    assert malformed(org.post_body(MALFORMED[case]))


def test_no_body(org):
    headers = [("Authorization", f"Token {org.token}")]
    assert malformed(stacks.request(org.stack.api, "POST", RECORDS, headers))


def test_depth_16_is_deep_enough(org):
    answer = org.post_body(b'{"records":' + b"[" * 15 + b"]" * 15 + b"}")
    assert answer.status == 422
    assert answer.json["rejected"][0]["field"] == "record"
    answer = org.post_body(b'{"records":[{"x":' + b'{"x":' * 13 + b"1" + b"}" * 14 + b"]}")
    assert answer.status == 422


@pytest.mark.parametrize("brackets", ['"[[[[[[[[[[[[[[[[[[[[["', r'"\"[[[[[[[[[[[[[[[[[[[[[[["'])
def test_brackets_in_texts_are_not_depth(org, brackets):
    body = f'{{"records":[{{"type":"space","id":"{fresh()}","name":{brackets}}}]}}'
    assert org.post_body(body.encode()).status == 200


def test_escapes_mean_what_they_write(org):
    id = fresh()
    body = f'{{"records":[{{"type":"space","id":"{id}\\ud83d\\ude00","\\u006eame":"\\u00e9"}}]}}'
    assert org.post_body(body.encode()).json["accepted"] == 1
    assert outcome(org, {"type": "space", "id": f"{id}😀", "name": "é"}) == "unchanged"


@pytest.mark.slow
def test_how_many_records(org):
    answer = org.post([space(f"many-{n}") for n in range(500)])
    assert (answer.status, answer.json["accepted"]) == (200, 500)
    assert malformed(org.post([space(f"many-{n}") for n in range(501)]))
    assert malformed(org.post([None] * 501))


def test_how_many_bytes(org):
    body = b'{"records":[{"type":"space","id":"big"}]}'
    assert org.post_body(body + b" " * (LIMIT - len(body))).status == 200
    for size in (LIMIT + 1, LIMIT + 4096):
        assert gateway_error(
            org.post_body(body + b" " * (size - len(body))), 413, "Content Too Large"
        )
    # Too large comes before malformed.
    assert gateway_error(org.post_body(b"x" * (LIMIT + 1)), 413, "Content Too Large")


def test_token_and_scope_come_before_the_body(org):
    for authorization in ([], [("Authorization", "Token x")]):
        for body in (b"{", b"x" * (LIMIT + 1)):
            answer = stacks.request(org.stack.api, "POST", RECORDS, authorization, body)
            assert gateway_error(answer, 401, "Unauthorized")


def test_path_query_and_method(org):
    headers = [("Authorization", f"Token {org.token}")]
    body = stacks.to_json({"records": [space(fresh())]}).encode()
    for path in (RECORDS, f"{RECORDS}/"):
        assert stacks.request(org.stack.api, "POST", path, headers, body).status == 200
    for query in ("?x=1", "?dry_run", "?space_token=a"):
        assert malformed(stacks.request(org.stack.api, "POST", RECORDS + query, headers, body))
    for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = stacks.request(org.stack.api, method, RECORDS, headers, b"")
        assert gateway_error(answer, 404, "Not Found")


def test_org_handle_is_not_read(org):
    body = stacks.to_json({"records": [space(fresh())]}).encode()
    for handles in (["unknown"], ["bob", "alice"], [""]):
        headers = [("Authorization", f"Token {org.token}")]
        headers += [("Org-Handle", handle) for handle in handles]
        assert stacks.request(org.stack.api, "POST", RECORDS, headers, body).status == 200


# ------------------------------------------------------------------ versions


def test_updated_at(org):
    for value in TIME[0]:
        expected = "accepted" if value < "2026" else ("rejected", "updated_at")
        assert outcome(org, space(fresh(), updated_at=value)) == expected, value
    for value in TIME[1]:
        assert outcome(org, space(fresh(), updated_at=value)) == ("rejected", "updated_at"), value


@pytest.mark.parametrize("build", [space, lambda id, **f: deletion("space", id, **f)])
def test_updated_at_in_the_future(org, build):
    def ahead(**span):
        return (datetime.now(UTC) + timedelta(**span)).isoformat()

    assert outcome(org, build(fresh(), updated_at=ahead(minutes=4, seconds=30))) == "accepted"
    refused = build(fresh(), updated_at=ahead(minutes=5, seconds=30))
    assert outcome(org, refused) == ("rejected", "updated_at")


def test_older_equal_newer(org):
    id = fresh()
    assert outcome(org, call(id, updated_at=NEW)) == "accepted"
    assert outcome(org, call(id, updated_at=NEW)) == "unchanged"
    assert outcome(org, call(id, updated_at="2024-04-02T01:00:00+01:00")) == "unchanged"
    assert outcome(org, call(id, updated_at="2024-04-02T00:00:00.0009Z")) == "unchanged"
    assert outcome(org, call(id, updated_at=OLD, status="failed")) == "stale"
    assert outcome(org, call(id, updated_at=OLD)) == "stale"
    assert outcome(org, call(id)) == "unchanged"
    assert outcome(org, call(id, updated_at=NEWER)) == "accepted"
    assert outcome(org, call(id, updated_at=NEW, status="failed")) == "stale"
    assert outcome(org, call(id, status="failed")) == "accepted"
    assert outcome(org, call(id, updated_at=NEWER, status="failed")) == "stale"


def test_without_updated_at_the_later_of_clock_and_stored_counts(org):
    id = fresh()
    ahead = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
    assert outcome(org, call(id, updated_at=ahead)) == "accepted"
    assert outcome(org, call(id, status="failed")) == "accepted"
    assert outcome(org, call(id, status="busy", updated_at=ahead)) == "stale"
    assert outcome(org, deletion("call", id)) == "accepted"
    assert outcome(org, deletion("call", id)) == "unchanged"
    assert outcome(org, call(id)) == "accepted"


def test_deletions(org):
    id = fresh()
    assert outcome(org, deletion("call", id, NEW)) == "accepted"  # never seen: remembered
    assert outcome(org, deletion("call", id, NEW)) == "unchanged"
    assert outcome(org, deletion("call", id)) == "unchanged"
    assert outcome(org, deletion("call", id, OLD)) == "stale"
    assert outcome(org, call(id, updated_at=OLD)) == "stale"
    assert outcome(org, call(id, updated_at=NEW)) == "stale"  # equal: the deletion wins
    assert outcome(org, call(id, updated_at=NEWER)) == "accepted"
    assert outcome(org, deletion("call", id, NEWER)) == "accepted"  # and does so either way
    assert outcome(org, call(id)) == "accepted"


def test_a_deletion_has_no_other_field(org):
    assert outcome(org, {**deletion("call", fresh()), "status": "failed"}) == ("rejected", "status")
    assert outcome(org, {**deletion("space", fresh()), "name": "x"}) == ("rejected", "name")
    assert outcome(org, {**deletion("space", fresh()), "reason": "x"}) == ("rejected", "reason")
    for value in (False, None, 1, "true", [], {}):
        assert outcome(org, {**space(fresh()), "deleted": value}) == ("rejected", "deleted")
        record = {**deletion("space", fresh()), "deleted": value}
        assert outcome(org, record) == ("rejected", "deleted")
    assert outcome(org, deletion("call", fresh(), None)) == ("rejected", "updated_at")
    assert outcome(org, {**deletion("nothing", fresh())}) == ("rejected", "type")
    assert outcome(org, deletion("call", "")) == ("rejected", "id")


TIMED = {
    "call": "started_at",
    "task": "created_at",
    "lead": "created_at",
    "room": "created_at",
    "recording": "created_at",
    "contact": "created_at",
    "contact_event": "occurred_at",
}


@pytest.mark.parametrize(("type", "field"), TIMED.items())
def test_a_winning_version_moves_a_record(org, type, field):
    def at(time, **fields):
        return BUILDERS[type](id, **{field: time}, **fields)

    id = fresh()
    assert outcome(org, at("2024-03-05T12:00:00Z", updated_at=NEW)) == "accepted"
    moved = "2024-03-05T12:00:00.001Z"
    assert outcome(org, at(moved, updated_at=OLD)) == "stale"
    assert outcome(org, at(moved, updated_at=NEWER)) == "accepted"
    assert outcome(org, at("2024-03-05T12:00:00.0019Z", updated_at=NEWER)) == "unchanged"
    assert outcome(org, at("2024-03-05T13:00:00.001+01:00", updated_at=NEWER)) == "unchanged"
    assert outcome(org, deletion(type, id)) == "accepted"
    assert outcome(org, at("2024-03-06T12:00:00Z", updated_at=NEWER)) == "stale"
    assert outcome(org, at("2024-03-06T12:00:00Z")) == "accepted"


@pytest.mark.parametrize(("type", "field"), TIMED.items())
def test_a_record_has_at_most_16_times(org, type, field):
    def at(second):
        return BUILDERS[type](id, **{field: f"2024-03-05T12:00:{second:02}Z", "updated_at": OMIT})

    id = fresh()
    for second in (*range(16), 3):
        assert outcome(org, at(second)) == "accepted"
    [rejected] = org.post([at(16)]).json["rejected"]
    assert (rejected["field"], rejected["message"]) == (field, f"{field} has changed too often")
    assert outcome(org, deletion(type, id)) == "accepted"
    assert outcome(org, at(16)) == ("rejected", field)
    assert outcome(org, at(15)) == "accepted"


def test_a_deletion_first_leaves_the_time_open(org):
    id = fresh()
    assert outcome(org, deletion("call", id, OLD)) == "accepted"
    assert outcome(org, call(id, started_at="2024-01-01T00:00:00Z", updated_at=NEW)) == "accepted"


@pytest.mark.parametrize("type", ["space", "campaign", "workspace", "booking_page"])
def test_an_optional_time_is_an_ordinary_field(org, type):
    id = fresh()
    assert outcome(org, BUILDERS[type](id, created_at=OLD, updated_at=OLD)) == "accepted"
    assert outcome(org, BUILDERS[type](id, created_at=NEW, updated_at=NEW)) == "accepted"
    assert outcome(org, BUILDERS[type](id, updated_at=NEWER)) == "accepted"
    assert outcome(org, BUILDERS[type](id, created_at=OLD, updated_at=OLD)) == "stale"


SAME = {
    "times": (
        {"started_at": "2024-03-05T12:00:00.0019Z"},
        {"started_at": "2024-03-05T17:30:00.001+05:30"},
    ),
    "seconds": ({"duration_seconds": 1.5}, {"duration_seconds": Decimal("2.4999")}),
    "minus zero": ({"duration_seconds": Decimal("-0.0")}, {"duration_seconds": 0.4}),
    "sentiment": ({"sentiment": Decimal("0.1995")}, {"sentiment": Decimal("0.20049")}),
    "sentiment of one": ({"sentiment": 1}, {"sentiment": Decimal("0.9995")}),
    "cost": ({"cost": Decimal("0.0000005")}, {"cost": Decimal("1.4999e-6")}),
    "labels": ({"labels": ["b", "a", 1]}, {"labels": ["1", "a", "b", "a", 1]}),
    "no labels": ({"labels": []}, {}),
    "ids": ({"template_id": 5, "lead_id": "6"}, {"template_id": "5", "lead_id": 6}),
    "attempt": ({"attempt": 1}, {}),
    "answered": ({"answered": True}, {}),
    "not answered": (
        {"disposition": "voicemail_left"},
        {"disposition": "voicemail_left", "answered": False},
    ),
    "events": ({"events": {"sms_sent": 0, "email_sent": 1}}, {"events": {"email_sent": 1}}),
    "no events": ({"events": {}}, {}),
    "payload numbers": ({"payload": {"a": Decimal("1.50")}}, {"payload": {"a": Decimal("15e-1")}}),
    "payload zero": ({"payload": {"a": 0}}, {"payload": {"a": Decimal("-0.000")}}),
    "payload order": ({"payload": {"a": 1, "b": 2}}, {"payload": {"b": 2, "a": 1}}),
    "no payload": ({"payload": {}}, {}),
}
DIFFERENT = {
    "a millisecond of content": ({"duration_seconds": 1.5}, {"duration_seconds": 1.4}),
    "no duration": ({"duration_seconds": 0}, {}),
    "no sentiment": ({"sentiment": 0}, {}),
    "no cost": ({"cost": 0}, {}),
    "no outcome": ({"outcome": ""}, {}),
    "outcome blank": ({"outcome": " "}, {"outcome": ""}),
    "answered against the default": ({"answered": False}, {}),
    "payload null": ({"payload": {"a": None}}, {}),
    "payload types": ({"payload": {"a": 1}}, {"payload": {"a": "1"}}),
    "payload truth": ({"payload": {"a": 1}}, {"payload": {"a": True}}),
    "payload beyond binary": (
        {"payload": {"a": Decimal("0.1000000000000000000000000000000000001")}},
        {"payload": {"a": Decimal("0.1")}},
    ),
    "large integers": ({"attempt": 10**15}, {"attempt": 10**15 - 1}),
    "composed or not": ({"outcome": "é"}, {"outcome": "e\u0301"}),
}


@pytest.mark.parametrize("case", SAME)
def test_same_content(org, case):
    id, (one, other) = fresh(), SAME[case]
    assert outcome(org, call(id, updated_at=NEW, **one)) == "accepted"
    assert outcome(org, call(id, updated_at=NEW, **other)) == "unchanged"
    assert outcome(org, call(id, **other)) == "unchanged"
    assert outcome(org, call(id, updated_at=NEWER, **other)) == "accepted"
    assert outcome(org, call(id, updated_at=NEW, **one)) == "stale"


@pytest.mark.parametrize("case", DIFFERENT)
def test_different_content(org, case):
    id, (one, other) = fresh(), DIFFERENT[case]
    assert outcome(org, call(id, updated_at=NEW, **one)) == "accepted"
    assert outcome(org, call(id, updated_at=NEWER, **other)) == "accepted"
    assert outcome(org, call(id, **other)) == "unchanged"
    assert outcome(org, call(id, **one)) == "accepted"


def test_same_content_of_other_types(org):
    id = fresh()
    assert outcome(org, task(id, status="in_progress", updated_at=NEW)) == "accepted"
    assert outcome(org, task(id, status="running", updated_at=NEW)) == "unchanged"
    label = {"type": "label", "id": id, "name": "x", "updated_at": NEW}
    assert outcome(org, label) == "accepted"
    assert outcome(org, {**label, "color": "#9e9e9e"}) == "unchanged"
    room = BUILDERS["room"](id, display_name=None, updated_at=NEW)
    assert outcome(org, room) == "accepted"
    assert outcome(org, BUILDERS["room"](id, updated_at=NEW)) == "unchanged"
    assert outcome(org, BUILDERS["room"](id, display_name="", updated_at=NEWER)) == "accepted"


def test_types_have_ids_of_their_own(org):
    id = fresh()
    for build in BUILDERS.values():
        assert outcome(org, build(id, updated_at=NEW)) == "accepted"
    for type, build in BUILDERS.items():
        assert outcome(org, build(id, updated_at=NEW)) == "unchanged", type


def test_equal_updated_at_ends_the_same_in_any_order(stack, one, other):
    completed = [call(fresh(), duration_seconds=n, updated_at=NEW) for n in range(40)]
    failed = [
        call(each["id"], status="failed", outcome=f"x{n}", updated_at=NEW)
        for n, each in enumerate(completed)
    ]
    verdicts = []
    for organisation, first, second in ((one, completed, failed), (other, failed, completed)):
        assert organisation.post(first).json["accepted"] == 40
        answer = organisation.post(second).json
        assert answer["accepted"] + answer["stale"] == 40
        verdicts.append(answer["accepted"])
    assert sum(verdicts) == 40  # what wins in one order loses in the other
    assert 0 < verdicts[0] < 40
    stack.drain()
    assert one.unpod() == other.unpod()
    assert one.unpod()["failed_calls"] == verdicts[0]


def test_the_same_id_twice_in_one_request(org):
    id = fresh()
    answer = org.post(
        [
            call(id, updated_at=OLD),
            call(id, updated_at=NEW, status="failed"),
            call(id, updated_at=NEW, status="failed"),
            call(id, updated_at=OLD),
            call(id, updated_at=NEWER, started_at=NEW),
            deletion("call", id, NEWER),
            call(id, status="busy"),
            call(id, status="busy"),
            task(id),
        ]
    )
    assert answer.status == 200
    assert [answer.json[name] for name in ("accepted", "unchanged", "stale")] == [6, 2, 1]


def test_good_and_bad_in_one_request(org):
    records = [
        call(fresh(), cost=-1),
        call(fresh()),
        5,
        full_call(fresh()),
        {"type": "call"},
        call(fresh(), updated_at="2024-W01"),
    ]
    answer = org.post(records)
    assert answer.status == 207
    assert answer.json["accepted"] == 2
    assert [(e["index"], e["id"], e["field"]) for e in answer.json["rejected"]] == [
        (0, records[0]["id"], "cost"),
        (2, None, "record"),
        (4, None, "id"),
        (4, None, "started_at"),
        (4, None, "status"),
        (5, records[5]["id"], "updated_at"),
    ]
    answer = org.post([records[0], 5])
    assert answer.status == 422
    assert [entry["index"] for entry in answer.json["rejected"]] == [0, 1]


def test_two_organisations_may_use_one_id(org, other):
    id = fresh()
    assert outcome(org, call(id, updated_at=NEWER)) == "accepted"
    assert outcome(other, call(id, updated_at=OLD, started_at=NEW)) == "accepted"
    assert outcome(other, deletion("call", id)) == "accepted"
    assert outcome(org, call(id, updated_at=NEWER)) == "unchanged"
