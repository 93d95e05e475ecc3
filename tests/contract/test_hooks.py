"""Webhooks of every provider through the real route: what is recorded, ignored, kept and refused."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from rollcall.hooks.delivery import MAX_BODY_BYTES
from rollcall.hooks.maps import PROVIDERS
from rollcall_cli.hooks.signing import signed
from tests.support import stack as stacks
from tests.support.cases import cases
from tests.support.hook_events import OWN, call_of
from tests.support.hook_fuzz import fuzzed_body
from tests.support.hooking import Hooked, hooked, retell_body
from tests.support.http_answers import gateway_error

CANARY = "canary-5f1c"
MS_PER_HOUR = 3_600_000
SOME = cases(3).max_examples


@pytest.fixture(scope="module")
def alice(stack):
    """An organisation of this module alone: deliveries change its figures."""
    return stack.new_organisation()


@pytest.fixture(scope="module", params=PROVIDERS)
def hook(request, alice):
    return hooked(alice, request.param)


@pytest.fixture(scope="module")
def retell(alice):
    return hooked(alice, "retell")


def kept(stack: Any) -> list[Path]:
    """The deliveries that are kept, as files."""
    url = urlsplit(stack.ready["hook_key"])
    return sorted((Path(unquote(url.path)).parent / "failures" / "hooks").rglob("*.json"))


# What the dialects ask for and no provider says.
SCOPES = {
    "space_token": "sp-1",
    "template_id": "t-1",
    "merchant_id": "m-1",
    "direction": "inbound",
    "campaign_id": "c-1",
}
RANGE = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-23T00:00:00Z"}
QUERY = {
    "measures": ["calls", "completed", "transferred", "talk_seconds", "cost", "avg_sentiment"],
    "dimensions": ["status", "disposition"],
}
BREEZE_QUERIES = ("call_count", "call_duration", "status_distribution", "calls_over_time")


def answers(organisation: Any) -> dict[str, Any]:
    """What all four dialects and `POST /v1/query` answer of an organisation with one workspace."""
    filters = {"merchant_id": SCOPES["merchant_id"], "date_from": "2026-11-20T00:00:00Z"}
    campaign = stacks.nlpearl_route("Inbound", SCOPES["campaign_id"])
    asked = {
        "nlpearl": organisation.send("POST", campaign, RANGE),
        "nexus": organisation.send("GET", stacks.nexus_route("w-1")),
        "query": organisation.send("POST", "/v1/query", QUERY),
    } | {
        name: organisation.send("POST", stacks.BREEZE, {"query_type": name, "filters": filters})
        for name in BREEZE_QUERIES
    }
    for name, answer in asked.items():
        assert answer.status == 200, (name, answer.body)
    found = {name: answer.json for name, answer in asked.items()}
    return found | {"unpod": organisation.unpod(), "space": organisation.unpod("sp-1")}


# ------------------------------------------------------------------------ what is recorded
@pytest.mark.representatives(2)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_any_order_with_repetitions_ends_in_the_same_call(stack, provider):
    """Each order in an organisation of its own, so that the calls may have one id."""
    random = Random(3)
    bodies = [sent.body for sent in call_of(provider, Random(5))]
    ends = []
    own = {**OWN.get(provider, {}), "constants": SCOPES}
    workspace = {"type": "workspace", "id": "w-1", "name": "W"}
    for number in range(1 + SOME):
        hook = hooked(stack.new_organisation(), provider, own)
        assert hook.organisation.send("POST", "/v1/records", {"records": [workspace]}).status == 200
        order = [*bodies, *random.choices(bodies, k=2 * bool(number))]
        if number:
            random.shuffle(order)
        for body in order:
            answer = hook.send(body)
            assert answer.status == 200, answer.body
            assert (answer.body == b"") is (provider == "twilio")
        ends.append((hook.call("call-1"), hook.organisation))
    stack.drain()
    assert ends[0][0]
    expected = answers(ends[0][1])
    assert expected["unpod"] != stack.new_organisation().unpod()
    assert expected["nlpearl"]["callsStatusOverview"]["totalCalls"] == 1
    assert expected["call_count"]["data"] == [{"count": 1}]
    assert [row["calls"] for row in expected["query"]["rows"]] == [1]
    for record, organisation in ends[1:]:
        assert record == ends[0][0]
        assert answers(organisation) == expected


@pytest.mark.representatives(2)
def test_concurrent_deliveries_lose_nothing(hook):
    for seed in range(SOME):
        call_id = f"{hook.provider}-at-once-{seed}"
        bodies = [sent.body for sent in call_of(hook.provider, Random(seed), call_id)]
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(hook.send, bodies * 2))
        assert {answer.status for answer in answers} == {200}
        at_once = hook.call(call_id)
        for body in bodies:
            assert hook.send(body).status == 200
        assert hook.call(call_id) == at_once
        assert at_once is not None


def test_a_delivery_changes_the_figures(alice):
    hook = hooked(alice, "retell")
    alice.stack.drain()
    before = alice.unpod()
    assert hook.send(retell_body("figures-1", duration_ms=61_000)).json == {"recorded": True}
    alice.stack.drain()
    after = alice.unpod()
    assert after["total_calls"] == before["total_calls"] + 1
    assert after["completed_calls"] == before["completed_calls"] + 1


def test_what_a_user_adds_is_recorded(alice):
    own = {
        "fields": {
            "payload.plan": {"from": "/call/metadata/plan"},
            "lead_id": {"from": "/call/metadata/customer"},
        }
    }
    hook = hooked(alice, "retell", own)
    hook.send(retell_body("added-1", metadata={"plan": "pro", "customer": "c-9"}))
    record = hook.call("added-1")
    assert (record["payload"], record["lead_id"]) == ({"plan": "pro"}, "c-9")


def test_twilio_takes_references_from_a_signed_address(alice):
    hook = hooked(alice, "twilio")
    (*_, last) = call_of("twilio", Random(2), "CA-address")
    query = "?lead_id=l-7&space_token=sp%201"
    assert hook.send(last.body, query=query).status == 200
    record = hook.call("CA-address")
    assert (record["lead_id"], record["space_token"]) == ("l-7", "sp 1")
    changed = hook.send(last.body, hook.signed(last.body, query), query="?lead_id=l-8")
    assert gateway_error(changed, 401, "Unauthorized")


def test_rotation_accepts_both_secrets_until_the_overlap_ends(alice):
    hook = hooked(alice, "retell")
    hooks, body = alice.stack.hooks, retell_body("rotated-1")
    hooks.rotate(hook.created.id, "second", 60_000)
    for secret in (hook.secret, "second"):
        assert hook.send(body, hook.signed(body, secret=secret)).status == 200
    hooks.rotate(hook.created.id, "third", 0)
    for secret, status in ((hook.secret, 401), ("second", 401), ("third", 200)):
        assert hook.send(body, hook.signed(body, secret=secret)).status == status


# ------------------------------------------------------------------------ what never ended
def room(call_id: str, event: str, begun_ms: int, at_ms: int) -> bytes:
    """A webhook of LiveKit."""
    document = {
        "event": event,
        "room": {"sid": call_id, "creationTimeMs": str(begun_ms)},
        "id": f"EV_{event}",
        "createdAt": str(at_ms // 1_000),
    }
    return json.dumps(document).encode()


@pytest.mark.slow
def test_a_call_whose_end_never_came_fails_after_a_day(stack):
    organisation = stack.new_organisation()
    hook, other = hooked(organisation, "livekit"), hooked(organisation, "vapi")
    now_ms = time.time_ns() // 1_000_000
    begun_ms = now_ms - 30 * MS_PER_HOUR
    for call_id, at_ms in (("old", begun_ms), ("young", now_ms - 23 * MS_PER_HOUR)):
        body = room(call_id, "room_started", begun_ms, at_ms)
        assert hook.send(body).json == {"recorded": True}
    message = {"type": "status-update", "status": "ringing", "timestamp": begun_ms}
    call = {"id": "ringing", "createdAt": begun_ms}
    body = json.dumps({"message": {**message, "call": call}}).encode()
    assert other.send(body).json == {"recorded": True}
    listed = stack.cli("hook", "unfinished", organisation.handle, "--json")
    assert sorted(each["id"] for each in listed) == ["old", "ringing"]
    assert all(30 * 3_600 <= each["last_event_age_seconds"] < 31 * 3_600 for each in listed)

    def statuses() -> dict[str, int]:
        stack.drain()
        query = {"measures": ["calls"], "dimensions": ["status"]}
        rows = organisation.send("POST", "/v1/query", query).json["rows"]
        return {row["status"]: row["calls"] for row in rows}

    assert statuses() == {"in_progress": 2, "ringing": 1}
    assert (
        stack.invoke("sweep_hooks")["swept"] >= 1
    )  # other organisations may have calls without an end
    assert statuses() == {"failed": 1, "in_progress": 1, "ringing": 1}
    assert (hook.call("old")["status"], hook.call("old")["disposition"]) == ("failed", "error")
    assert stack.invoke("sweep_hooks")["swept"] == 0
    table = stack.cli("hook", "unfinished", organisation.handle)
    assert [line.split()[:2] for line in table.splitlines()[1:]] == [["vapi", "ringing"]]
    # The end comes after all.
    assert hook.send(room("old", "room_finished", begun_ms, now_ms)).json == {"recorded": True}
    assert statuses() == {"completed": 1, "in_progress": 1, "ringing": 1}
    assert "disposition" not in hook.call("old")
    assert stack.invoke("sweep_hooks")["swept"] == 0


# ------------------------------------------------------------------------ what is not
def test_an_unknown_event_is_ignored(retell):
    before = retell.counts()
    answer = retell.send(b'{"event":"chat_started","chat":{}}')
    assert (answer.status, answer.json) == (
        200,
        {"ignored": "the event chat_started is not used"},
    )
    assert retell.counts() == {**before, "ignored": before["ignored"] + 1}


@pytest.mark.slow
def test_what_cannot_be_mapped_is_kept_whole_and_can_be_replayed(alice):
    hook = hooked(alice, "retell")
    stack = alice.stack
    before = set(kept(stack))
    body = retell_body("kept-1", duration_ms="soon")
    answer = hook.send(body)
    assert answer.status == 200
    assert answer.json["ignored"].startswith("duration_seconds")
    (path,) = set(kept(stack)) - before
    assert path.stat().st_mode & 0o777 == 0o600
    name = path.relative_to(path.parents[2]).as_posix()
    place = path.parents[2].as_uri()
    listed = [
        e for e in stack.cli("redrive", "list", "--from", place, "--json") if e["name"] == name
    ]
    assert [(e["kind"], e["reason"]) for e in listed] == [("delivery", answer.json["ignored"])]
    with pytest.raises(stacks.StackError, match="duration_seconds"):
        stack.cli("redrive", "replay", name, "--from", place)
    assert path.exists()
    # What the provider meant, as if its table had been corrected meanwhile.
    document = json.loads(path.read_text())
    import base64

    fixed = retell_body("kept-1", duration_ms=5_000)
    document["delivery"]["body"] = base64.b64encode(fixed).decode()
    path.write_text(json.dumps(document))
    assert "1 record of 1 object applied" in stack.cli("redrive", "replay", name, "--from", place)
    assert hook.call("kept-1")["duration_seconds"] == 5
    assert not path.exists()


@pytest.mark.slow
def test_an_end_without_a_start_waits_for_the_analysis(stack):
    hook = hooked(stack.new_organisation(), "retell")
    assert hook.send(b'{"event":"x"}').status == 200
    before = set(kept(stack))
    body = retell_body("unconnected-1", start_timestamp=None)
    assert hook.send(body).json == {"recorded": True}
    assert hook.call("unconnected-1") is None
    (path,) = set(kept(stack)) - before
    name = path.relative_to(path.parents[3]).as_posix()
    assert name.startswith(f"hooks/waiting/{hook.created.stored.key}/")
    listed = stack.cli("redrive", "list", "--from", stack.failures, "--json")
    assert [e["reason"] for e in listed if e["name"] == name] == [
        "the call ended, and no event gave its start yet"
    ]
    assert stack.invoke("replay_deliveries")["waiting"] >= 1
    assert path.exists()
    analysed = retell_body("unconnected-1", "call_analyzed")
    assert hook.send(analysed).json == {"recorded": True}
    assert stack.invoke("replay_deliveries")["recorded"] >= 1
    assert not path.exists()
    assert hook.call("unconnected-1")["status"] == "completed"
    assert hook.counts() == {"recorded": 2, "ignored": 1, "refused": 0, "failed": 0}


def unauthentic(hook: Hooked, other: Hooked, stranger: Hooked) -> dict[str, Any]:
    """Answers to everyone who is not the provider of the hook."""
    body = retell_body("never-1")
    now = time.time_ns() // 1_000_000
    old = signed("retell", hook.secret, "", body, now - 6 * 60_000).items()
    good = hook.signed(body)
    own_id = hook.path.rpartition("/")[2]
    return {
        "no signature": hook.send(body, []),
        "bad signature": hook.send(body, hook.signed(body, secret="other")),
        "another body": hook.send(body + b" ", good),
        "twice": hook.send(body, [*good, *good]),
        "stale": hook.send(body, list(old)),
        "another algorithm": hook.send(body, other.signed(body)),
        "no algorithm": hook.send(
            body, [("Authorization", "eyJhbGciOiJub25lIn0.e30."), ("X-Retell-Signature", "none")]
        ),
        "a token of Rollcall": hook.send(
            body, [("Authorization", f"Token {hook.organisation.token}")]
        ),
        "another provider's path": hook.send(body, good, f"/v1/hooks/vapi/{own_id}"),
        "an unknown provider": hook.send(body, good, f"/v1/hooks/acme/{own_id}"),
        "another organisation's hook": hook.send(body, good, stranger.path),
        "an unknown hook": hook.send(body, good, f"/v1/hooks/retell/hk_{'0' * 32}"),
        "no hook": hook.send(body, good, "/v1/hooks/retell/x"),
        "not UTF-8": hook.send(b"\xff", []),
        "not JSON": hook.send(b"{", []),
        "an id that is not UTF-8": hook.send(body, good, "/v1/hooks/retell/%ff"),
    }


def test_everyone_who_is_not_the_provider_gets_the_same_bytes(alice, bob):
    hook, other, stranger = (
        hooked(alice, "retell"),
        hooked(alice, "bland"),
        hooked(bob, "retell", secret="theirs"),
    )
    answers = unauthentic(hook, other, stranger)
    for name, answer in answers.items():
        assert gateway_error(answer, 401, "Unauthorized"), name
    assert len({answer.body for answer in answers.values()}) == 1
    assert len({str(sorted(dict(a.headers))) for a in answers.values()}) == 1
    assert hook.call("never-1") is None
    assert stranger.call("never-1") is None
    assert hook.counts() == {"recorded": 0, "ignored": 0, "refused": 10, "failed": 0}
    assert stranger.counts()["refused"] == 1


def test_the_size_comes_first(retell):
    body = b"x" * (MAX_BODY_BYTES + 1)
    for headers in ([], retell.signed(body)):
        assert gateway_error(retell.send(body, headers), 413, "Content Too Large")
    padded = retell_body("large-1")[:-1] + b',"pad":"'
    padded += b"x" * (MAX_BODY_BYTES - len(padded) - 2) + b'"}'
    assert len(padded) == MAX_BODY_BYTES
    assert retell.send(padded).json == {"recorded": True}


ODD = [b"", b"\xff\xfe", b"{", b"[]", b"null", b"0", b'"x"', b"{}", b'{"event":5}', b"[" * 50_000]


@pytest.mark.representatives(2)
def test_nothing_that_is_signed_is_a_server_error(hook):
    random = Random(8)
    (first, *_) = call_of(hook.provider, Random(1), "odd-1")
    cuts = [first.body[: random.randrange(len(first.body))] for _ in range(10)]
    texts = [json.dumps({"event": e, "call": c}).encode() for e, c in itertools.product(
        ("call_ended", None, []), ({}, None, {"call_id": {}}, {"call_id": ""}))]  # fmt: skip
    for body in [*ODD, *cuts, *texts]:
        answer = hook.send(body)
        assert answer.status == 200, (body[:100], answer.body)


@pytest.mark.representatives(2)
def test_random_deliveries_are_never_a_server_error(hook):
    """`ROLLCALL_TEST_DELIVERIES=1000` sends so many per provider; long_run.py those of the handler."""
    random = Random(9)
    for number in range(int(os.environ.get("ROLLCALL_TEST_DELIVERIES", "20"))):
        body = fuzzed_body(random, hook.provider)
        is_signed = number % 4 > 0
        answer = hook.send(body, hook.signed(body if is_signed else body + b" "))
        # A form of too many fields cannot be checked.
        allowed = (
            {200, 401} if is_signed and hook.provider == "twilio" else {200 if is_signed else 401}
        )
        assert answer.status in allowed, (number, body[:200], answer.body)


def items_of(stack: Any) -> list[dict[str, Any]]:
    """Every item of both tables, with what is compressed as text."""
    items = []
    for table in ("records_table", "analytics_table"):
        pages = stack.client.get_paginator("scan").paginate(TableName=stack.ready[table])
        items += [item for page in pages for item in page["Items"]]
    for item in items:
        for name, value in item.items():
            with contextlib.suppress(zlib.error):
                if "B" in value:
                    item[name] = zlib.decompress(value["B"]).decode("utf-8", "replace")
    return items


def kind_of(item: str) -> str:
    """Of which kind the text of an item is."""
    return "DETAIL" if "'DETAIL#" in item else "HOOKSTATE" if "#HOOKSTATE#" in item else item


def test_no_canary_shows_where_it_does_not_belong(alice):
    secret = f"{CANARY}-secret"
    hook = hooked(alice, "retell", secret=secret)
    number, words = f"+1555{CANARY}", f"{CANARY} words"
    more = {"from_number": number, "transcript": words}
    assert hook.send(retell_body("canary-1", **more)).json == {"recorded": True}
    hook.send(retell_body("canary-2", **more), [])
    listed = alice.send("GET", "/v1/hooks")
    assert CANARY not in listed.body.decode()
    assert CANARY not in alice.stack.log.read_text()
    alice.stack.drain()
    record = hook.call("canary-1")
    assert record.pop("detail") == {"transcript": [{"role": "", "text": words}]}
    assert CANARY not in json.dumps(record)
    search = alice.send("POST", "/v1/calls/search", {"limit": 500})
    assert "canary-1" in search.body.decode()
    assert CANARY not in search.body.decode()
    items = [repr(item) for item in items_of(alice.stack)]
    assert not any(number in item or secret in item for item in items)
    assert sorted(kind_of(item) for item in items if words in item) == ["DETAIL", "HOOKSTATE"]
    assert hook.call("canary-2") is None


# ------------------------------------------------------------------------ the list
def test_an_admin_sees_the_hooks_and_their_counts(stack):
    organisation = stack.new_organisation()
    assert organisation.send("GET", "/v1/hooks").json == {"hooks": []}
    hook = hooked(organisation, "retell")
    hook.send(retell_body("listed-1"))
    hook.send(b'{"event":"x"}')
    hook.send(retell_body("listed-1"), [])
    hook.send(retell_body("", duration_ms="soon"))
    (listed,) = organisation.send("GET", "/v1/hooks").json["hooks"]
    assert listed.pop("last_delivery_at")
    assert listed.pop("created_at")
    assert listed == {
        "hook": hook.created.stored.key,
        "provider": "retell",
        "recorded": 1,
        "ignored": 1,
        "refused": 1,
        "failed": 1,
        "secrets": 1,
    }
    for scope in ("read", "ingest"):
        token = organisation.new_token(scope)["token"]
        headers = [("Authorization", f"Token {token}")]
        answer = stacks.request(stack.api, "GET", "/v1/hooks", headers)
        assert gateway_error(answer, 403, "Forbidden")
    assert organisation.send("GET", "/v1/hooks?x=1").status == 400


def test_a_hook_that_was_removed_is_unknown(alice):
    hook = hooked(alice, "retell")
    hook.send(retell_body("removed-1"))
    alice.stack.hooks.remove(hook.created.id)
    assert hook.send(retell_body("removed-1")).status == 401
    assert hook.call("removed-1")
    items = alice.stack.client.scan(TableName=alice.stack.ready["records_table"])["Items"]
    assert hook.created.stored.key not in repr(items)
