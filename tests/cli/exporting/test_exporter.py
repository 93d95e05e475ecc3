"""`rollcall export`: interrupted anywhere, the spool holds each call exactly once; the formats."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollcall_cli.checkpoint import Checkpoint
from rollcall_cli.exporting import formats
from rollcall_cli.exporting.exporter import PAGE_CALLS, Progress, read_pages
from rollcall_cli.exporting.spool import Spool, calls_in
from tests.support.builders import full_call
from tests.support.cases import cases


class Crash(Exception):
    """The process ended here."""


@dataclass
class Pages:
    """A search over numbered calls, whose pages have any size; it crashes at some requests."""

    sizes: list[int]
    crashes: set[int] = field(default_factory=set)
    requests: int = 0

    @property
    def ids(self) -> list[str]:
        return [f"call-{n}" for n in range(sum(self.sizes))]

    def search(self, body: dict[str, Any]) -> dict[str, Any]:
        assert (body["order"], body["limit"], body["from"]) == ("oldest", PAGE_CALLS, "2026-11-01")
        self.requests += 1
        if self.requests in self.crashes:
            raise Crash
        page = int(body.get("cursor", 0))
        first = sum(self.sizes[:page])
        return {
            "calls": [
                {"id": each, "text": "é\n" * 9}
                for each in self.ids[first : first + self.sizes[page]]
            ],
            "next": str(page + 1) if page + 1 < len(self.sizes) else None,
        }


@pytest.mark.property
@settings(cases(50), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(0, 7), min_size=1, max_size=8),
    crashes=st.sets(st.integers(1, 20), max_size=6),
    seed=st.integers(0, 2**32),
)
def test_an_export_that_is_interrupted_anywhere_holds_each_call_once(
    sizes: list[int], crashes: set[int], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("export")
    pages, chance = Pages(sizes, crashes), random.Random(seed)
    path = folder / "spool"

    class Saving(Checkpoint[Progress]):
        """Crashes before or after the checkpoint is saved."""

        def save(self, progress: Progress) -> None:
            if chance.random() < 0.2:
                raise Crash
            super().save(progress)
            if chance.random() < 0.2:
                raise Crash

    checkpoint = Saving(folder / "progress", "same", Progress)
    is_whole = False
    while not is_whole:
        progress = checkpoint.load() or Progress({"from": "2026-11-01"}, sum(sizes))
        spool = Spool(path, progress.length)
        try:
            is_whole = read_pages(
                pages.search,
                spool,
                progress=progress,
                checkpoint=checkpoint,
                wants_to_stop=lambda: chance.random() < 0.2,
                show=lambda _: None,
            )
        except Crash:
            with path.open("ab") as file:
                file.write(b'{"id":"written in part')
        finally:
            spool.close()
    assert [call["id"] for call in calls_in(path)] == pages.ids
    assert (progress.calls, progress.length) == (len(pages.ids), path.stat().st_size)


# ------------------------------------------------------------------ formats
CALLS = [
    {
        "type": "call",
        "id": 7,
        "status": "completed",
        "started_at": "2026-11-01T10:00:00.250Z",
        "duration_seconds": 61,
        "sentiment": Decimal("0.125"),
        "cost": Decimal("12345678.000001"),
        "answered": True,
        "labels": ["a", "b"],
        "events": {"sms_sent": 2},
        "payload": {"plan": "=gold", "score": Decimal("0.10000000000000000000000001")},
        "updated_at": "2026-11-02T10:00:00.000Z",
    },
    {
        "type": "call",
        "id": "x,\r\n",
        "status": "busy",
        "started_at": "2026-11-03T10:00:00.000Z",
        "attempt": 1,
        "payload": {"vip": False},
        "updated_at": "2026-11-03T10:00:00.000Z",
    },
]


def spooled(folder: Path, calls: list[dict[str, Any]]) -> Path:
    spool = Spool(folder / "spool", 0)
    spool.add(calls)
    spool.close()
    return folder / "spool"


def test_parquet_has_exact_values_and_types(tmp_path: Path) -> None:
    file = tmp_path / "calls.parquet"
    formats.write(spooled(tmp_path, CALLS), file, "parquet")
    first, second = pq.read_table(file).to_pylist()
    assert (first["id"], second["id"]) == ("7", "x,\r\n")
    assert first["started_at"].isoformat() == "2026-11-01T10:00:00.250000+00:00"
    assert (first["sentiment"], first["cost"]) == (Decimal("0.125"), Decimal("12345678.000001"))
    assert (first["labels"], first["events"]) == (["a", "b"], [("sms_sent", 2)])
    assert first["payload"] == '{"plan":"=gold","score":0.10000000000000000000000001}'
    assert (first["answered"], second["answered"], second["labels"]) == (True, None, None)
    assert (first["duration_seconds"], second["duration_seconds"]) == (61, None)
    assert file.stat().st_mode & 0o777 == 0o600


def test_csv_has_the_columns_of_the_api(tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    formats.write(spooled(tmp_path, CALLS), file, "csv")
    with file.open(newline="", encoding="utf-8") as content:
        first, second = csv.DictReader(content)
    assert list(first)[-4:] == ["updated_at", "payload.plan", "payload.score", "payload.vip"]
    assert (first["labels"], first["cost"], first["answered"]) == ("a;b", "12345678.000001", "true")
    assert first["payload.plan"] == "'=gold"
    assert (second["id"], second["labels"], second["payload.vip"]) == ("x,\r\n", "", "false")
    assert file.read_bytes().count(b"\r\n") == 4
    assert file.stat().st_mode & 0o777 == 0o600


def test_row_groups_follow_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_ROWS_OF_A_GROUP", 3)
    calls = [CALLS[1] | {"id": str(n)} for n in range(8)]
    formats.write(spooled(tmp_path, calls), tmp_path / "x.parquet", "parquet")
    file = pq.ParquetFile(tmp_path / "x.parquet")
    assert file.num_row_groups == 3
    assert file.read()["id"].to_pylist() == [str(n) for n in range(8)]


def test_no_calls_make_a_file_with_columns_alone(tmp_path: Path) -> None:
    spool = spooled(tmp_path, [])
    formats.write(spool, tmp_path / "x.parquet", "parquet")
    formats.write(spool, tmp_path / "x.csv", "csv")
    assert pq.read_table(tmp_path / "x.parquet").num_rows == 0
    assert (tmp_path / "x.csv").read_text().startswith("id,started_at,status,")


def test_every_field_of_a_call_has_a_column(tmp_path: Path) -> None:
    call = full_call(duration_seconds=62, sentiment=Decimal("0.75"), cost=Decimal("0.0425"))
    formats.write(spooled(tmp_path, [call]), tmp_path / "x.parquet", "parquet")
    (row,) = pq.read_table(tmp_path / "x.parquet").to_pylist()
    present = {name for name, value in row.items() if value is not None}
    assert present == call.keys() - {"type", "detail"}
