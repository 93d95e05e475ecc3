"""`rollcall import` against a small fake of the API: formats, retries, resuming, bad lines."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
from collections.abc import Sequence

import pytest

from rollcall_cli import api_client
from rollcall_cli.api_client import ApiClient
from rollcall_cli.importing import pace
from rollcall_cli.importing.importer import import_rows
from rollcall_cli.importing.pace import Pace
from rollcall_cli.importing.progress import Progress
from rollcall_cli.importing.rows import Fault, Row
from rollcall_cli.importing.sender import Receipt
from rollcall_cli.importing.source import Position, Source
from tests.support.import_api import call_line, leftovers, write

# ------------------------------------------------------------------ JSON lines


def test_lines_go_out_in_batches_and_in_order(api, rollcall, tmp_path):
    file = write(tmp_path / "calls.jsonl", [call_line(n) for n in range(1203)])
    done = rollcall("import", file, "--api", api.url, "--token", "good")
    assert (done.status, done.err) == (0, "")
    assert done.out == "1203 records: 1203 accepted, 0 unchanged, 0 stale, 0 rejected\n"
    assert api.ids() == [str(n) for n in range(1203)]
    assert [len(json.loads(body)["records"]) for body in api.bodies] == [500, 500, 203]
    assert leftovers(tmp_path) == {"calls.jsonl"}


def test_numbers_go_through_digit_for_digit(api, rollcall, tmp_path):
    line = '{"type": "call","id":"1","cost":0.10000000000000000000001,"payload":{"n":1e-99}}'
    file = write(tmp_path / "calls.jsonl", [line])
    assert rollcall("import", file, "--api", api.url, "--token", "good").status == 0
    assert line.encode() in api.bodies[0]


def test_the_token_may_come_from_the_environment(api, rollcall, tmp_path, monkeypatch):
    monkeypatch.setenv("ROLLCALL_TOKEN", "good")
    file = write(tmp_path / "calls.jsonl", [call_line(1)])
    assert rollcall("import", file, "--api", api.url + "/").status == 0


def test_the_token_may_come_from_a_file(api, rollcall, tmp_path):
    file = write(tmp_path / "x.jsonl", [call_line(1)])
    token = write(tmp_path / "token", ["good"], end="\r\n")
    assert rollcall("import", file, "--api", api.url, "--token-file", token).status == 0
    assert api.ids() == ["1"]


def test_the_token_may_come_from_standard_input(api, rollcall, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("good\n"))
    monkeypatch.setenv("ROLLCALL_TOKEN", "other")
    file = write(tmp_path / "x.jsonl", [call_line(1)])
    assert rollcall("import", file, "--api", api.url, "--token", "-").status == 0
    assert api.ids() == ["1"]


@pytest.mark.parametrize("content", ["", "\n", "two words", "a\nb", "tök", "x" * 2000, "a\x00b"])
@pytest.mark.parametrize("source", ["--token", "--token -", "--token-file", "ROLLCALL_TOKEN"])
def test_what_cannot_be_a_token_is_refused_before_it_is_sent(
    api, rollcall, tmp_path, monkeypatch, source, content
):
    file = write(tmp_path / "x.jsonl", [call_line(1)])
    given = []
    match source:
        case "--token":
            given = ["--token", content]
        case "--token -":
            monkeypatch.setattr("sys.stdin", io.StringIO(content))
            given = ["--token", "-"]
        case "--token-file":
            given = ["--token-file", write(tmp_path / "token", [content])]
        case _:
            if "\0" in content:
                return  # no environment can hold it
            monkeypatch.setenv("ROLLCALL_TOKEN", content)
    done = rollcall("import", file, "--api", api.url, *given)
    assert (done.status, done.is_one_line) == (2, True), done.err
    assert "token" in done.err.lower()
    assert not content.strip() or content not in done.err
    assert api.bodies == []


@pytest.mark.parametrize(
    "api_url", ["http://192.0.2.1", "http://rollcall.example", "http://127.0.0.1.rollcall.example"]
)
def test_plain_http_to_another_machine_is_refused(rollcall, tmp_path, api_url):
    file = write(tmp_path / "x.jsonl", [call_line(1)])
    done = rollcall("import", file, "--api", api_url, "--token", "good")
    assert (done.status, done.is_one_line) == (2, True)
    assert "--insecure" in done.err


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "127.9.9.9"])
def test_plain_http_on_this_machine_is_fine(host):
    ApiClient(f"http://{host}:3000", "good", "ingest")


def test_plain_http_is_sent_where_it_is_accepted(api, rollcall, tmp_path, monkeypatch):
    monkeypatch.setattr(api_client, "is_loopback", lambda host: False)
    file = write(tmp_path / "x.jsonl", [call_line(1)])
    arguments = ("import", file, "--api", api.url, "--token", "good")
    assert rollcall(*arguments).status == 2
    assert api.bodies == []
    assert rollcall(*arguments, "--insecure").status == 0
    assert api.ids() == ["1"]


def test_a_type_is_given_to_records_that_name_none(api, rollcall, tmp_path):
    file = write(tmp_path / "x.ndjson", ['{"id":"1"}', " { } ", '{"id":"2","type":"task"}'])
    rollcall("import", file, "--api", api.url, "--token", "good", "--type", "call")
    assert api.taken == [{"type": "call", "id": "1"}, {"type": "call"}, {"id": "2", "type": "task"}]


def test_empty_lines_windows_ends_and_a_byte_order_mark_are_fine(api, rollcall, tmp_path):
    file = tmp_path / "x.jsonl"
    content = f"\ufeff{call_line(1)}\r\n\r\n  \n{call_line(2)}"
    file.write_bytes(content.encode())
    assert rollcall("import", file, "--api", api.url, "--token", "good").status == 0
    assert api.ids() == ["1", "2"]


def test_rejected_lines_are_kept_with_their_reason(api, rollcall, tmp_path):
    lines = [
        call_line("good-1"),
        call_line("bad-1"),
        '{"id": 1, "id": 2}',
        "[1]",
        "{",
        '{"id": NaN}',
        '{"id": "\\ud800"}',
        call_line("good-2"),
        '{"id": "MALFORMED"}',
        call_line("good-3"),
    ]
    file = write(tmp_path / "x.jsonl", lines)
    done = rollcall("import", file, "--api", api.url, "--token", "good")
    assert done.status == 1
    rejected_path = tmp_path / "x.jsonl.rejected.jsonl"
    assert done.out == (
        f"10 records: 3 accepted, 0 unchanged, 0 stale, 7 rejected (see {rejected_path})\n"
    )
    assert sorted(api.ids()) == ["good-1", "good-2", "good-3"]
    rejected = [json.loads(line) for line in rejected_path.read_text().splitlines()]
    assert [entry["line"] for entry in rejected] == [2, 3, 4, 5, 6, 7, 9]
    assert [entry["original"] for entry in rejected] == [
        lines[entry["line"] - 1] for entry in rejected
    ]
    assert rejected[0]["faults"] == [{"field": "id", "message": "is bad"}]
    assert rejected[-1]["faults"] == [{"field": "record", "message": "the body is not good"}]


def test_bytes_that_are_no_text_are_rejected(api, rollcall, tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_bytes(b'{"id":"\xff"}\n{"id":"\xc3\xa9"}\n')
    path = tmp_path / "elsewhere.jsonl"
    done = rollcall("import", file, "--api", api.url, "--token", "good", "--rejected", path)
    assert done.status == 1
    entry = json.loads(path.read_text())
    assert (entry["line"], entry["lines"]) == (1, 1)
    assert "--encoding" in entry["faults"][0]["message"]
    assert api.ids() == ["é"]


def test_no_batch_passes_two_megabytes(api, rollcall, tmp_path):
    lines = [json.dumps({"id": str(n), "text": "x" * 300_000}) for n in range(20)]
    file = write(tmp_path / "x.jsonl", lines)
    assert rollcall("import", file, "--api", api.url, "--token", "good").status == 0
    assert max(map(len, api.bodies)) <= 2_097_152
    assert len(api.ids()) == 20


def test_a_line_without_end_is_rejected_without_filling_memory(api, rollcall, tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_bytes(b"x" * 5_000_000 + b"\n" + call_line(1).encode() + b"\n")
    assert rollcall("import", file, "--api", api.url, "--token", "good").status == 1
    assert api.ids() == ["1"]


# ------------------------------------------------------------------ CSV


def test_csv_columns_take_the_types_of_the_fields(api, rollcall, tmp_path):
    file = tmp_path / "calls.csv"
    file.write_text(
        "\ufefftype,id,duration_seconds,cost,answered,labels,events.sms_sent,payload.plan,"
        "payload.score:number,payload.vip:boolean,outcome\n"
        'call,007,61.50,0.10,TRUE,a| b|,2,"007","1e3",false,"say ""hi"",\nthen go"\n'
        "call,8,,,,,,,,,\n",
        encoding="utf-8",
    )
    done = rollcall("import", file, "--api", api.url, "--token", "good")
    assert done.status == 0, done.err
    assert b'"duration_seconds":61.50,"cost":0.10,' in api.bodies[0]
    assert b'"score":1e3' in api.bodies[0]
    assert api.taken == [
        {
            "type": "call",
            "id": "007",
            "duration_seconds": 61.5,
            "cost": 0.1,
            "answered": True,
            "labels": ["a", "b"],
            "outcome": 'say "hi",\nthen go',
            "events": {"sms_sent": 2},
            "payload": {"plan": "007", "score": 1000.0, "vip": False},
        },
        {"type": "call", "id": "8"},
    ]


def test_a_column_makes_merges_of_rows(api, rollcall, tmp_path):
    file = tmp_path / "calls.csv"
    file.write_text("type,id,merge,outcome,language\ncall,1,True,booked,\ncall,2,,,de\n")
    assert rollcall("import", file, "--api", api.url, "--token", "good").status == 0
    assert api.taken == [
        {"type": "call", "id": "1", "merge": True, "outcome": "booked"},
        {"type": "call", "id": "2", "language": "de"},
    ]


@pytest.mark.parametrize("mark", ["merge", "deleted"])
def test_an_unreadable_mark_hides_which_fields_are_required(api, rollcall, tmp_path, mark):
    """A merge and a deletion need no `started_at`, so that it is missing cannot be known."""
    file = tmp_path / "calls.csv"
    rows = ["1,ja,,,", "2,nein,x,ended,", "3,ja,,,yes"]
    file.write_text("\n".join([f"id,{mark},attempt,status,answered", *rows]))
    done = rollcall("import", file, "--api", api.url, "--token", "good", "--type", "call")
    assert done.status == 1
    lines = (tmp_path / "calls.csv.rejected.jsonl").read_text().splitlines()
    assert [[fault["field"] for fault in json.loads(line)["faults"]] for line in lines] == [
        [mark],
        [mark, "attempt", "status"],
        [mark, "answered"],
    ]


def test_csv_rows_that_are_no_records_are_rejected(api, rollcall, tmp_path):
    file = tmp_path / "calls.csv"
    file.write_bytes(
        b"id,attempt,answered\n"
        b"1,x,\n"
        b"2,,maybe\n"
        b"3\n"
        b"4,1,true,more\n"
        b"\n"
        b"5,0x1,\n"
        b"\xff,1,\n"
        b"\xc3\xa9,1,x\n"
        b'6,"1"x,\n'
        b"8,x,x\n"
        b"7,1,true\n"
    )
    done = rollcall("import", file, "--api", api.url, "--token", "good", "--type", "call")
    assert done.status == 1
    assert api.taken == [{"id": "7", "attempt": 1, "answered": True, "type": "call"}]
    path = tmp_path / "calls.csv.rejected.jsonl"
    rejected = [json.loads(line) for line in path.read_text().splitlines()]
    found = {entry["line"]: [fault["field"] for fault in entry["faults"]] for entry in rejected}
    others = ["started_at", "status"]  # of all values that can be read, those that are missing
    assert found == {
        2: ["attempt", *others],
        3: ["answered", *others],
        4: ["record"],
        5: ["record"],
        7: ["attempt", *others],
        8: ["record"],
        9: ["answered", *others],
        10: ["record"],
        11: ["attempt", "answered", *others],
    }


def test_a_row_is_rejected_with_the_faults_of_all_its_values(api, rollcall, tmp_path):
    names = "id,started_at,status,attempt,direction,campaign_id,payload.n:number,payload.city"
    row = "1,2026-11-20T11:00:00Z,Completed,x,,c-1,many," + "x" * 257
    file = write(tmp_path / "calls.csv", [names, row])
    rollcall("import", file, "--api", api.url, "--token", "good", "--type", "call")
    (entry,) = map(json.loads, (tmp_path / "calls.csv.rejected.jsonl").read_text().splitlines())
    assert [(fault["field"], fault["message"][:20]) for fault in entry["faults"]] == [
        ("attempt", "must be a number"),
        ("payload.n:number", "must be a number"),
        ("status", "must be 'queued', 'r"),
        ("campaign_id", "needs direction"),
        ("payload.city", "must have at most 25"),
    ]
    checked = rollcall("import", file, "--dry-run", "--type", "call")
    assert "payload.city: 1 problem" in checked.out
    assert "campaign_id: 1 problem" in checked.out


def test_several_faults_of_one_record_in_a_receipt_are_one_rejected_row(api, rollcall, tmp_path):
    file = write(tmp_path / "calls.jsonl", [call_line("a"), call_line("b")])
    entries = [
        {"index": 1, "id": "b", "field": name, "message": "is bad"} for name in ("x", "payload.y")
    ]
    api.script = [(207, {"accepted": 1, "unchanged": 0, "stale": 0, "rejected": entries})]
    done = rollcall("import", file, "--api", api.url, "--token", "good")
    assert "1 accepted, 0 unchanged, 0 stale, 1 rejected" in done.out
    (entry,) = map(json.loads, (tmp_path / "calls.jsonl.rejected.jsonl").read_text().splitlines())
    assert [fault["field"] for fault in entry["faults"]] == ["x", "payload.y"]


@pytest.mark.parametrize("header", ["id,,x", "id,id", '"id'])
def test_a_csv_header_must_name_the_columns(api, rollcall, tmp_path, header):
    file = write(tmp_path / "x.csv", [header, "1,2,3"])
    done = rollcall("import", file, "--api", api.url, "--token", "good")
    assert (done.status, done.is_one_line) == (2, True)


# ------------------------------------------------------------------ memory and pace


class Accepts:
    """Takes every batch, and remembers its size."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def send(self, records: list[bytes]) -> Receipt:
        self.batches.append(len(records))
        return Receipt(accepted=len(records))


