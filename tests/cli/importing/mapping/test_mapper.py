"""Maps of columns and JSON values, through the command: what is sent, and what is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollcall.mapping.maps import parse_map
from tests.support.import_api import leftovers, write

MAP = """
timezone = "Europe/Berlin"
skip = ["Agent", "Note"]

[constants]
provider = "acme"
"payload.source" = "import"

[fields.id]
from = "Call Sid"

[fields.started_at]
from = ["Answered", "Start"]
time = "day-first"

[fields.status]
from = "State"
values = { "Done" = "completed", "Error *" = "failed", "-" = "" }

[[fields.disposition]]
value = "voicemail_left"
when = { "Note" = "*voicemail*" }

[[fields.disposition]]
from = "State"
values = { "Done" = "successful" }
default = ""

[fields.duration_seconds]
from = "Minutes"
unit = "minutes"

[fields.cost]
from = "Cents"
unit = "cents"
absolute = true

[fields.latency_ms]
from = "Latency"
unit = "seconds"

[fields.answered]
from = "Picked up"

[fields.labels]
from = "Tags"
split = ";"

[fields."payload.plan"]
from = "Plan"

[fields."payload.score:number"]
from = "Score"

[fields."events.sms_sent"]
from = "SMS"
"""
COLUMNS = (
    "Call Sid,Start,Answered,State,Note,Minutes,Cents,Latency,Picked up,Tags,Plan,Score,SMS,Agent"
)
ROW = 'c-1,21/11/2026 14:05,,done,,1.5,"-1,234.5",0.85,yes,a; b;,007,"1,000",2,Ann'


@pytest.fixture
def run(api, rollcall, tmp_path):
    """Import lines with a map, and return the outcome."""

    def call(lines: list[str], text: str = MAP, *more: Any, name: str = "x.csv") -> Any:
        (tmp_path / "map.toml").write_text(text)
        file = write(tmp_path / name, lines)
        arguments = ("--api", api.url, "--token", "good", "--map", tmp_path / "map.toml", *more)
        return rollcall("import", file, *arguments)

    return call


def test_columns_become_fields(api, run):
    done = run([COLUMNS, ROW])
    assert (done.status, done.err) == (0, "")
    assert api.taken == [
        {
            "type": "call",
            "provider": "acme",
            "id": "c-1",
            "started_at": "2026-11-21T13:05:00.000Z",
            "status": "completed",
            "disposition": "successful",
            "duration_seconds": 90,
            "cost": 12.345,
            "latency_ms": 850,
            "answered": True,
            "labels": ["a", "b"],
            "payload": {"source": "import", "plan": "007", "score": 1000},
            "events": {"sms_sent": 2},
        }
    ]
    assert b'"cost":12.345,' in api.bodies[0]


def test_a_decimal_comma_is_that_of_texts(api, run):
    text = (
        'decimal = ","\n[fields.id]\nfrom = "id"\n[fields.started_at]\nfrom = "at"\n'
        '[fields.status]\nvalue = "completed"\n[fields.duration_seconds]\nfrom = "long"\n'
        '[fields.latency_ms]\nfrom = "latency"\nunit = "seconds"\n[fields.cost]\nfrom = "cost"\n'
    )
    common = '"at":"2026-11-21T13:05:00Z"'
    lines = [
        f'{{"id":"1",{common},"long":61.125,"latency":0.125,"cost":0.5}}',
        f'{{"id":"2",{common},"long":"61,125","latency":"0,125","cost":"0,5"}}',
    ]
    done = run(lines, text, name="x.jsonl")
    assert done.status == 0, done.err
    found = [(row["duration_seconds"], row["latency_ms"], row["cost"]) for row in api.taken]
    assert found == [(61.125, 125, 0.5)] * 2


def test_json_lines_are_lines_for_a_map_of_json(api, run):
    text = (
        'format = "json"\n[fields.id]\nfrom = "id"\n[fields.started_at]\nfrom = "at"\n'
        '[fields.status]\nvalue = "completed"\n'
    )
    line = '{"id":"1","at":"2026-11-21T13:05:00Z","items":[{"id":"2"}]}'
    assert run([line], text, name="x.ndjson").status == 0
    assert api.ids() == ["1"]


def test_a_rule_without_a_value_leaves_it_to_the_next(api, run):
    rows = [
        "c-1,,22/11/2026 10:00,Error 5,left a Voicemail,,,,,,,,,",
        "c-2,21/11/2026 10:00,22/11/2026 10:00,Error,,,,,,,,,,",
        "c-3,21/11/2026 10:00,,-,,,,,,,,,,",
    ]
    assert run([COLUMNS, *rows]).status == 1
    assert [(row["disposition"], row["started_at"]) for row in api.taken] == [
        ("voicemail_left", "2026-11-22T09:00:00.000Z")
    ]


def test_all_faults_name_column_row_and_rule(run, tmp_path):
    done = run([COLUMNS, ROW, "c-2,21.11.2026,,weird,,x,y,z,perhaps,,,n,,"])
    assert done.status == 1
    entry = json.loads((tmp_path / "x.csv.rejected.jsonl").read_text())
    assert entry["line"] == 3
    faults = {fault["column"]: fault["message"] for fault in entry["faults"]}
    assert faults == {
        "State": '"weird" is not among the map\'s values',
        "Minutes": '"x" must be a length of time',
        "Cents": '"y" must be a number',
        "Latency": '"z" must be a length of time',
        "Picked up": '"perhaps" must be true or false, yes or no, 1 or 0',
        "Score": '"n" must be a number',
    }


def test_a_fault_that_the_api_finds_names_the_column_too(run, tmp_path):
    assert run([COLUMNS, ROW.replace("c-1", "bad")]).status == 1
    entry = json.loads((tmp_path / "x.csv.rejected.jsonl").read_text())
    assert entry["faults"] == [{"column": "Call Sid", "field": "id", "message": "is bad"}]


def test_a_repeated_hour_is_reported(api, run):
    done = run([COLUMNS, "c-1,25/10/2026 02:30,,done" + "," * 10])
    assert (done.status, done.is_one_line) == (0, True)
    assert "occur twice or never, because clocks were changed: 1;" in done.err
    assert api.taken[0]["started_at"] == "2026-10-25T00:30:00.000Z"


def test_the_timezone_may_be_given(api, run):
    run([COLUMNS, ROW], MAP, "--timezone", "UTC")
    assert api.taken[0]["started_at"] == "2026-11-21T14:05:00.000Z"
    assert "timezone: Mars" in run([COLUMNS, ROW], MAP, "--timezone", "Mars").err


def test_options_that_a_map_has_or_needs_are_refused(api, run, rollcall, tmp_path):
    assert "--type: the map has" in run([COLUMNS, ROW], MAP, "--type", "call").err
    file = write(tmp_path / "y.csv", ["id", "1"])
    arguments = ("import", file, "--api", api.url, "--token", "good", "--timezone", "UTC")
    assert "--timezone needs --map" in rollcall(*arguments).err
    assert api.bodies == []


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (COLUMNS.replace("Call Sid", "Sid"), "no column for 1 required fields"),
        (COLUMNS + ",Extra", "neither reads nor skips 1 columns"),
        (COLUMNS + ",Start", "the column Start occurs twice"),
    ],
)
def test_a_header_that_does_not_fit_stops_before_anything_is_sent(api, run, header, message):
    done = run([header, ROW + ",x"])
    assert (done.status, api.bodies) == (2, [])
    assert message in done.err


def test_a_missing_column_of_an_optional_field_is_reported(api, run):
    done = run([COLUMNS.replace("Score", "Agent"), ROW])
    assert (done.status, done.is_one_line) == (0, True), done.err
    assert "has no column for payload.score:number" in done.err
    assert "score" not in api.taken[0]["payload"]


JSON_MAP = """
[fields.id]
from = "/call/id"
[fields.started_at]
from = ["/call/start", "/created"]
[fields.status]
value = "completed"
[fields.duration_seconds]
from = "/call/end"
since = "/call/start"
[fields.outcome]
from = "/analysis/0/a~1b"
[fields."payload.score"]
from = "score"
[fields.labels]
from = "tags"
[fields.cost]
from = "/cost"
"""


def test_pointers_reach_into_json(api, run):
    call = {"id": 5, "start": 1795266309000, "end": "2026-11-21T13:06:10.5Z"}
    record = {"call": call, "analysis": [{"a/b": "won"}], "score": 0.5, "tags": ["x", 7]}
    lines = [json.dumps(record | {"cost": None}), json.dumps({"call": {"id": "6"}})]
    done = run(lines, JSON_MAP, name="x.jsonl")
    assert done.status == 1
    assert api.taken == [
        {
            "type": "call",
            "id": "5",
            "started_at": "2026-11-21T13:05:09.000Z",
            "status": "completed",
            "duration_seconds": 61.5,
            "outcome": "won",
            "payload": {"score": 0.5},
            "labels": ["x", "7"],
        }
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "Expected '='"),
        ("[fields]\nidd = {from='a'}", "idd is not a field of call; nearest: id"),
        ("[fields.id]\nfrom='a'\nunits='x'", "fields.id.0.units: is not a key of a map"),
        ("[fields.id]\njoin='-'", "must have either from or value"),
        ("[fields.id]\nfrom='a'\nvalue='b'", "must have either from or value"),
        ("[fields.id]\nfrom='a'\nextract='('", "must be a regular expression"),
        ("[fields.id]\nfrom='a'\nextract='a'", "must have one group"),
        ("[fields.started_at]\nfrom='a'\ntime='x'", "must be one of day-first"),
        ("[fields.cost]\nfrom='a'\nunit='minutes'", "fields.cost.unit must be one of cents"),
        ("[fields.id]\nfrom='a'\nunit='cents'", "fields.id.unit must be left out"),
        ("type='cal'\n[fields]", "type: must be one of call"),
        ("timezone='Mars'\n[fields]", "timezone: Mars"),
        ("[constants]\nid='a'\n[fields.id]\nfrom='a'", "both in constants and in fields"),
        (
            "decimal=';'\nformat='xml'\n[fields]",
            "format: must be csv or json; decimal: must be . or ,",
        ),
        ("", "fields: Field required"),
    ],
)
def test_a_map_that_is_wrong_names_the_key_and_the_rule(api, run, text, message):
    done = run([COLUMNS, ROW], text)
    assert (done.status, done.is_one_line, api.bodies) == (2, True, []), done.err
    assert message.lower() in done.err.lower()


def test_a_missing_map_is_one_line(rollcall, tmp_path):
    done = rollcall("import", tmp_path / "x", "--map", tmp_path / "none")
    assert (done.status, done.is_one_line) == (2, True)
    done = rollcall("import", tmp_path / "x", "--map", tmp_path / "none", "--from", "x")
    assert "not both" in done.err
    assert "is not one of" in rollcall("import", tmp_path / "x", "--from", "x").err


# ------------------------------------------------------------------ without sending


def test_a_dry_run_says_all_and_sends_nothing(rollcall, tmp_path):
    (tmp_path / "map.toml").write_text(MAP)
    bad = "c-2,21/11/2026 14:05,,done,,x" + "," * 8
    file = write(
        tmp_path / "x.csv", [COLUMNS, *[bad] * 30, *[ROW] * 5, ROW.replace("c-1", "x" * 200)]
    )
    done = rollcall("import", file, "--map", tmp_path / "map.toml", "--dry-run")
    assert (done.status, done.err) == (1, "")
    lines = done.out.splitlines()
    assert lines[0] == "36 records: 5 would be sent, 31 rejected; nothing was sent"
    assert lines[1] == "Minutes: 30 problems"
    assert lines[2] == '  line 2: duration_seconds "x" must be a length of time'
    assert lines[22:23] == ["Call Sid: 1 problem"]
    assert [json.loads(line)["id"] for line in lines[-3:]] == ["c-1"] * 3
    assert leftovers(tmp_path) == {"map.toml", "x.csv"}


def test_a_first_map_is_suggested_and_works(api, rollcall, tmp_path):
    lines = [
        "Call Sid;Start Time;Call Status;Duration (min);Agent",
        "c-1;11/21/2026 2:05 PM;Completed;05:25;Ann",
        "c-2;11/13/2026 2:05 PM;No-Answer;;Bob",
    ]
    file = write(tmp_path / "x.csv", lines)
    suggested = tmp_path / "map.toml"
    done = rollcall("import", file, "--suggest-map", suggested)
    assert (done.status, done.is_one_line, done.out) == (0, True, "")
    chosen = parse_map(suggested.read_text(), "map")
    assert chosen.fields["started_at"][0].time == "month-first"
    assert chosen.skip == ["Agent"]
    assert chosen.fields["duration_seconds"][0].unit == "minutes"
    again = rollcall("import", file, "--suggest-map", suggested)
    assert (again.status, "File exists" in again.err) == (2, True)
    arguments = ("--map", suggested, "--api", api.url, "--token", "good", "--timezone", "UTC")
    assert rollcall("import", file, *arguments).status == 0
    assert [(row["started_at"], row["status"]) for row in api.taken] == [
        ("2026-11-21T14:05:00.000Z", "completed"),
        ("2026-11-13T14:05:00.000Z", "no_answer"),
    ]


def test_a_first_map_of_json_has_pointers(rollcall, tmp_path):
    call = {"call": {"id": "1", "startedAt": 1795262400123, "durationMs": 1500, "status": "x"}}
    file = write(tmp_path / "x.json", [json.dumps({"calls": [call, {"other": 1}]}, indent=2)])
    assert rollcall("import", file, "--suggest-map", tmp_path / "map.toml").status == 0
    chosen = parse_map((tmp_path / "map.toml").read_text(), "map")
    assert {name: rules[0].sources for name, rules in chosen.fields.items()} == {
        "id": ["/call/id"],
        "started_at": ["/call/startedAt"],
        "status": ["/call/status"],
        "duration_seconds": ["/call/durationMs"],
    }
    assert chosen.fields["duration_seconds"][0].unit == "milliseconds"
    assert chosen.skip == ["/other"]


@pytest.mark.parametrize("name", ["x.csv", "x.json"])
def test_a_first_map_of_what_nothing_is_known_of_says_what_is_missing(rollcall, tmp_path, name):
    lines = {"x.csv": ["a,b", "1,2"], "x.json": ['[{"a": 1}]']}[name]
    file = write(tmp_path / name, lines)
    assert rollcall("import", file, "--suggest-map", tmp_path / "map.toml").status == 0
    assert "# started_at is required" in (tmp_path / "map.toml").read_text()
