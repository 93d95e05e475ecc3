"""The parts of `rollcall demo`: an example for every route, commands to paste, ports, layout."""

import json
import shlex
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rollcall.domain.organisations import new_token
from rollcall_cli import demo_command
from rollcall_cli.demo_client import Request
from rollcall_cli.demo_data import demo_records
from rollcall_cli.demo_examples import (
    EXAMPLES,
    Setting,
    curl,
    first_request,
    requests_to_try,
)
from rollcall_cli.demo_filling import by_time
from rollcall_cli.demo_output import aligned, costs, pretty
from rollcall_cli.demo_progress import progress
from rollcall_cli.errors import CommandError
from rollcall_cli.local import dynamodb_local
from rollcall_cli.local.jar import Unavailable
from rollcall_cli.local.project import find_template
from rollcall_cli.local.routes import RouteTable
from rollcall_cli.local.template import load_template

API = "http://127.0.0.1:3000"
END = datetime(2026, 3, 1, 15, 4, 5, tzinfo=UTC)
SETTING = Setting("demo", "rc_secret", {"type": "label", "id": "it's", "name": "Grün"}, END)


@pytest.fixture(scope="module")
def template():
    return load_template(find_template())


@pytest.fixture(scope="module")
def routes(template):
    return template.api.routes


# ------------------------------------------------------------------ examples


def test_every_route_of_the_template_has_an_example_that_reaches_it(template, routes):
    table = RouteTable(routes)
    reached = set()
    for _, request in requests_to_try(template, SETTING):
        match = table.find(request.method, request.path.partition("?")[0])
        assert match, request
        reached.add((match.route.method, match.route.path))
    # A delivery needs a hook, and a signature that no command of curl makes.
    reached.add(("POST", "/v1/hooks/{provider}/{hook_id}"))
    assert reached == {(route.method, route.path) for route in routes}
    assert EXAMPLES.keys() <= {f"{method} {path}" for method, path in reached}


def test_every_example_reaches_the_route_it_stands_for(routes):
    table = RouteTable(routes)
    for name, examples in EXAMPLES.items():
        method, path = name.split()
        for example in examples(SETTING):
            match = table.find(method, example.path.partition("?")[0])
            assert match, example
            assert match.route.path == path, example


def test_a_route_that_is_not_there_is_not_shown(template):
    [one] = [route for route in template.api.routes if route.path == "/v1/audit"]
    fewer = replace(template, api=replace(template.api, routes=(one,)))
    assert [request.path for _, request in requests_to_try(fewer, SETTING)] == ["/v1/audit"]


def test_a_command_is_one_that_a_shell_reads_back(template):
    for _, request in requests_to_try(template, SETTING):
        words = shlex.split(curl(API, request).replace("\\\n", ""))
        assert words[:3] == ["curl", "-sS", API + request.path]
        options = list(zip(words[3::2], words[4::2], strict=True))
        headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
        assert headers == request.headers
        assert headers["Authorization"] == "Token rc_secret"
        bodies = [json.loads(value) for option, value in options if option == "-d"]
        assert bodies == ([] if request.body is None else [request.body])


def test_the_first_command_fits_80_columns():
    lines = curl(API, first_request("demo", new_token())).splitlines()
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("method", "body", "said"),
    [("GET", None, []), ("POST", {}, []), ("POST", None, ["-X POST"]), ("PUT", {}, ["-X PUT"])],
)
def test_a_method_is_named_where_curl_would_take_another(method, body, said):
    parts = curl(API, Request(method, "/", {}, body)).split(" \\\n  ")
    assert [part for part in parts if part.startswith("-X")] == said


def test_what_is_asked_about_ends_when_the_calls_do():
    [inbound] = EXAMPLES["POST /v1/Inbound/{inboundId}/Analytics"](SETTING)
    assert inbound.body == {"from": "2026-01-31T00:00:00Z", "to": "2026-03-01T23:59:59Z"}
    outcomes = EXAMPLES["POST /analytics"](SETTING)[0]
    assert outcomes.body["filters"] == {"date_from": "2026-02-23", "date_to": "2026-03-01"}


# ------------------------------------------------------------------ layout


@pytest.mark.parametrize(
    "value",
    [{}, [], 0, "é", None, {"a": []}, {"a": {"b": [{"c": 1}] * 9}, "d": "x" * 200}, [[1] * 80]],
)
def test_pretty_is_the_same_json(value):
    assert json.loads(pretty(value)) == value


def test_pretty_keeps_on_a_line_what_fits_there():
    value = {"short": {"a": 1}, "long": {"one": "x" * 10, "two": ["y" * 10]}}
    assert pretty(value, width=32) == (
        "{\n"
        '  "short": {"a": 1},\n'
        '  "long": {\n'
        '    "one": "xxxxxxxxxx",\n'
        '    "two": ["yyyyyyyyyy"]\n'
        "  }\n"
        "}"
    )
    assert pretty({"accepted": 0, "rejected": []}) == '{"accepted": 0, "rejected": []}'


