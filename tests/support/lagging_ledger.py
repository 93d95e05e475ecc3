"""A ledger that is written and merged while it is read, from replicas that each lag behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from hypothesis import strategies as st

from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.records import Contact
from rollcall.domain.time.calendar import LAST_MS
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.segments import encode
from rollcall.ledger.tree import split
from rollcall.storage import keys
from rollcall.storage.segment_items import identities_item, values_item

TARGET_BYTES = 120
EPOCH, TYPE = Epoch("org", 0), "contact"
BUCKET = Bucket(EPOCH)
LEDGER = keys.ledger(BUCKET, TYPE)

times = st.one_of(
    st.sampled_from([0, 1, 86_399_999, 86_400_000, LAST_MS]),
    st.integers(0, 40),
    st.integers(0, 5 * 86_400_000),
    st.integers(1_700_000_000_000, 1_700_000_000_000 + 86_400_000 * 3),
)


def row(number: int, time_ms: int) -> Row:
    return Row(f"id-{number}", 1, time_ms, Contact("w", time_ms))


class Merge(NamedTuple):
    """A write that merges up to `most` neighbouring pages into a segment."""

    first: int
    most: int


writes = st.one_of(
    st.lists(times, min_size=1, max_size=20), st.builds(Merge, st.integers(0, 9), st.integers(2, 9))
)


class Stored(NamedTuple):
    """What is stored at a start: a page, or a segment."""

    end: str
    rows: Rows
    version: int
    is_segment: bool


Tree: TypeAlias = dict[str, Stored]


class History:
    """A ledger's tree after every write."""

    def __init__(self, writes: Sequence[list[int] | Merge]) -> None:
        self.rows: list[list[Row]] = []
        self.states: list[Tree] = [{}]
        number = 0
        for write in writes:
            tree = dict(self.states[-1])
            added: list[Row] = []
            if isinstance(write, Merge):
                merge(tree, write)
            else:
                added = [row(number + i, time) for i, time in enumerate(write)]
                add(tree, added)
            number += len(added)
            self.states.append(tree)
            self.rows.append(added)


def add(tree: Tree, added: list[Row]) -> None:
    if not tree:
        tree[FIRST] = Stored(END, Rows.empty(TYPE), 0, False)
    for start, (end, rows, version, _) in list(tree.items()):
        here = [r for r in added if start <= r.position < end]
        if here:
            for page in split(start, end, rows.with_rows({}, here), TARGET_BYTES):
                tree[page.start] = Stored(page.end, page.rows, version + 1, False)


def merge(tree: Tree, write: Merge) -> None:
    starts = sorted(start for start, stored in tree.items() if stored.end != END)
    run = starts[write.first % max(1, len(starts)) :][: write.most]
    if len(run) < 2:
        return
    merged = [tree.pop(start) for start in run]
    rows = Rows.empty(TYPE).with_rows({}, [row for stored in merged for row in stored.rows])
    version = max(stored.version for stored in merged) + 1
    tree[run[0]] = Stored(merged[-1].end, rows, version, True)


class LaggingClient:
    """Answers queries from a tree that changes meanwhile; each item may lag behind on its own."""

    def __init__(self, history: History, draw: np.random.Generator, items_a_query: int) -> None:
        self.history = history
        self.draw = draw
        self.items_a_query = items_a_query
        self.newest = int(draw.integers(0, len(history.states)))
        self.first = self.newest  # every answer is at least as new as this

    def query(self, **request: Any) -> dict[str, Any]:
        states = self.history.states
        self._write()
        values = request["ExpressionAttributeValues"]
        assert values[":pk"]["S"] == LEDGER
        if ":position" in values:
            low, high = "", values[":position"]["S"]
        else:
            low, high = values[":first"]["S"], values[":last"]["S"]
        found = []
        oldest = self.newest if request.get("ConsistentRead") else self.first
        for start in {start for state in states[oldest : self.newest + 1] for start in state}:
            if low <= start <= high:
                seen = states[int(self.draw.integers(oldest, self.newest + 1))]
                if start in seen:
                    found.append((start, seen[start]))
        found.sort(key=lambda page: page[0], reverse=not request.get("ScanIndexForward", True))
        limit = min(request.get("Limit", self.items_a_query), self.items_a_query)
        names = self._projected(request)
        answer: dict[str, Any] = {
            "Items": [
                {k: v for k, v in item(*page).items() if names is None or k in names}
                for page in found[:limit]
            ],
            "ConsumedCapacity": {"CapacityUnits": 0.5},
        }
        if len(found) > limit:
            answer["LastEvaluatedKey"] = {}
        return answer

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """The identities of segments, as they are now, or each as it was since the first read."""
        ((table, asked),) = request["RequestItems"].items()
        self._write()
        oldest = self.newest if asked["ConsistentRead"] else self.first
        found = []
        for key in asked["Keys"]:
            assert key["PK"]["S"] == keys.identities(LEDGER)
            seen = self.history.states[int(self.draw.integers(oldest, self.newest + 1))]
            start = key["SK"]["S"]
            if (stored := seen.get(start)) is not None and stored.is_segment:
                segment = encode(start, stored.end, stored.rows)
                found.append(identities_item(BUCKET, TYPE, segment, stored.version))
        return {"Responses": {table: found}}

    def _write(self) -> None:
        """Another write may happen before a read."""
        self.newest = min(len(self.history.states) - 1, self.newest + int(self.draw.integers(0, 2)))

    @staticmethod
    def _projected(request: dict[str, Any]) -> set[str] | None:
        if "ProjectionExpression" not in request:
            return None
        names = request["ExpressionAttributeNames"]
        return {names[alias] for alias in request["ProjectionExpression"].split(", ")}


def item(start: str, stored: Stored) -> dict[str, Any]:
    """The item at a start: a page, or the values of a segment."""
    if stored.is_segment:
        segment = encode(start, stored.end, stored.rows)
        return values_item(BUCKET, TYPE, segment, stored.version, 7)
    return {
        "PK": {"S": LEDGER},
        "SK": {"S": start},
        "start": {"S": start},
        "end": {"S": stored.end},
        "v": {"N": str(stored.version)},
        "applied_at": {"N": "7"},
        "data": {"B": stored.rows.encode()},
    }
