"""An import that is interrupted is resumed where the file is as it was, and no later."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
from itertools import pairwise
from pathlib import Path

import pytest

from rollcall_cli.importing.progress import Progress, Trail
from rollcall_cli.importing.source import Position, Source
from tests.support.import_api import call_line, write

ROWS = [call_line(f"{n:05}") for n in range(1_000)]


@pytest.fixture
def interrupted(api, rollcall, tmp_path):
    """Send a file until the batch with this number; returns the arguments to run it again."""

    def run(file: Path, calls: int) -> list[object]:
        arguments = ["import", file, "--api", api.url, "--token", "good", "--batch", 10]

        def interrupt(call: int) -> None:
            if call == calls:
                os.kill(os.getpid(), signal.SIGINT)

        api.before = interrupt
        assert rollcall(*arguments).status == 130
        api.before = lambda call: None
        api.taken.clear()
        return arguments

    return run


def test_a_row_corrected_in_place_is_sent(api, rollcall, tmp_path, interrupted):
    file = write(tmp_path / "x.jsonl", ROWS)
    arguments = interrupted(file, 75)
    changed = list(ROWS)
    changed[350] = call_line("right")  # as long as before
    assert len(changed[350]) == len(ROWS[350])
    write(file, changed)
    done = rollcall(*arguments)
    assert done.status == 0
    assert "the file has changed before line 750" in done.err
    assert "right" in api.ids()
    # What lies far before the change is not sent again.
    first = 1_000 - len(api.ids())
    assert f"resuming after line {first}\n" in done.err
    assert 250 < first <= 350
    assert api.ids()[-1] == "00999"
    assert done.out.startswith("1000 records: 1000 accepted")


def test_a_change_of_the_first_row_starts_again(api, rollcall, tmp_path, interrupted):
    file = write(tmp_path / "x.jsonl", ROWS)
    arguments = interrupted(file, 75)
    write(file, [call_line("right"), *ROWS[1:]])
    assert "resuming after line 0" in rollcall(*arguments).err
    assert len(api.ids()) == 1_000


def test_rows_added_at_the_end_are_no_change(api, rollcall, tmp_path, interrupted):
    file = write(tmp_path / "x.jsonl", ROWS)
    arguments = interrupted(file, 75)
    write(file, [*ROWS, call_line("new")])
    done = rollcall(*arguments)
    assert "changed" not in done.err
    assert api.ids() == [f"{n:05}" for n in range(750, 1_000)] + ["new"]


def test_a_file_that_is_shorter_now_is_read_from_its_last_mark(
    api, rollcall, tmp_path, interrupted
):
    file = write(tmp_path / "x.jsonl", ROWS)
    arguments = interrupted(file, 75)
    write(file, ROWS[:500])
    done = rollcall(*arguments)
    assert "changed before line 750" in done.err
    assert done.out.startswith("500 records: 500 accepted")


def as_csv(rows: list[str]) -> str:
    cells = [f'call,{json.loads(row)["id"]},"two\nlines"' for row in rows]
    return "\n".join(["type,id,outcome", *cells, ""])


FILES = {
    "jsonl": lambda rows: "\n".join(rows).encode(),
    "csv": lambda rows: as_csv(rows).encode(),
    "array": lambda rows: f"[{','.join(rows)}]".encode(),
    "utf-16": lambda rows: as_csv(rows).encode("utf-16"),
    "gzip": lambda rows: gzip.compress(as_csv(rows).encode()),
}


@pytest.mark.representatives(2)
@pytest.mark.parametrize("kind", FILES)
def test_ten_interruptions_at_random_places_send_each_row_once(api, rollcall, tmp_path, kind):
    file = tmp_path / "x"
    rows = [call_line("bad" if n % 97 == 5 else f"{n:05}") for n in range(600)]
    file.write_bytes(FILES[kind](rows))
    arguments = ["import", file, "--api", api.url, "--token", "good", "--batch", 10]
    stops = set(random.Random(5).sample(range(1, 60), 10))

    def interrupt(call: int) -> None:
        if call in stops:
            os.kill(os.getpid(), signal.SIGINT)

    api.before = interrupt
    statuses = [rollcall(*arguments).status for _ in range(10)]
    done = rollcall(*arguments)
    assert [*statuses, done.status] == [130] * 10 + [1]
    assert api.ids() == [id for row in rows if (id := json.loads(row)["id"]) != "bad"]
    assert done.out.startswith(f"600 records: {len(api.ids())} accepted")
    rejected = (tmp_path / "x.rejected.jsonl").read_text().splitlines()
    assert len(rejected) == 600 - len(api.ids())


def test_the_trail_is_short_and_reaches_back(tmp_path):
    content = bytes(random.Random(1).choices(range(256), k=10_000))
    file = tmp_path / "x"
    file.write_bytes(b"\xc3\xa9" + content)
    trail, position = Trail(), Position.start()
    with Source(file, "utf-8") as source:
        for offset in range(1, 10_000, 7):
            position = source.advance(position, offset, offset)
            trail.add(Progress(offset, offset, offset, position.digest.hexdigest()))
            assert len(trail.marks) <= 64
            assert trail.marks[-1]["offset"] == offset
    offsets = [mark["offset"] for mark in trail.marks]
    assert offsets == sorted(offsets)
    assert max(later - before for before, later in pairwise(offsets)) < 500

    place = random.Random(2).randrange(1_000, 9_000)
    damaged = bytearray(file.read_bytes())
    damaged[place] ^= 1
    file.write_bytes(damaged)
    found = trail.unchanged(lambda: Source(file, "utf-8"))
    assert found is not None
    assert found.offset == max(offset for offset in offsets if offset <= place)
    assert trail.marks[-1]["offset"] == found.offset
