"""Each condition holds for what it asserts, and for nothing else, on every engine."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rollcall.domain.organisations import tenant
from rollcall.storage import conditions, keys
from rollcall.storage.attributes import Item

pytestmark = pytest.mark.engine

TABLE = "rollcall-records"
STATES: dict[str, Item | None] = {
    "absent": None,
    "empty": {},
    "version 4": {"v": {"N": "4"}},
    "version 5": {"v": {"N": "5"}},
    "a text": {"run_id": {"S": "4"}},
    "another text": {"run_id": {"S": "5"}},
}
EXISTS = {
    "ConditionExpression": conditions.ITEM_EXISTS,
    "ExpressionAttributeNames": {"#pk": keys.PK},
}
ASSERTED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "ITEM_EXISTS": (EXISTS, set(STATES) - {"absent"}),
    "item_absent": (conditions.item_absent(), {"absent"}),
    "attribute_equals": (conditions.attribute_equals("v", {"N": "4"}), {"version 4"}),
    "number_unchanged": (conditions.number_unchanged("v", 5), {"version 5"}),
    "number_unchanged from none": (conditions.number_unchanged("v", None), {"absent"}),
    "version_unchanged": (conditions.version_unchanged(4), {"version 4"}),
    "version_unchanged from none": (conditions.version_unchanged(0), {"absent"}),
    "text_unchanged": (conditions.text_unchanged("run_id", "4"), {"a text"}),
    "text_unchanged from none": (conditions.text_unchanged("run_id", None), {"absent"}),
}


def is_written(client: Any, item: Item, condition: dict[str, Any]) -> bool:
    try:
        client.put_item(TableName=TABLE, Item=item, **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


@pytest.mark.parametrize("condition", ASSERTED)
def test_a_condition_holds_for_what_it_asserts(client: Any, condition: str) -> None:
    expression, states = ASSERTED[condition]
    held = set()
    for name, state in STATES.items():
        org_id = str(uuid.uuid4())
        key = keys.organisation(org_id).attributes()
        with tenant(org_id):
            if state is not None:
                client.put_item(TableName=TABLE, Item=key | state)
            if is_written(client, key | {"v": {"N": "9"}}, expression):
                held.add(name)
    assert held == states
