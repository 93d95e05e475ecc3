"""`rollcall redrive` at the keyboard: what it prints, where it looks, and its exit status."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from rollcall import commands
from rollcall.domain.errors import Unavailable
from rollcall.ingest.update import Cause, Failure, Quarantined, Result
from rollcall.storage.failure_documents import quarantine_document
from rollcall_cli.main import run
from tests.support.failures import FOLDER, given_up, poison

pytestmark = pytest.mark.engine


Written = dict[str, bytes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "failures"
    made.mkdir()
    return made


def write(folder: Path, objects: Written) -> None:
    for name, content in objects.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


class Command:
    """Runs the command in this process; `updates` decides what becomes of replayed records."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            run(["redrive", *arguments])
        self.out, self.err = self._capsys.readouterr()
        assert "Traceback" not in self.err
        return int(ended.value.code or 0)


@pytest.fixture
def redrive(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "local")
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    commands.redrive.cache_clear()
    return Command(capsys)


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], Result]], None]:
    def use(update: Callable[[Sequence[Any]], Result]) -> None:
        monkeypatch.setattr(commands, "_replay", lambda: update)

    return use


def applied(_records: Sequence[Any]) -> Result:
    return Result()


def refused(reason: str) -> Quarantined:
    """The first record of a batch, which no retry can apply."""
    return Quarantined((0,), "org_1", Cause.LEDGER, reason, "")


# ------------------------------------------------------------------ list
OBJECTS: Written = {
    FOLDER + "-2": given_up([poison(n) for n in range(3)], "2026-11-21T12:00:02.000Z"),
    FOLDER + "-1": given_up([poison(n) for n in range(2)], "2026-11-21T12:00:09.000Z"),
    "quarantine/5.json": json.dumps(
        {
            "reason": "field 'started_at_ms' of a call",
            "quarantined_at": "2026-11-21T13:00:05.123+01:00",
            "record": poison(5, org_id="b"),
        }
    ).encode(),
    "quarantine/6.json": b"{",
    "notes.txt": b"not ours",
    "quarantine/.7.json": b"",
}


def test_the_list_is_in_order_of_time_and_names_everything(redrive: Command, folder: Path) -> None:
    write(folder, OBJECTS)
    assert redrive("list", "--json", "--from", str(folder)) == 0
    entries = json.loads(redrive.out)
    assert [(entry["name"], entry["kind"], entry["records"]) for entry in entries] == [
        (FOLDER + "-2", "batch", 3),
        ("quarantine/5.json", "quarantined", 1),
        (FOLDER + "-1", "batch", 2),
        ("notes.txt", "unknown", None),
        ("quarantine/6.json", "unknown", None),
    ]
    batch, quarantined = entries[:2]
    assert batch["reason"] == "RecordAgeExceeded"
    assert batch["kept_at"] == "2026-11-21T12:00:02.000Z"
    assert batch["oldest_record_at"] == "2026-11-21T12:00:00.000Z"
    assert isinstance(batch["oldest_record_age_seconds"], int)
    assert (batch["organisations"], quarantined["organisations"]) == (["org_1"], ["b"])
    assert quarantined["kept_at"] == "2026-11-21T12:00:05.123Z"
    assert "1 unfinished write left out" in redrive.err

    assert redrive("list", "--from", folder.as_uri()) == 0
    lines = redrive.out.splitlines()
    assert lines[::2] == [entry["name"] for entry in entries]
    assert "batch: RecordAgeExceeded  3 records, the oldest" in lines[1]
    assert "quarantined: field 'started_at_ms' of a call  1 record" in lines[3]
    assert lines[7] == "    unknown: not JSON: Expecting value: line 1 column 1 (char 0)"


def test_an_empty_folder(redrive: Command, folder: Path) -> None:
    assert redrive("list", "--from", "failures") == 0
    assert (redrive.out, redrive.err) == ("", "")
    assert redrive("list", "--json", "--from", "failures") == 0
    assert json.loads(redrive.out) == []
    assert redrive("replay", "--all", "--from", "failures") == 0
    assert redrive.out == "0 records of 0 objects applied; 0 objects remain\n"


def test_what_is_on_a_terminal_is_printable(redrive: Command, folder: Path) -> None:
    nasty = "quarantine/\x1b[31m.json"
    write(folder, {nasty: quarantine_document([poison(1)], "\x1b[2J")})
    for arguments in (["list"], ["replay", "--all"]):
        redrive(*arguments, "--from", str(folder))
        assert "\x1b" not in redrive.out
        assert "\\u001b[31m" in redrive.out


# ------------------------------------------------------------------ show
def test_an_object_is_shown_whole(redrive: Command, folder: Path) -> None:
    write(folder, OBJECTS)
    assert redrive("show", FOLDER + "-1", "--from", str(folder)) == 0
    shown, stored = json.loads(redrive.out), json.loads(OBJECTS[FOLDER + "-1"])
    assert shown == stored | {"payload": json.loads(stored["payload"])}
    assert redrive.out.count("\n") > 20
    assert redrive("show", "quarantine/5.json", "--from", str(folder)) == 0
    assert json.loads(redrive.out) == json.loads(OBJECTS["quarantine/5.json"])
    for name, why in (
        ("missing.txt", "there is no missing.txt"),
        ("notes.txt", "notes.txt is damaged"),
    ):
        assert redrive("show", name, "--from", str(folder)) == 2
        assert (redrive.out, why in redrive.err) == ("", True)


