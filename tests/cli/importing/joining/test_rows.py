"""The rows of an exchange's file make calls, in any order."""

from __future__ import annotations

import json
import os
import random
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall_cli.errors import CommandError
from rollcall_cli.importing.joining import spool
from rollcall_cli.importing.mapping.exchange import DialPlan
from rollcall_cli.importing.mapping.map_file import read_preset
from rollcall_cli.importing.reading import Options, Reading
from rollcall_cli.importing.source import Source
from tests.support import exchange
from tests.support.exchange import ZONE, Leg, files_of_legs

PRESETS = ("asterisk-csv", "freepbx-csv")
BEGAN = 1_795_161_600


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@pytest.fixture
def imported(api, rollcall, tmp_path):
    """Runs an import of legs; returns the outcome and the records that arrived."""

    def run(legs, *options, preset="asterisk-csv", zone=ZONE):
        file = tmp_path / "Master.csv"
        file.write_text(legs if isinstance(legs, str) else exchange.text(legs, preset))
        api.taken.clear()
        target = ["--api", api.url, "--token", "good", "--timezone", zone]
        done = rollcall("import", file, "--from", preset, *target, *options)
        return done, api.taken

    return run


def records(folder: Path, legs: list[Leg], preset: str, *, by_row: bool = False) -> list[bytes]:
    file = folder / "x.csv"
    file.write_text(exchange.text(legs, preset))
    mapping = DialPlan(trunk="acme", space="accountcode").applied(
        read_preset(preset, by_row=by_row)
    )
    with Source(file) as source:
        reading = Reading(source, file, Options(mapping=mapping, timezone=ZONE))
        found = [row.record for row in reading.rows(0, 0)]
    assert all(isinstance(record, bytes) for record in found)
    return found  # type: ignore[return-value]


