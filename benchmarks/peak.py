"""How much memory one answer adds to a new process: `python -m benchmarks.peak URL`.

Reads a query as JSON from stdin, and asks the engine at URL. It first asks another query, about one
day, so that what every answer takes (imports, connections, threads) is not counted.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import wiring
from benchmarks.asking import Functions, Query, Watch

_ONE_DAY = Query(
    "one day",
    "query_records",
    body={
        "measures": ["calls", "p95_duration"],
        "dimensions": ["merchant_id"],
        "from": "2026-11-18",
        "to": "2026-11-18",
    },
)


@dataclass(frozen=True)
class Peak:
    """A status, what the answer took, and the peak of the process in KiB before and after it.

    `rows` are the rows or calls of the answer, `detail` is the message of a refusal.
    """

    status: int
    seconds: float
    cpu_seconds: float
    before_kib: int
    after_kib: int
    answer_bytes: int
    rows: int
    detail: str

    @property
    def mib(self) -> float:
        """How much the answer raised the peak."""
        return (self.after_kib - self.before_kib) / 1024


def measured(url: str, query: Query) -> Peak:
    """Ask in a process of its own. Raises AssertionError if it fails."""
    done = subprocess.run(  # noqa: S603 - a program of ours
        [sys.executable, "-m", "benchmarks.peak", url],
        cwd=wiring.CHECKOUT,
        env=os.environ | {"MALLOC_ARENA_MAX": "1"},  # as template.yaml has it
        input=json.dumps(asdict(query)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return Peak(**json.loads(done.stdout.splitlines()[-1]))


def _ask(url: str, query: Query) -> Peak:
    with wiring.environment(url):
        client = wiring.patient_client()
        with wiring.wired(client):
            functions = Functions(Watch(client), {_ONE_DAY.function, query.function})
            functions.ask(_ONE_DAY)
            before = peak_kib()
            answer, split = functions.ask(query, is_refusal_expected=True)
            after = peak_kib()
    body: dict[str, Any] = json.loads(answer["body"])
    rows: list[Any] = next((body[name] for name in ("rows", "calls", "values") if name in body), [])
    return Peak(
        answer["statusCode"],
        split.whole,
        split.own,
        before,
        after,
        len(answer["body"].encode()),
        len(rows),
        body.get("detail", ""),
    )


def peak_kib() -> int:
    """This process's own peak; `getrusage` would report its parent's too."""
    status = Path("/proc/self/status").read_text("ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1])


if __name__ == "__main__":
    print(json.dumps(asdict(_ask(sys.argv[1], Query(**json.load(sys.stdin))))))
