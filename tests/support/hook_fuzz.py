"""Random deliveries: samples and generated bodies that are changed in every way, signed or not."""

from __future__ import annotations

import base64
import copy
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from rollcall.hooks.maps import PROVIDERS
from rollcall.settings import settings
from tests.support.agreement import Disagreement
from tests.support.answering import Deployment
from tests.support.hook_agreement import NOW_MS
from tests.support.hook_events import call_of
from tests.support.hook_requests import SentHook, new_hook, proxy_event

_SAMPLES = Path(__file__).parents[2] / "events" / "hooks"
_INSERTED = [b"null", b'"', b"{", b"}", b"[]", b"1e999", b"1e9999999999", b"-", b"\\ud800", b"\xff"]
_INSERTED += [b"9" * 30, b"9" * 5_000, b"%", b"&", b"=", b"true", b",", b":", b"\x00", b"NaN"]
_VALUES: Sequence[Any] = [
    None, True, False, 0, -1, 0.5, -0.0, 1e308, 5e-324, 2**63, 10**400, -(10**40), "", "0", "-1", " ",
    "\ud800", "a\udfff", "\x00", "\u202e", "é" * 300, "x" * 70_000, "NaN", "1e999", "١٢",
    "2026-13-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "-1", [], {}, [[]], {"": {}}, ["a", 1, None],
    {"/": "~1"}, [{}] * 300, {str(n): n for n in range(300)},
]  # fmt: skip
_ODD_HEADERS = ["", " ", ",", "=", "v=,d=", "t=1,v0=", "Bearer ", "e30.e30.", "\u00e9", "\u2028"]
_ODD_HEADERS += [
    "x" * 9_000,
    "v=9" + "9" * 400 + ",d=0",
    "t=-1,v0=00",
    "t=1e3,v0=zz",
    "\x00",
    "msg",
]


@dataclass(frozen=True)
class Fuzzed:
    """Events of the gateway; the hooks are those of `hooks_of(seed)`."""

    seed: int
    events: Sequence[dict[str, Any]]


def fuzzed(random: Random, deliveries: int) -> Fuzzed:
    """So many random deliveries to the hooks of one organisation, one per provider."""
    seed = random.randrange(10**9)
    hooks = list(_hooks("org", seed))
    return Fuzzed(seed, [_delivery(random, random.choice(hooks)) for _ in range(deliveries)])


def check_fuzzed(deployment: Deployment, scenario: Fuzzed, _now_ms: int) -> Counter[Any]:
    """How often which status was answered. Raises Disagreement for any that no client deserves."""
    deployment.now_ms = NOW_MS
    org_id = deployment.organisation([])
    for hook in _hooks(org_id, scenario.seed):
        deployment.store.put(settings.records_table, hook.item(NOW_MS))
    written: list[str] = []

    def on_write(_table: str, old: Any, new: Any) -> None:
        written.append((new or old)["PK"]["S"])

    deployment.store.on_write = on_write
    seen: Counter[Any] = Counter()
    try:
        for event in scenario.events:
            written.clear()
            answer = deployment.invoke("receive_hook", event)
            outcome = _outcome(answer.status, answer.text)
            kept = bool(deployment.failures.objects)
            deployment.failures.objects.clear()
            own = ("HOOK#",) if outcome != "taken" else ("HOOK#", f"ORG#{org_id}#")
            if outcome == "" or not all(pk.startswith(own) for pk in written):
                raise Disagreement(f"{answer}\nwritten: {written}\n{str(event)[:3_000]}")
            seen["delivery", "kept" if kept else outcome] += 1
    finally:
        deployment.store.on_write = None
    return seen


def _outcome(status: int, text: str) -> str:
    """What an answer says; "" for an answer that is a fault."""
    if status == 401:
        is_uniform = text == _UNAUTHENTIC
        return "refused" if is_uniform else ""
    if status == 200:
        said = json.loads(text or '{"recorded":true}')
        return "ignored" if said.keys() == {"ignored"} else "taken" * (said == {"recorded": True})
    return {400: "malformed", 413: "too long"}.get(status, "")


_UNAUTHENTIC = json.dumps(
    {
        "status_code": 401,
        "message": "Unauthorized",
        "error": "Unauthorized",
        "detail": "The request is not signed with a secret of this hook.",
    },
    separators=(",", ":"),
)


def _hooks(org_id: str, seed: int) -> Iterator[SentHook]:
    random = Random(seed)
    return (new_hook(random, org_id, provider) for provider in PROVIDERS)


