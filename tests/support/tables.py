"""The raw items of a table on an engine."""

from __future__ import annotations

import itertools
from typing import Any

import boto3

from rollcall.storage import keys
from tests.support.drift import Item


class Tables:
    """The raw items of one organisation on an engine; see `tests.support.drift.Items`."""

    def __init__(self, url: str, org_id: str) -> None:
        self._client = boto3.client(
            "dynamodb",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        self._prefix = keys.org_prefix(org_id)

    def all(self, table: str) -> list[Item]:
        pages = self._client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        items = itertools.chain.from_iterable(page["Items"] for page in pages)
        return [item for item in items if item["PK"]["S"].startswith(self._prefix)]

    def put(self, table: str, item: Item) -> None:
        self._client.put_item(TableName=table, Item=item)

    def delete(self, table: str, item: Item) -> None:
        key = {name: item[name] for name in ("PK", "SK")}
        self._client.delete_item(TableName=table, Key=key)


def scan(client: Any, table: str) -> list[dict[str, Any]]:
    """All items, by a client of our own: the product's refuses a Scan."""
    own = boto3.client(
        "dynamodb",
        endpoint_url=client.meta.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    items: list[dict[str, Any]] = []
    for page in own.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        items += page["Items"]
    return items
