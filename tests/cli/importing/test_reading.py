"""Every shape of a file: which of its rows are sent, which are rejected, and what is said about it."""

from __future__ import annotations

import gzip
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall_cli.errors import CommandError
from rollcall_cli.importing.reading import Options, Reading
from rollcall_cli.importing.source import HEAD_BYTES, Source
from tests.support.import_api import call_line, leftovers, write

TABLE = "type,id,status,outcome\ncall,c-1,completed,Käse\ncall,c-2,busy,\n"
ROWS = [
    {"type": "call", "id": "c-1", "status": "completed", "outcome": "Käse"},
    {"type": "call", "id": "c-2", "status": "busy"},
]
LINES = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)
SEPARATED = {name: TABLE.replace(",", name) for name in (";", "\t", "|")}

# name of the file, content, ids that arrive, lines that are rejected, part of what is said
SHAPES: dict[str, tuple[str, bytes, list[str], list[int], str]] = {
    "commas": ("x.csv", TABLE.encode(), ["c-1", "c-2"], [], ""),
    "semicolons": ("x.csv", SEPARATED[";"].encode(), ["c-1", "c-2"], [], "by semicolons"),
    "tabs": ("x.csv", SEPARATED["\t"].encode(), ["c-1", "c-2"], [], "by tabs"),
    "tsv": ("x.tsv", SEPARATED["\t"].encode(), ["c-1", "c-2"], [], "by tabs"),
    "bars": ("x.csv", SEPARATED["|"].encode(), ["c-1", "c-2"], [], "by bars"),
    "sep line": ("x.csv", b"sep=;\r\n" + SEPARATED[";"].encode(), ["c-1", "c-2"], [], "semicolons"),
    "sep line, unusual": (
        "x.csv",
        b"sep=^\n" + TABLE.replace(",", "^").encode(),
        ["c-1", "c-2"],
        [],
        "by '^'",
    ),
    "BOM": ("x.csv", b"\xef\xbb\xbf" + TABLE.encode(), ["c-1", "c-2"], [], ""),
    "UTF-16": ("x.csv", TABLE.encode("utf-16"), ["c-1", "c-2"], [], "utf-16"),
    "UTF-16 BE": (
        "x.csv",
        b"\xfe\xff" + TABLE.encode("utf-16-be"),
        ["c-1", "c-2"],
        [],
        "utf-16",
    ),
    "UTF-16, no mark": ("x.csv", TABLE.encode("utf-16-le"), ["c-1", "c-2"], [], "utf-16-le"),
    "UTF-16 BE, no mark": ("x.csv", TABLE.encode("utf-16-be"), ["c-1", "c-2"], [], "utf-16-be"),
    "Latin-1": ("x.csv", TABLE.encode("latin-1"), ["c-1", "c-2"], [], "cp1252"),
    "CRLF": ("x.csv", TABLE.replace("\n", "\r\n").encode(), ["c-1", "c-2"], [], ""),
    "CR": ("x.csv", TABLE.replace("\n", "\r").encode(), ["c-1", "c-2"], [], ""),
    "no end of the last line": ("x.csv", TABLE.strip().encode(), ["c-1", "c-2"], [], ""),
    "gzip": ("x.csv.gz", gzip.compress(TABLE.encode()), ["c-1", "c-2"], [], ""),
    "gzip of UTF-16": ("x.gz", gzip.compress(TABLE.encode("utf-16")), ["c-1", "c-2"], [], "utf-16"),
    "no extension": ("calls", TABLE.encode(), ["c-1", "c-2"], [], ""),
    "cells of spaces behind the last column": (
        "x.csv",
        TABLE.replace("busy,", "busy,, ,  ").encode(),
        ["c-1", "c-2"],
        [],
        "",
    ),
    "trailing commas": (
        "x.csv",
        TABLE.replace("\n", ",,\n").encode(),
        ["c-1", "c-2"],
        [],
        "",
    ),
    "a trailing comma in the header only": (
        "x.csv",
        TABLE.replace("outcome\n", "outcome,\n").encode(),
        ["c-1", "c-2"],
        [],
        "",
    ),
    "blank rows": (
        "x.csv",
        TABLE.replace("\ncall,c-2", "\n,,,\n\n  \n , ,,\ncall,c-2").encode(),
        ["c-1", "c-2"],
        [],
        "",
    ),
    "blank lines before the header": ("x.csv", b"\n\n" + TABLE.encode(), ["c-1", "c-2"], [], ""),
    "header only": ("x.csv", b"type,id,status\n", [], [], ""),
    "a row with a cell too many": (
        "x.csv",
        (TABLE + "call,c-3,busy,x,y\n").encode(),
        ["c-1", "c-2"],
        [4],
        "",
    ),
    "a row of two lines": (
        "x.csv",
        (TABLE + 'call,c-3,busy,"two\nlines"\n').encode(),
        ["c-1", "c-2", "c-3"],
        [],
        "",
    ),
    "JSON lines": ("x.jsonl", LINES.encode(), ["c-1", "c-2"], [], ""),
    "JSON lines, CR": ("x.jsonl", LINES.replace("\n", "\r").encode(), ["c-1", "c-2"], [], ""),
    "JSON lines, UTF-16": ("x.jsonl", LINES.encode("utf-16"), ["c-1", "c-2"], [], "utf-16"),
    "JSON lines, gzip": ("x.jsonl.gz", gzip.compress(LINES.encode()), ["c-1", "c-2"], [], ""),
    "JSON lines, no extension": ("calls", LINES.encode(), ["c-1", "c-2"], [], ""),
    "array": ("x.json", json.dumps(ROWS).encode(), ["c-1", "c-2"], [], ""),
    "array of lines": (
        "x.json",
        f"[\n{LINES}\n]".replace("}\n{", "},\n{").encode(),
        ["c-1", "c-2"],
        [],
        "",
    ),
    "array, indented": ("x.json", json.dumps(ROWS, indent=2).encode(), ["c-1", "c-2"], [], ""),
    "array with a BOM": (
        "x.json",
        b"\xef\xbb\xbf" + json.dumps(ROWS).encode(),
        ["c-1", "c-2"],
        [],
        "",
    ),
    "empty array": ("x.json", b"[]\n", [], [], ""),
    "array with what is no record": (
        "x.json",
        b'[{"id":"c-1"},\n 5,\n {"id":"c-2","id":"c-3"}, "}{][",\n{"id":"c-4"}]',
        ["c-1", "c-4"],
        [2, 3, 3],
        "",
    ),
    "array that is cut off": (
        "x.json",
        json.dumps(ROWS, indent=1).encode()[:-20],
        ["c-1"],
        [8, 11],
        "",
    ),
    "array with something behind": ("x.json", b'[{"id":"c-1"}]\n{}', ["c-1"], [1], ""),
    "results": ("x.json", json.dumps({"results": ROWS}).encode(), ["c-1", "c-2"], [], ""),
    "results behind other keys": (
        "x.json",
        json.dumps({"count": 2, "a": {"data": [1]}, "calls": ROWS, "next": None}).encode(),
        ["c-1", "c-2"],
        [],
        "",
    ),
    "results that are cut off behind the list": (
        "x.json",
        json.dumps({"results": ROWS, "count": 2}).encode()[:-1],
        ["c-1", "c-2"],
        [1],
        "",
    ),
    "results, indented, with something behind": (
        "x.json",
        (
            json.dumps({"results": ROWS, "next": [{}]}, indent=1) + '\n{"results":[{"id":"c-3"}]}'
        ).encode(),
        ["c-1", "c-2"],
        [14],
        "",
    ),
    "two lists in one object": (
        "x.json",
        json.dumps({"results": ROWS, "a": {"calls": [1]}, "items": [{"id": "c-3"}]}).encode(),
        ["c-1", "c-2"],
        [1],
        "",
    ),
    "results twice on one line": (
        "x.json",
        b'{"results":[{"id":"c-1"}],"a":{"b":"}"}} {"results":[{"id":"c-2"}]}\n',
        ["c-1"],
        [1],
        "",
    ),
    **{
        f"JSON lines whose first record has {key}, {name}": (
            name,
            f'{{"id":"c-1","payload":{{}},"{key}":[{{"n":1}}]}}{end}{end}{{"id":"c-2"}}{end}'.encode(),
            ["c-1", "c-2"],
            [],
            "",
        )
        for key in ("items", "data", "calls", "records")
        for name, end in (("x.jsonl", "\n"), ("x.json", "\r\n"), ("x", "\r"))
    },
    "one record, indented": ("x.json", json.dumps(ROWS[0], indent=2).encode(), ["c-1"], [], ""),
    "records in sequence, indented": (
        "x.json",
        "\n".join(json.dumps(row, indent=2) for row in ROWS).encode(),
        ["c-1", "c-2"],
        [],
        "",
    ),
}


