"""The README does what it says: its blocks run, as printed, while the demo runs.

A block of `sh` is run, unless a rule below names what it needs that is not here. A block of `json`
is the answer to the `sh` block before it, and a block of `text` is printed by the demo. In the last
two an ellipsis stands for anything. A block without a language is a drawing.
"""

import json
import os
import re
import signal
import subprocess
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rollcall_cli.demo_data import demo_records
from tests.support.stack import ROLLCALL, ROOT, local_environment

README = ROOT / "README.md"
SECONDS = 300

# What a block needs that this test does not have, by the commands that need it.
NOT_HERE = {
    r"^make (demo|test|install)\b": "it is one of the two commands themselves, or makes .venv",
    r"^make (build|validate)\b|\bsam(-local)?\b": "SAM, its own environment or Docker",
    r"^aws\b|--stack-name\b": "an AWS account",
    r"^docker\b": "Docker",
    r"^(pipx?|uv)\b|\.whl\b": "packages from a registry; the wheel has a test of its own",
    r"^git clone\b|^(\.venv/bin/)?rollcall (demo|local)\b": "it starts what runs here already",
}
COMMANDS = re.compile(
    r"^\s*(\$ |make |curl |rollcall |sam |aws |docker |git |\.venv)", re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int

    @property
    def name(self) -> str:
        return f"line {self.line}: {self.text.splitlines()[0] if self.text else ''}"

    @property
    def missing(self) -> str | None:
        """What it needs that is not here."""
        found = [
            need for rule, need in NOT_HERE.items() if re.search(rule, self.text, re.MULTILINE)
        ]
        return found[0] if found else None


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, indented ones too."""
    fence = re.compile(r"^( *)```(.*?)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
    text = page.read_text("utf-8")
    return [
        Block(match[2].strip(), match[3], text.count("\n", 0, match.start()) + 1)
        for match in fence.finditer(text)
    ]


BLOCKS = blocks(README)


def matches(shown: object, actual: object) -> bool:
    """Whether an answer is the one shown; an ellipsis in a text stands for anything."""
    if isinstance(shown, dict) and isinstance(actual, dict):
        return shown.keys() == actual.keys() and all(matches(shown[k], actual[k]) for k in shown)
    if isinstance(shown, list) and isinstance(actual, list):
        return len(shown) == len(actual) and all(map(matches, shown, actual))
    if isinstance(shown, str) and "…" in shown:
        return isinstance(actual, str) and re.fullmatch(pattern(shown), actual) is not None
    return shown == actual and type(shown) is type(actual)


def pattern(text: str) -> str:
    return re.escape(text).replace("…", ".*")


# ------------------------------------------------------------------ every block has a rule


def test_every_block_is_of_a_kind_that_is_checked():
    assert len(BLOCKS) > 8
    fences = sum(line.lstrip().startswith("```") for line in README.read_text("utf-8").splitlines())
    assert fences == 2 * len(BLOCKS)
    for block in BLOCKS:
        assert block.language in ("sh", "json", "text", ""), (
            f"{block.name}: name one of the languages that this test checks, or teach it this one"
        )


def test_a_block_without_a_language_holds_no_command():
    for block in BLOCKS:
        if not block.language:
            assert not COMMANDS.search(block.text), f"{block.name}: it is `sh`, or `text`"


def test_an_answer_follows_its_command_and_is_json():
    for before, block in zip([None, *BLOCKS], BLOCKS, strict=False):
        if block.language == "json":
            json.loads(block.text)
            assert before is not None, block.name
            assert before.language == "sh", f"{block.name}: it answers no command"


def test_most_commands_are_run():
    run = [block for block in BLOCKS if block.language == "sh" and not block.missing]
    assert sum("curl" in block.text for block in run) >= 3


def test_no_call_of_the_demo_matches_the_payload_filter_that_is_shown():
    """The demo that runs below is small; in a large one its calls would be counted too."""
    filters = re.findall(r'"payload_filters": (\{.*?\})', README.read_text("utf-8"))
    now = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)
    payloads = [
        record["payload"]
        for record in demo_records(seed=1, calls=2_000, days=30, now=now)
        if record["type"] == "call"
    ]
    assert filters
    assert payloads
    for shown in map(json.loads, filters):
        assert not [payload for payload in payloads if shown.items() <= payload.items()], shown


# ------------------------------------------------------------------ every block runs


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """What a small demo has printed; it runs until the tests are done."""
    log = tmp_path_factory.mktemp("demo") / "stderr"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [ROLLCALL, "demo", *"--calls 30 --days 2 --port 0 --dynamodb-port 0".split()],
            env=local_environment(),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    watchdog = threading.Timer(SECONDS, process.kill)
    watchdog.start()
    try:
        assert process.stdout
        printed = ""
        for line in process.stdout:
            printed += line
            if "until Ctrl-C" in line:
                break
        assert "until Ctrl-C" in printed, log.read_text()
        yield printed
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def printed_value(printed: str, name: str) -> str:
    return re.search(rf"^  {name} +(\S+)$", printed, re.MULTILINE)[1]


@pytest.mark.slow
def test_what_the_demo_prints_is_what_the_page_shows(demo):
    api = printed_value(demo, "API")
    for block in BLOCKS:
        if block.language == "text":
            expected = pattern(block.text.replace("http://127.0.0.1:3000", api))
            assert re.search(expected, demo), block.name


@pytest.mark.slow
def test_every_command_runs_and_answers_as_shown(demo):
    commands = [block for block in BLOCKS if block.language == "sh" and not block.missing]
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", script(commands, demo)],
        env=environment(demo),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    answers = done.stdout.split(SEPARATOR)[1:]
    last = commands[len(answers) - 1].name if answers else "none"
    assert done.returncode == 0, f"{last} failed: {done.stderr}{done.stdout}"
    assert len(answers) == len(commands)
    for command, answer in zip(commands, answers, strict=True):
        following = BLOCKS[BLOCKS.index(command) + 1 :]
        if following and following[0].language == "json":
            shown, actual = json.loads(following[0].text), json.loads(answer)
            assert matches(shown, actual), (command.name, actual)
        elif "curl " in command.text:
            assert "errors" not in json.loads(answer), (command.name, answer)


SEPARATOR = "----- next block -----\n"


def script(commands: list[Block], printed: str) -> str:
    """One shell runs all blocks, so that variables last; the stream is drained after each."""
    api, token = printed_value(printed, "API"), printed_value(printed, "token")
    lines = []
    for block in commands:
        lines.append(f"printf '%s\\n' '{SEPARATOR.strip()}'")
        lines.append(
            block.text.replace("http://127.0.0.1:3000", api)
            .replace("rc_…", token)
            .replace(".venv/bin/", "")
        )
        lines.append(f"curl -sS --fail -X POST {api}/_local/drain >/dev/null")
    return "\n".join(lines)


def environment(printed: str) -> dict[str, str]:
    exports = dict(re.findall(r"^export (\w+)=(\S+)$", printed, re.MULTILINE))
    path = f"{ROLLCALL.parent}{os.pathsep}{os.environ['PATH']}"
    return local_environment() | exports | {"PATH": path}
