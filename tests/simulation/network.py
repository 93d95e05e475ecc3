"""What lies between the code and DynamoDB: other tasks get in between, and faults happen.

The SDK is simulated as the product configures it: two attempts at each request, under one token if
it is a transaction, then the error it raises. Every attempt is a moment at which others may go on,
and at which the process may end.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ReadTimeoutError

from tests.simulation.scheduler import Killed
from tests.support.emulator.client import MemoryClient, client_error

if TYPE_CHECKING:
    from tests.simulation.world import World

ATTEMPTS = 2  # as `rollcall.storage.client` configures the SDK
READ_TIMEOUT_MS = 3_000
_WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "PutObject"}
_BATCHES = {"BatchGetItem": "UnprocessedKeys", "BatchWriteItem": "UnprocessedItems"}
# What the SDK itself tries again; any other error it raises at once.
_RETRIED = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "TransactionInProgressException",
}


@dataclass
class Faults:
    """How likely each fault is at one attempt; at most `budget` of them in all.

    `rates` are chances by kind: throttle, burst, conflict, in_progress, lost_reply, broken_before,
    broken_after, unprocessed, suspend, kill.
    """

    random: Random
    rates: dict[str, float] = field(default_factory=dict)
    budget: int = 60
    fired: Counter[str] = field(default_factory=Counter)
    # Faults that are certain: (operation, kind), each at the next attempt at that operation.
    planned: list[tuple[str, str]] = field(default_factory=list)
    _losing: dict[tuple[str, str], int] = field(default_factory=dict)
    _burst: int = 0

    def draw(self, task: str, operation: str) -> str:
        """The fault of one attempt, "" for none."""
        planned = next((plan for plan in self.planned if plan[0] == operation), None)
        if planned is not None:
            self.planned.remove(planned)
            kind = planned[1]
        else:
            kind = self._draw(task, operation) if self.budget > 0 else ""
        if kind:
            self.budget -= 1
            self.fired[kind] += 1
        return kind

    def _draw(self, task: str, operation: str) -> str:
        if self._burst > 0:
            self._burst -= 1
            return "throttle"
        if self._losing.get((task, operation), 0) > 0:
            self._losing[task, operation] -= 1
            return "lost_reply"
        chance = self.random.random()
        for kind, rate in self.rates.items():
            chance -= rate
            if chance < 0:
                return self._begun(kind, task, operation)
        return ""

    def _begun(self, kind: str, task: str, operation: str) -> str:
        """A drawn fault, where it can befall the operation."""
        match kind:
            case "burst":
                self._burst = self.random.randint(1, 8)
                return "throttle"
            case "lost_reply" if operation in _WRITES:
                # The first is lost now: 1 to 9 in all.
                self._losing[task, operation] = self.random.choice((0, 0, 1, 2, 3, 8))
            case "conflict" | "broken_after" | "lost_reply" if operation not in _WRITES:
                return ""
            case "in_progress" if operation != "TransactWriteItems":
                return ""
            case "unprocessed" if operation not in _BATCHES:
                return ""
        return kind


@dataclass(frozen=True)
class Outage:
    """Requests that name a key under `prefix` fail with `code` until the clock says so."""

    prefix: str
    until_ms: int
    code: str


class Network(MemoryClient):
    """The client of one simulated deployment."""

    def __init__(self, world: World) -> None:
        super().__init__(world.store)
        self._world = world
        self.rewrites: list[Callable[[str, dict[str, Any]], dict[str, Any]]] = []

    def attempts(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        for rewrite in self.rewrites:
            asked = rewrite(operation, asked)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._attempt(operation, asked)
            except ReadTimeoutError:
                if attempt == ATTEMPTS:
                    raise
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if attempt == ATTEMPTS or code not in _RETRIED:
                    raise
                if code == "TransactionInProgressException":
                    self._world.scheduler.pause(self._world.random.randint(1, 100))
        raise AssertionError("unreachable")

    def _attempt(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        keys = list(_keys_of(operation, asked))
        world.operation_begins()
        fault = self._fault(operation, keys)
        world.trace(operation, keys[0], len(keys), fault)
        if fault == "unprocessed":
            return self._partly(operation, asked)
        self._befall(fault, operation, asked)
        answer: dict[str, Any] = self._carried_out(
            operation, fault, lambda: self.send(operation, asked)
        )
        return answer

    def around_object(self, name: str, put: Callable[[], Any]) -> None:
        """Put an object into the failure destination, as one attempt at a request."""
        self._world.operation_begins()
        fault = self._fault("PutObject", [(name, "")])
        self._world.trace("PutObject", name, fault)
        self._befall(fault, "PutObject", {})
        self._carried_out("PutObject", fault, put)

    def _befall(self, fault: str, operation: str, asked: dict[str, Any]) -> None:
        """What happens to a request before the store has it."""
        match fault:
            case "kill":
                raise Killed
            case "suspend":
                # Past its time-out: its caller has given up, yet it still runs.
                seconds = self._world.random.choice((5, 40, 130, 700))
                self._world.scheduler.pause(seconds * 1_000)
            case "throttle":
                raise _throttled(operation)
            case "broken_before":
                raise _error(operation, 500, "InternalServerError")
            case "conflict":
                raise _conflict(operation, asked)
            case "in_progress":
                raise _error(operation, 400, "TransactionInProgressException")

    def _carried_out(self, operation: str, fault: str, send: Callable[[], Any]) -> Any:
        world = self._world
        try:
            answer = send()
        except NotImplementedError as unknown:
            # The product would take it for a failure of the store, and try again.
            world.unexpected.append(f"{operation}: {unknown}")
            raise
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ValidationException":
                # No fault explains a request that is wrong in itself, even if a retry makes up for it.
                world.unexpected.append(f"{operation}: {error}")
            if fault == "lost_reply":
                raise self._lost() from None
            world.trace(code)
            raise
        world.operation_made(operation)
        if fault == "lost_reply":
            raise self._lost()
        if fault == "broken_after":
            raise _error(operation, 500, "InternalServerError")
        return answer

    def _lost(self) -> ReadTimeoutError:
        self._world.scheduler.pause(READ_TIMEOUT_MS)
        return ReadTimeoutError(endpoint_url="simulated")

    def _fault(self, operation: str, keys: list[tuple[str, str]]) -> str:
        world = self._world
        for outage in world.outages:
            if world.now_ms < outage.until_ms and any(
                pk.startswith(outage.prefix) for pk, _ in keys
            ):
                world.faults.fired["outage"] += 1
                return "throttle" if outage.code == "throttle" else "broken_before"
        task = world.scheduler.current
        if task is None:
            return ""
        fault = world.faults.draw(task.name, operation)
        # Processes are killed, of functions and of commands; clients and pollers are none.
        return "" if fault == "kill" and task.function is None else fault

    def _partly(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """A batch of which some, or nothing, is done."""
        ((table, wanted),) = asked["RequestItems"].items()
        entries = wanted["Keys"] if operation == "BatchGetItem" else wanted
        cut = self._world.random.randint(0, len(entries) - 1)
        left = {table: wanted | {"Keys": entries[cut:]} if "Keys" in wanted else entries[cut:]}
        if not cut:
            return {"Responses": {table: []}, _BATCHES[operation]: left}
        done = {table: wanted | {"Keys": entries[:cut]} if "Keys" in wanted else entries[:cut]}
        answer = self.send(operation, asked | {"RequestItems": done})
        return answer | {_BATCHES[operation]: left}


def _keys_of(operation: str, asked: dict[str, Any]) -> Any:
    match operation:
        case "Query":
            yield asked["ExpressionAttributeValues"][":pk"]["S"], ""
        case "BatchGetItem":
            for request in asked["RequestItems"].values():
                yield from ((key["PK"]["S"], key["SK"]["S"]) for key in request["Keys"])
        case "BatchWriteItem":
            for entries in asked["RequestItems"].values():
                for entry in entries:
                    ((_, request),) = entry.items()
                    key = request.get("Item") or request["Key"]
                    yield key["PK"]["S"], key["SK"]["S"]
        case "TransactWriteItems":
            for action in asked["TransactItems"]:
                ((name, request),) = action.items()
                key = request["Item"] if name == "Put" else request["Key"]
                yield key["PK"]["S"], key["SK"]["S"]
        case _:
            key = asked["Item"] if operation == "PutItem" else asked["Key"]
            yield key["PK"]["S"], key["SK"]["S"]


def _error(operation: str, status: int, code: str, **members: Any) -> ClientError:
    answer = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code, **members}
    return client_error(operation, status, answer)


def _throttled(operation: str) -> ClientError:
    return _error(operation, 400, "ProvisionedThroughputExceededException")


def _conflict(operation: str, asked: dict[str, Any]) -> ClientError:
    if operation != "TransactWriteItems":
        return _error(operation, 400, "TransactionConflictException")
    reasons: list[dict[str, Any]] = [{"Code": "None"} for _ in asked["TransactItems"]]
    # The hottest item is the one that all write; which of them it is makes no difference.
    reasons[zlib.crc32(str(len(reasons)).encode()) % len(reasons)] = {"Code": "TransactionConflict"}
    return _error(operation, 400, "TransactionCanceledException", CancellationReasons=reasons)
