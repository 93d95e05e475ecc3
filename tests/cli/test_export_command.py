"""`rollcall export` against a small fake of the API: resuming, and what cannot be exported."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rollcall_cli import api_client
from rollcall_cli.main import run
from tests.support.http_server import serving

CALLS = [
    {
        "type": "call",
        "id": f"c{n}",
        "status": "busy",
        "started_at": "2026-11-01T10:00:00.000Z",
        "updated_at": "2026-11-01T10:00:00.000Z",
    }
    for n in range(6)
]


@dataclass
class FakeApi:
    """Has pages of two calls; answers 503 at the requests in `broken`."""

    broken: set[int] = field(default_factory=set)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.bodies.append(body)
        if len(self.bodies) in self.broken:
            return 503, {"detail": "later"}
        if path == "/v1/query":
            return 200, {"totals": {"calls": len(CALLS)}}
        first = int(body.get("cursor", 0))
        following = first + 2
        calls = CALLS[first:following]
        return 200, {"calls": calls, "next": str(following) if following < 6 else None}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    fake = FakeApi()

    def answer(path: str, _token: str | None, body: bytes) -> tuple[int, bytes]:
        status, content = fake.answer(path, json.loads(body))
        return status, json.dumps(content).encode()

    monkeypatch.setattr(api_client, "_FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(api_client, "_MAX_PAUSE_SECONDS", 0.002)
    monkeypatch.setenv("ROLLCALL_TOKEN", "good")
    with serving(answer) as fake.url:
        monkeypatch.setenv("ROLLCALL_API", fake.url)
        yield fake


Export = Callable[..., tuple[int, str, str]]


@pytest.fixture
def export(capsys: pytest.CaptureFixture[str]) -> Export:
    def call(*arguments: Any) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            run(["export", *map(str, arguments)])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


def ids_in(file: Path) -> list[str]:
    return [line.split(",")[0] for line in file.read_text().splitlines()[1:]]


def fail_after_one_page(api: FakeApi, export: Export, file: Path, *options: str) -> None:
    # The query, one page, and every attempt at the second page.
    api.broken = set(range(3, 11))
    status, out, err = export(file, *options)
    assert (status, out) == (2, "")
    assert err.endswith("failed 8 times: it answered 503: later; run the command again to resume\n")
    assert not file.exists()
    api.bodies, api.broken = [], set()


def test_an_export_resumes_where_it_failed(api: FakeApi, export: Export, tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    fail_after_one_page(api, export, file, "--last", "7d")
    assert export(file, "--last", "7d") == (
        0,
        f"6 calls in {file}\n",
        "rollcall: resuming after 2 calls\n",
    )
    assert [body["cursor"] for body in api.bodies] == ["2", "4"]
    assert ids_in(file) == [call["id"] for call in CALLS]
    assert [path.name for path in tmp_path.iterdir()] == ["calls.csv"]


@pytest.mark.parametrize("change", ["options", "resume", "lost", "short"])
def test_another_export_starts_from_the_first_page(
    api: FakeApi, export: Export, tmp_path: Path, change: str
) -> None:
    file, spool = tmp_path / "calls.csv", tmp_path / "calls.csv.rollcall-calls"
    fail_after_one_page(api, export, file)
    options = {"options": ["--from", "2026-11-01"], "resume": ["--no-resume"]}.get(change, [])
    if change == "lost":
        spool.unlink()
    if change == "short":
        spool.write_bytes(spool.read_bytes()[:-1])
    status, out, err = export(file, *options)
    assert (status, out, err) == (0, f"6 calls in {file}\n", "")
    assert ids_in(file) == [call["id"] for call in CALLS]


def test_the_progress_holds_no_token(api: FakeApi, export: Export, tmp_path: Path) -> None:
    fail_after_one_page(api, export, tmp_path / "calls.csv")
    for path in tmp_path.iterdir():
        assert b"good" not in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["calls.txt"], "calls.txt: the ending must be parquet or csv"),
        (["calls.csv", "--format", "xlsx"], "--format must be parquet or csv"),
        (["exists.csv"], "exists.csv exists; remove it, or name another file"),
        (["absent/calls.csv"], "No such file or directory"),
    ],
)
def test_what_cannot_be_exported_is_one_line(
    api: FakeApi,
    export: Export,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("exists.csv").write_text("mine")
    status, out, err = export(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert Path("exists.csv").read_text() == "mine"


def test_parquet_without_its_library_is_refused_before_anything_is_read(
    api: FakeApi, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    status, _, err = export(tmp_path / "calls.parquet")
    assert (status, api.bodies) == (2, [])
    assert "pip install 'rollcall-analytics[export]'" in err
