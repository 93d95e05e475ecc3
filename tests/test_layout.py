"""How the tests are laid out, and that what the documentation names is there."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from typer.main import get_command

from rollcall_cli.main import app

TESTS = Path(__file__).parent
ROOT = TESTS.parent
LAYER = ROOT / "layers" / "rollcall" / "rollcall"
MODULES = sorted(TESTS.rglob("*.py"))
# A module that pytest collects or loads; `conftest` for the fixtures of a folder.
TEST_MODULE = re.compile(r"tests(\.\w+)*\.(test_\w+|conftest)$")

# Modules of the layer without a test file of their name, by the test file that covers them.
COVERED_BY = {
    "contract/test_unpod.py": "api/handlers api/ports",
    "contract/test_health.py": "dialects/rollcall/health",
    "contract/test_hooks.py": "dialects/rollcall/hooks",
    "domain/test_facts.py": "domain/defaults",
    "domain/test_records.py": "domain/choices",
    "hooks/test_receive.py": "hooks/ports hooks/recording",
    "hooks/test_replay.py": "hooks/kept",
    "hooks/test_signatures.py": "hooks/signed_messages",
    "ingest/test_update.py": "ingest/ports",
    "ledger/test_page.py": "ledger/encoded",
    "ledger/test_writer.py": "ledger/ports",
    "mapping/test_mapper.py": "mapping/conversion mapping/fields mapping/maps",
    "maintenance/test_redrive.py": "maintenance/failed_records maintenance/ports",
    "query/test_engine.py": "query/ports",
    "query/test_masks.py": "query/conditions query/fields",
    "query/test_grouping.py": "query/cells query/coding query/components",
    "query/test_group_planner.py": "query/rollup_shapes query/scopes",
    "query/test_record_queries.py": "query/datasets query/group_rollups query/reports/query "
    "dialects/rollcall/queries/answer",
    "dialects/rollcall/queries/test_request.py": "dialects/rollcall/queries/body "
    "dialects/rollcall/queries/cursor dialects/rollcall/queries/faults "
    "dialects/rollcall/queries/filters dialects/rollcall/queries/names "
    "dialects/rollcall/queries/ranges",
    "maintenance/test_merge_pages.py": "storage/merging storage/page_items storage/page_reads "
    "storage/segment_items",
    "storage/test_inspection.py": "storage/row_checks",
    "storage/test_fact_items.py": "storage/merge_items",
    "test_bootstrap.py": "commands merging",
    "dialects/rollcall/queries/test_schema.py": "dialects/rollcall/queries/limits",
}


# ------------------------------------------------------------------ modules
@functools.cache
def imported(path: Path) -> frozenset[str]:
    """The full names of all modules, and of names of modules, that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def modules_that_import(is_forbidden: Callable[[str], object]) -> dict[str, list[str]]:
    """The modules below tests/ that import one of these, with what they import."""
    found = {
        path.relative_to(TESTS).as_posix(): sorted(filter(is_forbidden, imported(path)))
        for path in MODULES
    }
    return {path: names for path, names in found.items() if names}


def test_no_module_imports_a_test_module() -> None:
    assert modules_that_import(TEST_MODULE.match) == {}


def test_no_module_imports_a_benchmark() -> None:
    assert modules_that_import(lambda name: name.partition(".")[0] == "benchmarks") == {}


def places_of(module: Path) -> Iterator[Path]:
    """Where the tests of a module of the layer can be; those of a dialect are its contract."""
    yield TESTS / module.parent / f"test_{module.name}"
    if module.parts[0] == "dialects":
        yield TESTS / "contract" / f"test_{Path(module.parts[1]).stem}.py"
    if module.parts[:2] == ("query", "reports"):
        yield TESTS / "contract" / f"test_{module.name}"


def without_a_test_file() -> set[str]:
    modules = [path.relative_to(LAYER) for path in LAYER.rglob("*.py") if path.stem != "__init__"]
    return {
        module.with_suffix("").as_posix()
        for module in modules
        if not any(path.exists() for path in places_of(module))
    }


