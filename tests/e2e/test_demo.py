"""`rollcall demo` as a person runs it: what it prints is what a count of its records gives."""

import json
import re
import shlex
import signal
import subprocess
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from rollcall_cli.demo_data import demo_records
from tests.support.oracle import Oracle
from tests.support.queries_of_dialects import DIALECTS, expected
from tests.support.stack import ROLLCALL, ROOT, UNPOD, local_environment, request, to_json

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


Shown = tuple[list[str], Any, dict[str, str]]


def shown(printed: str) -> list[Shown]:
    """(words of the command, answer, X-Rollcall headers) of every example.

    Where a list was cut, the answer has {"…": how many are left out}.
    """
    examples = []
    # The first command comes before the calls, without its answer.
    filled = printed[printed.index("Rollcall is filled") :]
    for part in re.split(r"^(?=curl )", filled, flags=re.MULTILINE)[1:]:
        command, rest = part.split("\n{", 1)
        rest = re.sub(r"^ +… (\d+) more$", r'{"…": \1},', rest, flags=re.MULTILINE)
        answer, _ = json.JSONDecoder().raw_decode("{" + rest)
        costs = dict(re.findall(r"^  (X-Rollcall-\S+) +(\S+)$", rest, re.MULTILINE))
        examples.append((shlex.split(command.replace("\\\n", "")), answer, costs))
    return examples


def is_shown(part: Any, whole: Any) -> bool:
    """Whether what is shown is the whole, with or without a cut."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return part.keys() == whole.keys() and all(is_shown(part[key], whole[key]) for key in part)
    if not isinstance(part, list) or not isinstance(whole, list):
        return part == whole
    cut = next(
        (n for n, entry in enumerate(part) if isinstance(entry, dict) and "…" in entry), None
    )
    if cut is not None:
        left_out = part[cut]["…"]
        part = part[:cut] + part[cut + 1 :]
        whole = whole[:cut] + whole[cut + left_out :]
    return len(part) == len(whole) and all(map(is_shown, part, whole))


def body_of(words: list[str]) -> Any:
    return json.loads(words[words.index("-d") + 1]) if "-d" in words else None


def counted_answer(oracle: Oracle, path: str, body: Any, now_ms: int) -> Any:
    """What the answer in any dialect should be."""
    url = "/" + path.removeprefix("agent/voice/breeze-buddy/")
    queries = (dialect.query_of(url, body, now_ms) for dialect in DIALECTS)
    [query] = [query for query in queries if query is not None]
    status, answer = expected(oracle, query)
    assert status == 200
    return json.loads(to_json(answer))


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
    process = demo("--once", "--tour", "--calls", "100", "--days", "3", stderr=subprocess.PIPE)
    printed, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    # A busy moto may keep a function waiting, which logs that in a line of JSON.
    assert not re.search("^Traceback", said, re.MULTILINE)
    assert "curl " not in said
    oracle = counted(calls=100, days=3)
    sent = len(oracle.facts)
    assert f"{sent} of {sent} records sent, 100 of 100 calls counted" in said

    now_ms = time.time_ns() // 1_000_000
    examples = shown(printed)
    by_path = {words[2].split("/", 3)[3]: rest for words, *rest in examples}
    everything, cost = by_path.pop(UNPOD[1:])
    assert everything["data"] == oracle.unpod()
    assert (cost["X-Rollcall-Source"], cost["X-Rollcall-Items-Read"]) == ("rollups", "2")
    one_space, cost = by_path.pop(f"{UNPOD[1:]}?space_token=sales")
    assert one_space["data"] == oracle.unpod("sales")
    # Its calls and tasks, and how many facts name it: calls, tasks and the space itself.
    assert (cost["X-Rollcall-Source"], cost["X-Rollcall-Items-Read"]) == ("rollups", "5")
    sent_again, _ = by_path.pop("v1/records")
    assert sent_again == {"accepted": 0, "unchanged": 1, "stale": 0, "rejected": []}
    organisations, _ = by_path.pop("api/v2/platform/organizations")
    assert [each["domain_handle"] for each in organisations["data"]] == ["demo"]
    audit, _ = by_path.pop("v1/audit")
    assert audit["exact"] is True
    assert audit["facts"] == sent
    assert re.search(rf"^  audit +{sent} facts, .*: no drift$", printed, re.MULTILINE)
    assert len(by_path) >= 6
    for words, answer, cost in examples:
        path = words[2].split("/", 3)[3]
        if path in by_path and any(dialect.query_of(f"/{path}", None, 0) for dialect in DIALECTS):
            assert is_shown(answer, counted_answer(oracle, path, body_of(words), now_ms)), path
            assert cost["X-Rollcall-Source"] in ("rollups", "ledger", "mixed")


@pytest.mark.slow
def test_its_commands_can_be_pasted_and_ctrl_c_ends_it(tmp_path):
    log = tmp_path / "stderr"
    with log.open("w") as stderr:
        process = demo(
            "--tour", "--calls", "20", "--days", "1", stderr=stderr, start_new_session=True
        )
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
            again = json.loads(pasted.stdout)
            # A cursor holds when its first page was read.
            assert bool(answer.pop("next", None)) == bool(again.pop("next", None))
            assert is_shown(answer, again), words
        exports = dict(re.findall(r"^export (\w+)=(\S+)$", printed, re.MULTILINE))
        tokens = subprocess.run(
            [ROLLCALL, "token", "list", "demo", "--json"],
            env=local_environment() | exports,
            capture_output=True,
            check=True,
            timeout=60,
        )
        assert [token["state"] for token in json.loads(tokens.stdout)] == ["active"]
        tried = re.search(
            r"^\S*rollcall (hook try --api http://127\.0\.0\.1:\d+)$", printed, re.MULTILINE
        )
        assert tried
        for before in (20, 21):
            # As in a new terminal: without the exported variables.
            changed = try_hook(*tried[1].split())
            assert f"calls: {before} → {before + 1}" in changed
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert rest == ""
    assert process.returncode == 0
    assert log.read_text().splitlines()[-2:] == ["rollcall: stopping", "rollcall: stopped"]
    assert "Traceback" not in log.read_text()


def try_hook(*words: str) -> list[str]:
    """The lines that `rollcall hook try` prints."""
    done = subprocess.run(
        [ROLLCALL, *words],
        env=local_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    record = json.loads("\n".join(lines[lines.index("{") : lines.index("}") + 1]))
    assert (record["status"], record["duration_seconds"]) == ("completed", 92)
    return lines


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What it prints, up to the line that holds the text."""
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line
        if text in line:
            return printed
    raise AssertionError(f"{text!r} is not in {printed!r}")


