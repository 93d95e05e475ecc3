"""Random deliveries: each is recorded, ignored, kept or refused, and nothing else ever happens."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from rollcall.domain.hooks import SealedSecret
from rollcall.hooks.maps import PROVIDERS, hook_table
from rollcall.hooks.signatures import Unauthentic
from rollcall_cli.hooks.signing import signed
from tests.support.hook_events import OWN, SECRETS, call_of
from tests.support.hook_world import NOW_MS, World

INSERTED = [b"null", b'"', b"{", b"}", b"[]", b"1e999", b"1e9999999999", b"-", b"\\ud800", b"\xff"]
INSERTED += [b"9" * 30, b"9" * 5_000, b"%", b"&", b"=", b"true", b",", b":", b"\x00"]


def world_of(provider: str) -> World:
    world = World(provider, json.dumps(OWN.get(provider, {})))
    world.stored = replace(world.stored, secrets=(SealedSecret(SECRETS[provider].encode()),))
    return world


def mutated(body: bytes, random: Random) -> bytes:
    made = bytearray(body)
    for _ in range(random.randrange(6)):
        place = random.randrange(len(made) + 1)
        other = random.randrange(len(made) + 1)
        match random.randrange(4):
            case 0:
                made[place : place + 1] = bytes([random.randrange(256)])
            case 1:
                made[place:place] = random.choice(INSERTED)
            case 2:
                del made[place : place + random.randrange(20)]
            case _:
                made[place:place] = made[other : other + random.randrange(30)]
    return bytes(made)


def outcomes(deliveries: int, seed: int) -> Counter[str]:
    random = Random(seed)
    worlds = {provider: world_of(provider) for provider in PROVIDERS}
    found: Counter[str] = Counter()
    for _ in range(deliveries):
        provider = random.choice(PROVIDERS)
        world = worlds[provider]
        sent = random.choice(call_of(provider, random, f"call-{random.randrange(50)}"))
        body = mutated(sent.body, random)
        scheme = hook_table(provider, {}).schemes[0]
        url = f"{world.stored.address}/{world.id}"
        headers = signed(scheme, SECRETS[provider], url, body, NOW_MS)
        if random.random() < 0.2:
            name = random.choice(list(headers))
            place = random.randrange(len(headers[name]))
            changed = chr(random.randrange(32, 0x2000))
            headers[name] = headers[name][:place] + changed + headers[name][place + 1 :]
        named = {name.lower(): [value] for name, value in headers.items()}
        try:
            result = world.receive(provider, world.id, body, named, {})
            assert result.fault is None, body  # waiting is for an end without a start
            found[result.outcome] += 1
        except Unauthentic:
            found["refused"] += 1
        world.kept.clear()
    return found


@pytest.mark.property
@pytest.mark.parametrize(
    "deliveries", [1_500, pytest.param(100_000, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_random_deliveries_have_one_of_five_outcomes(deliveries):
    found = outcomes(deliveries, seed=7)
    assert set(found) == {"recorded", "ignored", "waiting", "failed", "refused"}
    assert found.total() == deliveries
