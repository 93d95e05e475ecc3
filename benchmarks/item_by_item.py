"""The naive way to answer a question that no rollup answers: read every call's item, and count.

Facts lie under their ids, so a range of time narrows nothing: DynamoDB reads, and charges for, every
item of the partition, whatever a filter would drop. The items are folded as they come, without
making records of them first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from rollcall.storage import keys


@dataclass(slots=True)
class Outcomes:
    """How often each outcome occurs ("N/A": none), and what was read for it."""

    counts: Counter[str] = field(default_factory=Counter)
    items: int = 0
    units: float = 0.0


def outcomes(
    client: Any, table: str, org_id: str, least_seconds: int, most_sentiment_milli: int
) -> Outcomes:
    """Outcomes of the calls that lasted so long at least, with at most such a sentiment."""
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
            seconds, sentiment = record.get("duration_seconds"), record.get("sentiment_milli")
            if seconds is None or sentiment is None:
                continue
            if int(seconds["N"]) >= least_seconds and int(sentiment["N"]) <= most_sentiment_milli:
                outcome = record.get("outcome")
                found.counts["N/A" if outcome is None else outcome["S"]] += 1
        if "LastEvaluatedKey" not in answer:
            return found
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
