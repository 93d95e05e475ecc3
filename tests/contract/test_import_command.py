"""`rollcall import` against a stack: each preset on its sample file, end to end.

What is expected was written by hand from the vendors' documentation, or is summed up here from the file.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from subprocess import CompletedProcess
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from rollcall.mapping.maps import preset_names
from tests.support import exchange
from tests.support import stack as stacks
from tests.support.command_line import run_command
from tests.support.stack import ROOT

SAMPLES = ROOT / "events/imports"


class Sample(NamedTuple):
    """A sample file, and what its calls are: ids, statuses, dispositions, how many were answered, parts
    of one of them, seconds, cost.
    """

    file: str
    ids: Callable[[Any], Any]
    statuses: str
    dispositions: str
    answered: int
    example: dict[str, Any]
    seconds: Callable[[Any], Any]
    cost: Callable[[Any], Any]


def elapsed(call: Any) -> float | None:
    if "startedAt" not in call or "endedAt" not in call:
        return None
    times = [datetime.fromisoformat(call[key]) for key in ("endedAt", "startedAt")]
    return (times[0] - times[1]).total_seconds()


def bland_seconds(call: Any) -> Any:
    if "corrected_duration" in call:
        return call["corrected_duration"]
    return call["call_length"] * 60 if "call_length" in call else None


JOINED = ("asterisk-csv", "freepbx-csv")
PBX = {
    "ids": lambda call: call["id"],
    "statuses": "completed completed busy no_answer failed completed failed canceled completed"
    " completed no_answer completed completed completed",
    "dispositions": "- - - - - - - - - - - - - -",
    "answered": 8,
    "seconds": lambda call: call.get("duration_seconds"),
    "cost": lambda call: None,
}

PRESETS = {
    "vapi-json": Sample(
        "vapi.json",
        lambda call: call["id"],
        "completed completed completed busy no_answer completed completed failed failed canceled failed"
        " in_progress",
        "successful unsuccessful voicemail_left need_retry unreachable completed successful error"
        " wrong_number - error -",
        6,
        {
            "id": "vapi-call-6",
            "status": "completed",
            "answered": True,
            "direction": "outbound",
            "provider": "twilio",
            "ended_reason": "assistant-forwarded-call",
            "outcome": "assistant-forwarded-call",
            "template_id": "assistant-2",
            "lead_id": "lead-1",
            "events": {"call_transferred": 1},
        },
        elapsed,
        lambda call: call.get("cost"),
    ),
    "retell-json": Sample(
        "retell.json",
        lambda call: call["call_id"],
        "completed completed completed busy no_answer completed completed failed failed canceled"
        " completed in_progress",
        "successful unsuccessful voicemail_left need_retry unreachable unsuccessful successful error"
        " wrong_number unsuccessful successful -",
        5,
        {
            "id": "call_retell_3",
            "direction": "outbound",
            "provider": "retell",
            "sentiment": Decimal("0.1"),
            "latency_ms": 762,
            "ended_reason": "voicemail_reached",
            "template_id": "agent_1",
        },
        lambda call: Decimal(call["duration_ms"]) / 1000 if "duration_ms" in call else None,
        lambda call: (
            Decimal(str(call["call_cost"]["combined_cost"])) / 100 if "call_cost" in call else None
        ),
    ),
    "elevenlabs-json": Sample(
        "elevenlabs.json",
        lambda call: call["conversation_id"],
        " ".join(["completed"] * 9) + " failed in_progress in_progress",
        " ".join(["successful unsuccessful completed"] * 3) + " error - -",
        9,
        {
            "id": "conv_03",
            "direction": "outbound",
            "provider": "twilio",
            "campaign_id": "batch-1",
            "template_id": "agent_1",
            "ended_reason": "silence_end_call_timeout",
        },
        lambda call: call["metadata"].get("call_duration_secs"),
        lambda call: call["metadata"]["cost_fiat"],
    ),
    "bland-json": Sample(
        "bland.json",
        lambda call: call["call_id"],
        "completed completed completed no_answer busy completed completed completed completed failed"
        " in_progress in_progress",
        "completed completed voicemail_left unreachable need_retry completed completed completed"
        " completed error - -",
        6,
        {
            "id": "bland-6",
            "direction": "outbound",
            "provider": "bland",
            "ended_reason": "ASSISTANT",
            "events": {"call_transferred": 1},
        },
        bland_seconds,
        lambda call: call.get("price"),
    ),
    "twilio-csv": Sample(
        "twilio.csv",
        lambda row: row["Sid"],
        "completed completed busy no_answer failed completed completed canceled completed completed"
        " in_progress queued",
        "- voicemail_left need_retry unreachable error voicemail_left - - - voicemail_left - -",
        3,
        {
            "id": "CAd34787e4fd2fc982b24fa0d25086afab",
            "started_at": "2026-11-20T08:19:34.000Z",
            "direction": "outbound",
            "provider": "twilio",
        },
        lambda row: row["Duration"] if row["Status"] == "completed" else None,
        lambda row: row["Price"].removeprefix("-") or None,
    ),
    "asterisk-csv": Sample(
        "asterisk-master.csv",
        example={
            "id": "1795162774.102",
            "started_at": "2026-11-20T08:19:34.000Z",
            "direction": "inbound",
            "provider": "asterisk",
            "ended_reason": "ANSWERED",
        },
        **PBX,
    ),
    "freepbx-csv": Sample(
        "freepbx.csv",
        example={
            "id": "pbx-1795174800.124",
            "started_at": "2026-11-20T11:40:00.000Z",
            "direction": "inbound",
            "provider": "asterisk",
            "duration_seconds": 285,
        },
        **PBX,
    ),
}


def calls_of(preset: str) -> list[Any]:
    if preset in JOINED:
        return exchange.calls(exchange.sample(preset))
    name = PRESETS[preset].file
    text = (SAMPLES / name).read_text("utf-8")
    if name.endswith(".csv"):
        return list(csv.DictReader(text.splitlines()))
    parsed = json.loads(text)
    return parsed if isinstance(parsed, list) else parsed.get("calls") or parsed["conversations"]


def run_import(org: Any, *arguments: Any) -> CompletedProcess[str]:
    environment = stacks.local_environment() | {
        "ROLLCALL_API": org.stack.api,
        "ROLLCALL_TOKEN": org.token,
    }
    return run_command("import", *map(str, arguments), environment=environment)


def rounded(value: Any) -> int:
    return int(Decimal(str(value)).quantize(Decimal(1), ROUND_HALF_UP))


def test_every_preset_has_a_sample_and_a_page():
    assert sorted(PRESETS) == preset_names()
    files = {path.name for path in SAMPLES.iterdir()}
    assert files == {sample.file for sample in PRESETS.values()}
    pages = "".join(path.read_text("utf-8") for path in (ROOT / "docs/providers").glob("*.md"))
    assert [name for name in PRESETS if f"--from {name}" not in pages] == []


@pytest.mark.representatives(2)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset(stack, tmp_path, preset):
    org, sample = stack.new_organisation(), PRESETS[preset]
    file = tmp_path / sample.file
    file.write_bytes((SAMPLES / sample.file).read_bytes())
    options = ["--from", preset, *(["--timezone", exchange.ZONE] if preset in JOINED else [])]
    done = run_import(org, file, *options)
    assert (done.returncode, "first, to join" in done.stderr) == (0, preset in JOINED)
    source = calls_of(preset)
    count = len(source)
    assert done.stdout == f"{count} records: {count} accepted, 0 unchanged, 0 stale, 0 rejected\n"
    again = run_import(org, file, *options)
    assert again.stdout == f"{count} records: 0 accepted, {count} unchanged, 0 stale, 0 rejected\n"

    ids = [sample.ids(each) for each in source]
    stored = [org.send("GET", f"/v1/calls/{quote(id, safe='')}").json["record"] for id in ids]
    assert [call["status"] for call in stored] == sample.statuses.split()
    assert [call.get("disposition", "-") for call in stored] == sample.dispositions.split()
    found = next(call for call in stored if call["id"] == sample.example["id"])
    assert {name: found.get(name) for name in sample.example} == sample.example

    stack.drain()
    measures = ["calls", "answered", "talk_seconds", "timed", "cost"]
    query = {"measures": measures, "dimensions": ["status"]}
    answer = org.send("POST", "/v1/query", query).json
    assert {row["status"]: row["calls"] for row in answer["rows"]} == Counter(
        sample.statuses.split()
    )
    seconds = [rounded(value) for each in source if (value := sample.seconds(each)) is not None]
    costs = [Decimal(str(value)) for each in source if (value := sample.cost(each)) is not None]
    assert answer["totals"] == {
        "calls": count,
        "answered": sample.answered,
        "talk_seconds": sum(seconds),
        "timed": len(seconds),
        "cost": sum(costs),
    }
