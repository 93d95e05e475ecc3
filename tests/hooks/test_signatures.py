"""What counts as signed: the published vectors, every scheme, and everything near them that is not.

`tests/hooks/test_vendors.py` compares with the vendors' own packages.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from rollcall.hooks.delivery import Delivery
from rollcall.hooks.maps import PROVIDERS, hook_table
from rollcall.hooks.signatures import Unauthentic, authenticate, is_scheme
from rollcall_cli.hooks.signing import signed
from tests.support.hook_events import OWN, SECRETS, Sent, call_of, delivery_of

NOW_MS = 1_795_262_400_000
MINUTE_MS = 60_000


def delivery(body: bytes | str, at_ms: int = NOW_MS, url: str = "", **headers: str) -> Delivery:
    named = {name.replace("_", "-"): [value] for name, value in headers.items()}
    content = body.encode() if isinstance(body, str) else body
    return Delivery(url, content, named, {}, at_ms)


def is_accepted(scheme: str, secret: str, sent: Delivery) -> bool:
    try:
        authenticate([scheme], sent, [secret])
    except Unauthentic:
        return False
    return True


def schemes_of(provider: str) -> list[str]:
    return hook_table(provider, OWN.get(provider, {})).schemes


# ------------------------------------------------------------------ vectors of the vendors
TWILIO_BODY = (
    "AccountSid=AC0&CallDuration=15&CallSid=CA0&CallStatus=completed&SequenceNumber=3"
    "&Timestamp=Sat%2C+21+Nov+2026+12%3A00%3A00+%2B0000"
)
LIVEKIT_BODY = (
    '{"event":"room_finished","room":{"sid":"RM_1","name":"r"},"id":"EV_1",'
    '"createdAt":"1795262400"}'
)
VECTORS = {
    "vapi": (
        "timestamped-hex",
        "vapi-secret",
        delivery(
            '{"message":{"type":"status-update","status":"ended"}}',
            x_timestamp="1795262400",
            x_signature="76d550a9491ef7f5566cf346564600d4a2fcfff204cca3f368a0eb464e97ea7f",
        ),
    ),
    "retell": (
        "retell",
        "key_retell",
        delivery(
            '{"event":"call_ended","call":{"call_id":"abc"}}',
            x_retell_signature="v=1795262400000,"
            "d=9219c81045df0e2fa26eb1de2ae0560f1e3cb12db8e497d1e6dd51bc6a207f0c",
        ),
    ),
    "elevenlabs": (
        "elevenlabs",
        "wsec_test",
        delivery(
            '{"type":"post_call_transcription","event_timestamp":1795262400,'
            '"data":{"conversation_id":"conv_1"}}',
            elevenlabs_signature="t=1795262400,"
            "v0=45eedb19a5648944cee20bb7c3caf1da2fbee3997556a0daed6c61d0bb07c38a",
        ),
    ),
    "twilio": (
        "twilio",
        "12345",
        delivery(
            TWILIO_BODY,
            url="https://example.com/v1/hooks/twilio/hk_1",
            x_twilio_signature="e34hZDG32/vDOT3vWjjLj4L1FiI=",
        ),
    ),
    "bland": (
        "bland",
        "bland-secret",
        delivery(
            '{"call_id":"c1","completed":true}',
            x_webhook_signature="dc13e89eddff0bdc8ef3237e1d55a13dfe259c02e267398ba552dea6c28aae33",
        ),
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_a_published_vector_is_accepted(name):
    scheme, secret, sent = VECTORS[name]
    assert is_accepted(scheme, secret, sent)
    assert not is_accepted(scheme, secret + "x", sent)
    assert not is_accepted(scheme, secret, replace(sent, body=sent.body + b" x"))


def test_livekits_claim_of_the_body():
    headers = signed("livekit", "key:secret", "", LIVEKIT_BODY.encode(), NOW_MS)
    claims = json.loads(base64.urlsafe_b64decode(headers["Authorization"].split(".")[1] + "=="))
    assert claims["sha256"] == "eIIy4LjHaEh24aeMJLvmpBAxbG2Rtnd03BfoMTV/Jjw="


# ------------------------------------------------------------------ every provider
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_changed_byte_anywhere_is_refused(provider):
    random = Random(3)
    (sent, *_) = call_of(provider, random)
    good = delivery_of(provider, sent)
    scheme, secret = schemes_of(provider)[0], SECRETS[provider]
    assert is_accepted(scheme, secret, good)
    for _ in range(50):
        place = random.randrange(len(sent.body))
        changed = bytearray(sent.body)
        changed[place] ^= 1 << random.randrange(7)
        assert not is_accepted(scheme, secret, replace(good, body=bytes(changed)))
    for name, (value,) in good.headers.items():
        for broken in ("", value[:-2], value + "0", value.swapcase(), "é", "\udc80"):
            if broken != value:
                headers = {**good.headers, name: [broken]}
                assert not is_accepted(scheme, secret, replace(good, headers=headers))
        assert not is_accepted(
            scheme, secret, replace(good, headers={**good.headers, name: [value, value]})
        )
        assert not is_accepted(scheme, secret, replace(good, headers={}))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_two_secrets_are_valid_during_a_rotation(provider):
    good = delivery_of(provider, call_of(provider, Random(1))[0])
    other = {"generic": "whsec_c2Vjb25kIHNlY3JldCBvZiBpdA=="}.get(provider, "other:secret")
    for secrets in ([SECRETS[provider], other], [other, SECRETS[provider]]):
        authenticate(schemes_of(provider), good, secrets)
    for secrets in ([other], []):
        with pytest.raises(Unauthentic):
            authenticate(schemes_of(provider), good, secrets)


WINDOWS = {"vapi": 5, "retell": 5, "elevenlabs": 30, "generic": 5}


@pytest.mark.parametrize(("provider", "minutes"), WINDOWS.items())
def test_a_signature_is_valid_for_its_window_either_way(provider, minutes):
    good = delivery_of(provider, Sent(b"{}", NOW_MS))
    scheme = schemes_of(provider)[0]
    assert authenticate([scheme], good, [SECRETS[provider]]) == NOW_MS
    for off_ms, expected in ((minutes * MINUTE_MS, True), (minutes * MINUTE_MS + 1, False)):
        for sign in (1, -1):
            late = replace(good, received_at_ms=NOW_MS + sign * off_ms)
            assert is_accepted(scheme, SECRETS[provider], late) is expected


# ------------------------------------------------------------------ single schemes
def jwt(claims: Any, secret: str = "secret", head: Any = None, algorithm: str = "sha256") -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in (head or {"alg": "HS256"}, claims)
    ]
    text = ".".join(parts)
    digest = hmac.digest(secret.encode(), text.encode(), algorithm)
    return f"{text}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def claims_of(body: bytes, **changed: Any) -> dict[str, Any]:
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    now = NOW_MS // 1_000
    return {"iss": "key", "nbf": now, "exp": now + 300, "sha256": digest, **changed}


@pytest.mark.parametrize(
    ("token", "is_good"),
    [
        (jwt(claims_of(b"{}")), True),
        (jwt(claims_of(b"{}", exp=NOW_MS // 1_000 - 60)), True),
        (jwt(claims_of(b"{}", exp=NOW_MS // 1_000 - 61)), False),
        (jwt(claims_of(b"{}", nbf=NOW_MS // 1_000 + 61)), False),
        (jwt(claims_of(b"{}", exp=None)), False),
        (jwt(claims_of(b"{}", exp="never")), False),
        (jwt(claims_of(b"{}", exp=True)), False),
        (jwt(claims_of(b"{}", exp=float("inf"))), False),
        (jwt(claims_of(b"{}", nbf=float("-inf"))), False),
        (jwt(claims_of(b"{}", nbf=float("nan"))), False),
        (jwt(claims_of(b"{}", nbf=-(10**400))), False),
        (jwt(claims_of(b"{}", iss="other")), False),
        (jwt(claims_of(b"{}", sha256="")), False),
        (jwt(claims_of(b"{}", sha256=5)), False),
        (jwt(claims_of(b"other")), False),
        (jwt(claims_of(b"{}"), "other"), False),
        (jwt(claims_of(b"{}"), head={"alg": "none"}), False),
        (jwt(claims_of(b"{}"), head={"alg": "HS512"}, algorithm="sha512"), False),
        (jwt([]), False),
        (jwt(claims_of(b"{}"), head=[5]), False),
        (jwt(claims_of(b"{}")).rpartition(".")[0] + ".", False),
        ("Bearer " + jwt(claims_of(b"{}")), False),
        ("a.b", False),
        ("....", False),
        ("é.é.é", False),
    ],
)
def test_livekits_token(token, is_good):
    sent = delivery("{}", authorization=token)
    assert is_accepted("livekit", "key:secret", sent) is is_good


@pytest.mark.parametrize("value", ["s3cret", "Bearer s3cret", "bearer s3cret"])
def test_a_secret_in_the_authorization_header(value):
    assert is_accepted("header:Authorization", "s3cret", delivery("{}", authorization=value))
    assert not is_accepted("header:X-Vapi-Secret", "s3cret", delivery("{}", authorization=value))


def test_a_signature_of_vapi_may_have_a_prefix_and_milliseconds():
    stamp = str(NOW_MS)
    digest = hmac.digest(b"k", f"{stamp}.{{}}".encode(), "sha256").hex()
    sent = delivery("{}", x_timestamp=stamp, x_signature=f"sha256={digest}")
    assert authenticate(["timestamped-hex"], sent, ["k"]) == NOW_MS
    digest = hmac.digest(b"k", f"{stamp}.{{}}".encode(), "sha512").hex()
    assert not is_accepted(
        "timestamped-hex",
        "k",
        replace(sent, headers={"x-timestamp": [stamp], "x-signature": [digest]}),
    )


def test_elevenlabs_may_send_several_signatures():
    (header,) = signed("elevenlabs", "k", "", b"{}", NOW_MS).values()
    stamp, good = header.split(",")
    several = f"{stamp},v0={'0' * 64},{good}"
    assert is_accepted("elevenlabs", "k", delivery("{}", elevenlabs_signature=several))
    twice = f"{stamp},{stamp},{good}"
    assert not is_accepted("elevenlabs", "k", delivery("{}", elevenlabs_signature=twice))


def test_bland_may_sign_the_compact_form():
    body = '{"call_id": "c1", "completed": true, "name": "Jürgen"}'
    digest = hmac.digest(
        b"k", '{"call_id":"c1","completed":true,"name":"Jürgen"}'.encode(), "sha256"
    ).hex()
    assert is_accepted("bland", "k", delivery(body, x_webhook_signature=digest))
    assert not is_accepted("bland", "k", delivery("[" * 100_000, x_webhook_signature=digest))


TWILIO_URLS = [
    ("https://e.com/h", "https://e.com/h", True),
    ("https://e.com/h", "https://e.com:443/h", True),
    ("https://e.com:443/h", "https://e.com/h", True),
    ("http://e.com/h", "http://e.com:80/h", True),
    ("http://e.com:3000/h", "http://e.com:3000/h", True),
    ("http://e.com:3000/h", "http://e.com/h", False),
    ("https://e.com/h", "https://e.com:8443/h", False),
    ("https://e.com/h", "https://other.com/h", False),
]


@pytest.mark.parametrize(("url", "signed_url", "is_good"), TWILIO_URLS)
def test_twilio_signs_with_or_without_the_port(url, signed_url, is_good):
    (value,) = signed("twilio", "k", signed_url, b"b=2&a=1&a=1&a=0", NOW_MS).values()
    sent = delivery("b=2&a=1&a=1&a=0", url=url, x_twilio_signature=value)
    assert is_accepted("twilio", "k", sent) is is_good


@pytest.mark.parametrize(
    ("query", "written"),
    [
        ({"lead_id": ["7"], "campaign_id": ["c 1"]}, "lead_id=7&campaign_id=c%201"),
        ({"lead_id": ["7"], "campaign_id": ["c 1"]}, "lead_id=7&campaign_id=c+1"),
        ({"lead_id": ["7"], "campaign_id": ["c"]}, "campaign_id=c&lead_id=7"),
        (
            {"lead_id": ["a@b.example"], "campaign_id": ["spring/9:1"]},
            "lead_id=a@b.example&campaign_id=spring/9:1",
        ),
        (
            {"lead_id": ["a@b.example"], "campaign_id": ["spring/9:1"]},
            "lead_id=a%40b.example&campaign_id=spring%2F9%3A1",
        ),
    ],
)
def test_twilio_signs_the_query(query, written):
    (value,) = signed("twilio", "k", f"https://e.com/h?{written}", b"a=1", NOW_MS).values()
    sent = replace(delivery("a=1", url="https://e.com/h", x_twilio_signature=value), query=query)
    assert is_accepted("twilio", "k", sent)
    for changed in ({}, {**query, "lead_id": ["8"]}, {**query, "more": ["1"]}):
        assert not is_accepted("twilio", "k", replace(sent, query=changed))


def test_a_query_that_no_address_can_have_is_refused():
    sent = delivery("a=1", url="https://e.com/h", x_twilio_signature="x")
    assert not is_accepted("twilio", "k", replace(sent, query={"lead_id": ["\ud800"]}))


def test_twilio_signs_json_by_its_digest():
    body = b'{"CallSid":"CA0"}'
    query = {"bodySHA256": [hashlib.sha256(body).hexdigest()]}
    url = f"https://e.com/h?bodySHA256={query['bodySHA256'][0]}"
    value = base64.b64encode(hmac.digest(b"k", url.encode(), "sha1")).decode()
    sent = replace(delivery(body, url="https://e.com/h", x_twilio_signature=value), query=query)
    assert is_accepted("twilio", "k", sent)
    assert not is_accepted("twilio", "k", replace(sent, body=b"{}"))


def test_a_form_of_very_many_fields_is_refused():
    assert not is_accepted("twilio", "k", delivery("a=1&" * 5_000, x_twilio_signature="x"))


def test_a_secret_that_is_no_key_of_standard_webhooks_is_refused():
    (sent,) = [delivery_of("generic", Sent(b"{}", NOW_MS))]
    assert not is_accepted("standard", "not base64!", sent)


@pytest.mark.parametrize("secret", ["whsec_", ""])
def test_an_empty_key_of_standard_webhooks_is_refused(secret):
    stamp = str(NOW_MS // 1_000)
    digest = base64.b64encode(hmac.digest(b"", f"m.{stamp}.{{}}".encode(), "sha256")).decode()
    named = {"webhook_id": "m", "webhook_timestamp": stamp, "webhook_signature": f"v1,{digest}"}
    assert not is_accepted("standard", secret, delivery("{}", **named))


def test_the_names_of_schemes():
    assert is_scheme("retell")
    assert is_scheme("header:X-Secret")
    assert not is_scheme("header:")
    assert not is_scheme("none")


@pytest.mark.representatives(2)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_random_headers_are_refused_without_another_error(provider):
    random = Random(5)
    good = delivery_of(provider, call_of(provider, Random(1))[0])
    alphabet = "0123456789abcdef=,. vt\x00é\udcff"
    for _ in range(400):
        headers = {
            name: ["".join(random.choices(alphabet, k=random.randrange(90)))]
            for name in good.headers
        }
        with pytest.raises(Unauthentic):
            authenticate(schemes_of(provider), replace(good, headers=headers), [SECRETS[provider]])
