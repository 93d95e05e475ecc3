"""PutItem, UpdateItem, DeleteItem, BatchWriteItem and TransactWriteItems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.support.emulator import capacity
from tests.support.emulator.expressions import condition, updated
from tests.support.emulator.items import Attributes, Item, key_of
from tests.support.emulator.limits import MAX_ITEM_BYTES, Limits
from tests.support.emulator.metering import Meter
from tests.support.emulator.refusals import InvalidUpdate, Refusal, refuse_others
from tests.support.emulator.tables import Tables

_TOKEN_MS = 600_000
_TOKENS = 1_000
_WRONG_TYPE = "An operand in the update expression has an incorrect data type"
_TOO_LARGE = "Item size to update has exceeded the maximum allowed size"

_KEYED = {"TableName", "Key"}
_CONDITIONAL = {
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
}
_KNOWN_PARAMETERS = {
    "Put": {"TableName", "Item"} | _CONDITIONAL,
    "Update": _KEYED | _CONDITIONAL | {"UpdateExpression"},
    "Delete": _KEYED | _CONDITIONAL,
    "ConditionCheck": _KEYED | _CONDITIONAL,
}

# The name of a write, such as Put, and its parameters.
_Action = tuple[str, dict[str, Any]]
_Reason = dict[str, Any]


class Writes:
    """Answers to writes to some tables, within limits, counted by a meter.

    `now_ms` is the clock by which a ClientRequestToken is remembered for ten minutes.
    """

    def __init__(
        self, tables: Tables, limits: Limits, meter: Meter, now_ms: Callable[[], int]
    ) -> None:
        self._tables = tables
        self._limits = limits
        self._meter = meter
        self._now_ms = now_ms
        self._tokens: dict[str, tuple[int, list[Any]]] = {}

    # -- one item ----------------------------------------------------------------------------
    def write_item(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        """PutItem, UpdateItem or DeleteItem, by the first part of its name."""
        refuse_others(asked, _KNOWN_PARAMETERS[name] | {"ReturnConsumedCapacity", "ReturnValues"})
        if asked.get("ReturnValues", "NONE") not in ("NONE", "ALL_OLD", "ALL_NEW"):
            raise NotImplementedError(asked["ReturnValues"])
        action = name, asked
        if reason := self._failed_condition(action):
            members = {n: v for n, v in reason.items() if n == "Item"}
            raise Refusal(
                "ConditionalCheckFailedException", "The conditional request failed", **members
            )
        before = self._stored(action)
        after = self._result(action)
        if after is not None and after.size > MAX_ITEM_BYTES:
            raise Refusal("ValidationException", _TOO_LARGE)
        self._make(action, after)
        returned = {"ALL_OLD": before, "ALL_NEW": after}.get(asked.get("ReturnValues", "NONE"))
        return {"Attributes": returned} if returned else {}

    # -- a batch -----------------------------------------------------------------------------
    def batch_write_item(self, asked: dict[str, Any]) -> dict[str, Any]:
        refuse_others(asked, {"RequestItems", "ReturnConsumedCapacity"})
        actions: list[_Action] = []
        for table, entries in asked["RequestItems"].items():
            for entry in entries:
                ((kind, request),) = entry.items()
                actions.append((kind.removesuffix("Request"), {"TableName": table, **request}))
        if not 1 <= len(actions) <= 25 or not _are_on_different_items(actions):
            raise Refusal("ValidationException", "1 to 25 requests, each on an item of its own")
        for action in actions:
            name, request = action
            if name not in ("Put", "Delete"):
                raise NotImplementedError(name)
            refuse_others(request, {"TableName", "Item", "Key"})
            result = self._result(action)
            if result is not None and result.size > MAX_ITEM_BYTES:
                raise Refusal("ValidationException", _TOO_LARGE)
            self._make(action, result)
        return {"UnprocessedItems": {}}

    # -- a transaction -----------------------------------------------------------------------
    def transact_write_items(self, asked: dict[str, Any]) -> dict[str, Any]:
        refuse_others(asked, {"TransactItems", "ClientRequestToken"})
        if self._was_made(asked):
            return {}
        actions: list[_Action] = [next(iter(item.items())) for item in asked["TransactItems"]]
        for name, request in actions:
            refuse_others(request, _KNOWN_PARAMETERS[name])
        most = self._limits.transaction_actions
        if not 1 <= len(actions) <= most or not _are_on_different_items(actions):
            raise Refusal("ValidationException", "too many actions, or two on one item")
        _cancel_if_any([self._failed_condition(action) for action in actions])
        # Computed before any is made, so that a transaction that is refused leaves nothing behind.
        outcomes = [self._outcome(action) for action in actions]
        _cancel_if_any([reason for _, reason in outcomes])
        results = [result for result, _ in outcomes]
        if sum(result.size for result in results if result) > self._limits.transaction_bytes:
            raise Refusal("ValidationException", "the transaction is too large")
        for action, result in zip(actions, results, strict=True):
            if action[0] != "ConditionCheck":
                self._make(action, result, is_transaction=True)
        if token := asked.get("ClientRequestToken"):
            self._tokens[token] = (self._now_ms() + _TOKEN_MS, asked["TransactItems"])
            if len(self._tokens) > _TOKENS:
                del self._tokens[next(iter(self._tokens))]
        return {}

    def _was_made(self, asked: dict[str, Any]) -> bool:
        """Whether a transaction is the repetition of one that was made in the last ten minutes."""
        until_ms, items = self._tokens.get(asked.get("ClientRequestToken", ""), (0, []))
        if until_ms <= self._now_ms():
            return False
        if items != asked["TransactItems"]:
            raise Refusal("IdempotentParameterMismatchException", "another request had that token")
        return True

    def _outcome(self, action: _Action) -> tuple[Item | None, _Reason | None]:
        """The item that a write leaves, and why it fails if it does."""
        try:
            result = self._result(action)
        except InvalidUpdate:
            return None, {"Code": "ValidationError", "Message": _WRONG_TYPE}
        if result is not None and result.size > MAX_ITEM_BYTES:
            return None, {"Code": "ValidationError", "Message": _TOO_LARGE}
        return result, None

    # -- what all writes share ---------------------------------------------------------------
    def _stored(self, action: _Action) -> Item | None:
        return self._tables.find(action[1]["TableName"], _key(action))

    def _failed_condition(self, action: _Action) -> _Reason | None:
        """Why an action's condition fails; None when it holds."""
        _, request = action
        expression = request.get("ConditionExpression")
        if expression is None:
            return None
        stored = self._stored(action)
        names = request.get("ExpressionAttributeNames", {})
        values = request.get("ExpressionAttributeValues", {})
        if condition(expression)(stored.attributes if stored else {}, names, values):
            return None
        shows = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        shown = {"Item": stored} if stored and shows else {}
        return {"Code": "ConditionalCheckFailed", **shown}

    def _result(self, action: _Action) -> Item | None:
        """The item that a write leaves. Raises Refusal, or InvalidUpdate."""
        name, request = action
        match name:
            case "Put":
                if not all(_key(action)):
                    raise Refusal("ValidationException", "an empty key")
                return Item.of(dict(request["Item"]))
            case "Update":
                stored = self._stored(action) or Item.of(dict(request["Key"]))
                before = stored.attributes
                after = updated(
                    before,
                    request["UpdateExpression"],
                    request.get("ExpressionAttributeNames", {}),
                    request.get("ExpressionAttributeValues", {}),
                )
                return Item(after, stored.size + _growth(before, after))
            case "Delete" | "ConditionCheck":
                return None
        raise NotImplementedError(name)

    def _make(self, action: _Action, result: Item | None, *, is_transaction: bool = False) -> None:
        table, key = action[1]["TableName"], _key(action)
        stored = self._tables.find(table, key)
        self._meter.wrote(
            key[0],
            stored.size if stored else None,
            result.size if result else None,
            is_transaction=is_transaction,
        )
        self._tables.store(table, key, result)


def _key(action: _Action) -> tuple[str, str]:
    name, request = action
    return key_of(request["Item"] if name == "Put" else request["Key"])


def _are_on_different_items(actions: Sequence[_Action]) -> bool:
    return len({(action[1]["TableName"], *_key(action)) for action in actions}) == len(actions)


def _cancel_if_any(reasons: Sequence[_Reason | None]) -> None:
    """Raises the Refusal of a transaction of which some action fails."""
    if any(reasons):
        raise Refusal(
            "TransactionCanceledException",
            "Transaction cancelled",
            CancellationReasons=[reason or {"Code": "None"} for reason in reasons],
        )


def _growth(before: Attributes, after: Attributes) -> int:
    """Bytes that an item grew by, counting what is not the very same attribute."""
    grown = 0
    for name, value in after.items():
        old = before.get(name)
        if old is not value:
            grown += capacity.value_bytes(value)
            grown -= capacity.value_bytes(old) if old is not None else -len(name.encode())
    gone = {name: before[name] for name in before.keys() - after.keys()}
    return grown - capacity.item_bytes(gone)
