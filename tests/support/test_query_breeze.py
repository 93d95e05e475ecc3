"""The query oracle and the Breeze oracle agree wherever both can be asked.

They were written apart from each other: one counts per query type, the other groups by anything.
"""

from decimal import Decimal
from random import Random
from typing import Any

from tests.support.dialect_breeze import breeze_body
from tests.support.oracle import Oracle
from tests.support.oracle_breeze import breeze
from tests.support.oracle_nlpearl import nlpearl
from tests.support.query_oracle import QueryOracle
from tests.support.scenes import SCENES, record

NOW = 1_795_867_200_000
SEEDS = range(25)
OWNERS = ("template_id", "merchant_id", "reseller_id")


def dataset(random: Any) -> Any:
    """One version of each record, in both oracles, and the scene that it plays in."""
    scene = random.choice(SCENES)
    made = [record(random, scene) for _ in range(60)]
    once = {(each["type"], str(each["id"])): {**each, "id": str(each["id"])} for each in made}
    records = [{"updated_at": "2024-04-01T00:00:00Z", **each} for each in once.values()]
    oracle = Oracle()
    assert oracle.post(records, NOW)[0] == 200
    return scene, records, oracle


def filters_of(filters: Any) -> Any:
    """Breeze's filters, without those of dates, as conditions."""
    conditions = [
        {"field": name, "op": "eq", "value": filters[name]} for name in OWNERS if name in filters
    ]
    for name, field, op in (
        ("min_duration", "duration_seconds", "gte"),
        ("max_duration", "duration_seconds", "lte"),
        ("sentiment_min", "sentiment", "gte"),
        ("sentiment_max", "sentiment", "lte"),
    ):
        if name in filters:
            conditions.append({"field": field, "op": op, "value": filters[name]})
    for key, value in filters.get("payload_filters", {}).items():
        conditions.append({"field": f"payload.{key}", "op": "eq", "value": value})
    return conditions


def query_of(body: Any) -> Any:
    """What both oracles are asked, but for measures and dimensions."""
    filters = body.get("filters", {})
    query = {"filters": filters_of(filters)}
    for name, bound in (("from", "date_from"), ("to", "date_to")):
        if bound in filters:
            query[name] = filters[bound]
    if "timezone" in body:
        query["timezone"] = body["timezone"]
    return query


def rows_as_breeze(oracle: Any, body: Any) -> Any:
    """Breeze's rows, put together from answers to queries."""
    query, query_type = query_of(body), body["query_type"]

    def asked(measures: Any, *dimensions: Any, **more: Any) -> Any:
        measured = {**query, "measures": measures.split(), "dimensions": list(dimensions), **more}
        return oracle.all_rows(measured, NOW)

    match query_type:
        case "call_count":
            return [{"count": row["calls"]} for row in asked("calls")]
        case "call_duration":
            names = "avg_duration min_duration max_duration talk_seconds timed"
            keys = ["avg", "min", "max", "total", "count"]
            return [dict(zip(keys, row.values(), strict=True)) for row in asked(names)]
        case "calls_over_time":
            granularity = body.get("granularity", "day")
            return [
                {"date": row[granularity], "count": row["calls"]}
                for row in asked("calls", granularity)
            ]
        case "hourly_heatmap":
            counts = {row["hour_of_day"]: row["calls"] for row in asked("calls", "hour_of_day")}
            return [{"hour": hour, "count": counts.get(hour, 0)} for hour in range(24)]
        case "status_distribution":
            rows = asked("leads", "status", dataset="leads")
            return {row["status"]: row["leads"] for row in rows}
        case "top_outcomes":
            rows = asked("calls", "outcome")
            return [(row["outcome"], row["calls"]) for row in rows if row["outcome"] is not None]
        case "sentiment_distribution":
            rows = asked("calls", "sentiment_band")
            return {row["sentiment_band"]: row["calls"] for row in rows}
    return None


def rows_of_breeze(body: Any, data: Any) -> Any:
    """Its rows in the form of the other oracle, where that has no zeros."""
    match body["query_type"]:
        case "status_distribution":
            return {row["status"]: row["count"] for row in data if row["count"]}
        case "top_outcomes":
            return [(row["outcome"], row["count"]) for row in data]
        case "sentiment_distribution":
            return {row["sentiment"]: row["count"] for row in data if row["count"]}
    return list(data)


def without_nulls(rows: Any) -> Any:
    return (
        {name: n for name, n in rows.items() if name is not None}
        if isinstance(rows, dict)
        else rows
    )


def can_be_asked(body: Any) -> Any:
    """Payload null is a value for Breeze and none here; values past the limits are no conditions."""
    filters = body.get("filters", {})
    values = filters.get("payload_filters", {})
    return all(
        value is not None and value not in (Decimal("1E+101"), "x" * 257) and " " not in key
        for key, value in values.items()
    )


def test_breeze() -> None:
    compared: dict[str, int] = {}
    for seed in SEEDS:
        random = Random(seed)
        scene, records, one = dataset(random)
        other = QueryOracle(records)
        for _ in range(40):
            body = {**breeze_body(random, scene), "page": 1, "page_size": 1_000}
            status, answer = breeze(one, body)
            if status != 200 or answer["total"] > 1_000 or not can_be_asked(body):
                continue
            if (found := rows_as_breeze(other, body)) is not None:
                compared[body["query_type"]] = compared.get(body["query_type"], 0) + 1
                assert without_nulls(found) == rows_of_breeze(body, answer["data"]), body
    assert len(compared) == 7
    assert min(compared.values()) >= 8


def test_nlpearl() -> None:
    compared = sum(reports_that_agree(Random(f"nlpearl/{seed}")) for seed in range(20))
    assert compared > 20


def reports_that_agree(random: Any) -> Any:
    """Compare reports of every campaign of a dataset; how many there were."""
    _, records, one = dataset(random)
    other, compared = QueryOracle(records), 0
    called = [each for each in records if "campaign_id" in each]
    for like in called:
        bounds = {"from": like["started_at"], "to": random.choice(called)["started_at"]}
        status, report = nlpearl(one, "pearl", str(like["campaign_id"]), bounds)
        if status != 200:
            continue
        compared += 1
        conditions = [{"field": "campaign_id", "op": "eq", "value": like["campaign_id"]}]
        query = {**bounds, "filters": conditions, "measures": ["calls", "event.sms_sent"]}
        found = other.answer(query, NOW)["totals"]
        assert found["event.sms_sent"] == report["callEventsCounts"]["smsSentCount"]
        cells = other.all_rows({**query, "dimensions": ["day_of_week", "hour_of_day"]}, NOW)
        assert {(r["day_of_week"] % 7, r["hour_of_day"]): r["calls"] for r in cells} == {
            (cell["dayOfWeek"], cell["hourOfDay"]): cell["count"]
            for cell in report["callsByHourDayOfWeeks"]
        }
    return compared