class Remembers:
    """Remembers how many rejected rows were kept at each flush."""

    def __init__(self) -> None:
        self.rows = 0
        self.flushed: list[int] = []

    def write(self, row: Row, faults: Sequence[Fault]) -> None:
        self.rows += 1

    def flush(self) -> None:
        self.flushed.append(self.rows)


@pytest.mark.parametrize("record", [b"{}", (Fault("record", "is bad"),)], ids=["sent", "rejected"])
def test_a_batch_is_bounded_by_the_texts_of_its_rows(record):
    """A map may take ten bytes of a row of a megabyte."""
    text = "x" * 1_000_000
    rows = (Row(n, 1, Position.start(), text, record) for n in range(1, 7))
    sender, rejected = Accepts(), Remembers()
    import_rows(
        rows,
        sender,
        batch_size=500,
        progress=Progress(),
        save=lambda _: None,
        rejected=rejected,
        wants_to_stop=lambda: False,
        show=lambda _: None,
    )
    if isinstance(record, bytes):
        assert sender.batches == [2, 2, 2]
    else:
        assert rejected.flushed == [2, 4, 6]


def test_the_pace_starts_where_reading_resumes(api, rollcall, tmp_path, monkeypatch):
    lines = [call_line(f"{n:02}" + "x" * 500_000) for n in range(8)]
    file = write(tmp_path / "x.jsonl", lines)
    arguments = ("import", file, "--api", api.url, "--token", "good", "--batch", 2)

    def interrupt(call: int) -> None:
        if call == 3:
            os.kill(os.getpid(), signal.SIGINT)

    api.before = interrupt
    assert rollcall(*arguments).status == 130
    started = []

    class Watched(Pace):
        def __init__(self, source: Source, progress: Progress) -> None:
            super().__init__(source, progress)
            started.append((progress.offset, source.bytes_up_to(progress.offset)))

    monkeypatch.setattr(pace, "Pace", Watched)
    assert rollcall(*arguments).status == 0
    [(offset, in_file)] = started
    assert in_file == offset > 2_900_000


