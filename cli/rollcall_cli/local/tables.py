"""Create the template's tables in an engine; existing ones are never altered or dropped."""

from __future__ import annotations

from typing import Any

from rollcall_cli.errors import CommandError
from rollcall_cli.local.template_model import Table, Template


def create_tables(client: Any, template: Template) -> None:
    """Create the missing tables and wait until all are active.

    `client` is a boto3 DynamoDB client. Existing tables are reused. Raises CommandError if the keys,
    indexes or stream of one differ from the template's.
    """
    existing = set()
    for page in client.get_paginator("list_tables").paginate():
        existing.update(page["TableNames"])
    for table in template.tables:
        if table.name in existing:
            _require_same_schema(client, table)
        else:
            client.create_table(**table.create_arguments)
    for table in template.tables:
        client.get_waiter("table_exists").wait(
            TableName=table.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )


def stream_arn(client: Any, table: Table) -> str:
    """The ARN of the table's stream, as the engine names it."""
    return str(client.describe_table(TableName=table.name)["Table"]["LatestStreamArn"])


def _require_same_schema(client: Any, table: Table) -> None:
    actual = client.describe_table(TableName=table.name)["Table"]
    declared = table.create_arguments

    def index_names(description: dict[str, Any]) -> set[str]:
        return {index["IndexName"] for index in description.get("GlobalSecondaryIndexes", [])}

    has_same_keys = actual["KeySchema"] == declared["KeySchema"]
    has_same_indexes = index_names(actual) == index_names(declared)
    has_same_stream = not table.has_stream or (
        actual.get("StreamSpecification", {}).get("StreamViewType")
        == declared["StreamSpecification"]["StreamViewType"]
    )
    if not (has_same_keys and has_same_indexes and has_same_stream):
        raise CommandError(
            f"the table {table.name} exists, but its keys, indexes or stream differ from"
            " template.yaml; use another engine or remove the table"
        )