def test_every_module_of_the_layer_has_a_test_file() -> None:
    excepted = [module for modules in COVERED_BY.values() for module in modules.split()]
    assert len(excepted) == len(set(excepted))
    assert sorted(without_a_test_file()) == sorted(excepted)
    assert [test for test in COVERED_BY if not (TESTS / test).exists()] == []


# ------------------------------------------------------------------ documentation
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *TESTS.glob("*.md")],
)
CODE = re.compile(r"^( *)```\w*\n(.*?)^\1```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)

# A line of `git diff --stat`; the how-to pages show those of changes that were discarded.
DIFF_STAT = re.compile(r" \S+ +\| +\d+ [+-]+")


def code(page: Path) -> Iterator[str]:
    """Every line of a block of code, and every span of code in a sentence."""
    if page.name == "CHANGELOG.md":  # it also names what is gone
        return
    for match in CODE.finditer(page.read_text("utf-8")):
        lines = (match[2] or match[3]).replace("\\\n", " ").splitlines()
        yield from (line for line in lines if not DIFF_STAT.fullmatch(line))


def documented(pattern: str) -> dict[str, str]:
    """What a pattern finds in the code of all pages; the page that has it."""
    return {
        found: page.relative_to(ROOT).as_posix()
        for page in PAGES
        for line in code(page)
        for found in re.findall(pattern, line)
    }


def test_documented_targets_of_make_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
    named = documented(r"(?:^|[\s;&|]\s*)make ([a-z][\w-]*)")
    assert named.keys() >= {"demo", "test"}
    assert {name: page for name, page in named.items() if name not in targets} == {}


def test_documented_commands_of_rollcall_exist() -> None:
    command: Any = get_command(app)
    named = documented(r"(?:^\s*(?:\$ )?|[/;&|]\s*)rollcall ([a-z][a-z-]*(?: [a-z][a-z-]*)?)")
    assert len(named) > 8
    missing = {}
    for name, page in named.items():
        first, _, second = name.partition(" ")
        found = command.get_command(None, first)
        if found is None or (
            second and hasattr(found, "list_commands") and not found.get_command(None, second)
        ):
            missing[name] = page
    assert missing == {}


def test_documented_modules_and_tests_exist() -> None:
    modules = documented(r"python -m (tests(?:\.\w+)*|benchmarks(?:\.\w+)*|rollcall_cli(?:\.\w+)*)")
    assert modules
    assert {name: page for name, page in modules.items() if find_spec(name) is None} == {}
    paths = documented(r"(?<![\w/])(tests/[\w/]+(?:\.\w+)?)(?![\w*<])")
    assert {name: page for name, page in paths.items() if not (ROOT / name).exists()} == {}


def test_the_architecture_lists_every_package() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    packages = {path.parent.name for path in LAYER.glob("*/__init__.py")}
    assert packages - listed == set()
    assert {name for name in listed if find_spec(f"rollcall.{name}") is None} == set()


def test_the_table_of_rules_names_files_that_exist() -> None:
    rows = re.findall(r"^\| (.*) \|$", (TESTS / "README.md").read_text("utf-8"), re.MULTILINE)
    rules = [cells for row in rows if len(cells := row.split(" | ")) == 3 and "test_" in cells[2]]
    assert len(rules) > 30
    missing = []
    for rule, module, tests in rules:
        for name in re.findall(r"`([\w/]+\.py)`", tests):
            folders = {Path(first).parent for first in re.findall(r"`([\w/]+\.py)`", tests)}
            if not any((TESTS / folder / name).exists() for folder in folders | {Path()}):
                missing.append((rule, name))
        missing += [
            (rule, name)
            for name in re.findall(r"`([\w/]+(?:\.py|/))`", module)
            if not ((LAYER / name).exists() or (ROOT / "cli" / name).exists())
        ]
    assert missing == []
