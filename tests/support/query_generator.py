"""Generated organisations with valid queries, searches and requests for values about them.

Everything is chosen by one `random.Random`, so that a seed repeats it. It imports nothing of
`rollcall`.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.support.query_bodies import (
    CHOICES,
    Context,
    add_range,
    bounds_of,
    conditions,
    query_body,
)
from tests.support.query_data import DAY_MS, PAYLOAD_KEYS, SCENES, dataset, moment
from tests.support.query_records import Content
from tests.support.query_values import CLOCK, DIMENSIONS
from tests.support.scenes import happens, some


@dataclass(frozen=True)
class Scenario:
    """Records in the order in which they are sent, each with `updated_at`; and what is asked.

    `now_ms` is when it is asked. `values` are pairs of a dimension and query parameters.
    `spill_bytes` is how much of an open breakdown is kept before it spills (None: as in life).
    """

    records: list[Content]
    now_ms: int
    queries: list[Content]
    searches: list[Content]
    values: list[tuple[str, dict[str, str]]]
    spill_bytes: int | None


def generate(random: Random, queries: int = 20) -> Scenario:
    """A dataset, and so many queries, half as many searches and a fifth as many for values."""
    scene = random.choice(SCENES)
    records = dataset(random, scene)
    now_ms = scene.edge_ms + random.choice([0, 0, 1, 2, 6, 7, 8, 28, 31, 365, -1]) * DAY_MS
    if happens(random, 60):
        now_ms = moment(random, scene)
    context = Context(scene, records, now_ms)
    return Scenario(
        records,
        now_ms,
        [query_body(random, context) for _ in range(queries)],
        [search_body(random, context) for _ in range(queries // 2)],
        [values_request(random, context) for _ in range(queries // 5)],
        random.randint(1, 200) if happens(random, 25) else None,
    )


def search_body(random: Random, context: Context) -> Content:
    body: Content = some(random, {"timezone": [*context.scene.zones, "UTC"]})
    like = context.like(random, "calls")
    if happens(random, 70):
        body["filters"] = conditions(random, "calls", like, body.get("timezone", "UTC"))
    add_range(random, context, body, like)
    body.pop("compare", None)
    body |= some(random, {"order": ["newest", "oldest"]})
    return body | some(random, {"limit": [1, 2, 3, 7, 50, 500]}, 70)


def values_request(random: Random, context: Context) -> tuple[str, dict[str, str]]:
    """A dimension that is no time bucket, and query parameters."""
    name = random.choice(["calls"] * 6 + ["leads", "tasks", "contact_events"])
    dimensions = [*DIMENSIONS[name], *CLOCK]
    if name in ("calls", "leads"):
        dimensions += [f"payload.{key}" for key in PAYLOAD_KEYS]
    dimension = random.choice(dimensions)
    asked = some(random, {"timezone": [*context.scene.zones, "UTC"]}, 50)
    if name != "calls" or happens(random, 30):
        asked["dataset"] = name
    if happens(random, 70):
        asked |= bounds_of(random, context, asked, context.like(random, name))
    asked |= some(random, {"limit": ["1", "2", "3", "200"]}, 40)
    texts = [each for each in CHOICES.get(dimension, []) if isinstance(each, str)]
    parts = [text[:2] for text in texts if text.isascii()]
    asked |= some(random, {"q": [*parts, "S", "upp", "n"]}, 40)
    return dimension, asked