def test_plain_values_share_lines():
    value = {"data": dict.fromkeys(("one", "two", "three", "four", "five"), 1)}
    assert pretty(value, width=30) == (
        '{\n  "data": {\n    "one": 1, "two": 1,\n    "three": 1, "four": 1,\n    "five": 1\n  }\n}'
    )
    assert json.loads(pretty(value, width=30)) == value


def test_a_long_list_is_cut():
    value = [{"n": n} for n in range(9)]
    assert pretty(value, width=20, most=4) == (
        '[\n  {"n": 0},\n  {"n": 1},\n  {"n": 2},\n  … 5 more\n  {"n": 8}\n]'
    )
    for whole in (pretty(value, width=20), pretty(value, width=20, most=9)):
        assert json.loads(whole) == value
    # The line that says so must be worth it.
    assert json.loads(pretty(value[:6], width=20, most=4)) == value[:6]
    assert "… 3 more" in pretty(value[:7], width=20, most=4)


def test_of_long_entries_the_first_and_the_last_are_shown():
    value = [{"a": n, "b": {"c": "x" * 20}} for n in range(6)]
    shown = pretty(value, width=30, most=5)
    assert "… 4 more" in shown
    assert [n for n in range(6) if f'"a": {n}' in shown] == [0, 5]


def test_no_line_of_an_answer_is_wider_than_asked():
    value = {"data": [{"name": "n" * 20, "count": n, "more": {"a": n, "b": n}} for n in range(9)]}
    for width in (40, 60, 80):
        assert max(map(len, pretty(value, width).splitlines())) <= width


def test_values_are_aligned():
    assert aligned([("a", "1"), ("long name", "2")]) == "  a          1\n  long name  2"
    assert aligned([]) == ""


def test_costs_are_the_rollcall_headers():
    headers = [("content-type", "x"), ("X-Rollcall-Source", "rollups"), ("x-rollcall-b", "2")]
    assert costs(headers) == [("X-Rollcall-Source", "rollups"), ("x-rollcall-b", "2")]


def test_progress_in_a_log_is_plain_lines_and_says_nothing_twice(capsys):
    with progress(10, 5) as show:
        for sent, counted in [(4, 0), (8, 2), (10, 5), (10, 5)]:
            show(sent, counted)
    assert capsys.readouterr().err.splitlines() == [
        "rollcall: 4 of 10 records sent, 0 of 5 calls counted",
        "rollcall: 10 of 10 records sent, 5 of 5 calls counted",
    ]


# ------------------------------------------------------------------ preparation


def test_auto_names_the_engine_and_why(monkeypatch, tmp_path):
    found = dynamodb_local.Installation("java", 21, tmp_path / "DynamoDBLocal.jar")
    monkeypatch.setattr(dynamodb_local, "locate", lambda: found)
    chosen = demo_command.choose_engine("auto")
    assert (chosen.choice, chosen.description) == (
        "dynamodb-local",
        "DynamoDB Local, because Java 21 and its jar are here",
    )

    def missing():
        raise Unavailable("Java is not installed", "install Java, or use moto")

    monkeypatch.setattr(dynamodb_local, "locate", missing)
    fallback = demo_command.choose_engine("auto")
    assert (fallback.choice, fallback.description) == (
        "moto",
        "moto, in this process, because Java is not installed",
    )
    assert fallback.calls < chosen.calls


@pytest.mark.parametrize("choice", ["moto", "dynamodb-local", "http://127.0.0.1:8000"])
def test_an_engine_that_was_asked_for_is_chosen_without_a_search(choice, monkeypatch):
    monkeypatch.setattr(dynamodb_local, "locate", lambda: pytest.fail("searched for an engine"))
    chosen = demo_command.choose_engine(choice)
    assert chosen.choice == choice
    assert chosen.description.endswith("as you asked")


def test_records_are_sent_in_the_order_of_their_times():
    records = list(demo_records(seed=3, calls=200, days=5, now=datetime(2026, 11, 21, tzinfo=UTC)))
    ordered = by_time(records)
    assert sorted(map(json.dumps, ordered)) == sorted(map(json.dumps, records))
    times = [
        record.get("started_at") or record.get("occurred_at") or record.get("created_at") or ""
        for record in ordered
    ]
    assert times == sorted(times)


def test_the_end_is_kept_to_the_second_and_can_be_given_again():
    now = demo_command._end(None)
    assert demo_command._end(demo_command._text(now)) == now
    with pytest.raises(CommandError, match=r"--until .*'yesterday'"):
        demo_command._end("yesterday")


def test_the_program_is_named_as_it_can_be_called(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv/bin/rollcall")])
    assert demo_command._rollcall() == ".venv/bin/rollcall"
    monkeypatch.setattr(sys, "argv", ["/elsewhere/rollcall"])
    assert demo_command._rollcall() == "/elsewhere/rollcall"
