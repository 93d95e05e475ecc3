"""Functions in this process: isolated modules, an environment set and put back, Lambda's errors."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from rollcall_cli.errors import CommandError
from rollcall_cli.local.rie import find_emulator
from rollcall_cli.local.runtime import (
    FunctionError,
    FunctionTimedOut,
    InProcessRuntime,
    invoke,
)
from rollcall_cli.local.template import load_template


@pytest.fixture
def runtime(template_path: Path):
    template = load_template(template_path)
    running = InProcessRuntime(template.functions, {"GREETING": "overridden"})
    try:
        yield running
    finally:
        running.close()


def answer(order):
    return {"body": __import__("json").dumps(order), "isBase64Encoded": False}


def test_handlers_of_the_same_name_do_not_collide(runtime):
    echo = invoke(runtime, "EchoFunction", {"a": 1}, 5)
    assert '"function": "rollcall-EchoFunction"' in echo["body"]
    assert '"greeting": "overridden"' in echo["body"]
    assert invoke(runtime, "AnswerFunction", answer({"answer": [1]}), 5) == [1]


def test_errors_carry_their_type_and_message(runtime, capsys):
    with pytest.raises(FunctionError) as raised:
        invoke(runtime, "AnswerFunction", answer({"raise": "no"}), 5)
    assert (raised.value.error_type, raised.value.message) == ("ValueError", "no")
    assert "Traceback" in capsys.readouterr().err


def test_saying_no_leaves_no_trace(runtime, capsys):
    with pytest.raises(FunctionError, match="Unauthorized"):
        invoke(runtime, "AuthorizeFunction", {"headers": {"Authorization": "x"}}, 5)
    assert capsys.readouterr().err == ""


def test_a_function_past_its_time_is_left_behind(runtime):
    with pytest.raises(FunctionTimedOut):
        invoke(runtime, "AnswerFunction", answer({"sleep": 1, "answer": 1}), 0.05)
    assert invoke(runtime, "AnswerFunction", answer({"answer": 1}), 5) == 1


def test_calls_run_in_threads_that_do_not_keep_the_process(runtime):
    runtime.start("AnswerFunction", answer({"sleep": 1, "answer": 1}))
    threads = [t for t in threading.enumerate() if t.name == "lambda-AnswerFunction"]
    assert threads
    assert all(thread.daemon for thread in threads)


def test_an_event_is_a_copy(runtime, template_path):
    event = {"body": '{"answer": {"a": [1]}}', "isBase64Encoded": False}
    first = invoke(runtime, "AnswerFunction", event, 5)
    first["a"].append(2)
    assert invoke(runtime, "AnswerFunction", event, 5) == {"a": [1]}


def test_an_answer_that_is_no_json_is_an_error(template_path):
    handler = template_path.parent / "functions/answer/handler.py"
    handler.write_text("def lambda_handler(event, context):\n    return {1, 2}\n")
    runtime = InProcessRuntime(load_template(template_path).functions, {})
    try:
        with pytest.raises(FunctionError, match="MarshalError"):
            invoke(runtime, "AnswerFunction", {}, 5)
    finally:
        runtime.close()


def test_a_handler_that_cannot_be_imported_fails_alone(template_path, capsys):
    (template_path.parent / "functions/answer/handler.py").write_text("import nothing_like_it\n")
    (template_path.parent / "functions/update/handler.py").unlink()
    runtime = InProcessRuntime(load_template(template_path).functions, {})
    try:
        assert "AnswerFunction cannot be loaded" in capsys.readouterr().err
        for function in ("AnswerFunction", "UpdateFunction"):
            with pytest.raises(FunctionError, match="ImportModuleError"):
                invoke(runtime, function, {}, 5)
        assert invoke(runtime, "EchoFunction", {}, 5)["statusCode"] == 200
    finally:
        runtime.close()


def test_closing_puts_everything_back(template_path, monkeypatch):
    monkeypatch.setenv("GREETING", "mine")
    monkeypatch.delenv("PAGES", raising=False)
    environment, modules, path = dict(os.environ), set(sys.modules), list(sys.path)
    runtime = InProcessRuntime(load_template(template_path).functions, {"X_ROLLCALL": "1"})
    assert os.environ["GREETING"] == "hello"
    assert os.environ["X_ROLLCALL"] == "1"
    runtime.close()
    assert dict(os.environ) == environment
    assert not {m for m in set(sys.modules) - modules if m.startswith("rollcall_local_")}
    assert sys.path == path


def test_closing_waits_for_calls_under_way(template_path):
    runtime = InProcessRuntime(load_template(template_path).functions, {})
    future = runtime.start("AnswerFunction", answer({"sleep": 0.5, "answer": {"statusCode": 200}}))
    runtime.close()
    assert future.done()
    assert future.result() == {"statusCode": 200}


def test_a_missing_emulator_names_the_remedy(tmp_path):
    with pytest.raises(CommandError, match=r"installs the SAM CLI.*--runtime inprocess"):
        find_emulator(tmp_path / "template.yaml")
    with pytest.raises(CommandError, match="--rie: there is no file"):
        find_emulator(tmp_path / "template.yaml", tmp_path / "none")
