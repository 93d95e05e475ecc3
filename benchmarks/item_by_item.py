"""The naive way to answer a query that no rollup answers: read every call's item, and count.

Facts lie under their ids, so a range of time narrows nothing: DynamoDB reads, and charges for, every
item of the partition, whatever a filter would drop. The items are folded as they come, without
making records of them first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from benchmarks.compared import MAX_SENTIMENT_MILLI, MIN_SECONDS, OUTCOME
from rollcall.storage import keys


@dataclass(slots=True)
class Outcomes:
    """How often each outcome occurs, and what was read for it."""

    counts: Counter[str | None] = field(default_factory=Counter)
    items: int = 0
    units: float = 0.0


def outcomes(client: Any, table: str, org_id: str) -> Outcomes:
    """Outcomes of the calls for which the conditions of `compared.three_conditions` hold."""
    found = Outcomes()
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "#pk = :pk",
        "ExpressionAttributeNames": {"#pk": keys.PK},
        "ExpressionAttributeValues": {":pk": {"S": keys.fact(org_id, "call", "", 1).pk}},
        "ReturnConsumedCapacity": "TOTAL",
    }
    while True:
        answer = client.query(**request)
        found.items += answer["Count"]
        found.units += answer["ConsumedCapacity"]["CapacityUnits"]
        for item in answer["Items"]:
            record = item["record"]["M"]
            outcome = record["outcome"]["S"] if "outcome" in record else None
            if outcome == OUTCOME or _is_long_and_unhappy(record):
                found.counts[outcome] += 1
        if "LastEvaluatedKey" not in answer:
            return found
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _is_long_and_unhappy(record: dict[str, Any]) -> bool:
    seconds, sentiment = record.get("duration_seconds"), record.get("sentiment_milli")
    if seconds is None or sentiment is None:
        return False
    return int(seconds["N"]) >= MIN_SECONDS and int(sentiment["N"]) <= MAX_SENTIMENT_MILLI
