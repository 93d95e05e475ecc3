"""The seed in a local stack whose clock stands still, and what the functions answer there.

Everything is real: the engine, the tables of the template, the stream and the handlers.
"""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import rollcall.clock
from rollcall.lambdas.authorizer import ROUTES
from rollcall.settings import settings
from rollcall.storage.failure_documents import failed_records
from rollcall.storage.failures import failures
from rollcall_cli.local import dynamodb_local
from rollcall_cli.local.runtime import FunctionError, InProcessRuntime, invoke
from rollcall_cli.local.seed import load_seed
from rollcall_cli.local.stack import LocalStack
from rollcall_cli.openapi.operation import CSV_TYPE
from tests.sample_events.cases import CASES, Authorization, Batch, Request
from tests.sample_events.documents import EVENTS, FUNCTIONS, NOW_MS
from tests.support.answering import wired
from tests.support.shortening import shortened

ANSWER = ".answer.json"


def answer_path(event: Path) -> Path | None:
    """Where the answer to an event is kept; None if it is in the documentation."""
    return None if documented_answer(event) else event.with_suffix(ANSWER)


def documented_answer(event: Path) -> Mapping[str, Any] | None:
    """The answer to the event of a documented example."""
    case = CASES[event.parent.name][event.stem]
    return case.answer if isinstance(case, Request) else None


def expected_answer(event: Path) -> dict[str, Any]:
    """The answer to an event, as it is kept or documented. Each call gives another copy."""
    path = answer_path(event)
    kept = documented_answer(event) if path is None else json.loads(path.read_text("utf-8"))
    return copy.deepcopy(dict(kept or {}))


def sample_events() -> list[Path]:
    """Every event's file; `imports` and `hooks` have what `rollcall` itself sends."""
    return [
        path
        for path in sorted(EVENTS.glob("*/*.json"))
        if not path.name.endswith(ANSWER) and path.parent.name not in ("imports", "hooks")
    ]


def engine() -> str:
    """DynamoDB Local where it can run, else moto; ROLLCALL_TEST_ENGINES may leave out the former."""
    chosen = os.environ.get("ROLLCALL_TEST_ENGINES", "moto,dynamodb-local").split(",")
    if {"dynamodb-local", "one"} & set(chosen):
        try:
            dynamodb_local.locate()
        except dynamodb_local.Unavailable:
            if os.environ.get("ROLLCALL_REQUIRE_DYNAMODB_LOCAL") == "1":
                raise
        else:
            return "dynamodb-local"
    return "moto"


@dataclass
class Clock:
    """A clock that stands still until a test sets it."""

    now_ms: int = NOW_MS


def by_permission(policy: dict[str, Any]) -> dict[str, Any]:
    """The authorizer's policy with its permissions in place of their routes."""
    [statement] = policy["policyDocument"]["Statement"]
    found = sorted(resource.split("/", 2)[2] for resource in statement["Resource"])
    permissions = policy["context"]["scopes"].split()
    routes = {route for permission in permissions for route in ROUTES[permission]}
    assert found == sorted([*routes, *(f"{route}/" for route in routes)])
    statement = {**statement, "Resource": permissions}
    return {**policy, "policyDocument": {**policy["policyDocument"], "Statement": [statement]}}


class Functions:
    """The functions of a seeded stack."""

    def __init__(self, stack: LocalStack, runtime: InProcessRuntime, clock: Clock) -> None:
        self.clock = clock
        self._stack = stack
        self._runtime = runtime

    def answer(self, path: Path) -> dict[str, Any]:
        """What the function of an event's folder answers, as `<case>.answer.json` has it."""
        function, case = path.parent.name, CASES[path.parent.name][path.stem]
        if not isinstance(case, Request):  # requests read nothing that an event writes
            assert self._stack.drain(), "the stream stands still"
        event = json.loads(path.read_text("utf-8"))
        try:
            answered = self.invoke(function, event)
        except FunctionError as error:
            return {"errorType": error.error_type, "errorMessage": error.message}
        if isinstance(case, Request):
            is_csv = answered["headers"]["Content-Type"].startswith(CSV_TYPE)
            body = answered["body"] if is_csv else json.loads(answered["body"])
            answer = {"status": answered["statusCode"], "body": body}
            if case.is_shortened:
                answer = shortened(answer, case.answer)
            return answer | ({"depends_on_clock": list(case.by_clock)} if case.by_clock else {})
        if isinstance(case, Batch):
            return {
                "answer": answered,
                "quarantined": self._quarantined(event["Records"]),
                "numbers_of_space": {case.space: self._numbers(case.space)},
            }
        return {"answer": by_permission(answered) if isinstance(case, Authorization) else answered}

    def printed(self, path: Path) -> tuple[Any, str]:
        """(what the function of an event's folder returns, what it prints), metrics turned on."""
        assert self._stack.drain(), "the stream stands still"
        event = json.loads(path.read_text("utf-8"))
        out = io.StringIO()
        with patch.dict(os.environ, POWERTOOLS_METRICS_DISABLED="false"), redirect_stdout(out):
            try:
                answered = self.invoke(path.parent.name, event)
            except FunctionError as error:
                answered = {"errorType": error.error_type}
        return answered, out.getvalue()

    def invoke(self, function: str, event: Any) -> Any:
        """What a function returns. Raises FunctionError."""
        return invoke(self._runtime, FUNCTIONS[function], event, 60)

    def _quarantined(self, records: list[dict[str, Any]]) -> dict[str, str]:
        """Why records of a batch were quarantined, by their sequence numbers."""
        numbers = {record["dynamodb"]["SequenceNumber"] for record in records}
        kept = failures(self._stack.failures_dir.as_uri())
        found = (failed_records(document) for name in kept.names() if (document := kept.read(name)))
        return {
            number: failed.reason
            for failed in found
            for record in failed.records
            if (number := record["dynamodb"]["SequenceNumber"]) in numbers
        }

    def _numbers(self, space: str) -> Any:
        """Unpod's numbers of one of globex's spaces; None when nothing names the space."""
        event = json.loads((EVENTS / "get_organisation_analytics/space.json").read_text("utf-8"))
        context = event["requestContext"]["authorizer"]
        context |= {"org_id": "org_sample_globex", "org_handle": "globex"}
        event["multiValueHeaders"]["Org-Handle"] = ["globex"]
        event["multiValueQueryStringParameters"] = {"space_token": [space]}
        answered = self.invoke("get_organisation_analytics", event)
        return json.loads(answered["body"]).get("data")


@contextmanager
def seeded(folder: Path) -> Iterator[Functions]:
    """A stack that holds the seed, with logs and failures in `folder`; the clock stands at NOW."""
    clock = Clock()
    changed = dataclasses.replace(
        settings,
        failure_destination=(folder / "failures").as_uri(),
        reconcile_grace_seconds=0,  # a clock that stands still never ends a wait
    )
    with (
        patch.object(rollcall.clock, "now_ms", lambda: clock.now_ms),  # some handlers import it
        wired(settings=changed, now_ms=lambda: clock.now_ms, now_us=lambda: clock.now_ms * 1_000),
        LocalStack(engine=engine(), port=0, dynamodb_port=0, state_dir=folder) as stack,
    ):
        load_seed(stack)
        runtime = InProcessRuntime(stack.template.functions, stack.environment())
        try:
            yield Functions(stack, runtime, clock)
        finally:
            runtime.close()