@pytest.mark.representatives(30)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("from_stdin", [False, True], ids=["file", "stdin"])
def test_a_shape(api, rollcall, tmp_path, monkeypatch, shape, from_stdin):
    name, content, ids, rejected, said = SHAPES[shape]
    monkeypatch.chdir(tmp_path)
    file = Path(name)
    if from_stdin:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    else:
        file.write_bytes(content)
    done = rollcall("import", "-" if from_stdin else file, "--api", api.url, "--token", "good")
    assert done.status == bool(rejected), done.err
    assert api.ids() == ids
    assert said in done.err
    assert bool(said) == bool(done.err), done.err
    first = [row for row in api.taken if row["id"] == "c-1" and "type" in row]
    assert first in ([], [ROWS[0]])
    left = Path("stdin.rejected.jsonl" if from_stdin else f"{name}.rejected.jsonl")
    entries = left.read_text().splitlines() if left.exists() else []
    assert [json.loads(entry)["line"] for entry in entries] == rejected
    assert done.out.startswith(f"{len(ids) + len(rejected)} records: {len(ids)} accepted")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", b"Call Sid,Start Time,Zustand\n1,2,3\n", "3 of 3 columns name no field"),
        ("x.csv", b"id,started at,status\n1,2,3\n", "1 of 3 columns name"),
        ("x.csv", b"1,2,3\n", "3 of 3 columns name no field"),
        ("x.csv", b"type,status\ncall,busy\n", "x.csv has no column id;"),
        ("x.csv", b"id,status\n1,busy\n", "x.csv has no column type; --type"),
        (
            "x.csv",
            b"type,id,payload.a,payload.a:number\ncall,1,2,3\n",
            "the columns payload.a and payload.a:number are both payload.a;",
        ),
        ("x.csv", b"", "must name the columns"),
        ("x.csv", b"\n\n,,,\n", "must name the columns"),
        ("x.xlsx", b"PK\x03\x04...", "is a spreadsheet"),
        ("x.csv.gz", gzip.compress(TABLE.encode())[:-12], "x.csv.gz is damaged"),
        ("x.csv", TABLE.encode("utf-16")[:-1], "x.csv is not utf-16"),
        ("x.json", b'[{"id":"' + b"x" * 2_100_000, "line 1: a record has more than"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_read_stops_before_anything_is_sent(
    api, rollcall, tmp_path, name, content, message
):
    file = tmp_path / name
    file.write_bytes(content)
    done = rollcall("import", file, "--api", api.url, "--token", "good")
    assert (done.status, done.out, api.bodies) == (2, "", [])
    assert message in done.err
    assert leftovers(tmp_path) == {name}


def test_unknown_columns_are_listed_beside_the_nearest_fields(api, rollcall, tmp_path):
    file = write(tmp_path / "x.csv", ["Started At;Duration-Seconds;id\x1b;payload.", "1;2;3;4"])
    done = rollcall("import", file, "--api", api.url, "--token", "good", "--type", "call")
    assert "Started At: nearest are started_at, " in done.err
    assert "Duration-Seconds: nearest are duration_seconds, " in done.err
    assert "\x1b" not in done.err
    assert "--map" in done.err


def test_a_header_is_that_of_the_type(api, rollcall, tmp_path):
    file = write(tmp_path / "x.csv", ["type,id,created_at,status", "task,1,2,3"])
    assert rollcall("import", file, "--api", api.url, "--token", "good").status == 0
    arguments = ("import", file, "--api", api.url, "--token", "good", "--type")
    assert rollcall(*arguments, "task").status == 0
    assert "created_at: nearest are" in rollcall(*arguments, "call").err


def test_the_delimiter_is_the_one_that_finds_the_most_fields(api, rollcall, tmp_path):
    file = write(tmp_path / "x.csv", ["type;id;payload.a,b,c,d", "call;1;x"])
    assert rollcall("import", file, "--api", api.url, "--token", "good").status == 0
    assert api.taken == [{"type": "call", "id": "1", "payload": {"a,b,c,d": "x"}}]


@pytest.mark.parametrize("given", ["tab", "\\t", "\t"])
def test_a_delimiter_may_be_given(api, rollcall, tmp_path, given):
    file = write(tmp_path / "x.csv", ["type\tid\tpayload.a,b,c,outcome", "call\t1\tx"])
    arguments = ("import", file, "--api", api.url, "--token", "good", "--delimiter", given)
    assert rollcall(*arguments).err == ""
    assert api.taken == [{"type": "call", "id": "1", "payload": {"a,b,c,outcome": "x"}}]


def test_an_encoding_may_be_given(api, rollcall, tmp_path):
    file = tmp_path / "x.csv"
    file.write_bytes("type,id,outcome\ncall,1,Привет\n".encode("koi8-r"))
    arguments = ("import", file, "--api", api.url, "--token", "good", "--encoding", "koi8-r")
    assert rollcall(*arguments).err == ""
    assert api.taken == [{"type": "call", "id": "1", "outcome": "Привет"}]


@pytest.mark.parametrize("place", ["first", "last"])
def test_a_stray_quote_stops_the_import_and_is_named(api, rollcall, tmp_path, place):
    rows = [f'{n},completed,"ok ""{n}"", {n}"' for n in range(20_000)]
    if place == "first":
        rows[10] = '10,completed,"stray'  # closes at the quote of a row far below
        rows[11:2_763] = [f"{n},completed,fine" for n in range(11, 2_763)]
    else:
        rows[19_900] = '19900,completed,"stray'
        rows[19_901:] = [f"{n},completed,fine" for n in range(19_901, 20_000)]
    file = write(tmp_path / "x.csv", ["id,status,outcome", *rows])
    done = rollcall("import", file, "--api", api.url, "--token", "good", "--type", "call")
    assert (done.status, done.is_one_line) == (2, True), done.err
    line = 12 if place == "first" else 19_902
    assert f"line {line}: the quote that opens here" in done.err
    assert len(api.ids()) <= line


def test_the_quote_is_found_inside_its_record(api, rollcall, tmp_path):
    rows = ["id,outcome,status", '1,"two ""short""\nlines","stray', *["3,c,d"] * 60, '"x']
    file = write(tmp_path / "x.csv", rows)
    done = rollcall("import", file, "--api", api.url, "--token", "good", "--type", "call")
    assert "line 3: the quote that opens here makes one record of the lines 2 to 64" in done.err


def test_a_rejected_record_states_how_many_lines_it_spans(api, rollcall, tmp_path):
    file = write(tmp_path / "x.csv", ["id,outcome", '"bad\n1","a\n\nb"', "2,x"])
    arguments = ("import", file, "--api", api.url, "--token", "good", "--type", "call")
    assert rollcall(*arguments).status == 1
    entry = json.loads((tmp_path / "x.csv.rejected.jsonl").read_text())
    assert (entry["line"], entry["lines"]) == (2, 4)


def test_an_accepted_record_may_span_any_number_of_lines(api, rollcall, tmp_path):
    text = "\n".join(map(str, range(200)))
    file = write(tmp_path / "x.csv", ["id,outcome", f'1,"{text}"', "2,x"])
    arguments = ("import", file, "--api", api.url, "--token", "good", "--type", "call")
    assert rollcall(*arguments).status == 0
    assert api.taken[0]["outcome"] == text


@pytest.mark.parametrize("key", ["a:boolean:number", "a:number:boolean", ":number:number"])
def test_one_kind_is_taken_from_the_key_of_a_payload(api, rollcall, tmp_path, key):
    cell = "1" if key.endswith("number") else "true"
    file = write(tmp_path / "x.csv", [f"type,id,payload.{key}", f"call,1,{cell}"])
    assert rollcall("import", file, "--api", api.url, "--token", "good").status == 0
    assert api.taken[0]["payload"] == {key.rpartition(":")[0]: json.loads(cell)}


def test_a_list_in_json_lines_may_be_chosen_with_the_format(api, rollcall, tmp_path):
    file = write(tmp_path / "x.jsonl", [json.dumps({"results": ROWS})])
    arguments = ("import", file, "--api", api.url, "--token", "good", "--format", "json")
    assert rollcall(*arguments).status == 0
    assert api.taken == ROWS


def test_what_follows_a_list_is_passed_over_in_pieces(tmp_path):
    path = tmp_path / "x.json"
    more = json.dumps([{"n": "x" * 1_000}] * 3_000)
    path.write_text('{"results":[{"id":"1"}],\n"more":' + more + "}\n")
    assert path.stat().st_size > 3_000_000
    assert len(rows_of(path, Options())) == 1
    path.write_text(path.read_text() + "{}")
    assert len(rows_of(path, Options())) == 2


def test_numbers_of_an_array_keep_their_digits(api, rollcall, tmp_path):
    record = '{ "id":"1","cost":0.10000000000000000000001,"payload":{"n":1e-99}}'
    file = write(tmp_path / "x.json", [f"[{record} ,{record}]"])
    assert rollcall("import", file, "--api", api.url, "--token", "good").status == 0
    assert api.bodies[0].count(record.encode()) == 2


# ------------------------------------------------------------------ rows and positions


def rows_of(path: Path, options: Options, offset: int = 0, lines: int = 0) -> list[Any]:
    with Source(path, options.encoding) as source:
        rows = list(Reading(source, path, options).rows(offset, lines))
    return [
        (row.line_number, row.lines, row.end.offset, row.end.digest.hexdigest(), row.record)
        for row in rows
    ]


@pytest.mark.parametrize("shape", SHAPES)
def test_reading_can_start_behind_any_row(tmp_path, shape):
    path = tmp_path / SHAPES[shape][0]
    path.write_bytes(SHAPES[shape][1])
    with Source(path) as source:
        rows = list(Reading(source, path, Options()).rows(0, 0))
    whole = rows_of(path, Options())
    for place, row in enumerate(rows):
        if place + 1 < len(rows) or isinstance(row.record, bytes):
            assert rows_of(path, Options(), row.end.offset, row.end.lines) == whole[place + 1 :]


class Trickle(io.RawIOBase):
    """Content that comes in small pieces of random sizes, as from a pipe."""

    def __init__(self, content: bytes, seed: int) -> None:
        self._content = io.BytesIO(content)
        self._sizes = random.Random(seed)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._content.read(min(len(buffer), self._sizes.randint(1, 7)))
        buffer[: len(piece)] = piece
        return len(piece)


@pytest.mark.property
@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=4),
            st.recursive(
                st.one_of(st.integers(), st.text(max_size=6), st.booleans(), st.none()),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(st.text(max_size=3), inner, max_size=3)
                ),
                max_leaves=8,
            ),
            max_size=4,
        ),
        min_size=2,
        max_size=6,
    ),
    st.sampled_from([None, 1, 4]),
    st.sampled_from(["array", "results", "values"]),
    st.booleans(),
    st.integers(1, 9),
)
def test_values_are_cut_where_they_end(records, indent, kind, is_ascii, size):
    """However the file is laid out, and wherever the pieces in which it is read end."""
    from rollcall_cli.importing.json_values import read_values, shape_of
    from rollcall_cli.importing.source import Position

    def text(value: Any) -> str:
        return json.dumps(value, indent=indent, ensure_ascii=is_ascii)

    content = {
        "array": text(records),
        "results": text({"n": [1, "results", {"results": []}], "results": records, "x": "]"}),
        "values": "\n".join(json.dumps({"a": record}, indent=2) for record in records),
    }[kind].encode()
    expected = [{"a": record} for record in records] if kind == "values" else records
    shape = shape_of(content)
    assert shape.kind == {"array": "array", "results": "list", "values": "values"}[kind]
    rest = content[shape.start :]
    chunks = [rest[place : place + size] for place in range(0, len(rest), size)]
    start = Position.start().after(content[: shape.start], 0)
    rows = list(read_values(iter(chunks), start, bytes, shape.kind))
    assert [json.loads(row.record) for row in rows] == expected
    assert [row.lines for row in rows] == [row.text.count("\n") + 1 for row in rows]
    assert len({row.end.offset for row in rows}) == len(rows)