def summary(record: dict[str, object]) -> dict[str, object]:
    """What `exchange.call` says of a call."""
    names = ("id", "status", "duration_seconds")
    started_at = datetime.fromisoformat(str(record["started_at"]))
    return {name: record[name] for name in names if name in record} | {
        "started_at": int(started_at.timestamp())
    }


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
@settings(deadline=None)
@given(legs=files_of_legs(), shuffle=st.randoms(use_true_random=False))
def test_any_order_of_the_rows_makes_the_same_calls(folder, preset, legs, shuffle):
    made = records(folder, legs, preset)
    assert [summary(json.loads(record)) for record in made] == exchange.calls(legs)
    # A row that is there twice counts once.
    again = [*legs, *shuffle.sample(legs, len(legs) // 2)]
    shuffle.shuffle(again)
    assert sorted(records(folder, again, preset)) == sorted(made)


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
@settings(deadline=None)
@given(legs=files_of_legs())
def test_other_fields_are_those_of_the_first_leg_that_has_them(folder, preset, legs):
    for record in map(json.loads, records(folder, legs, preset)):
        own = [leg for leg in legs if leg.linked == record["id"]]
        own.sort(key=lambda leg: (leg.start, leg.sequence))
        assert record.get("space_token") == next(filter(None, (leg.account for leg in own)), None)
        directions = (
            "inbound"
            if leg.context != "from-internal"
            else ("outbound" if leg.channel == "PJSIP/acme" else None)
            for leg in own
        )
        assert record.get("direction") == next(filter(None, directions), None)
        strongest = [leg for leg in own if exchange.STATUSES[leg.disposition] == record["status"]]
        assert record["ended_reason"] == strongest[0].disposition


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
@settings(deadline=None)
@given(legs=files_of_legs())
def test_with_legs_each_row_is_a_call(folder, preset, legs):
    made = [json.loads(record) for record in records(folder, legs, preset, by_row=True)]
    assert [record["id"] for record in made] == [
        f"{leg.start}.{leg.sequence}-{leg.sequence}" for leg in legs
    ]
    for record, leg in zip(made, legs, strict=True):
        assert summary(record)["started_at"] == leg.start
        assert record["status"] == exchange.STATUSES[leg.disposition]
        talked = None if leg.answer is None else leg.end - leg.answer
        assert record.get("duration_seconds") == talked


@pytest.mark.parametrize("preset", PRESETS)
def test_the_samples_have_calls_of_several_rows(preset):
    legs = exchange.sample(preset)
    rows = [sum(leg.linked == call["id"] for leg in legs) for call in exchange.calls(legs)]
    assert sorted(rows)[-3:] == [1, 2, 3]


def test_a_start_without_an_epoch_is_the_smallest(imported):
    legs = [
        Leg("a", 2, BEGAN + 60, BEGAN + 70, BEGAN + 90, "ANSWERED"),
        Leg("a", 1, BEGAN, None, BEGAN + 60, "NO ANSWER"),
    ]
    _, (record,) = imported(legs)
    assert record["started_at"] == "2026-11-20T08:00:00.000Z"
    assert record["duration_seconds"] == 20


def test_without_linkedid_a_call_is_its_uniqueid(imported):
    leg = Leg("", 1, BEGAN, BEGAN + 10, BEGAN + 90, "ANSWERED")
    _, (record,) = imported([leg, leg])
    assert (record["id"], record["duration_seconds"]) == (f"{BEGAN}.1", 80)


def test_a_call_over_a_change_of_clocks(imported):
    # 25 October 2026, 00:59 UTC: 02:59 in summer, and a minute later 02:00 in winter.
    before = int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp())
    legs = [
        Leg(f"{before}.1", 1, before, before + 10, before + 3_600, "ANSWERED"),
        Leg(f"{before}.1", 2, before + 7_200, before + 7_200, before + 7_260, "ANSWERED"),
    ]
    done, (record,) = imported(legs)
    assert record["duration_seconds"] == 7_250
    assert "occur twice or never" in done.err


def test_joining_needs_the_zone_of_the_exchange(api, rollcall, tmp_path):
    file = tmp_path / "Master.csv"
    file.write_text(exchange.text([Leg("a", 1, BEGAN, None, BEGAN, "BUSY")], "asterisk-csv"))
    arguments = ["import", file, "--from", "asterisk-csv", "--api", api.url, "--token", "good"]
    done = rollcall(*arguments)
    assert done.status == 2
    assert "--timezone" in done.err
    assert "--legs" in done.err
    assert rollcall(*arguments, "--legs").status == 0


@pytest.mark.parametrize(
    ("options", "direction"),
    [
        ([], "inbound"),
        (["--inbound-context", "sip-in, other*"], None),
        (["--inbound-context", "from-t*"], "inbound"),
        (["--inbound-context", "other", "--trunk", "PJSIP/acme"], "outbound"),
        (["--inbound-context", "other", "--trunk", "acm?"], "outbound"),
        (["--inbound-context", "other", "--trunk", "SIP/acme,201"], None),
        (["--trunk", "acme"], "inbound"),
    ],
)
@pytest.mark.parametrize("by_row", [[], ["--legs"]])
def test_the_direction_is_that_of_the_dial_plan(imported, options, direction, by_row):
    leg = Leg(f"{BEGAN}.1", 1, BEGAN, None, BEGAN, "BUSY", "from-trunk", "PJSIP/acme")
    done, (record,) = imported([leg], *options, *by_row)
    assert done.status == 0
    assert record.get("direction") == direction


def test_a_call_to_a_did_is_inbound(imported):
    leg = Leg(f"{BEGAN}.1", 1, BEGAN, None, BEGAN, "BUSY", "ext-queues", did="+4930901820")
    _, (record,) = imported([leg], "--inbound-context", "none", preset="freepbx-csv")
    assert record["direction"] == "inbound"


def test_columns_of_the_dial_plan_become_fields(imported):
    leg = Leg(f"{BEGAN}.1", 1, BEGAN, None, BEGAN, "BUSY", account="sales")
    _, (record,) = imported([leg], "--space", "accountcode", "--outcome", "dst")
    assert (record["space_token"], record["outcome"]) == ("sales", "201")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from", "asterisk-csv", "--space", "acountcode"], "space_token: the map reads acountc"),
        (["--from", "asterisk-csv", "--trunk", " , "], "--trunk is empty"),
        (["--from", "twilio-csv", "--trunk", "acme"], "twilio-csv has no direction by dcontext"),
        (["--from", "twilio-csv", "--legs"], "--legs: twilio-csv joins no rows"),
        (["--legs"], "need --map or --from"),
        (["--outcome", "userfield"], "need --map or --from"),
    ],
)
def test_options_that_do_not_fit_are_refused(api, rollcall, tmp_path, options, message):
    file = tmp_path / "Master.csv"
    file.write_text(exchange.text([Leg("a", 1, BEGAN, None, BEGAN, "BUSY")], "asterisk-csv"))
    done = rollcall("import", file, *options, "--timezone", ZONE, "--dry-run")
    assert done.status == 2
    assert message in done.err
    assert api.bodies == []


def test_a_map_that_has_a_field_keeps_it(api, rollcall, tmp_path):
    chosen = tmp_path / "own.toml"
    chosen.write_text('[constants]\noutcome = "x"\n[fields.id]\nfrom = "id"\n')
    file = tmp_path / "x.csv"
    file.write_text("id\n1\n")
    done = rollcall("import", file, "--map", chosen, "--outcome", "id", "--dry-run")
    assert "--outcome: own.toml has a outcome" in done.err


