"""Seeded calls, as the stream delivers them: live traffic in time order, and a shuffled backfill."""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rollcall.api import strict_json
from rollcall.api.records.documents import parse_record
from rollcall.domain.facts import Fact, resolve
from rollcall.ledger.page import Row
from rollcall.storage import keys
from rollcall.storage.fact_items import item_of_fact
from rollcall_cli.demo_data import demo_records

ORG_ID = "org_0123456789abcdef0123"
SEED = 20_261_121
# The benchmarks' today: a fixed day, so that every run has the same hours and days.
TODAY = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
DAY_MS = 86_400_000
TODAY_MS = int(TODAY.timestamp() * 1000)

# What is known of a call only when it is over.
_LATE = (
    "disposition",
    "outcome",
    "duration_seconds",
    "sentiment",
    "cost",
    "labels",
    "events",
)


@dataclass(slots=True)
class Version:
    """One change of one call: the fact before (None: new) and after."""

    at_ms: int
    old: Fact | None
    new: Fact
    document: dict[str, Any]

    @property
    def row(self) -> Row:
        return Row(self.new.id, self.new.rev, self.new.time_ms or 0, self.new.record)


def documents(
    count: int, seed: int = SEED, *, ids: str = "uuid", is_wide: bool = False
) -> list[dict[str, Any]]:
    """Finished calls of one organisation, as a client sends them; `ids` is uuid or short.

    Five campaigns, three spaces, five templates, six merchants of three resellers; a wide
    organisation has 50 campaigns and templates, 300 merchants and 20 resellers, few of them busy.
    """
    dice = random.Random(seed)
    calls = [r for r in demo_records(seed, count, 30, TODAY) if r["type"] == "call"]
    for call in calls:
        if call["status"] in ("queued", "ringing", "in_progress"):
            call["status"] = "canceled"
        if ids == "uuid":
            call["id"] = str(uuid.UUID(int=dice.getrandbits(128), version=4))
        if is_wide:
            merchant, campaign = _long_tail(dice, 300), _long_tail(dice, 50)
            call["merchant_id"] = f"merchant-{merchant}"
            call["reseller_id"] = f"reseller-{merchant % 20}"
            call["campaign_id"] = f"campaign-{campaign}"
            call["template_id"] = f"template-{campaign}"
    return calls


def _long_tail(dice: random.Random, count: int) -> int:
    """A number below `count`, small ones more often: half of them below its square root."""
    return int(count ** dice.random()) % count


def text(at_ms: int) -> str:
    moment = dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds") + "Z"


def live(
    count: int,
    calls_per_second: float,
    seed: int = SEED,
    *,
    ids: str = "uuid",
    is_wide: bool = False,
) -> list[Version]:
    """`count` calls arriving at a steady rate, each queued, then under way, then over.

    In the order in which a platform sends them, so versions of many calls are interleaved; ends
    with the last arrival, so the calls that are under way then never end.
    """
    dice = random.Random(seed + 1)
    moment = TODAY.timestamp() * 1000 + 10 * 3_600_000
    versions: list[Version] = []
    for document in documents(count, seed, ids=ids, is_wide=is_wide):
        moment += dice.expovariate(calls_per_second) * 1000
        started = int(moment)
        early = {name: value for name, value in document.items() if name not in _LATE}
        is_answered = document["status"] == "completed"
        ringing = int(dice.uniform(2_000, 8_000))
        lasting = ringing + int(
            float(document.get("duration_seconds", dice.uniform(10, 40))) * 1000
        )
        steps = (
            (started, {**early, "status": "queued"}),
            (started + ringing, {**early, "status": "in_progress" if is_answered else "ringing"}),
            (started + lasting, document),
        )
        old: Fact | None = None
        for at_ms, step in steps:
            version = _version({**step, "started_at": text(started)}, old, at_ms)
            versions.append(version)
            old = version.new
    versions.sort(key=lambda version: version.at_ms)
    return [version for version in versions if version.at_ms <= moment]


def backfill(count: int, days: int = 30, seed: int = SEED, *, ids: str = "uuid") -> list[Version]:
    """`count` finished calls of the last `days` days, once each, in no order."""
    dice = random.Random(seed + 2)
    today_ms = int(TODAY.timestamp() * 1000)
    versions = []
    for number, document in enumerate(documents(count, seed, ids=ids)):
        moment = dt.datetime.fromisoformat(document["started_at"])
        started = int(moment.timestamp() * 1000)
        started = today_ms - (today_ms - started) % (days * DAY_MS)
        versions.append(
            _version({**document, "started_at": text(started)}, None, today_ms + number)
        )
    dice.shuffle(versions)
    return versions


def changed(version: Version, *, later_ms: int = 0, **fields: Any) -> Version:
    """The next version of a call, which begins so much later and has these fields."""
    started_at = text((version.new.time_ms or 0) + later_ms)
    document = version.document | fields | {"started_at": started_at}
    return _version(document, version.new, version.at_ms + DAY_MS)


def first_versions(documents: Sequence[dict[str, Any]]) -> list[Version]:
    """Each document as a fact that is new."""
    return [_version(each, None, TODAY_MS + number) for number, each in enumerate(documents)]


def demo_facts(calls: int, days: int, seed: int = SEED) -> Iterator[Fact]:
    """`rollcall demo`'s world with so many calls before TODAY, whatever their type, as facts."""
    at_us = int(TODAY.timestamp() * 1_000_000)
    for number, document in enumerate(demo_records(seed, calls, days, TODAY)):
        parsed = parse_record(strict_json.loads(json.dumps(document).encode()))
        fact = resolve(None, parsed, at_us + number).fact
        assert fact is not None
        yield fact


def _version(document: dict[str, Any], old: Fact | None, at_ms: int) -> Version:
    parsed = parse_record(strict_json.loads(json.dumps(document).encode()))  # as it comes in
    new = resolve(old, parsed, at_ms * 1000).fact
    if new is None:
        raise AssertionError("a version that changes nothing")
    return Version(at_ms, old, new, document)


def stream_records(versions: Sequence[Version]) -> list[dict[str, Any]]:
    """As Lambda hands them to the stream function."""
    return [_stream_record(version, number) for number, version in enumerate(versions)]


def _stream_record(version: Version, number: int) -> dict[str, Any]:
    key = keys.fact(ORG_ID, version.new.type, version.new.id, 1)
    change: dict[str, Any] = {
        "ApproximateCreationDateTime": version.at_ms / 1000,
        "Keys": {keys.PK: {"S": key.pk}, keys.SK: {"S": key.sk}},
        "NewImage": item_of_fact(key, version.new),
        "SequenceNumber": f"{number:021d}",
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    if version.old is not None:
        change["OldImage"] = item_of_fact(key, version.old)
    return {
        "eventID": f"{number:032x}",
        "eventName": "INSERT" if version.old is None else "MODIFY",
        "eventSource": "aws:dynamodb",
        "eventVersion": "1.1",
        "awsRegion": "eu-central-1",
        "dynamodb": change,
    }


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for first in range(0, len(items), size):
        yield items[first : first + size]