@pytest.mark.parametrize("seed", range(2))
def test_pieces_of_any_size_are_the_same_file(monkeypatch, tmp_path, seed):
    for name, content, *_ in SHAPES.values():
        path = tmp_path / name
        path.write_bytes(content)
        expected = rows_of(path, Options())
        stream = io.BufferedReader(Trickle(content, seed), buffer_size=8)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stream))
        with Source(Path("-")) as source:
            rows = list(Reading(source, path, Options()).rows(0, 0))
        assert [row.record for row in rows] == [row[-1] for row in expected], name


@pytest.mark.slow
@pytest.mark.parametrize("format", ["jsonl", "csv", "json"])
def test_rows_are_read_one_at_a_time(tmp_path, format):
    count = 30_000
    content = {
        "jsonl": "\n".join(call_line(f"{n:040}") for n in range(count)),
        "csv": "type,id\n" + "\n".join(f"call,{n:050}" for n in range(count)),
        "json": "[" + ",\n".join(call_line(f"{n:040}") for n in range(count)) + "]",
    }[format]
    path = tmp_path / f"x.{format}"
    path.write_text(content)
    assert path.stat().st_size > HEAD_BYTES * 1.5
    with Source(path) as source:
        rows = Reading(source, path, Options()).rows(0, 0)
        next(rows)
        assert sum(map(len, source.chunks())) > path.stat().st_size - HEAD_BYTES * 1.2
    with Source(path) as source:
        assert sum(1 for _ in Reading(source, path, Options()).rows(0, 0)) == count


def test_a_line_that_is_too_long_costs_one_row(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,outcome\n1,a\n2," + "x" * 5_000_000 + "\n3,c\n")
    with Source(path) as source:
        rows = list(Reading(source, path, Options(record_type="call")).rows(0, 0))
    assert [isinstance(row.record, bytes) for row in rows] == [True, False, True]
    assert [row.line_number for row in rows] == [2, 3, 4]


def test_a_file_that_becomes_shorter_is_no_empty_file(tmp_path):
    path = write(tmp_path / "x.jsonl", [call_line(1)])
    with pytest.raises(CommandError, match="shorter"):
        rows_of(path, Options(), 1_000, 10)


def test_an_unknown_codec_is_refused(tmp_path):
    with pytest.raises(CommandError, match="--encoding"):
        Source(tmp_path / "x", "hex")
