"""`rollcall demo` as a person runs it: what it prints is what a count of its records gives."""

import json
import re
import shlex
import signal
import subprocess
import time
from datetime import UTC, datetime

import pytest

from rollcall_cli.demo_data import demo_records
from tests.oracle import Oracle
from tests.stack import ROLLCALL, ROOT, UNPOD, local_environment

SECONDS = 180
END = datetime(2026, 11, 20, 15, 4, 5, tzinfo=UTC)
SHAPE = ["--engine", "moto", "--port", "0", "--dynamodb-port", "0", "--seed", "4"]


def counted(calls: int, days: int) -> Oracle:
    """What the records say when they are counted one by one."""
    oracle = Oracle()
    records = list(demo_records(seed=4, calls=calls, days=days, now=END))
    for start in range(0, len(records), 500):
        _, receipt = oracle.post(records[start : start + 500], time.time_ns() // 1_000_000)
        assert receipt["rejected"] == []
    return oracle


def shown(printed: str) -> list[tuple[list[str], dict, dict[str, str]]]:
    """(words of the command, answer, X-Rollcall headers) of every example."""
    examples = []
    for part in re.split(r"^(?=curl )", printed, flags=re.MULTILINE)[1:]:
        command, rest = part.split("\n{", 1)
        answer, end = json.JSONDecoder().raw_decode("{" + rest)
        costs = dict(re.findall(r"^  (X-Rollcall-\S+) +(\S+)$", rest, re.MULTILINE))
        examples.append((shlex.split(command.replace("\\\n", "")), answer, costs))
    return examples


def demo(*arguments: str, **options) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [ROLLCALL, "demo", *SHAPE, "--until", END.isoformat(), *arguments],
        env=local_environment(),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.slow
def test_the_numbers_printed_are_those_of_the_records():
    process = demo("--once", "--calls", "100", "--days", "3", stderr=subprocess.PIPE)
    printed, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert "curl " not in said
    oracle = counted(calls=100, days=3)
    sent = len(oracle.facts)
    assert f"{sent} of {sent} records sent, 100 of 100 calls in the numbers" in said

    by_path = {words[2].split("/", 3)[3]: rest for words, *rest in shown(printed)}
    assert len(by_path) == 4
    everything, cost = by_path[UNPOD[1:]]
    assert everything["data"] == oracle.unpod()
    assert (cost["X-Rollcall-Source"], cost["X-Rollcall-Items-Read"]) == ("rollups", "2")
    one_space, cost = by_path[f"{UNPOD[1:]}?space_token=sales"]
    assert one_space["data"] == oracle.unpod("sales")
    assert (cost["X-Rollcall-Source"], cost["X-Rollcall-Items-Read"]) == ("rollups", "3")
    sent_again, _ = by_path["v1/records"]
    assert sent_again == {"accepted": 0, "unchanged": 1, "stale": 0, "rejected": []}
    organisations, _ = by_path["api/v2/platform/organizations/"]
    assert [each["domain_handle"] for each in organisations["data"]] == ["demo"]


@pytest.mark.slow
def test_its_commands_can_be_pasted_and_ctrl_c_ends_it(tmp_path):
    log = tmp_path / "stderr"
    with log.open("w") as stderr:
        process = demo("--calls", "20", "--days", "1", stderr=stderr, start_new_session=True)
    try:
        assert process.stdout
        printed = ""
        for line in process.stdout:
            printed += line
            if "until Ctrl-C" in line:
                break
        assert process.poll() is None, log.read_text()
        for words, answer, _ in shown(printed):
            pasted = subprocess.run(words, capture_output=True, check=True, timeout=30)
            assert json.loads(pasted.stdout) == answer
        exports = dict(re.findall(r"^export (\w+)=(\S+)$", printed, re.MULTILINE))
        tokens = subprocess.run(
            [ROLLCALL, "token", "list", "demo", "--json"],
            env=local_environment() | exports,
            capture_output=True,
            check=True,
            timeout=60,
        )
        assert [token["state"] for token in json.loads(tokens.stdout)] == ["active"]
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert rest == ""
    assert process.returncode == 0
    assert log.read_text().splitlines()[-2:] == ["rollcall: stopping", "rollcall: stopped"]
    assert "Traceback" not in log.read_text()