def test_columns_that_join_rows_must_be_there(rollcall, tmp_path):
    file = tmp_path / "cdr.csv"
    file.write_text('calldate,disposition,uniqueid\n"2026-11-20 09:00:00",BUSY,1\n')
    done = rollcall("import", file, "--from", "freepbx-csv", "--timezone", ZONE, "--dry-run")
    assert done.status == 2
    assert "cdr.csv has no column duration, by which freepbx-csv joins rows" in done.err


def test_joining_is_for_calls(rollcall, tmp_path):
    chosen = tmp_path / "own.toml"
    join = '[join]\nstart = "a"\nlength = "b"\n'
    chosen.write_text(f'type = "task"\n{join}[fields.id]\nfrom = "id"\n')
    done = rollcall("import", chosen, "--map", chosen, "--dry-run")
    assert "join is for calls, and not for records of type task" in done.err


# ------------------------------------------------------------------------------------ faults
def test_a_rejected_call_has_all_its_rows(imported, tmp_path):
    legs = [
        Leg(f"{BEGAN}.1", 1, BEGAN, None, BEGAN, "BUSY"),
        Leg(f"{BEGAN}.2", 2, BEGAN, None, BEGAN, "BUSY"),
        Leg(f"{BEGAN}.1", 3, BEGAN, None, BEGAN, "MAYBE"),
    ]
    done, taken = imported(legs)
    assert done.status == 1
    assert done.out.startswith("2 records: 1 accepted, 0 unchanged, 0 stale, 1 rejected")
    assert [record["id"] for record in taken] == [f"{BEGAN}.2"]
    lines = exchange.text(legs, "asterisk-csv").splitlines()
    (rejected,) = map(json.loads, (tmp_path / "Master.csv.rejected.jsonl").open())
    assert rejected == {
        "line": 1,
        "lines": 2,
        "rows": [1, 3],
        "faults": [
            {
                "column": "disposition",
                "field": "status",
                "message": '"MAYBE" is not among the map\'s values',
            }
        ],
        "original": f"{lines[0]}\n{lines[2]}",
    }


def test_times_that_cannot_be_read_reject_a_call_of_several_rows(imported, tmp_path):
    legs = [Leg(f"{BEGAN}.1", n, BEGAN, BEGAN + 1, BEGAN + 2, "ANSWERED") for n in (1, 2)]
    cells = exchange.text(legs, "asterisk-csv").splitlines()
    cells[0] = cells[0].replace(f'"{exchange.clock(BEGAN)}"', '"soon"', 1)
    cells[1] = cells[1].replace('"2","1","ANSWERED"', '"long","1","ANSWERED"')
    done, taken = imported("\n".join(cells))
    assert (done.status, taken) == (1, [])
    (rejected,) = map(json.loads, (tmp_path / "Master.csv.rejected.jsonl").open())
    assert rejected["faults"] == [
        {"column": "start", "field": "started_at", "message": '"soon" must be a date and time'},
        {
            "column": "duration",
            "field": "duration_seconds",
            "message": '"long" must be a length of time',
        },
    ]


def test_a_row_that_is_none_is_rejected_by_itself(imported, tmp_path):
    leg = Leg(f"{BEGAN}.1", 1, BEGAN, None, BEGAN, "BUSY")
    good = exchange.text([leg], "asterisk-csv")
    nameless = good.replace(f'"{BEGAN}.1"', '""')
    done, taken = imported(good + '"a","b"\n' + nameless + nameless)
    assert [record["id"] for record in taken] == [f"{BEGAN}.1"]
    assert "1 accepted, 0 unchanged, 0 stale, 3 rejected" in done.out
    rejected = list(map(json.loads, (tmp_path / "Master.csv.rejected.jsonl").open()))
    assert [each["line"] for each in rejected] == [2, 3, 4]
    assert [each["faults"][0]["message"] for each in rejected] == [
        "has 2 cells for 21 columns",
        "is required",
        "is required",
    ]


def test_bytes_that_are_not_utf_8_are_rejected(imported, tmp_path, api, rollcall):
    file = tmp_path / "x.csv"
    leg = Leg("wrong", 1, BEGAN, None, BEGAN, "BUSY")
    content = exchange.text([leg, leg], "asterisk-csv").encode().replace(b"wrong", b"\xffwrong")
    file.write_bytes(content)
    done = rollcall(
        "import", file, "--from", "asterisk-csv", "--timezone", ZONE, "--encoding", "utf-8",
        "--dry-run",
    )  # fmt: skip
    assert "1 records: 0 would be sent, 1 rejected" in done.out
    assert "is not UTF-8" in done.out


