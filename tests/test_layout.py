"""How the tests are laid out: what they share is in tests/support."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
MODULES = sorted(TESTS.rglob("*.py"))
# A module that pytest collects or loads; `conftest` for the fixtures of a folder.
TEST_MODULE = re.compile(r"tests(\.\w+)*\.(test_\w+|conftest)$")


def imported(path: Path) -> set[str]:
    """The full names of all modules, and of names of modules, that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_no_module_imports_a_test_module(path: Path) -> None:
    assert not [name for name in imported(path) if TEST_MODULE.match(name)]
