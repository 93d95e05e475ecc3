"""Unpod's dialect, as tests know it; the organisation of a query has the handle in `Org-Handle`."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from tests.support.dialect import Dialect
from tests.support.oracle import Oracle
from tests.support.scenes import Query, Scene


def _generate(random: Random, _scene: Scene) -> Query:
    tokens = random.choice([[], ["s"], ["6"], ["unknown"]])
    query = {"space_token": tokens} if tokens else {}
    return Query("get_organisation_analytics", query=query)


def _answer(oracle: Oracle, query: Query) -> tuple[int, Any]:
    data = oracle.unpod(*query.query.get("space_token", []))
    if data is None:
        return 404, None
    data["avg_duration_seconds"] = Decimal(repr(data["avg_duration_seconds"]))
    return 200, {"status_code": 200, "message": "Analytics fetched successfully", "data": data}


DIALECT = Dialect(
    {"get_organisation_analytics": "/api/v2/platform/organisation/analytics"},
    error_key="message",
    share=1,
    generate=_generate,
    answer=_answer,
    is_lifetime=True,
    status_key="status_code",
)
