"""Ten queries and a search, each with the SQL that asks PostgreSQL and DuckDB the same.

All answers are turned into rows of texts, which must be equal and in the same order; `stores.py`
compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.asking import Query
from benchmarks.year import MERCHANTS, RARE_OUTCOME, TEMPLATES

Rows = list[list[str]]

MIN_SECONDS: Final = 120
MAX_SENTIMENT_MILLI: Final = 400
OUTCOME: Final = "complaint"
TEMPLATE: Final = TEMPLATES[7]
MERCHANT: Final = MERCHANTS[3]
_SHOWN: Final = 50


@dataclass(frozen=True)
class Compared:
    """A query, the SQL that asks the same, and the rows that the answers have in common."""

    query: Query
    sql: str
    rows: Callable[[Any], Rows]

    @property
    def name(self) -> str:
        return self.query.name


def compared_queries() -> Iterator[Compared]:
    """Ten queries and a search."""
    yield _outcomes_by_day()
    yield _hours_by_weekday()
    yield _percentile_by_provider()
    yield _leads_by_campaign()
    yield three_conditions()
    yield _two_months()
    yield _payload_percentiles()
    yield _top_merchants()
    yield _filtered_quarter()
    yield four_weeks()
    yield _search()


def three_conditions() -> Compared:
    """Outcomes of the calls for which a condition with `any` holds."""
    unhappy = [
        {"field": "duration_seconds", "op": "gte", "value": MIN_SECONDS},
        {"field": "sentiment", "op": "lte", "value": MAX_SENTIMENT_MILLI / 1000},
    ]
    complained = {"field": "outcome", "op": "eq", "value": OUTCOME}
    return _query(
        "outcomes, three conditions with `any`",
        {
            "measures": ["calls"],
            "dimensions": ["outcome"],
            "filters": [{"any": [{"all": unhappy}, complained]}],
        },
        f"""
        SELECT outcome, count(*) AS calls FROM calls
        WHERE duration_seconds >= {MIN_SECONDS} AND sentiment_milli <= {MAX_SENTIMENT_MILLI}
           OR outcome = '{OUTCOME}'
        GROUP BY 1 ORDER BY calls DESC, outcome
        """,  # noqa: S608 - our own texts
    )


def four_weeks() -> Compared:
    """Eight measures, a percentile among them, over 28 days of UTC."""
    return _query(
        "eight measures of 28 days",
        {
            "measures": [
                "calls",
                "answered",
                "completed",
                "success_rate",
                "talk_seconds",
                "avg_duration",
                "p95_duration",
                "cost",
            ],
            "from": "2026-10-24",
            "to": "2026-11-20",
        },
        """
        SELECT count(*), count(*) FILTER (WHERE answered),
            count(*) FILTER (WHERE status = 'completed'),
            round(100.0 * count(*) FILTER (WHERE disposition = 'successful') / count(*), 2),
            sum(duration_seconds), round(avg(duration_seconds), 2),
            percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_seconds),
            sum(cost_micros) / 1e6
        FROM calls WHERE started_at >= '2026-10-24' AND started_at < '2026-11-21'
        """,
    )


def _outcomes_by_day() -> Compared:
    return _query(
        "by outcome and day, 365 days",
        {
            "measures": ["calls"],
            "dimensions": ["day", "outcome"],
            "from": "2025-11-21",
            "to": "2026-11-20",
            "limit": 10_000,
        },
        """
        SELECT started_at::date, outcome, count(*) FROM calls
        WHERE started_at >= '2025-11-21' AND started_at < '2026-11-21'
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
    )


def _hours_by_weekday() -> Compared:
    return _query(
        "by hour and weekday of Europe/Berlin",
        {
            "measures": ["calls", "answer_rate"],
            "dimensions": ["day_of_week", "hour_of_day"],
            "timezone": "Europe/Berlin",
            "order": [{"by": "day_of_week", "direction": "asc"}],
        },
        """
        SELECT extract(isodow FROM started_at AT TIME ZONE 'Europe/Berlin') AS weekday,
            extract(hour FROM started_at AT TIME ZONE 'Europe/Berlin') AS hour,
            count(*), round(100.0 * count(*) FILTER (WHERE answered) / count(*), 2)
        FROM calls GROUP BY 1, 2 ORDER BY 1, 2
        """,
    )


def _percentile_by_provider() -> Compared:
    return _query(
        "p95 of the duration by provider",
        {"measures": ["calls", "p95_duration"], "dimensions": ["provider"]},
        """
        SELECT provider, count(*) AS calls,
            percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_seconds)
        FROM calls GROUP BY 1 ORDER BY calls DESC, provider
        """,
    )


