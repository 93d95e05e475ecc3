"""Nexus's dialect, as tests know it."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.support.dialect import Dialect
from tests.support.oracle import Oracle
from tests.support.oracle_nexus import nexus
from tests.support.scenes import DAY_MS, END_MS, WORKSPACES, Query, Scene, happens, moment


def _generate(random: Random, scene: Scene) -> Query:
    workspace_id = "unknown" if happens(random, 4) else str(random.choice(WORKSPACES))
    named = [each for each in scene.records if "workspace_id" in each]
    if named and happens(random, 70):
        workspace_id = str(random.choice(named)["workspace_id"])
    query = {"a": ["1"]} if happens(random, 4) else {}
    now_ms = moment(random, scene) + random.choice([0, 0, 1, 28, 29, 30]) * DAY_MS
    return Query(
        "get_workspace_analytics", workspace_id, query=query, now_ms=min(now_ms, END_MS - 1)
    )


def _answer(oracle: Oracle, query: Query) -> tuple[int, Any]:
    assert query.now_ms is not None
    return nexus(oracle, query.path_id or "", query.now_ms, has_query=bool(query.query))


DIALECT = Dialect(
    {"get_workspace_analytics": "/api/workspaces/{workspaceId}/analytics"},
    error_key="error",
    share=3,
    generate=_generate,
    answer=_answer,
    is_lifetime=True,
)
