"""What clients send in one schedule: records of all types, and every order that is awkward."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

from tests.support.generate import mixed_records, wander, written
from tests.support.oracle import moment

DAY_MS = 86_400_000
_FIRST_MS = 1_709_251_200_000  # 2024-03-01
_UPDATED_MS = _FIRST_MS + 500 * DAY_MS
_SCOPES = ("template_id", "merchant_id", "reseller_id", "campaign_id")
SECRET = "secret-7f3a"


def requests(random: Random, org_id: str, mark: str, records: int) -> list[list[Any]]:
    """Requests of 1 to 6 records. Every id and payload of the organisation holds its mark."""
    mixed = mixed_records(
        random.randrange(10**9), records, versions=(1, 3), deletes=0.25, days=2, spaces=2, others=2
    )
    # Scopes are alike, and each costs rollups in every transaction: one or two of them a schedule.
    dropped = random.sample(_SCOPES, random.choice((2, 3)))
    for record in mixed:
        for name in dropped:
            record.pop(name, None)
    mixed = [wander(random, record) for record in mixed]
    scenes = random.sample(_SCENES, random.randint(1, 3))
    awkward = [record for scene in scenes for record in scene(random)]
    sent = [_marked(record, mark) for record in mixed + awkward]
    random.shuffle(sent)
    requests: list[list[Any]] = []
    while sent:
        size = random.choice((1, 3, 5, 6))
        requests.append(sent[:size])
        sent = sent[size:]
    # A client that is not sure sends again what it sent.
    for _ in range(2):
        requests.insert(random.randrange(len(requests) + 1), random.choice(requests))
    return requests


def fat_calls(random: Random, mark: str, count: int, first: int) -> list[Any]:
    """Calls that fill a page fast, and whose payload keys are more than a page has columns for."""
    return [
        _marked(
            {
                "type": "call",
                "id": f"fat {first + number}",
                "updated_at": _at(_UPDATED_MS + number),
                "started_at": _at(_FIRST_MS + random.randrange(2 * DAY_MS)),
                "status": "completed",
                "lead_id": f"{random.getrandbits(128):032x}",
                "payload": {
                    "text": f"{random.getrandbits(400):0100x}",
                    **{f"own.{first + number}.{key}": key for key in range(5)},
                },
            },
            mark,
        )
        for number in range(count)
    ]


def crowd(random: Random, mark: str, count: int, first: int) -> list[Any]:
    """Calls far apart in time, with values of their own in the same rollups."""
    return [
        _marked(
            _call(
                f"crowd {number}",
                random,
                started_at=_at(_FIRST_MS + number * DAY_MS // 16),
                updated_at=_at(_UPDATED_MS),
            ),
            mark,
        )
        for number in range(first, first + count)
    ]


def steady(mark: str, numbers: Iterable[int], version: int) -> list[Any]:
    """A version of calls that stay where they are, so small that several pages make a segment."""
    return [
        _marked(
            {
                "type": "call",
                "id": f"steady {number}",
                "updated_at": _at(_UPDATED_MS + version),
                "started_at": _at(_FIRST_MS + number * DAY_MS // 16),
                "status": ("completed", "failed")[version % 2],
            },
            mark,
        )
        for number in numbers
    ]


def _marked(record: Any, mark: str) -> Any:
    if not isinstance(record, dict):
        return record
    marked = dict(record)
    if isinstance(marked.get("id"), str):
        marked["id"] = f"{mark}{marked['id']}"
    if marked.get("type") == "call" and "deleted" not in marked:
        marked["payload"] = {**marked.get("payload", {}), "mark": f"{mark} {SECRET}"}
    return marked


def _at(milliseconds: int) -> str:
    return written(moment(milliseconds))


def _call(id: str, random: Random, **fields: Any) -> dict[str, Any]:
    return {
        "type": "call",
        "id": id,
        "started_at": _at(_FIRST_MS + random.randrange(DAY_MS)),
        "status": random.choice(["completed", "failed"]),
        "outcome": f"outcome {random.randrange(1_000)}",
        "provider": f"provider {random.randrange(20)}",
        "duration_seconds": random.randrange(100),
        "space_token": f"space-{random.randrange(2)}",
    } | fields


def _day_edges(random: Random) -> Iterator[Any]:
    """The last millisecond of a day and the first of the next."""
    for number, milliseconds in enumerate((DAY_MS - 1, DAY_MS)):
        yield _call(
            f"edge {number}",
            random,
            started_at=_at(_FIRST_MS + milliseconds),
            updated_at=_at(_UPDATED_MS),
        )


def _spread(random: Random) -> Iterator[Any]:
    """Calls of two days in many pages, all with values of their own in the same rollups."""
    for number in range(8):
        started_at = _at(_FIRST_MS + number * DAY_MS // 4)
        yield _call(f"spread {number}", random, started_at=started_at, updated_at=_at(_UPDATED_MS))


def _one_instant(random: Random) -> Iterator[Any]:
    """Rows that only the hash of their ids tells apart."""
    for number in range(3):
        started_at = _at(_FIRST_MS + DAY_MS // 2)
        yield _call(f"instant {number}", random, started_at=started_at, updated_at=_at(_UPDATED_MS))


def _tie(random: Random) -> Iterator[Any]:
    """Two contents with one `updated_at`, and a deletion that must beat both."""
    tied = _call("tie", random, updated_at=_at(_UPDATED_MS))
    yield tied
    yield tied | {"outcome": "another"}
    if random.random() < 0.5:
        yield {"type": "call", "id": "tie", "deleted": True, "updated_at": _at(_UPDATED_MS)}


def _queued_then_started(random: Random) -> Iterator[Any]:
    """A call that is created, starts some seconds later, and is enriched after its end."""
    start = _FIRST_MS + random.randrange(2 * DAY_MS)
    for step, later in enumerate((0, 3_412, 3_412, 3_412)):
        yield _call(
            "queued", random, started_at=_at(start + later), updated_at=_at(_UPDATED_MS + step)
        )


def _round_trip(random: Random) -> Iterator[Any]:
    """A call that comes back to times that it has left, and may be deleted on the way."""
    for step in range(random.choice((4, 7))):
        updated_at = _at(_UPDATED_MS + step)
        if random.random() < 0.2:
            yield {"type": "call", "id": "round", "deleted": True, "updated_at": updated_at}
        else:
            time = _FIRST_MS + random.randrange(3) * DAY_MS // 2
            yield _call("round", random, started_at=_at(time), updated_at=updated_at)


def _merged(random: Random) -> Iterator[Any]:
    """Parts of a call in any order, some at equal times, beside documents and perhaps a deletion."""

    def part(later: int, **fields: Any) -> dict[str, Any]:
        updated_at = _at(_UPDATED_MS + later)
        return {"type": "call", "id": "merged", "updated_at": updated_at, "merge": True} | fields

    start = _FIRST_MS + random.randrange(DAY_MS)
    yield _call("merged", random, started_at=_at(start), updated_at=_at(_UPDATED_MS))
    yield part(random.randrange(3), started_at=_at(start + DAY_MS // 2), status="completed")
    yield part(random.randrange(4), duration_seconds=random.randrange(100), outcome="interested")
    yield part(random.randrange(4), outcome=random.choice(("callback", None)), provider=None)
    yield part(random.randrange(4), labels=["label-1"], started_at=_at(start + 3_412))
    if random.random() < 0.5:
        later = random.randrange(4)
        yield _call("merged", random, started_at=_at(start), updated_at=_at(_UPDATED_MS + later))
    if random.random() < 0.4:
        updated_at = _at(_UPDATED_MS + random.randrange(4))
        yield {"type": "call", "id": "merged", "deleted": True, "updated_at": updated_at}


def _restless(random: Random) -> Iterator[Any]:
    """A call with more times than a record may have."""
    for step in range(18):
        time = _FIRST_MS + step * DAY_MS // 9
        yield _call("restless", random, started_at=_at(time), updated_at=_at(_UPDATED_MS + step))


def _shifted(random: Random) -> Iterator[Any]:
    """Calls imported in the wrong time zone, and again in the right one."""
    for hours in (0, 7):
        for number in range(4):
            time = _FIRST_MS + number * DAY_MS // 8 + hours * 3_600_000
            yield _call(
                f"shifted {number}",
                random,
                started_at=_at(time),
                updated_at=_at(_UPDATED_MS + hours),
                outcome=f"outcome {number}",
                status="completed",
                provider="p",
                duration_seconds=7,
            )


def _without_version(random: Random) -> Iterator[Any]:
    """Versions that the server dates."""
    for outcome in ("early", "late"):
        yield _call("undated", random, started_at=_at(_FIRST_MS + 77), outcome=outcome)


def _deleted_first(random: Random) -> Iterator[Any]:
    """A deletion that beats what arrives after it, and one that does not."""
    for number, later in enumerate((1, -1)):
        updated = _UPDATED_MS + later
        yield _call(f"gone {number}", random, updated_at=_at(_UPDATED_MS))
        yield {"type": "call", "id": f"gone {number}", "deleted": True, "updated_at": _at(updated)}
    yield {"type": "lead", "id": "never seen", "deleted": True, "updated_at": _at(_UPDATED_MS)}


def _malformed(random: Random) -> Iterator[Any]:
    yield random.choice([None, {"type": "call"}, _call("bad", random, duration_seconds=-1)])


_SCENES = (
    _day_edges,
    _spread,
    _one_instant,
    _tie,
    _queued_then_started,
    _round_trip,
    _merged,
    _restless,
    _shifted,
    _without_version,
    _deleted_first,
    _malformed,
)