# ------------------------------------------------------------------ trouble


@pytest.mark.parametrize("trouble", [(429, {}), (500, {}), (503, {"message": "later"}), None])
def test_passing_trouble_is_retried(api, rollcall, tmp_path, trouble):
    api.script = [trouble] * 3
    file = write(tmp_path / "x.jsonl", [call_line(1)])
    done = rollcall("import", file, "--api", api.url, "--token", "good")
    assert (done.status, done.err) == (0, "")
    assert api.ids() == ["1"]


def test_lasting_trouble_ends_in_one_line_and_keeps_what_was_done(api, rollcall, tmp_path):
    file = write(tmp_path / "x.jsonl", [call_line(n) for n in range(6)])
    arguments = ("import", file, "--api", api.url, "--token", "good", "--batch", 2)

    def break_down(call: int) -> None:
        if call == 3:
            api.script = [(503, {"message": "down"})] * 8

    api.before = break_down
    done = rollcall(*arguments)
    assert (done.status, done.is_one_line) == (2, True)
    assert "failed 8 times" in done.err
    assert "down" in done.err
    assert api.ids() == ["0", "1", "2", "3"]
    assert "x.jsonl.rollcall-progress" in leftovers(tmp_path)
    api.before = lambda call: None
    done = rollcall(*arguments)
    assert done.status == 0
    assert done.out.startswith("6 records: 6 accepted")
    assert api.ids() == ["0", "1", "2", "3", "4", "5"]
    assert leftovers(tmp_path) == {"x.jsonl"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.jsonl", "--token", "good"], "missing.jsonl: No such file"),
        (["x.jsonl", "--token", "good", "--type", "cal"], "--type"),
        (["x.jsonl", "--token", "good", "--encoding", "utf-9"], "--encoding"),
        (["x.jsonl", "--token", "good", "--encoding", "base64"], "--encoding"),
        (["x.jsonl", "--token", "good", "--delimiter", "ab"], "--delimiter"),
        (["-", "--token", "-"], "standard input"),
        (["x.jsonl", "--token", "good", "--format", "xml"], "--format"),
        (["x.jsonl"], "ROLLCALL_TOKEN"),
        (["x.jsonl", "--token-file", "none"], "--token-file none: No such file"),
        (["x.jsonl", "--token-file", "x.txt", "--token", "good"], "not both"),
        (["x.jsonl", "--token", "wrong"], "does not accept the token"),
        (["x.jsonl", "--token", "good", "--api", "not-a-url"], "is not a URL"),
        (["x.jsonl", "--token", "good", "--api", "http://[::1"], "is not a URL"),
        (["x.jsonl", "--token", "good", "--api", "URL/other"], "no /v1/records"),
        (["x.jsonl", "--token", "good", "--api", "CLOSED"], "cannot reach"),
        (["folder.jsonl", "--token", "good"], "folder.jsonl"),
    ],
)
def test_mistakes_end_in_one_clear_line(api, rollcall, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "x.jsonl", [call_line(1)])
    write(tmp_path / "x.txt", [call_line(1)])
    (tmp_path / "folder.jsonl").mkdir()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
    places = {"CLOSED": closed, "URL/other": api.url + "/other"}
    given = [places.get(argument, argument) for argument in arguments]
    if "--api" not in given:
        given += ["--api", api.url]
    done = rollcall("import", *given)
    assert done.status == 2
    assert done.is_one_line, done.err
    assert message in done.err
    assert "good" not in done.err.replace("x.jsonl", "")


