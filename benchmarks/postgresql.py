r"""A PostgreSQL of one's own with the same calls, and what its answers take.

A cluster in a temporary folder, reached through a Unix socket by one `psql` that stays open. Times
are what its `\timing` shows: from sending a query to having all of its rows, no process start and
no formatting.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from rollcall.domain.facts import Fact
from rollcall.domain.records import Call
from rollcall.domain.time.calendar import format_instant
from rollcall_cli.local.child_process import ChildProcess

_PROGRAMS = ("initdb", "postgres", "pg_isready", "psql")
_USER = "postgres"
_LOGIN = ("-U", "bench", "-d", "postgres")
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", os.defpath)}
_DONE = "-- done --"
_TIME = re.compile(r"Time: ([0-9.]+) ms")
_SCHEMA = """
CREATE TABLE calls (
    id text NOT NULL,
    started_at timestamptz NOT NULL,
    status text NOT NULL,
    answered boolean NOT NULL,
    attempt smallint NOT NULL,
    disposition text,
    direction text,
    campaign_id text,
    space_token text,
    template_id text,
    merchant_id text,
    reseller_id text,
    lead_id text,
    provider text,
    outcome text,
    duration_seconds integer,
    sentiment_milli smallint,
    cost_micros bigint,
    labels text[] NOT NULL,
    events jsonb NOT NULL,
    payload jsonb NOT NULL
);
"""
_INDEXES = """
ALTER TABLE calls ADD PRIMARY KEY (id);
CREATE INDEX ON calls (started_at);
CREATE INDEX ON calls (merchant_id, started_at);
CREATE INDEX ON calls (campaign_id, direction, started_at);
CREATE INDEX ON calls (campaign_id, lead_id);
CREATE INDEX ON calls (outcome, started_at);
CREATE INDEX ON calls (template_id, merchant_id, started_at);
CREATE INDEX ON calls USING gin (payload jsonb_path_ops);
VACUUM (FREEZE, ANALYZE) calls;
CHECKPOINT;
"""
# For one client and a table that fits into memory; everything else as it is shipped, but for
# just-in-time compilation, which takes longer here than the queries do.
_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "2GB",
    "effective_cache_size": "6GB",
    "work_mem": "128MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "autovacuum": "off",
    "jit": "off",
    "timezone": "UTC",
}


class PostgreSql:
    """A running server with a table `calls`."""

    def __init__(self, psql: subprocess.Popen[str]) -> None:
        self._psql = psql
        assert psql.stdin is not None
        assert psql.stdout is not None
        self._in: IO[str] = psql.stdin
        self._out: IO[str] = psql.stdout
        self._run("\\timing on")
        self.version = self.ask("SHOW server_version")[0][0].split()[0]
        self._run(_SCHEMA)

    def ask(self, query: str) -> tuple[list[str], float]:
        """(the rows, cells joined by `|`; seconds)."""
        lines = self._run(f"{query};")
        seconds = sum(float(match[1]) for line in lines if (match := _TIME.match(line))) / 1000
        return [line for line in lines if not _TIME.match(line)], seconds

    def explain(self, query: str) -> str:
        """How a query is answered, with the times of each step."""
        return "\n".join(self.ask(f"EXPLAIN (ANALYZE, COSTS OFF) {query}")[0])

    def copy(self, lines: Iterable[str]) -> None:
        """Add calls (see `copy_line`)."""
        self._in.write("COPY calls FROM STDIN;\n")
        self._in.writelines(lines)
        self._in.write("\\.\n")
        self._run("")

    def index(self) -> None:
        """Make the indexes, and bring the planner's statistics up to date."""
        self._run(_INDEXES)

    def size(self) -> int:
        """Bytes of the table and its indexes."""
        return int(self.ask("SELECT pg_total_relation_size('calls')")[0][0])

    def _run(self, commands: str) -> list[str]:
        self._in.write(f"{commands}\n\\echo {_DONE}\n")
        self._in.flush()
        lines: list[str] = []
        for line in self._out:
            if line.rstrip("\n") == _DONE:
                errors = [line for line in lines if line.startswith("ERROR:")]
                if errors:
                    raise AssertionError(errors)
                return lines
            lines.append(line.rstrip("\n"))
        raise AssertionError(f"psql ended: {lines}")


def is_installed() -> bool:
    """Whether the server's programs are there."""
    return all(_program(name) for name in _PROGRAMS)


@contextlib.contextmanager
def running() -> Iterator[PostgreSql]:
    """A new server, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as name:
        folder = Path(name)
        if _is_root():
            shutil.chown(folder, _USER)
        data = str(folder / "data")
        _call(folder, "initdb", "--auth=trust", "--username=bench", "--no-sync", "-D", data)
        values = _SETTINGS | {"unix_socket_directories": name}
        options = [word for pair in values.items() for word in ("-c", "=".join(pair))]
        with (folder / "log").open("wb") as log:
            server = ChildProcess(
                _as_user([_program("postgres") or "", "-D", data, *options]),
                cwd=folder,
                env=_ENVIRONMENT,
                output=log,
            )
        try:
            _wait_for(server, folder)
            with subprocess.Popen(  # noqa: S603 - PostgreSQL's own client
                [_program("psql") or "", "-X", "-q", "-A", "-t", "-h", name, *_LOGIN],
                env=_ENVIRONMENT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=folder,
            ) as psql:
                yield PostgreSql(psql)
        finally:
            server.close()


def _wait_for(server: ChildProcess, folder: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.exit_status is None:
        with contextlib.suppress(AssertionError):
            _call(folder, "pg_isready", "-h", str(folder), *_LOGIN)
            return
        time.sleep(0.05)
    raise AssertionError((folder / "log").read_text("utf-8", "replace"))


def _is_root() -> bool:
    """The server refuses to run as root; Debian's package makes a user for it."""
    return os.geteuid() == 0


def _as_user(command: Sequence[str]) -> list[str]:
    if not _is_root():
        return list(command)
    return ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups", *command]


def _program(name: str) -> str | None:
    """Debian keeps the server's programs off PATH, in a folder a version."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(debian[-1]) if debian else shutil.which(name)


def _call(folder: Path, name: str, *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own programs
        _as_user([_program(name) or "", *arguments]),
        cwd=folder,
        env=_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"{name}: {done.stdout}{done.stderr}")


def copy_line(fact: Fact) -> str:
    """A call as COPY reads it."""
    call = fact.record
    assert isinstance(call, Call)
    cells = (
        fact.id,
        format_instant(call.started_at_ms),
        call.status,
        call.answered,
        call.attempt,
        call.disposition,
        call.direction,
        call.campaign_id,
        call.space_token,
        call.template_id,
        call.merchant_id,
        call.reseller_id,
        call.lead_id,
        call.provider,
        call.outcome,
        call.duration_seconds,
        call.sentiment_milli,
        call.cost_micros,
        "{" + ",".join(call.labels) + "}",
        json.dumps(dict(call.events)),
        json.dumps(dict(call.payload), default=_number),
    )
    return "\t".join("\\N" if cell is None else str(cell) for cell in cells) + "\n"


def _number(value: Any) -> int | float:
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    raise TypeError(value)
