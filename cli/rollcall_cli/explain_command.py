"""`rollcall explain`: where the answer to a query is read from, and why."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from rollcall.dialects.rollcall.queries.request import parse_query
from rollcall.domain.errors import RefusedQuery
from rollcall.query.explaining import explained
from rollcall.query.group_planner import plan_aggregation
from rollcall_cli.console import AsJson, print_result
from rollcall_cli.errors import RefusedRequest
from rollcall_cli.querying.answers import body_in


def explain(
    file: Annotated[str, typer.Argument(help="JSON body of a query; - is stdin.")],
    as_json: AsJson = False,
) -> None:
    """Explain what a query reads from rollups, what from pages, and why.

    Reads and sends nothing, so it needs neither a token nor an API. A comparison has a plan of its
    own. A query that runs reads days whose rollups lack a value from pages.
    """
    body = body_in(file, "explain")
    if isinstance(body, dict):
        body.pop("cursor", None)  # it belongs to an organisation, and does not change the plan
    try:
        query = parse_query(body, "", time.time_ns() // 1_000_000).query
    except RefusedQuery as error:
        raise RefusedRequest([(each.pointer, each.message) for each in error.faults]) from error
    periods = {"period": query.bounds.period}
    if query.previous is not None:
        periods["previous_period"] = query.previous
    plans = {}
    for name, period in periods.items():
        aggregation = query.aggregation(period, query.dimensions)
        plans[name] = explained(aggregation, plan_aggregation(aggregation))
    lines = [f"{name}\n  " + "\n  ".join(plan) for name, plan in plans.items()]
    print_result(plans, lines, as_json=as_json)