def test_a_token_without_the_scope_ends_in_one_line(api, rollcall, tmp_path):
    api.script = [(403, {"message": "Forbidden", "detail": "no scope"})]
    file = write(tmp_path / "x.jsonl", [call_line(1)])
    done = rollcall("import", file, "--api", api.url, "--token", "good")
    assert (done.status, done.is_one_line) == (2, True)
    assert "permission ingest" in done.err


GOOD_RECEIPT = {"accepted": 2, "unchanged": 0, "stale": 0, "rejected": []}
REJECTION = {"index": 0, "id": "0", "field": "id", "message": "is bad"}


@pytest.mark.representatives(15)
@pytest.mark.parametrize("status", [200, 207, 422])
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[" * 100_000,
        b"1" * 5_000,
        [],
        {"accepted": 2},
        GOOD_RECEIPT | {"accepted": 1},
        GOOD_RECEIPT | {"accepted": "2"},
        GOOD_RECEIPT | {"accepted": 2.0},
        GOOD_RECEIPT | {"accepted": True, "stale": True},
        GOOD_RECEIPT | {"accepted": None},
        GOOD_RECEIPT | {"accepted": 3, "stale": -1},
        GOOD_RECEIPT | {"rejected": None},
        GOOD_RECEIPT | {"rejected": {}},
        GOOD_RECEIPT | {"rejected": [REJECTION]},
        GOOD_RECEIPT | {"accepted": 1, "rejected": ["x"]},
        GOOD_RECEIPT | {"accepted": 1, "rejected": [REJECTION | {"index": 2}]},
        GOOD_RECEIPT | {"accepted": 1, "rejected": [REJECTION | {"index": -1}]},
        GOOD_RECEIPT | {"accepted": 1, "rejected": [REJECTION | {"index": "0"}]},
        GOOD_RECEIPT | {"accepted": 1, "rejected": [REJECTION | {"field": None}]},
        GOOD_RECEIPT | {"accepted": 1, "rejected": [REJECTION | {"message": "\ud800"}]},
        GOOD_RECEIPT | {"accepted": 1, "rejected": [{"index": 0}]},
    ],
    ids=lambda answer: repr(answer)[:70],
)
def test_an_unexpected_receipt_ends_in_one_line(api, rollcall, tmp_path, status, answer):
    api.script = [(status, answer)]
    file = write(tmp_path / "x.jsonl", [call_line(0), call_line(1)])
    done = rollcall("import", file, "--api", api.url, "--token", "good")
    assert (done.status, done.out, done.is_one_line) == (2, "", True), done.err
    assert f"answered {status}" in done.err
    assert leftovers(tmp_path) == {"x.jsonl"}


