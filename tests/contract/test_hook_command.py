"""`rollcall hook`: from a secret on standard input to numbers that a signed sample changed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from rollcall.hooks.maps import PROVIDERS
from tests.support.command_line import run_command
from tests.support.hook_events import SECRETS

SAMPLED = [provider for provider in PROVIDERS if provider != "generic"]
CANARY = "canary-9b2e"


class Command:
    """Runs `rollcall hook` against a stack."""

    def __init__(self, stack: Any) -> None:
        self.stack = stack

    def __call__(self, *arguments: Any, secret: str = "", status: int = 0) -> str:
        environment = self.stack.environment() | {"COLUMNS": "120"}
        done = run_command("hook", *map(str, arguments), environment=environment, stdin=secret)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def create(self, handle: str, provider: str, secret: str, *more: Any) -> dict[str, str]:
        arguments = ("create", handle, "--provider", provider, "--secret-stdin", "--json")
        made = self(*arguments, "--api", self.stack.api, *more, secret=secret)
        found: dict[str, str] = json.loads(made)
        return found


@pytest.fixture(scope="module")
def alice(stack):
    """An organisation of this module alone: samples change its figures."""
    return stack.new_organisation()


@pytest.fixture(scope="module")
def hook(stack) -> Command:
    return Command(stack)


@pytest.fixture(scope="module")
def token_file(alice, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("token") / "token"
    path.write_text(alice.token)
    return path


@pytest.mark.representatives(2)
@pytest.mark.parametrize("provider", SAMPLED)
def test_samples_of_a_provider_change_the_numbers(hook, alice, token_file, provider):
    made = hook.create(alice.handle, provider, SECRETS[provider] + "\n")
    assert made["url"] == f"{alice.stack.api}/v1/hooks/{provider}/{made['hook_id']}"
    output = hook("test", made["hook_id"], "--token-file", token_file)
    lines = output.splitlines()
    sent = [line for line in lines if line.startswith("delivery ")]
    assert sent
    assert all(": 200" in line for line in sent)
    record = json.loads("\n".join(lines[lines.index("{") : lines.index("}") + 1]))
    assert record["id"].startswith("sample-")
    assert (record["status"], record["started_at"][:10]) == ("completed", "2026-11-21")
    assert record["duration_seconds"] == 92
    changed = dict(re.findall(r"^(\w+): \S+ → (\S+)$", output, re.MULTILINE))
    assert {"calls", "completed", "talk_seconds"} <= set(changed)
    listed = json.loads(hook("show", made["hook_id"], "--json"))
    assert listed["recorded"] + listed["ignored"] == len(sent)


def test_hooks_are_listed_rotated_and_deleted(hook, stack):
    stack.new_organisation("hooked")
    made = hook.create("hooked", "retell", CANARY)
    (_, row) = hook("list", "hooked").splitlines()
    assert row.startswith(made["hook"])
    (listed,) = json.loads(hook("list", "hooked", "--json"))
    assert (listed["hook"], listed["secrets"]) == (made["hook"], 1)
    rotated = hook("rotate", made["hook"], "--secret-stdin", "--json", secret=f"{CANARY}-2")
    assert json.loads(rotated)["secrets"] == 2
    output = hook("show", made["hook"]) + hook("list", "hooked") + rotated
    assert CANARY not in output
    assert made["hook_id"] not in output
    assert hook("delete", made["hook"]) == f"deleted {made['hook']}\n"
    assert json.loads(hook("list", "hooked", "--json")) == []
    assert "there is no such hook" in hook("show", made["hook_id"], status=2)


def test_a_map_and_pointers_are_kept_with_the_hook(hook, alice, token_file, tmp_path):
    chosen = tmp_path / "map.toml"
    chosen.write_text(
        'name = "/kind"\n[[events]]\nrank = 4\nwhen = { "/kind" = "end" }\n'
        '[fields.id]\nfrom = "/call"\n[fields.started_at]\nfrom = "/at"\n'
        '[fields.status]\nvalue = "completed"\n'
    )
    options = ("--map", chosen, "--payload", "plan=/plan", "--lead", "/who", "--outcome", "/so")
    made = hook.create(alice.handle, "generic", SECRETS["generic"], *options)
    body = tmp_path / "body.json"
    body.write_text('{"kind":"end","call":"g-1","at":1795262400,"plan":"pro","who":7,"so":"sold"}')
    output = hook("test", made["hook_id"], "--file", body, "--token-file", token_file)
    assert 'delivery 1 of 1: 200 {"recorded":true}' in output
    record = alice.send("GET", "/v1/calls/g-1").json["record"]
    assert (record["payload"], record["lead_id"], record["outcome"]) == (
        {"plan": "pro"},
        "7",
        "sold",
    )


WRONG = [
    (("create", "alice", "--provider", "acme", "--secret-stdin"), "'acme' is not one of vapi"),
    (("create", "unknown", "--provider", "vapi", "--secret-stdin"), "no organisation has"),
    (("create", "alice", "--provider", "vapi"), "--secret-stdin or --secret-file"),
    (("create", "alice", "--provider", "livekit", "--secret-stdin"), "KEY:SECRET"),
    (("create", "alice", "--provider", "generic", "--secret-stdin"), "the map gives no id"),
    (
        ("create", "alice", "--provider", "vapi", "--secret-stdin", "--payload", "plan"),
        "must be KEY=POINTER",
    ),
    (("test", "0" * 32), "begins with hk_"),
    (("test", "hk_" + "0" * 32), "there is no such hook"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_what_cannot_be_done_is_one_line(hook, alice, arguments, message):
    api = ("--api", alice.stack.api) if arguments[0] == "create" else ()
    output = hook(*arguments, *api, secret=CANARY, status=2)
    assert message in output
    assert output.count("\n") == 1
    assert CANARY not in output


def test_without_a_token_only_the_answers_are_shown(hook, alice):
    made = hook.create(alice.handle, "retell", "s")
    output = hook("test", made["hook_id"])
    assert output.count(": 200") == 3
    assert "need a token" in output
