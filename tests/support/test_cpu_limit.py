"""A test that uses more CPU time than the limit fails, unless it is marked slow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cpu_limit import VARIABLE
from tests.support.stack import ROOT

TESTS = """
import subprocess, sys, time
import pytest

BURN = "import time\\nwhile time.process_time() < 1: pass"

def test_in_process():
    end = time.process_time() + 1
    while time.process_time() < end: pass

def test_in_a_child():
    subprocess.run([sys.executable, "-c", BURN], check=True)

@pytest.mark.slow
def test_marked():
    test_in_process()

def test_asleep():
    time.sleep(1)
"""


def outcomes(folder: Path, limit: str | None) -> str:
    (folder / "test_burning.py").write_text(TESTS, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = slow\n", "utf-8")
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.support.cpu_limit", "-rA", "-q", folder],
        env=environment | {"PYTHONPATH": str(ROOT)} | ({VARIABLE: limit} if limit else {}),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_an_unmarked_test_over_the_limit_fails(tmp_path: Path) -> None:
    printed = outcomes(tmp_path, "0.5")
    assert "FAILED test_burning.py::test_in_process" in printed
    assert "FAILED test_burning.py::test_in_a_child" in printed
    assert "over the limit of 0.5 s" in printed
    assert "PASSED test_burning.py::test_marked" in printed
    assert "PASSED test_burning.py::test_asleep" in printed


@pytest.mark.slow
def test_nothing_is_measured_without_a_limit(tmp_path: Path) -> None:
    assert "4 passed" in outcomes(tmp_path, None)
