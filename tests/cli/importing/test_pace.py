"""What is said about the pace of an import where there is no terminal."""

from __future__ import annotations

from rollcall_cli.importing.pace import Pace
from rollcall_cli.importing.progress import Progress
from rollcall_cli.importing.source import Source


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_line_every_ten_seconds_has_rate_and_remaining_time(tmp_path, capsys):
    file = tmp_path / "x.csv"
    file.write_bytes(b"x" * 4_000_000)
    clock = Clock()
    with Source(file) as source:
        chunks = source.chunks()
        pace = Pace(source, Progress(accepted=1_000), clock)
        before = source.consumed
        while source.consumed < 2_500_000:
            next(chunks)
        after = source.consumed
        for second in range(1, 31):
            clock.now = 100.0 + second
            pace.print_line(Progress(accepted=1_000 + 350 * second))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("rollcall: 4,500 records, 350 a second, ")
    left = int(30 * (4_000_000 - after) / (after - before))
    assert lines[2].endswith(f" %, 0:{left:02} left")


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
