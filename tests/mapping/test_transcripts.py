"""Transcripts of platforms' exports become the turns of a call's detail."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rollcall.api import strict_json
from rollcall.api.records.documents import parse_record
from rollcall.mapping.transcripts import turns_of
from rollcall_cli.importing.mapping.map_file import read_preset
from rollcall_cli.importing.mapping.mapper import RowMapper

SAMPLES = Path(__file__).parents[2] / "events/imports"
HELLO, NOTHING = "Hello, how can I help?", "Nothing, this call is invented."


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("", []),
        ("AI: Hello.\nUser: Yes: today.\n", [("AI", "Hello."), ("User", "Yes: today.")]),
        ("Agent: One\n two\n\nUser: Three", [("Agent", "One\ntwo"), ("User", "Three")]),
        ("No one spoke", [("", "No one spoke")]),
        ("See https://a.example", [("", "See https://a.example")]),
    ],
)
def test_a_text_has_a_turn_on_each_line(text: str, turns: list[tuple[str, str]]) -> None:
    assert turns_of(text) == [{"role": role, "text": said} for role, said in turns]


@pytest.mark.parametrize(
    ("entry", "turn"),
    [
        (
            {"role": "agent", "message": "a", "time_in_call_secs": 3},
            {"role": "agent", "text": "a", "at_seconds": 3},
        ),
        (
            {"role": "bot", "message": "a", "secondsFromStart": Decimal("1.5")},
            {"role": "bot", "text": "a", "at_seconds": Decimal("1.5")},
        ),
        ({"user": "assistant", "text": "a", "created_at": "?"}, {"role": "assistant", "text": "a"}),
        ({"role": "agent", "content": "a", "at_seconds": -1}, {"role": "agent", "text": "a"}),
        ({"text": "a"}, {"role": "", "text": "a"}),
        ({"role": "agent", "message": None, "tool_calls": []}, None),
        ({"role": "tool", "message": ""}, None),
    ],
)
def test_an_entry_with_words_is_a_turn(entry: dict[str, Any], turn: dict[str, Any] | None) -> None:
    assert turns_of([entry]) == ([] if turn is None else [turn])


@pytest.mark.parametrize("value", [5, {"role": "a"}, ["a"], [{"text": "a"}, None]])
def test_any_other_value_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must be a text or a list of objects"):
        turns_of(value)


@pytest.mark.parametrize("name", ["vapi", "retell", "elevenlabs", "bland"])
def test_a_preset_maps_what_was_said_and_where_it_can_be_heard(name: str) -> None:
    content = json.loads((SAMPLES / f"{name}.json").read_text())
    calls = (
        content
        if isinstance(content, list)
        else next(each for each in content.values() if isinstance(each, list))
    )
    record = RowMapper(read_preset(f"{name}-json"), None).convert_json(
        json.dumps(calls[0]).encode()
    )
    assert isinstance(record, bytes)
    document = strict_json.loads(record)
    assert parse_record(document).detail is not None
    detail = document["detail"]
    assert detail["summary"] == "An invented call."
    assert [turn["text"] for turn in detail["transcript"]] == [HELLO, NOTHING]
    if name != "elevenlabs":  # its export has no address of the recording
        assert detail["recording_url"].startswith("https://recordings.example/")


def test_a_recording_that_is_not_https_is_left_out() -> None:
    call = json.loads((SAMPLES / "retell.json").read_text())
    first = call[0] if isinstance(call, list) else next(iter(call.values()))[0]
    first["recording_url"] = "http://recordings.example/1"
    record = RowMapper(read_preset("retell-json"), None).convert_json(json.dumps(first).encode())
    assert isinstance(record, bytes)
    assert "recording_url" not in strict_json.loads(record)["detail"]