def test_a_receipt_may_say_more_than_is_known(api, rollcall, tmp_path):
    api.script = [(200, GOOD_RECEIPT | {"trace": "x"})]
    file = write(tmp_path / "x.jsonl", [call_line(0), call_line(1)])
    assert rollcall("import", file, "--api", api.url, "--token", "good").status == 0


# ------------------------------------------------------------------ what is printed

# Colours, a title, a line break, a bell, C1's CSI, a right-to-left override, rich's markup.
STEERING = "\x1b[31m\x1b]0;x\x07\r\n\x9b2J\u202e[red]x[/nope]"


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 418, 429, 500])
@pytest.mark.parametrize("key", ["detail", "message", None])
def test_only_printable_text_comes_from_a_server(api, rollcall, tmp_path, status, key):
    body = {key: STEERING} if key else STEERING.encode()
    api.script = [(status, body)] * 8
    file = write(tmp_path / "x.jsonl", [call_line(1)])
    done = rollcall("import", file, "--api", api.url, "--token", "good")
    assert done.status in (1, 2)
    for line in (done.out + done.err).splitlines():
        assert line.isprintable(), repr(line)
    assert len((done.out + done.err).split("\n")) == 2


@pytest.mark.parametrize("is_terminal", [False, True])
@pytest.mark.parametrize("name", [STEERING, "[red]x[/bold]", "x[", "\udcff"])
def test_only_printable_text_comes_from_a_file_name(
    api, rollcall, tmp_path, monkeypatch, name, is_terminal
):
    if is_terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    path = tmp_path / f"{name.replace('/', '')}.jsonl"
    done = rollcall("import", write(path, [call_line("bad")]), "--api", api.url, "--token", "good")
    assert done.status == 1
    assert "1 rejected (see " in done.out
    assert done.out.removesuffix("\n").isprintable()
    if not is_terminal:
        assert done.err == ""
    # The bar moves the cursor and has colours; it rings no bell and sets no title.
    for steering in ("\x07", "\x9b", "\u202e", "\x1b]", "\udcff"):
        assert steering not in done.err
    done = rollcall("import", path.with_suffix(".csv"), "--api", api.url, "--token", "good")
    assert (done.status, done.is_one_line) == (2, True)
    assert done.err.removesuffix("\n").isprintable()


