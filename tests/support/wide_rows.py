"""Calls with many payload keys and labels, of which some are their own and some are shared."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

from rollcall.domain.records import RECORD_TYPES
from rollcall.ledger.page import Row

UNUSUAL: list[Any] = [
    *(
        "",
        "null",
        "true",
        "s",
        "n1",
        "\x1f",
        "\x00",
        "a\x1fb",
        "é",
        "😀",
        "\uffff",
        "1",
        "payload.",
    ),
    *(None, True, False, Decimal(0), Decimal("1E+2"), Decimal("-0.1"), Decimal(10) ** 37),
]
KEYS = ["plan", "payload", "a.b", "a", "-", "_", "payload.plan", "x" * 64]


def wide_call(number: int, payload: dict[str, Any], labels: set[str], rev: int = 1) -> Row:
    """A call with this payload and these labels."""
    record = RECORD_TYPES["call"].cls(
        started_at_ms=1_000 + number // 3,
        status="completed",
        answered=True,
        attempt=1,
        labels=tuple(sorted(labels)),
        payload=payload,
    )
    return Row(f"c{number}", rev, record.started_at_ms, record)


def own_keys(number: int, count: int = 32) -> dict[str, str]:
    """A payload of keys that no other call has."""
    return {f"own.{number}.{key}": f"value {number * key}" for key in range(count)}


@st.composite
def wide_calls(draw: st.DrawFn, most: int = 40, first_rev: int = 1) -> list[Row]:
    """Calls, some of them tombstones, of up to hundreds of payload keys and labels."""
    numbers = draw(st.lists(st.integers(0, 60), max_size=most, unique=True))
    own = draw(st.sampled_from([0, 0, 1, 12]))
    common = draw(st.lists(st.sampled_from(KEYS), unique=True))
    # One draw: one per value would take hypothesis minutes.
    random = Random(draw(st.integers(0, 2**32)))
    rows = []
    for number in numbers:
        payload = own_keys(number, own)
        payload |= {key: random.choice(UNUSUAL) for key in common if random.random() < 0.6}
        labels = {f"label {number} {n}" for n in range(own)}
        labels |= {f"l{random.randrange(5)}" for _ in range(random.randrange(4))}
        row = wide_call(number, payload, labels, first_rev + random.randrange(3))
        rows.append(
            Row(row.id, row.rev, row.time_ms, row.record if random.random() < 0.9 else None)
        )
    return rows
