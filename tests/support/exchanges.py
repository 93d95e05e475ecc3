"""Send the examples of docs/api/examples to a stack, and compare what it answers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from rollcall_cli.openapi.examples import read_examples
from rollcall_cli.openapi.operation import CSV_TYPE
from tests.support import stack as stacks
from tests.support.openapi import EXAMPLES, Spec
from tests.support.shortening import shortened
from tests.support.stack import Organisation, Response

EXCHANGES = {
    (function, example.name): example
    for function, examples in read_examples(EXAMPLES).items()
    for example in examples
}
SPEC = Spec.committed()


def send(
    org: Organisation, function: str, request: dict[str, Any], token: str | None = None
) -> Response:
    """An example's request, with the organisation's token, another one, or none ("")."""
    method, path, _ = SPEC.operation(function)
    for name, value in request.get("path", {}).items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    if "query" in request:
        path += f"?{urlencode(request['query'])}"
    headers = [("Authorization", f"Token {token or org.token}")] if token != "" else []
    headers += request.get("headers", {}).items()
    body = json.dumps(request["body"]).encode() if "body" in request else None
    return stacks.request(org.stack.api, method, path, headers, body)


def fits(function: str, answer: Response) -> bool:
    """The document allows it."""
    _, _, operation = SPEC.operation(function)
    media_type = (answer.header("Content-Type") or "").split(";")[0]
    SPEC.check_answer(operation, answer.status, media_type, content(answer))
    SPEC.check_headers(operation, answer.status, dict(answer.headers))
    return True


def check(org: Organisation, function: str, name: str) -> None:
    """The organisation is answered what the example says."""
    example = EXCHANGES[function, name]
    answer = send(org, function, dict(example.request))
    assert answer.status == example.status, answer.body
    assert fits(function, answer)
    found = content(answer)
    if example.is_shortened:
        found = shortened(found, example.answer)
    assert lasting(found) == lasting(example.answer)


def content(answer: Response) -> Any:
    """The text of a CSV answer, else the JSON."""
    is_csv = (answer.header("Content-Type") or "").startswith(CSV_TYPE)
    return answer.body.decode() if is_csv else json.loads(answer.body)


def lasting(answer: Any) -> Any:
    """The answer without what is another one in every stack, or on every day."""
    if isinstance(answer, str):
        return answer
    text = json.dumps(answer)
    copy: dict[str, Any] = json.loads(text)
    for name in ("activityTimeline", "newContactsTimeline", "updated_at"):
        copy.pop(name, None)
    for call in copy.get("calls", []):
        del call["updated_at"]
    if isinstance(copy.get("data"), list):
        for entry in copy["data"]:
            if "domain_handle" in entry:
                del entry["id"], entry["created_at"]
    return copy
