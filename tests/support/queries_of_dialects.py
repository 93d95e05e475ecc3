"""Generated datasets, and generated queries about them in every dialect."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests import support
from tests.support.dialect import Dialect
from tests.support.oracle import Oracle
from tests.support.scenes import (
    DAY_MS,
    END_MS,
    HOUR_MS,
    SCENES,
    SECOND_MS,
    TIMES,
    Content,
    Query,
    Scene,
    happens,
    record,
    time_of,
    written,
)

# Those with the larger share first.
DIALECTS: Sequence[Dialect] = sorted(
    (
        importlib.import_module(f"{support.__name__}.{found.name}").DIALECT
        for found in pkgutil.iter_modules(support.__path__)
        if found.name.startswith("dialect_")
    ),
    key=lambda dialect: -dialect.share,
)


def dialect_of(function: str) -> Dialect:
    """The dialect that a function answers in."""
    return next(dialect for dialect in DIALECTS if function in dialect.routes)


def expected(oracle: Oracle, query: Query) -> tuple[int, Any]:
    """The status of an answer, and what the oracle says of its body."""
    return dialect_of(query.function).answer(oracle, query)


def dialect_query(random: Random, scene: Scene) -> Query:
    """A query of one of the dialects, by their shares."""
    number = random.randint(0, sum(dialect.share for dialect in DIALECTS) - 1)
    for dialect in DIALECTS:
        if number < dialect.share:
            return dialect.generate(random, scene)
        number -= dialect.share
    raise AssertionError(number)


# ------------------------------------------------------------------ scenarios


@dataclass(frozen=True)
class Scenario:
    """A dataset and queries about it.

    `spill_bytes` is how much of a breakdown is kept before it is spilled (None: as in life).
    """

    records: list[Content]
    queries: Sequence[Query]
    spill_bytes: int | None = None


def scenario(random: Random, queries: int) -> Scenario:
    """Mostly small datasets; some many times as large, some whose breakdowns spill."""
    scene = random.choice(SCENES)
    records = [record(random, scene) for _ in range(random.randint(0, 40))]
    records = multiplied(random, records, random.choice([1] * 10 + [2, 3, 4, 5] * 2 + [20]))
    asked_of = replace(scene, records=[each for each in records if TIMES & each.keys()])
    return Scenario(
        records,
        [dialect_query(random, asked_of) for _ in range(queries)],
        random.randint(1, 200) if happens(random, 30) else None,
    )


def multiplied(random: Random, records: Sequence[Content], copies: int) -> list[Content]:
    """Every record `copies` times: under other ids, some at the same time and some near it."""
    spread = [0, 0, 1, -1, 999, SECOND_MS, 60_000, HOUR_MS // 4, HOUR_MS, DAY_MS, 3 * DAY_MS]
    bulk = list(records)
    for copy in range(1, copies):
        for each in records:
            moved: Content = {"id": f"{each['id']}~{copy}"}
            for name in TIMES & each.keys():
                shift = random.choice(spread) * random.randint(-9, 9)
                moved[name] = written(min(max(time_of(each) + shift, 0), END_MS - 1))
            bulk.append({**each, **moved})
    return bulk
