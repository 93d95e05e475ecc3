"""Planted faults in the reading of figures: the comparison with brute force must find each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from rollcall.dialects.breeze import query_types, request
from rollcall.domain.time.periods import Period, Plan, plan
from rollcall.query import coding, group_planner, masks, values
from rollcall.query import filtering as selecting
from rollcall.query.datasets import LEADS
from rollcall.query.filtering import PageRead, RowFilter
from rollcall.query.grouping import GroupedRows
from rollcall.query.values import offsets_ms
from rollcall.storage import rollups
from tests.long_run import NOW_MS
from tests.support.agreement import Disagreement, check, organisation_of
from tests.support.answering import deployed
from tests.support.emulator.reads import Reads
from tests.support.queries_of_dialects import scenario

pytestmark = pytest.mark.property


SCENARIOS = 60


def without_edges(period: Period) -> Plan:
    return plan(period)._replace(edges=())


def without_the_last_day(period: Period) -> Plan:
    found = plan(period)
    return found._replace(days=found.days[:-1])


def end_included(self: RowFilter, read: PageRead) -> Any:
    clip = Period(read.clip.start_ms, read.clip.end_ms + 1)
    return select(self, read._replace(clip=clip))


def one_offset(zone: Any, instants_ms: Any) -> Any:
    return offsets_ms(zone, instants_ms[:1])


@contextmanager
def everywhere(name: str, fault: Any, *modules: Any) -> Iterator[None]:
    with ExitStack() as stack:
        for module in modules:
            stack.enter_context(patch.object(module, name, fault))
        yield


def cut_off(part: int, whole: int) -> float:
    return 10_000 * part // whole / 100 if whole else 0.0


def null_where_missing(comparison: Any, zone: Any) -> Any:
    holds, name = compared(comparison, zone), comparison.field.column
    if "null" not in comparison.values:
        return holds
    return lambda columns: holds(columns) | (columns.texts(name)[0] == 0)


def leads_added_up(grouped: GroupedRows) -> Any:
    cell = whole(grouped)
    if LEADS in cell._values:
        counted = [grouped.cell(index).values(LEADS).distinct for index in range(len(grouped))]
        codes = np.arange(sum(counted))
        cell._values[LEADS] = np.stack((codes, np.ones_like(codes)))
    return cell


def first_answer_only(reads: Reads, asked: dict[str, Any]) -> dict[str, Any]:
    answer = answer_to_query(reads, asked)
    if "#ROLLUP#" in asked["ExpressionAttributeValues"][":pk"]["S"]:
        answer.pop("LastEvaluatedKey", None)
    return answer


compared, select, whole = masks._compared, RowFilter.select, GroupedRows.whole
answer_to_query = Reads.query
stored_rollup = rollups.stored_rollup
payload_text = request.payload_text

FAULTS: dict[str, Callable[[], Any]] = {
    "partial days forgotten": lambda: patch.object(group_planner, "plan", without_edges),
    "last whole day forgotten": lambda: patch.object(group_planner, "plan", without_the_last_day),
    "end of a period included": lambda: patch.object(RowFilter, "select", end_included),
    "tombstones counted": lambda: patch.object(selecting, "TOMBSTONE", "no such column"),
    "clock changes ignored": lambda: everywhere("offsets_ms", one_offset, coding, values),
    "rounded down": lambda: patch.object(query_types, "percentage", cut_off),
    "missing equals null": lambda: patch.object(masks, "_compared", null_where_missing),
    "numbers compared with strings": lambda: patch.object(
        request, "payload_text", lambda value: payload_text(value).replace("n", "s", 1)
    ),
    "leads added up": lambda: patch.object(GroupedRows, "whole", leads_added_up),
    "spilled breakdowns cut short": lambda: patch.object(
        rollups,
        "stored_rollup",
        lambda key, item: replace(stored_rollup(key, item), spilled=frozenset()),
    ),
    "first answer of a query only": lambda: patch.object(Reads, "query", first_answer_only),
}


@pytest.mark.slow
def test_planted_faults_are_found() -> None:
    undetected = dict(FAULTS)
    with deployed(NOW_MS) as deployment:
        for number in range(SCENARIOS):
            if not undetected:
                break
            asked = scenario(Random(f"4/{number}"), queries=30)
            deployment.now_ms = NOW_MS
            oracle, org_id = organisation_of(deployment, asked)
            for query in asked.queries:  # without a fault they agree
                check(deployment, org_id, oracle, query)
            for name, fault in list(undetected.items()):
                with fault():
                    try:
                        for query in asked.queries:
                            check(deployment, org_id, oracle, query)
                    except Disagreement:
                        del undetected[name]
    assert not undetected, sorted(undetected)
