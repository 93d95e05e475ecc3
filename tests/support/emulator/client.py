"""The methods of botocore's client over the emulator."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from rollcall.storage.guard import refuse_foreign_keys
from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.emulator.items import plain
from tests.support.emulator.refusals import Refusal


@functools.cache
def _model(operation: str) -> SimpleNamespace:
    """What the guard reads of botocore's model of an operation."""
    return SimpleNamespace(name=operation)


def _sending(operation: str) -> Callable[..., dict[str, Any]]:
    def method(self: MemoryClient, **asked: Any) -> dict[str, Any]:
        return self.request(operation, asked)

    return method


class MemoryClient:
    """A client without building, signing and parsing.

    Guarded as the product's client is, and its errors are botocore's. `around(operation, send)`
    runs every request, and may raise before or after it. Binary attributes are bytes.
    """

    def __init__(
        self,
        store: MemoryDynamoDb,
        around: Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]] | None = None,
    ) -> None:
        self.store = store
        self.around = around or (lambda _operation, send: send())
        self._tokens = itertools.count()

    batch_get_item = _sending("BatchGetItem")
    batch_write_item = _sending("BatchWriteItem")
    delete_item = _sending("DeleteItem")
    get_item = _sending("GetItem")
    put_item = _sending("PutItem")
    query = _sending("Query")
    scan = _sending("Scan")
    transact_write_items = _sending("TransactWriteItems")
    update_item = _sending("UpdateItem")

    def request(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Send one request, as often as `attempts` says, under one token if it is a transaction."""
        refuse_foreign_keys(asked, _model(operation))
        if operation == "TransactWriteItems":
            asked = {"ClientRequestToken": f"token-{next(self._tokens)}", **asked}
        return self.attempts(operation, asked)

    def attempts(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Send a request; raises ClientError when it is refused."""
        return self.around(operation, lambda: self.send(operation, asked))

    def send(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """One exchange with the store."""
        try:
            answer: dict[str, Any] = plain(self.store.answer(operation, asked))
        except Refusal as refusal:
            raise client_error(operation, 400, plain(refusal.answer)) from None
        return answer


def client_error(operation: str, status: int, answer: dict[str, Any]) -> ClientError:
    """The error that botocore makes of an answer."""
    members = {name: value for name, value in answer.items() if name not in ("__type", "message")}
    code = str(answer["__type"]).rpartition("#")[2]
    response = {
        "Error": {"Code": code, "Message": answer.get("message", "")},
        "ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": 0},
        **members,
    }
    return ClientError(response, operation)
