"""Which code the emulator runs: the build when it is complete, current and for this machine."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import pytest

from rollcall_cli.errors import CommandError
from rollcall_cli.local import built_code
from rollcall_cli.local.built_code import BUILT_TEMPLATE, LAMBDA_PYTHON, choose_code
from rollcall_cli.local.template import load_template
from tests.support.project import write_project

FUNCTIONS = ("authorize", "echo", "answer", "update")
BUILT_AT = 2_000_000_000


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose files are a second older than its build."""
    template = write_project(tmp_path / "project")
    for path in template.parent.rglob("*"):
        os.utime(path, (BUILT_AT - 1, BUILT_AT - 1))
    return template.parent


def build(project: Path) -> Path:
    """What `sam build` and `make build` would leave; the template of the build."""
    built = project / BUILT_TEMPLATE
    text = (
        (project / "template.yaml").read_text("utf-8").replace("ContentUri: layer", "ContentUri: L")
    )
    for name in FUNCTIONS:
        text = text.replace(f"CodeUri: functions/{name}", f"CodeUri: {name.title()}Function")
        (built.parent / f"{name.title()}Function").mkdir(parents=True)
    (built.parent / "L/python").mkdir(parents=True)
    built.write_text(text, "utf-8")
    os.utime(built, (BUILT_AT, BUILT_AT))
    python = project / LAMBDA_PYTHON
    python.parent.mkdir(parents=True)
    python.touch()
    return built


def chosen(project: Path, **parameters: str) -> built_code.Code:
    return choose_code(load_template(project / "template.yaml", parameters), parameters)


def test_a_current_build_is_used(project: Path):
    built = build(project)
    code = chosen(project, Greeting="servus")
    assert code.is_built
    assert code.python == project / LAMBDA_PYTHON
    echo = code.functions["EchoFunction"]
    assert echo.folder == built.parent / "EchoFunction"
    assert echo.layer_folders == (built.parent / "L/python",)
    assert echo.environment["GREETING"] == "servus"
    assert code.description == "the build in .aws-sam/build, with .venv-lambda/bin/python3.13"


def test_without_a_build_the_sources_run(project: Path):
    code = chosen(project)
    assert not code.is_built
    assert code.python == Path(sys.executable)
    assert code.functions == load_template(project / "template.yaml").functions
    assert code.description == (
        f"the source tree, with Python {platform.python_version()}; the build is not used because"
        " there is no .aws-sam/build/template.yaml (`make build`)"
    )


@pytest.mark.parametrize(
    "source", ["template.yaml", "functions/echo/handler.py", "layer/shared.py", "layer/new.txt"]
)
def test_a_stale_build_is_not_used(project: Path, source: str):
    build(project)
    (project / source).touch()
    os.utime(project / source, ns=(0, BUILT_AT * 10**9 + 1))
    code = chosen(project)
    assert not code.is_built
    assert f"because {source} is newer than the build" in code.description


def test_bytecode_makes_no_build_stale(project: Path):
    build(project)
    cached = project / "layer/__pycache__/shared.cpython-311.pyc"
    cached.parent.mkdir()
    cached.touch()
    os.utime(cached, (BUILT_AT + 1, BUILT_AT + 1))
    assert chosen(project).is_built


def test_a_build_without_its_python_is_not_used(project: Path):
    build(project)
    (project / LAMBDA_PYTHON).unlink()
    assert "because there is no .venv-lambda/bin/python3.13" in chosen(project).description


def test_a_build_of_some_functions_is_not_used(project: Path):
    built = build(project)
    # `sam build NAME` leaves the others where they are.
    text = built.read_text("utf-8").replace("CodeUri: EchoF", "CodeUri: ../../functions/echo #")
    built.write_text(text, "utf-8")
    os.utime(built, (BUILT_AT, BUILT_AT))
    assert "because functions/echo is not part of the build" in chosen(project).description


@pytest.mark.parametrize("name", ["x.cpython-313-{}-linux-gnu.so", "libx.so"])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_build_for_another_machine_is_not_used(project: Path, machine: str, name: str):
    built = build(project)
    (built.parent / "L/python" / name.format(machine)).touch()
    is_usable = "{}" not in name or machine == platform.machine()
    assert chosen(project).is_built is is_usable


def test_what_the_source_tree_needs_is_named(project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(built_code.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(
        CommandError, match=r"--runtime rie: there is no .*rollcall-analytics\[rie\]"
    ):
        chosen(project)
    build(project)
    assert chosen(project).is_built
