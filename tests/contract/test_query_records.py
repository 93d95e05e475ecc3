"""POST /v1/query: what an answer reads, and answers to queries that are made to hurt."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.support.builders import call
from tests.support.stack import Organisation, Response, Stack

QUERY = "/v1/query"
DAYS = [f"2026-02-{day:02d}" for day in range(1, 29)]


@pytest.fixture(scope="module")
def org(stack: Stack) -> Organisation:
    """Three calls a day, for four weeks."""
    made = stack.new_organisation()
    records = [
        call(
            f"{day}/{number}",
            started_at=f"{day}T{8 * number:02d}:00:00Z",
            answered=number > 0,
            duration_seconds=60 * number,
            merchant_id=f"merchant-{number}",
        )
        for day in DAYS
        for number in range(3)
    ]
    assert made.post(records).status == 200
    stack.drain()
    return made


def query(org: Organisation, **body: Any) -> Response:
    return org.send("POST", QUERY, {"measures": ["calls"], **body})


def test_eight_measures_of_28_days_read_one_item_per_day(org: Organisation) -> None:
    """The closed measures and the open breakdowns are in one item, which all measures use."""
    answer = query(
        org,
        measures=[
            "calls",
            "answered",
            "answer_rate",
            "talk_seconds",
            "avg_duration",
            "p50_duration",
            "p95_duration",
            "max_duration",
        ],
        **{"from": DAYS[0], "to": DAYS[-1]},
    )
    assert list(answer.json["totals"].values()) == [
        84,
        56,
        Decimal("66.67"),
        5040,
        60,
        60,
        120,
        120,
    ]
    assert answer.header("X-Rollcall-Source") == "rollups"
    assert int(answer.header("X-Rollcall-Items-Read") or 0) == len(DAYS)


def of_one_merchant() -> dict[str, Any]:
    """A condition with 100 values, which holds for one merchant."""
    values = ["merchant-1", *(f"other-{n}" for n in range(99))]
    return {"field": "merchant_id", "op": "in", "value": values}


def nested(depth: int, count: int) -> dict[str, Any]:
    """`count` conditions, nested so deep, which hold for one merchant of three."""
    if depth == 1:
        return of_one_merchant()
    plain = [of_one_merchant() for _ in range(count - depth)]
    inner = nested(depth - 1, depth - 1)
    return {"all": [inner, *plain]} if depth % 2 else {"any": [inner, *plain]}


@pytest.mark.parametrize(("depth", "count", "status"), [(5, 50, 200), (6, 50, 422), (5, 51, 422)])
def test_the_largest_condition_is_answered(
    org: Organisation, depth: int, count: int, status: int
) -> None:
    answer = query(org, filters=[nested(depth, count)])
    assert answer.status == status
    if status == 200:
        assert answer.json["totals"] == {"calls": len(DAYS)}
    else:
        assert [each["pointer"].split("/")[1] for each in answer.json["errors"]] == ["filters"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("until", "status"), [("2037-05-29T15:59:59Z", 200), ("2037-05-29T16:00:00Z", 422)]
)
def test_100_000_rows_are_answered_and_one_more_is_refused(
    org: Organisation, until: str, status: int
) -> None:
    """Each hour of the range has a row."""
    answer = query(org, dimensions=["hour"], limit=10_000, **{"from": "2026-01-01", "to": until})
    assert answer.status == status
    if status == 422:
        assert "more than 100,000 rows" in answer.json["detail"]
        return
    assert (answer.json["total_rows"], len(answer.json["rows"])) == (100_000, 10_000)
    assert answer.json["totals"] == {"calls": 84}
    assert answer.json["next"] is not None


def test_payload_keys_that_nothing_has(org: Organisation) -> None:
    measures = [
        f"{of}.payload.no{n}" for n in range(4) for of in ("sum", "avg", "min", "p50", "p99")
    ]
    only = {"field": "payload.never", "op": "is_null"}
    answer = query(org, measures=measures, dimensions=["payload.nothing"], filters=[only])
    assert answer.status == 200
    (row,) = answer.json["rows"]
    assert row.pop("payload.nothing") is None
    assert row == {name: 0 if name.startswith("sum") else None for name in measures}
    assert answer.json["totals"] == row