def sign_in(address: str, code: str) -> tuple[int, Any]:
    """Exchange a one-time code, as the page at this address does."""
    headers = [("Origin", address.removesuffix("/")), ("Content-Type", "application/json")]
    answer = request(address, "POST", "/_local/sign-in", headers, to_json({"code": code}).encode())
    return answer.status, answer.json


@pytest.mark.slow
def test_the_first_command_answers_while_calls_are_sent_and_ctrl_c_ends_it_then(tmp_path):
    log = tmp_path / "stderr"
    with log.open("w") as stderr:
        # So many calls that the filling is still under way, however fast the machine is.
        process = demo("--engine", "auto", "--calls", "50000", "--days", "30", stderr=stderr)
    try:
        printed = read_until(process, "Org-Handle: demo")
        assert re.findall(r"^  (\S+) ", printed, re.MULTILINE)[:4] == [
            "dashboard",
            "API",
            "token",
            "documentation",
        ]
        words = shlex.split(printed[printed.index("curl ") :].replace("\\\n", ""))
        answer = subprocess.run(words, capture_output=True, check=True, timeout=60)
        assert json.loads(answer.stdout)["data"]["total_calls"] < 50_000
        page = subprocess.run(
            ["curl", "-sS", "--fail", re.search(r"documentation +(\S+)", printed)[1]],
            capture_output=True,
            check=True,
            timeout=60,
        )
        assert b"<title>" in page.stdout
        address, code = re.search(r"dashboard +(\S+)#code=(\S+)", printed).groups()
        token = re.search(r"token +(\S+)", printed)[1]
        assert sign_in(address, code) == (200, {"token": token})
        assert sign_in(address, code)[0] == 410
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert (rest, process.returncode) == ("", 0)
    assert log.read_text().splitlines()[-2:] == ["rollcall: stopping", "rollcall: stopped"]
    assert "Traceback" not in log.read_text()


@pytest.mark.slow
def test_without_the_tour_it_ends_with_the_addresses():
    process = demo("--once", "--calls", "10", "--days", "1", stderr=subprocess.PIPE)
    printed, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    first, last = (
        re.findall(r"^  (?:API|token|documentation) .*$", part, re.MULTILINE)
        for part in printed.split("Rollcall is filled")
    )
    assert len(first) == 3
    assert first == last
    codes = re.findall(r"^  dashboard +http://127\.0\.0\.1:\d+/#code=(\S+)$", printed, re.MULTILINE)
    assert len(set(codes)) == 2  # the first one may be used, or expired
    assert printed.count("curl ") == 1
