"""A small fake of the API for `rollcall import`, and what a run of the command said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# bytes go out as they are
Reply = tuple[int, Any] | None


@dataclass
class FakeApi:
    """Takes every record but those with a `bad` id; `script` answers first, None drops the call."""

    script: list[Reply] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    before: Callable[[int], None] = lambda call: None
    url: str = ""

    def answer(self, path: str, token: str | None, body: bytes) -> Reply:
        self.bodies.append(body)
        self.before(len(self.bodies))
        if self.script:
            return self.script.pop(0)
        if path != "/v1/records":
            return 404, {"message": "Not Found"}
        if token != "Token good":
            return 401, {"message": "Unauthorized"}
        if b"MALFORMED" in body:
            return 400, {"title": "Bad Request", "detail": "the body is not good"}
        records = json.loads(body)["records"]
        rejected = [
            {"index": i, "id": r.get("id"), "field": "id", "message": "is bad"}
            for i, r in enumerate(records)
            if str(r.get("id")).startswith("bad")
        ]
        self.taken += [r for r in records if not str(r.get("id")).startswith("bad")]
        accepted = len(records) - len(rejected)
        status = 200 if not rejected else 207 if accepted else 422
        return status, {
            "accepted": accepted,
            "unchanged": 0,
            "stale": 0,
            "rejected": rejected,
        }

    def ids(self) -> list[Any]:
        return [record["id"] for record in self.taken]


@dataclass
class Outcome:
    status: int
    out: str
    err: str

    @property
    def is_one_line(self) -> bool:
        return self.err.count("\n") == 1 and "Traceback" not in self.err


def write(path: Path, lines: list[str], end: str = "\n") -> Path:
    path.write_bytes(("\n".join(lines) + end).encode("utf-8", "surrogatepass"))
    return path


def call_line(number: Any) -> str:
    return json.dumps({"type": "call", "id": str(number)})


def leftovers(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