# ------------------------------------------------------------------ replay
def test_all_are_applied(redrive: Command, folder: Path, updates: Any) -> None:
    updates(applied)
    good = {name: OBJECTS[name] for name in (FOLDER + "-1", FOLDER + "-2", "quarantine/5.json")}
    write(folder, good | {"quarantine/.7.json": b""})
    assert redrive("replay", "--all", "--keep", "--from", str(folder)) == 0
    assert files(folder) == {*good, "quarantine/.7.json"}
    assert redrive("replay", FOLDER + "-1", "--from", str(folder)) == 0
    assert redrive.out == "2 records of 1 object applied; 0 objects remain\n"
    assert redrive("replay", "--all", "--from", str(folder)) == 0
    assert redrive.out == "4 records of 2 objects applied; 0 objects remain\n"
    assert files(folder) == {"quarantine/.7.json"}


def test_some_remain_each_with_its_reason(redrive: Command, folder: Path, updates: Any) -> None:
    def some_poison(records: Sequence[Any]) -> Result:
        return Result(quarantined=[refused("still unknown")])

    updates(some_poison)
    write(folder, OBJECTS)
    assert redrive("replay", "--all", "--from", str(folder)) == 1
    lines = redrive.out.splitlines()
    assert lines[-1] == "3 records of 5 objects applied; 5 objects remain"
    poisoned = f"quarantine/{0:021d}.json"
    damaged = "damaged or not ours: not JSON: Expecting"
    at_start, at_name = "value: line 1 column 1 (char 0)", "property name enclosed in double quotes"
    assert set(lines[:-1]) == {
        f"remains {poisoned}: still unknown",
        "remains quarantine/5.json: still unknown",
        f"remains quarantine/6.json: {damaged} {at_name}: line 1 column 2 (char 1)",
        f"remains notes.txt: {damaged} {at_start}",
    }
    remaining = {"quarantine/5.json", "quarantine/6.json", "notes.txt", "quarantine/.7.json"}
    assert files(folder) == {*remaining, poisoned}


def test_what_is_not_there_cannot_be_replayed(redrive: Command, folder: Path, updates: Any) -> None:
    updates(applied)
    write(folder, OBJECTS)
    assert redrive("replay", "missing.txt", FOLDER + "-1", "--from", str(folder)) == 2
    assert "there is no missing.txt" in redrive.err
    assert FOLDER + "-1" not in files(folder)


def test_it_stops_when_there_are_no_tables(redrive: Command, folder: Path, updates: Any) -> None:
    calls = []

    def away(records: Sequence[Any]) -> Result:
        calls.append(records)
        return Result(failures=[Failure(0, "org_1", Unavailable("EndpointConnectionError"))])

    updates(away)
    write(folder, {f"quarantine/{n}.json": quarantine_document([poison(n)], "") for n in range(9)})
    assert redrive("replay", "--all", "--from", str(folder)) == 2
    assert len(calls) == 3
    assert redrive.out.count("remains quarantine/") == 3
    assert "EndpointConnectionError" in redrive.out
    assert "stopped: 3 objects in a row" in redrive.err
    assert len(files(folder)) == 9

    updates(lambda _: Result(quarantined=[refused("UnknownContribution: 7")]))
    assert redrive("replay", "--all", "--from", str(folder)) == 1
    assert redrive.out.count("remains quarantine/") == 9


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (
            ["list"],
            "specify the destination with --from, --stack-name or ROLLCALL_FAILURE_DESTINATION",
        ),
        (["list", "--from", "nowhere"], "No such file or directory"),
        (["list", "--from", "ftp://x"], "neither s3://… nor file:///…"),
        (["replay", "--from", "x"], "specify the objects to replay, or --all"),
        (["replay", "a", "--all", "--from", "x"], "specify the objects to replay, or --all"),
        (["replay", "--all", "--from", "nowhere"], "No such file or directory"),
        (["list", "--from", "s3://bucket"], "EndpointConnectionError|connect"),
    ],
)
def test_mistakes_end_in_one_line(
    redrive: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str], why: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    assert redrive(*arguments) == 2
    assert redrive.out == ""
    assert redrive.err.startswith("rollcall: ")
    assert redrive.err.count("\n") == 1
    assert any(each in redrive.err for each in why.split("|"))


def test_a_bar_moves_on_a_terminal_only(
    redrive: Command, folder: Path, updates: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    updates(applied)
    write(folder, {name: OBJECTS[name] for name in (FOLDER + "-1", FOLDER + "-2")})
    assert redrive("replay", "--all", "--keep", "--from", str(folder)) == 0
    assert redrive.err == ""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert redrive("replay", "--all", "--from", str(folder)) == 0
    assert "2/2" in terminal.getvalue()
    assert redrive.out == "5 records of 2 objects applied; 0 objects remain\n"
