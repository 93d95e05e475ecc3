"""One-time codes: each is exchanged once, in time, on this machine; and over HTTP on a stack."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall_cli.local.http_request import HttpRequest
from rollcall_cli.local.sign_in import LIFETIME_SECONDS, PATH, OneTimeCodes, Refused, sign_in

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("issue"), st.integers(0, 9)),
        st.tuples(st.just("exchange"), st.integers(0, 9)),
        st.tuples(st.just("wait"), st.sampled_from([1.0, LIFETIME_SECONDS / 2, LIFETIME_SECONDS])),
    ),
    max_size=30,
)


def refused(exchange: Callable[[], object]) -> str:
    with pytest.raises(Refused) as error:
        exchange()
    return error.value.reason


@given(STEPS)
def test_a_code_gives_its_token_once_within_its_time(steps) -> None:
    now = 0.0
    codes = OneTimeCodes(lambda: now)
    issued: list[tuple[str, str, float]] = []
    used: set[str] = set()
    for step, value in steps:
        if step == "issue":
            token = f"rc_{value}"
            issued.append((codes.issue(token), token, now))
        elif step == "wait":
            now += value
        elif value >= len(issued):
            assert refused(lambda: codes.exchange("never issued")) == "unknown"
        else:
            code, token, at = issued[value]
            if code in used:
                assert refused(lambda code=code: codes.exchange(code)) == "used"
            elif now - at >= LIFETIME_SECONDS:
                assert refused(lambda code=code: codes.exchange(code)) == "expired"
            else:
                assert codes.exchange(code) == token
                used.add(code)
    assert len({code for code, _, _ in issued}) == len(issued)


def test_of_many_at_once_one_gets_the_token() -> None:
    codes = OneTimeCodes()
    code = codes.issue("rc_token")
    start = threading.Barrier(8)
    results: list[str] = []

    def exchange() -> None:
        start.wait()
        try:
            results.append(codes.exchange(code))
        except Refused as error:
            results.append(error.reason)

    threads = [threading.Thread(target=exchange) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["rc_token"] + ["used"] * 7


def test_a_code_cannot_be_guessed() -> None:
    """43 characters of 64: 256 bits."""
    code = OneTimeCodes().issue("rc_token")
    assert len(code) == 43
    assert set(code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def answered(body: bytes, codes: OneTimeCodes, source_ip: str = "127.0.0.1") -> tuple[int, dict]:
    answer = sign_in(HttpRequest("POST", PATH, "", [], body, source_ip), codes)
    assert dict(answer.headers)["Cache-Control"] == "no-store"
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[", b'"a"', b"{}", b"\xff", b'{"code": 1}', b'{"code": null}'),
        *(b'{"code": "a", "more": 1}', b'{"code": "a", "code": "a"}', b'{"code": "\\ud800"}'),
    ],
)
def test_a_body_that_is_no_code_is_400(body: bytes) -> None:
    status, answer = answered(body, OneTimeCodes())
    assert (status, answer["reason"]) == (400, "malformed")


@pytest.mark.parametrize("code", ["", "a", "ä", "0" * 100_000])
def test_a_code_that_was_never_issued_is_401(code: str) -> None:
    codes = OneTimeCodes()
    codes.issue("rc_token")
    status, answer = answered(json.dumps({"code": code}).encode(), codes)
    assert (status, answer["reason"]) == (401, "unknown")


def test_another_machine_is_refused_and_leaves_the_code_unused() -> None:
    codes = OneTimeCodes()
    body = json.dumps({"code": codes.issue("rc_token")}).encode()
    for source_ip in ("192.168.1.7", "::ffff:10.0.0.1", "fe80::1", ""):
        status, answer = answered(body, codes, source_ip)
        assert (status, set(answer)) == (403, {"message"})
    assert answered(body, codes) == (200, {"token": "rc_token"})


# ------------------------------------------------------------------ on a stack
def post(base: str, code: str, **headers: str) -> tuple[int, dict]:
    connection = HTTPConnection(urlsplit(base).netloc, timeout=30)
    try:
        body = json.dumps({"code": code})
        connection.request("POST", PATH, body, {"Content-Type": "application/json"} | headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.engine
def test_the_address_of_a_stack_signs_in_its_own_page_once(stack) -> None:
    page, code = stack.dashboard_url("rc_token").split("#code=")
    assert page == f"{stack.api_url}/"
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        assert post(stack.api_url, code, Origin=origin)[0] == 403
    assert post(stack.api_url, code, Host="evil.example")[0] == 403
    assert post(stack.api_url, code, Origin=stack.api_url) == (200, {"token": "rc_token"})
    status, answer = post(stack.api_url, code, Origin=stack.api_url)
    assert (status, answer["reason"]) == (410, "used")
    assert "used before" in answer["message"]