# ------------------------------------------------------------------ who may read what it leaves


@pytest.mark.parametrize("existed", [False, True])
def test_what_an_import_leaves_is_for_its_owner_alone(api, rollcall, tmp_path, existed):
    file = write(tmp_path / "x.jsonl", [call_line("bad-1"), call_line(2), call_line(3)])
    left = [tmp_path / f"x.jsonl.{name}" for name in ("rejected.jsonl", "rollcall-progress")]
    unfinished = left[1].with_name(left[1].name + ".new")
    if existed:
        for path in (*left, unfinished):
            path.write_text("")
            path.chmod(0o644)
    api.before = lambda call: os.kill(os.getpid(), signal.SIGINT)
    arguments = ("import", file, "--api", api.url, "--token", "good", "--batch", 2)
    assert rollcall(*arguments).status == 130
    assert [path.stat().st_mode & 0o777 for path in left] == [0o600, 0o600]
    if existed:
        left[0].chmod(0o644)  # as an earlier version would have left it
    api.before = lambda call: None
    assert rollcall(*arguments).status == 1
    assert left[0].stat().st_mode & 0o777 == 0o600


# ------------------------------------------------------------------ stopping and going on


def test_ctrl_c_stops_after_the_batch_under_way(api, rollcall, tmp_path):
    lines = [call_line(n) for n in range(8)]
    lines[1] = call_line("bad-1")
    lines[6] = call_line("bad-6")
    file = write(tmp_path / "x.jsonl", lines)
    arguments = ("import", file, "--api", api.url, "--token", "good", "--batch", 2)

    def interrupt(call: int) -> None:
        if call == 2:
            os.kill(os.getpid(), signal.SIGINT)

    api.before = interrupt
    done = rollcall(*arguments)
    assert (done.status, done.is_one_line, done.out) == (130, True, "")
    assert "stopped after line 4" in done.err
    assert api.ids() == ["0", "2", "3"]
    api.before = lambda call: None
    done = rollcall(*arguments)
    assert done.status == 1
    assert "resuming after line 4" in done.err
    assert done.out.startswith("8 records: 6 accepted, 0 unchanged, 0 stale, 2 rejected")
    assert api.ids() == ["0", "2", "3", "4", "5", "7"]
    path = tmp_path / "x.jsonl.rejected.jsonl"
    assert [json.loads(line)["line"] for line in path.read_text().splitlines()] == [2, 7]
    assert "x.jsonl.rollcall-progress" not in leftovers(tmp_path)