def _leads_by_campaign() -> Compared:
    return _query(
        "distinct leads by campaign",
        {"measures": ["distinct_leads", "calls"], "dimensions": ["campaign_id"]},
        # Twice as fast as count(DISTINCT lead_id).
        """
        SELECT campaign_id, count(lead_id) AS leads, sum(calls) FROM
            (SELECT campaign_id, lead_id, count(*) AS calls FROM calls GROUP BY 1, 2) AS pairs
        GROUP BY 1 ORDER BY leads DESC, campaign_id
        """,
    )


def _two_months() -> Compared:
    return _query(
        "October by day, with September",
        {
            "measures": ["calls", "cost"],
            "dimensions": ["day"],
            "from": "2026-10-01",
            "to": "2026-10-31",
            "compare": {"from": "2026-09-01", "to": "2026-09-30"},
        },
        """
        WITH days AS (
            SELECT started_at::date AS day, count(*) AS calls, sum(cost_micros) / 1e6 AS cost
            FROM calls WHERE started_at >= '2026-09-01' AND started_at < '2026-11-01' GROUP BY 1
        )
        SELECT shown.day::date, coalesce(now.calls, 0), coalesce(now.cost, 0),
            coalesce(before.calls, 0), coalesce(before.cost, 0)
        FROM generate_series(date '2026-10-01', date '2026-10-31', interval '1 day') AS shown(day)
            LEFT JOIN days AS now ON now.day = shown.day::date
            LEFT JOIN days AS before
                ON before.day = shown.day::date - 30 AND before.day < '2026-10-01'
        ORDER BY 1
        """,
    )


def _payload_percentiles() -> Compared:
    return _query(
        "p90 of a payload number by a payload text",
        {"measures": ["calls", "p90.payload.seats"], "dimensions": ["payload.plan"]},
        """
        SELECT payload->>'plan' AS plan, count(*) AS calls,
            percentile_disc(0.9) WITHIN GROUP (ORDER BY (payload->>'seats')::numeric)
        FROM calls GROUP BY 1 ORDER BY calls DESC, plan
        """,
    )


def _top_merchants() -> Compared:
    return _query(
        "top 50 merchants with `others`",
        {
            "measures": ["calls", "avg_duration"],
            "dimensions": ["merchant_id"],
            "limit": _SHOWN,
            "others": True,
        },
        f"""
        WITH sums AS (
            SELECT merchant_id, count(*) AS calls, count(duration_seconds) AS timed,
                sum(duration_seconds) AS seconds,
                row_number() OVER (ORDER BY count(*) DESC, merchant_id) AS place
            FROM calls GROUP BY 1
        )
        SELECT CASE WHEN place <= {_SHOWN} THEN merchant_id END, sum(calls),
            round(sum(seconds) / sum(timed), 2)
        FROM sums GROUP BY least(place, {_SHOWN + 1}), 1 ORDER BY least(place, {_SHOWN + 1})
        """,  # noqa: S608 - our own texts
    )


def _filtered_quarter() -> Compared:
    return _query(
        "totals of a quarter, one template and merchant",
        {
            "measures": ["calls", "answered", "success_rate", "avg_duration", "p95_duration"],
            "filters": [
                {"field": "template_id", "op": "eq", "value": TEMPLATE},
                {"field": "merchant_id", "op": "eq", "value": MERCHANT},
            ],
            "from": "2026-07-01",
            "to": "2026-09-30",
        },
        f"""
        SELECT count(*), count(*) FILTER (WHERE answered),
            round(100.0 * count(*) FILTER (WHERE disposition = 'successful') / count(*), 2),
            round(avg(duration_seconds), 2),
            percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_seconds)
        FROM calls
        WHERE template_id = '{TEMPLATE}' AND merchant_id = '{MERCHANT}'
            AND started_at >= '2026-07-01' AND started_at < '2026-10-01'
        """,  # noqa: S608 - our own texts
    )


def _search() -> Compared:
    only_rare = {"field": "outcome", "op": "eq", "value": RARE_OUTCOME}
    body = {"filters": [only_rare], "limit": _SHOWN}
    return Compared(
        Query("search: newest 50 of a rare outcome", "search_calls", body=body),
        f"""
        SELECT * FROM calls WHERE outcome = '{RARE_OUTCOME}'
        ORDER BY started_at DESC, id DESC LIMIT {_SHOWN}
        """,  # noqa: S608 - our own texts
        lambda answer: [[call["id"]] for call in answer["calls"]],
    )


def _query(name: str, body: dict[str, Any], sql: str) -> Compared:
    names = [*body.get("dimensions", []), *body["measures"]]

    def rows(answer: Any) -> Rows:
        found = []
        for row in answer["rows"]:
            cells = [row[each] for each in names]
            if "compare" in body:
                cells += [row["previous"][each] for each in body["measures"]]
            found.append(["" if cell is None else str(cell) for cell in cells])
        return found

    return Compared(Query(name, "query_records", body=body), sql, rows)