# ------------------------------------------------------------------------ requests
def _delivery(random: Random, hook: SentHook) -> dict[str, Any]:
    body = fuzzed_body(random, hook.provider)
    at_ms = NOW_MS + random.choice([0] * 8 + [-200_000, 200_000, -(10**9), 10**9])
    headers = {name: [value] for name, value in hook.headers(body, at_ms).items()}
    provider, hook_id = hook.provider, hook.id
    query: Any = None
    match random.randrange(20):
        case 0 | 1:
            name = random.choice(list(headers))
            headers[name] = [_changed_text(random, headers[name][0])]
        case 2:
            name = random.choice(list(headers))
            headers[name] = [random.choice(_ODD_HEADERS)]
        case 3:
            headers = {name.swapcase(): values * 2 for name, values in headers.items()}
        case 4:
            headers = {} if random.random() < 0.5 else {"Authorization": ["Token x", ""]}
        case 5:
            provider = random.choice([*PROVIDERS, "", "acme", "%ff", "vapi%2F"])
        case 6:
            hook_id = random.choice(["", "x", "%ff", hook_id[:-1], hook_id + "0", "hk_" + "0" * 32])
        case 7:
            query = {random.choice(["lead_id", "bodySHA256", "", "é"]): ["1", "\ud800"]}
        case 8:
            body = fuzzed_body(random, hook.provider)  # signed is another
    headers["Content-Type"] = [
        random.choice(["application/json", "text/plain; charset=utf-16", ""])
    ]
    event = proxy_event(provider, hook_id, body, headers, query)
    return event | random.choice([{}] * 30 + [_unencoded(body), {"body": "%"}, {"body": None}])


def _unencoded(body: bytes) -> dict[str, Any]:
    """A body as the gateway hands over text."""
    return {"body": body.decode("utf-8", "surrogateescape"), "isBase64Encoded": False}


def _changed_text(random: Random, text: str) -> str:
    place = random.randrange(len(text) + 1)
    return text[:place] + chr(random.randrange(32, 0x2000)) + text[place + 1 :]


def fuzzed_body(random: Random, provider: str) -> bytes:
    """A body of a provider, changed a little or beyond recognition, or not at all."""
    return random.choice(_BODIES)(random, _sent(random, provider))


def _sent(random: Random, provider: str) -> bytes:
    samples = _samples(provider)
    if samples and random.random() < 0.2:
        return random.choice(samples)
    return random.choice(call_of(provider, random, f"call-{random.randrange(50)}")).body


@cache
def _samples(provider: str) -> list[bytes]:
    """The bodies of the sample deliveries of a provider."""
    path = _SAMPLES / f"{provider}.json"
    events = json.loads(path.read_text("utf-8")) if path.exists() else []
    return [
        urlencode(event["form"]).encode() if "form" in event else json.dumps(event["json"]).encode()
        for event in events
    ]


def _mutated(random: Random, body: bytes) -> bytes:
    made = bytearray(body)
    for _ in range(1 + random.randrange(5)):
        place = random.randrange(len(made) + 1)
        other = random.randrange(len(made) + 1)
        match random.randrange(4):
            case 0:
                made[place : place + 1] = bytes([random.randrange(256)])
            case 1:
                made[place:place] = random.choice(_INSERTED)
            case 2:
                del made[place : place + random.randrange(20)]
            case _:
                made[place:place] = made[other : other + random.randrange(30)]
    return bytes(made)


def _with_wrong_values(random: Random, body: bytes) -> bytes:
    """The same document, in which some values are of another kind."""
    try:
        document = json.loads(body)
    except ValueError:
        return _mutated(random, body)
    for _ in range(1 + random.randrange(3)):
        places = list(_places(document))
        holder, key = random.choice(places)
        holder[key] = copy.deepcopy(random.choice(_VALUES))
    return json.dumps(document, ensure_ascii=random.random() < 0.9).encode("utf-8", "surrogatepass")


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    keys = document if isinstance(document, dict) else range(len(document))
    for key in list(keys):
        yield document, key
        if isinstance(document[key], dict | list):
            yield from _places(document[key])


def _nested(random: Random, body: bytes) -> bytes:
    """A value that is nested deeply, alone or in the place of another."""
    depth = random.choice([50, 900, 1_100, 5_000, 100_000])
    opened, closed = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
    value = opened * depth + b"1" + closed * (depth - random.choice([0, 0, 1]))
    return value if random.random() < 0.3 else body.replace(b"null", value).replace(b'""', value)


def _encoded(random: Random, body: bytes) -> bytes:
    text = body.decode("utf-8", "replace")
    encoding = random.choice(["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-7", "cp1252"])
    encoded = text.encode(encoding, "replace")
    return random.choice([encoded, gzip.compress(body, mtime=0), base64.b64encode(body)])


_BODIES: Sequence[Callable[[Random, bytes], bytes]] = [
    lambda _random, body: body,
    _mutated,
    _mutated,
    _mutated,
    _with_wrong_values,
    _with_wrong_values,
    _with_wrong_values,
    _nested,
    _encoded,
    lambda random, _body: random.randbytes(random.randrange(200)),
    lambda random, _body: json.dumps(random.choice(_VALUES)).encode(),
]