def test_ctrl_c_while_waiting_to_retry_stops_at_once(api, rollcall, tmp_path, monkeypatch):
    monkeypatch.setattr(api_client, "_FIRST_PAUSE_SECONDS", 600)
    monkeypatch.setattr(api_client, "_MAX_PAUSE_SECONDS", 600)
    api.script = [(503, {})]
    api.before = lambda call: os.kill(os.getpid(), signal.SIGINT)
    file = write(tmp_path / "x.jsonl", [call_line(1)])
    done = rollcall("import", file, "--api", api.url, "--token", "good")
    assert (done.status, done.is_one_line) == (130, True)


@pytest.mark.parametrize("change", ["content", "option", "token", "no-resume", "torn"])
def test_a_checkpoint_counts_only_for_the_same_import(api, rollcall, tmp_path, change):
    file = write(tmp_path / "x.jsonl", [call_line(n) for n in range(4)])
    api.before = lambda call: os.kill(os.getpid(), signal.SIGINT)
    arguments = ["import", file, "--api", api.url, "--token", "good", "--batch", 2]
    assert rollcall(*arguments).status == 130
    assert api.ids() == ["0", "1"]
    api.before = lambda call: None
    match change:
        case "content":
            write(file, [call_line(n) for n in (5, 1, 2, 3)])
        case "option":
            arguments += ["--type", "call"]
        case "token":
            api.script = [(401, {})]
            rollcall("import", file, "--api", api.url, "--token", "other", "--batch", 2)
        case "no-resume":
            arguments += ["--no-resume"]
        case "torn":
            (tmp_path / "x.jsonl.rollcall-progress").write_text('{"identity"')
    assert rollcall(*arguments).status == 0
    expected = 4 if change != "token" else 2
    assert len(api.ids()) == 2 + expected


def test_the_checkpoint_holds_no_token(api, rollcall, tmp_path):
    file = write(tmp_path / "x.jsonl", [call_line(n) for n in range(4)])
    api.before = lambda call: os.kill(os.getpid(), signal.SIGINT)
    rollcall("import", file, "--api", api.url, "--token", "good", "--batch", 2)
    assert "good" not in (tmp_path / "x.jsonl.rollcall-progress").read_text()
