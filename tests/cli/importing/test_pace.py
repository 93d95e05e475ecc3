"""What is said about the pace of an import where there is no terminal."""

from __future__ import annotations

import gzip
import re

import pytest

from rollcall_cli.importing.pace import Pace
from rollcall_cli.importing.progress import Progress
from rollcall_cli.importing.source import Source


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("name", ["small.csv", "large.csv", "large.csv.gz", "utf16.csv"])
def test_a_line_every_ten_seconds_has_rate_and_remaining_time(name, tmp_path, capsys):
    """However much of the file is read ahead, what has been sent counts."""
    rows = b"x,y,zzz\n" * (1_000 if name == "small.csv" else 500_000)
    file = tmp_path / name
    content = gzip.compress(rows) if name.endswith(".gz") else rows
    file.write_bytes(rows.decode().encode("utf-16") if name.startswith("utf16") else content)
    clock = Clock()
    with Source(file) as source:
        list(source.chunks())
        first = Progress(accepted=1_000, offset=len(rows) // 5)
        pace = Pace(source, first, clock)
        for second in range(1, 31):
            clock.now = 100.0 + second
            sent = first.offset + second * len(rows) // 50
            pace.print_line(Progress(accepted=1_000 + 350 * second, offset=sent))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("rollcall: 4,500 records, 350 a second, ")
    # A fifth was sent before, three fifths in thirty seconds.
    assert re.search(r" (79|80) %, 0:10 left$", lines[2])


def test_standard_input_has_no_end_to_wait_for(tmp_path, monkeypatch, capsys):
    clock = Clock()
    file = tmp_path / "x.csv"
    file.write_bytes(b"x")
    with Source(file) as source:
        monkeypatch.setattr(Source, "size", None)
        pace = Pace(source, Progress(), clock)
        clock.now += 10
        pace.print_line(Progress(accepted=10))
    assert capsys.readouterr().err == "rollcall: 10 records, 1 a second\n"
