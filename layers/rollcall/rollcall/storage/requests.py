"""Writes the bodies of requests, in place of botocore's serializer, which follows the service model.

The serializer looks up the kind of every value of every attribute. In the updater's transactions, that
takes most of botocore's time. The parameters of these operations have the names and the values of the
JSON that DynamoDB expects, and only binary values differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.serialize import JSONSerializer
from pybase64 import b64encode_as_string


class Serializer:
    """botocore's serializer of JSON, but for the bodies."""

    def __init__(self, serializer: JSONSerializer) -> None:
        self._serializer = serializer

    def serialize_to_request(
        self, parameters: Mapping[str, Any], operation_model: Any
    ) -> dict[str, Any]:
        """The method, path, headers and body of a request, as botocore's serializer has them."""
        request: dict[str, Any] = self._serializer.serialize_to_request({}, operation_model)
        body = json.dumps(parameters, default=_encoded, separators=(",", ":"))
        return request | {"body": body.encode()}


def use_serializer(client: Any) -> None:
    """Let a client of botocore serialize its requests with `Serializer`.

    A version of botocore that keeps its serializer elsewhere, or has another, goes on without.
    """
    serializer = getattr(client, "_serializer", None)
    if type(serializer) is JSONSerializer:
        client._serializer = Serializer(serializer)  # noqa: SLF001 - no event has the parameters and the body


def _encoded(data: object) -> str:
    """A binary value as it is in JSON; `json` asks for what it cannot write itself."""
    if not isinstance(data, bytes):
        raise TypeError(f"DynamoDB has no attribute for {type(data).__name__}")
    return b64encode_as_string(data)