def test_a_call_of_more_than_two_megabytes_is_rejected(imported, tmp_path):
    leg = Leg(f"{BEGAN}.1", 1, BEGAN, None, BEGAN, "BUSY")
    row = exchange.text([leg], "asterisk-csv")
    rows = 2_000_000 // (len(row) - 2) + 2  # without CR and LF
    done, taken = imported(row * rows)
    assert (done.status, taken) == (1, [])
    (rejected,) = map(json.loads, (tmp_path / "Master.csv.rejected.jsonl").open())
    assert rejected["lines"] == rows
    assert rejected["faults"][0]["message"] == "has rows of more than 2,000,000 bytes"
    assert len(rejected["original"]) < 2_100_000


def test_a_full_disk_ends_in_one_line(monkeypatch, imported):
    table = spool._TABLE.replace("BEGIN;", "PRAGMA max_page_count = 10; BEGIN;")
    monkeypatch.setattr(spool, "_TABLE", table)
    legs = [Leg(f"{BEGAN}.{n}", n, BEGAN, None, BEGAN, "BUSY") for n in range(500)]
    done, taken = imported(legs)
    assert (done.status, taken) == (2, [])
    assert "the temporary file of rows: database or disk is full" in done.err


# --------------------------------------------------------------------------------- resuming
def many(count: int) -> list[Leg]:
    """Legs of calls, two or three of each, far from each other."""
    legs = [
        Leg(f"{BEGAN + n}.{n}", 1_000 * k + n, BEGAN + n, BEGAN + n + k, BEGAN + n + 9, "ANSWERED")
        for n in range(count)
        for k in range(2 + n % 2)
    ]
    random.Random(3).shuffle(legs)
    return legs


def interrupt_at(api, *calls: int) -> None:
    def interrupt(call: int) -> None:
        if call in calls:
            os.kill(os.getpid(), signal.SIGINT)

    api.before = interrupt


@pytest.mark.slow
def test_ten_interruptions_send_each_call_once(api, rollcall, tmp_path):
    legs = many(300)
    file = tmp_path / "x.csv"
    file.write_text(exchange.text(legs, "asterisk-csv"))
    options = ["--from", "asterisk-csv", "--timezone", ZONE, "--batch", 10]
    arguments = ["import", file, *options, "--api", api.url, "--token", "good"]
    interrupt_at(api, *random.Random(5).sample(range(1, 30), 10))
    statuses = [rollcall(*arguments).status for _ in range(10)]
    done = rollcall(*arguments)
    assert [*statuses, done.status] == [130] * 10 + [0]
    assert [summary(record) for record in api.taken] == exchange.calls(legs)
    assert done.out.startswith("300 records: 300 accepted")


def test_rows_added_to_calls_that_were_sent_send_these_again(api, imported, tmp_path):
    legs = many(100)
    interrupt_at(api, 5)
    assert imported(legs, "--batch", 10)[0].status == 130
    sent = [call["id"] for call in exchange.calls(legs)[:50]]
    more = [Leg(sent[3], 9_999, BEGAN + 500, BEGAN + 501, BEGAN + 900, "ANSWERED")]
    api.before = lambda call: None
    done, taken = imported([*legs, *more], "--batch", 10)
    assert "changed" not in done.err
    expected = exchange.calls([*legs, *more])
    assert [summary(record) for record in taken] == expected[49:]
    assert expected[-1]["id"] == sent[3]


def test_a_change_after_what_was_sent_sends_all_again(api, imported):
    legs = many(100)
    interrupt_at(api, 5)
    assert imported(legs, "--batch", 10)[0].status == 130
    # The last row moves to another call: one that was to be sent is complete before it now.
    last = legs[-1]
    changed = Leg(last.linked.replace(".", ".0"), *(getattr(last, name) for name in (
        "sequence", "start", "answer", "end", "disposition")))  # fmt: skip
    api.before = lambda call: None
    done, taken = imported([*legs[:-1], changed], "--batch", 10)
    assert "the file has changed, and which rows are one call with it" in done.err
    assert [summary(record) for record in taken] == exchange.calls([*legs[:-1], changed])


def test_ctrl_c_ends_the_reading_of_rows(api, imported, monkeypatch):
    added = spool.Spool.add

    def interrupting(self, row):
        if row.line_number == 20:
            os.kill(os.getpid(), signal.SIGINT)
        added(self, row)

    monkeypatch.setattr(spool.Spool, "add", interrupting)
    done, taken = imported(many(50))
    assert (done.status, taken) == (130, [])
    assert "stopped after line 0" in done.err


def test_a_file_that_becomes_shorter_is_no_end_of_calls(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text(exchange.text(many(5), "asterisk-csv"))
    mapping = read_preset("asterisk-csv")
    with Source(file) as source:
        reading = Reading(source, file, Options(mapping=mapping, timezone=ZONE))
        with pytest.raises(CommandError, match="become shorter"):
            reading.rows(1_000_000, 10_000)


def test_errors_of_the_database_are_those_of_the_command():
    with pytest.raises(CommandError, match="temporary file"), spool._errors():
        raise spool.sqlite3.OperationalError("disk I/O error")
