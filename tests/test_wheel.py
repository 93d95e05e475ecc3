"""The wheel runs by itself: the command in an environment and a folder that have nothing else of Rollcall.

Its dependencies are those of the environment that runs the tests, so that nothing is downloaded.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollcall_cli.openapi.examples import SETTING
from tests.support import stack as stacks
from tests.support.exchanges import check
from tests.support.stack import Stack

pytestmark = [pytest.mark.engine, pytest.mark.e2e]


ROOT = Path(__file__).parents[1]
PROJECT = "rollcall_cli/project"


def run(command: list[str | Path], **options: object) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    run([*pip, "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder, ROOT])
    (made,) = folder.glob("*.whl")
    return made


def test_its_version_is_that_of_the_package(wheel: Path) -> None:
    package = (ROOT / "layers/rollcall/rollcall/__init__.py").read_text("utf-8")
    version = package.partition('__version__ = "')[2].partition('"')[0]
    assert wheel.name.startswith(f"rollcall_analytics-{version}-")


@pytest.fixture(scope="module")
def rollcall(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from the wheel into an environment of its own."""
    environment = tmp_path_factory.mktemp("environment")
    run([sys.executable, "-m", "venv", "--without-pip", environment])
    python = environment / "bin/python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    run([*pip, "install", "--quiet", "--no-deps", "--no-index", wheel])
    site_packages = Path(
        run([python, "-c", "import site; print(site.getsitepackages()[0])"]).strip()
    )
    # A folder that is named in a .pth file has its own .pth files ignored: the editable install of
    # the checkout is not seen.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin/rollcall"


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def stack(rollcall: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = stacks.start("moto", program=rollcall, cwd=tmp_path_factory.mktemp("elsewhere"))
    yield running
    running.stop()


def test_the_wheel_has_what_a_checkout_has_for_the_command(wheel: Path):
    assert wheel.name.startswith("rollcall_analytics-")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    places = {
        "layers/rollcall/rollcall": "rollcall",
        "cli/rollcall_cli": "rollcall_cli",
        "functions": f"{PROJECT}/functions",
        "events": f"{PROJECT}/events",
        "docs/api": f"{PROJECT}/docs/api",
        "dashboard/dist": f"{PROJECT}/dashboard/dist",
    }
    assert names == {f"{PROJECT}/template.yaml"} | {
        f"{place}/{path.relative_to(ROOT / folder)}"
        for folder, place in places.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_only_the_wheel_is_used(rollcall: Path, empty: Path):
    program = (
        "import rollcall, rollcall_cli, rollcall_cli.local.project as project;"
        "print(rollcall.__file__, rollcall_cli.__file__, project.find_template())"
    )
    files = run([rollcall.with_name("python"), "-c", program], cwd=empty).split()
    environment = rollcall.parents[1].resolve()
    assert all(Path(file).resolve().is_relative_to(environment) for file in files), files
    assert files[2].endswith(f"{PROJECT}/template.yaml")


def test_the_local_stack_serves_requests_and_its_pages(stack: Stack):
    org = stack.new_organisation("acme", "Acme")
    check(org, *SETTING)
    stack.drain()
    check(org, "get_organisation_analytics", "organisation")
    for path in (
        "/",
        "/licences.txt",
        "/_local/docs",
        "/_local/docs/swagger-ui-bundle.js",
        "/_local/openapi.json",
    ):
        assert stacks.request(stack.api, "GET", path).status == 200


@pytest.mark.slow
def test_the_demo_runs_in_an_empty_folder(rollcall: Path, empty: Path):
    ports = ["--port", "0", "--dynamodb-port", "0"]
    demo = [rollcall, "demo", "--engine", "moto", "--once", "--calls", "3", "--days", "1", *ports]
    shown = run(demo, cwd=empty, env=stacks.local_environment())
    assert "http://127.0.0.1:" in shown
    assert list(empty.iterdir()) == []


def test_the_packaged_document_is_the_one_of_the_packaged_template(rollcall: Path, empty: Path):
    printed = json.loads(run([rollcall, "openapi"], cwd=empty))
    assert printed == json.loads((ROOT / "docs/api/openapi.json").read_text("utf-8"))
