"""The rules of the house that a program can check."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from radon.complexity import cc_visit
from radon.visitors import Class

ROOT = Path(__file__).resolve().parents[1]
LAYER = ROOT / "layers" / "rollcall" / "rollcall"
CLI = ROOT / "cli" / "rollcall_cli"
HANDLERS = sorted((ROOT / "functions").glob("*/handler.py"))
HANDLER_LINES = 40
MODULE_LINES = 400
COMPLEXITY = 12
PRODUCT = sorted(
    path for folder in (LAYER, CLI, ROOT / "functions") for path in folder.rglob("*.py")
)


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of every module, and of every name, that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def top_level_imports(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def tracked_files() -> list[Path]:
    """What git would commit; where there is no git, nothing can be said."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if listing.returncode:
        pytest.skip(f"git cannot list the files: {listing.stderr.strip()}")
    return [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def code_lines(path: Path) -> int:
    """Lines of a file, without the blank ones."""
    return sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


# -------------------------------------------------------------------- sizes
def test_no_function_is_complex() -> None:
    """Boolean operators, comprehensions and closures count, as `radon cc` counts them."""
    complex_functions = [
        f"{path.relative_to(ROOT)}:{block.lineno} {block.fullname}: {block.complexity}"
        for path in PRODUCT
        for block in cc_visit(path.read_text(encoding="utf-8"))
        if not isinstance(block, Class) and block.complexity > COMPLEXITY
    ]
    assert complex_functions == []


def test_no_module_is_long() -> None:
    long_modules = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in PRODUCT
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MODULE_LINES
    ]
    assert long_modules == []


# ---------------------------------------------------------------- functions
@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_a_handler_is_thin(path: Path) -> None:
    assert code_lines(path) <= HANDLER_LINES
    assert not top_level_imports(path) & {"boto3", "botocore", "os"}


def test_every_function_of_the_template_has_its_handler() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    folders = re.findall(r"CodeUri: (functions/\w+)", template)
    assert folders
    assert sorted(folders) == sorted(path.parent.relative_to(ROOT).as_posix() for path in HANDLERS)


# -------------------------------------------------------------------- layer
@pytest.mark.parametrize(
    "path", sorted((LAYER / "domain").rglob("*.py")), ids=lambda path: path.stem
)
def test_the_domain_imports_the_standard_library_alone(path: Path) -> None:
    assert top_level_imports(path) <= sys.stdlib_module_names | {"rollcall"}
    assert {name for name in imports(path) if name.startswith("rollcall")} <= {
        name for name in imports(path) if name.startswith("rollcall.domain")
    }


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        path.relative_to(LAYER).as_posix()
        for path in LAYER.rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b|from os import .*environ", path.read_text("utf-8"))
    }
    assert readers <= {"settings.py"}


def test_logging_happens_in_one_place() -> None:
    loggers = {
        path.relative_to(LAYER).as_posix()
        for path in LAYER.rglob("*.py")
        if {"logging", "aws_lambda_powertools.Logger", "aws_lambda_powertools.logging"}
        & set(imports(path))
    }
    # One logs, the other keeps the SDK from logging.
    assert loggers <= {"telemetry.py", "sdk_logs.py"}


def test_no_scan() -> None:
    """Nothing reads a whole table; the guard in storage refuses one, this finds it sooner."""
    scanners = [
        path.relative_to(LAYER).as_posix()
        for path in LAYER.rglob("*.py")
        if re.search(
            r"""\.scan\(TableName|get_paginator\(["']scan["']\)""", path.read_text("utf-8")
        )
    ]
    assert scanners == []


# ------------------------------------------------------------- dependencies
def test_the_layer_ships_what_is_pinned() -> None:
    layer = (ROOT / "layers" / "rollcall" / "requirements.txt").read_text(encoding="utf-8")
    pinned = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    assert layer == pinned, "run `make requirements`"


def pins(name: str) -> set[str]:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9][\w.-]*==[^\s;]+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["runtime.txt", "lambda.txt"])
def test_the_tests_run_against_what_the_functions_run_on(name: str) -> None:
    assert pins(name) <= pins("dev.txt")


# Declared without an import: what shows that it is needed.
NOT_IMPORTED = {
    "flask-openapi3-swagger": (CLI / "local/documentation.py", "flask_openapi3_swagger"),
    "tzdata": (LAYER / "domain/time/zones.py", "from zoneinfo import"),
}
PROVIDED_BY_LAMBDA = {"boto3", "botocore"}


def distributions_imported(*folders: Path) -> set[str]:
    modules = set().union(
        *(top_level_imports(path) for folder in folders for path in folder.rglob("*.py"))
    )
    known = packages_distributions()
    return {
        known[module][0].lower().replace("_", "-")
        for module in modules - sys.stdlib_module_names - {"rollcall", "rollcall_cli"}
    }


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", requirement)[0] for requirement in requirements}


def test_the_project_declares_what_it_imports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["export"]]
    assert len(names(declared)) == len(declared)
    assert names(declared) == distributions_imported(LAYER, CLI) | set(NOT_IMPORTED)


def test_the_layer_declares_what_it_imports() -> None:
    lines = (ROOT / "requirements/runtime.in").read_text("utf-8").splitlines()
    imported = distributions_imported(LAYER, ROOT / "functions") - PROVIDED_BY_LAMBDA
    assert {line for line in lines if line[0] != "#"} == imported | {"tzdata"}


@pytest.mark.parametrize("name", NOT_IMPORTED)
def test_what_is_declared_without_an_import_is_needed(name: str) -> None:
    path, words = NOT_IMPORTED[name]
    assert words in path.read_text("utf-8")


@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt", "lambda.txt", "sam.txt", "vendors.txt"])
def test_every_requirement_has_its_hash(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    requirements = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert requirements
    assert [each.split()[0] for each in requirements if "--hash=sha256:" not in each] == []


def test_no_file_records_where_packages_came_from() -> None:
    registry = re.compile(
        r"--(?:extra-)?index-url[ =]\S|--find-links[ =]\S"
        r"|https?://(?:files\.pythonhosted\.org|pypi\.org/simple|registry\.npmjs\.org|registry\.yarnpkg\.com)",
    )
    lock_files = {"uv.lock", "poetry.lock", "package-lock.json", "yarn.lock", "pnpm-lock.yaml"}
    found = [
        path.relative_to(ROOT).as_posix()
        for path in tracked_files()
        if path.name in lock_files
        or (path != Path(__file__) and registry.search(path.read_text("utf-8", errors="ignore")))
    ]
    assert found == []


# --------------------------------------------------------------------- docs
def test_links_between_documents_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []
