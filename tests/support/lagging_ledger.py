"""A ledger that grows while it is read, from replicas that lag behind each on its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from rollcall.domain.records import Contact
from rollcall.domain.time.calendar import LAST_MS
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.tree import split
from rollcall.storage import keys

TARGET_BYTES = 120
ORG, EPOCH, TYPE = "org", 0, "contact"

times = st.one_of(
    st.sampled_from([0, 1, 86_399_999, 86_400_000, LAST_MS]),
    st.integers(0, 40),
    st.integers(0, 5 * 86_400_000),
    st.integers(1_700_000_000_000, 1_700_000_000_000 + 86_400_000 * 3),
)


def row(number: int, time_ms: int) -> Row:
    return Row(f"id-{number}", 1, time_ms, Contact("w", time_ms))


class History:
    """A ledger's tree after every write: start → (end, rows)."""

    def __init__(self, writes: list[list[int]]) -> None:
        self.rows: list[list[Row]] = []
        self.states: list[dict[str, tuple[str, Rows]]] = [{}]
        tree: dict[str, tuple[str, Rows]] = {}
        number = 0
        for write in writes:
            tree = dict(tree) or {FIRST: (END, Rows.empty(TYPE))}
            added = [row(number + i, time) for i, time in enumerate(write)]
            number += len(added)
            for start, (end, rows) in list(tree.items()):
                here = [r for r in added if start <= r.position < end]
                if here:
                    for page in split(start, end, rows.with_rows({}, here), TARGET_BYTES):
                        tree[page.start] = (page.end, page.rows)
            self.states.append(tree)
            self.rows.append(added)


class LaggingClient:
    """Answers queries from a tree that grows meanwhile; each item may lag behind on its own."""

    def __init__(self, history: History, draw: np.random.Generator, items_a_query: int) -> None:
        self.history = history
        self.draw = draw
        self.items_a_query = items_a_query
        self.newest = int(draw.integers(0, len(history.states)))
        self.first = self.newest  # every answer is at least as new as this

    def query(self, **request: Any) -> dict[str, Any]:
        states = self.history.states
        self.newest = min(len(states) - 1, self.newest + int(self.draw.integers(0, 2)))
        values = request["ExpressionAttributeValues"]
        assert values[":pk"]["S"] == keys.ledger(ORG, EPOCH, TYPE)
        if ":position" in values:
            low, high = "", values[":position"]["S"]
        else:
            low, high = values[":first"]["S"], values[":last"]["S"]
        found = []
        for start in states[self.newest]:
            if low <= start <= high:
                oldest = self.newest if request.get("ConsistentRead") else self.first
                seen = states[int(self.draw.integers(oldest, self.newest + 1))]
                if start in seen:
                    found.append((start, *seen[start]))
        found.sort(key=lambda page: page[0], reverse=not request.get("ScanIndexForward", True))
        limit = min(request.get("Limit", self.items_a_query), self.items_a_query)
        answer: dict[str, Any] = {
            "Items": [self.item(*page) for page in found[:limit]],
            "ConsumedCapacity": {"CapacityUnits": 0.5},
        }
        if len(found) > limit:
            answer["LastEvaluatedKey"] = {}
        return answer

    @staticmethod
    def item(start: str, end: str, rows: Rows) -> dict[str, Any]:
        return {
            "start": {"S": start},
            "end": {"S": end},
            "v": {"N": "1"},
            "applied_at": {"N": "7"},
            "data": {"B": rows.encode()},
        }
