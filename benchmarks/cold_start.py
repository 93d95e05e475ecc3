"""What importing each function's handler takes in a fresh interpreter, with and without bytecode.

Each start is a process of its own, in turns; time is from the interpreter's first own line to the
end of the import, so the interpreter's own start is not in it. "With bytecode" is what the layer
ships (ADR 0005); "without" keeps Python's own library compiled, as Lambda does, and compiles
everything else again, as an ordinary build would make it. Lambda's machines are others: compare
the ratios.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from benchmarks import wiring
from benchmarks.report import Report, median, number

CHECKOUT = Path(__file__).parents[1]
LAYER = CHECKOUT / "layers" / "rollcall"
BARE = "botocore client"

_CHILD = """
import sys, time
started = time.perf_counter()
{code}
print((time.perf_counter() - started) * 1000, len(sys.modules))
"""
_CLIENT = """
import botocore.session
botocore.session.get_session().create_client("dynamodb")
"""
_HANDLER = """
import importlib.util
spec = importlib.util.spec_from_file_location("handler", {path!r})
spec.loader.exec_module(importlib.util.module_from_spec(spec))
"""


def run(*, is_quick: bool) -> Report:
    report = Report("cold_start")
    table = report.table(
        "Import of a handler, median ms",
        "",
        "with bytecode",
        "× bare client",
        "without bytecode",
        "with ÷ without",
        "modules",
    )
    programs = {BARE: _CLIENT}
    for handler in sorted((CHECKOUT / "functions").glob("*/handler.py")):
        programs[handler.parent.name] = _HANDLER.format(path=str(handler))
    rounds = 3 if is_quick else 11
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as folder, wiring.environment():
        with_bytecode, without = Path(folder, "with"), Path(folder, "without")
        for code in programs.values():
            _start(code, with_bytecode, is_writing=True)
        _leave_only_the_library(with_bytecode, without)
        taken: dict[tuple[str, Path], list[float]] = {}
        modules = {}
        for _ in range(rounds):
            for name, code in programs.items():
                for cache in (with_bytecode, without):
                    milliseconds, modules[name] = _start(code, cache, is_writing=False)
                    taken.setdefault((name, cache), []).append(milliseconds)
    bare = median(taken[BARE, with_bytecode])
    for name in programs:
        fast, slow = (median(taken[name, cache]) for cache in (with_bytecode, without))
        table.add(
            name,
            number(fast),
            f"{fast / bare:.2f}",
            number(slow),
            f"{fast / slow:.2f}",
            modules[name],
        )
    return report


def _start(code: str, cache: Path, *, is_writing: bool) -> tuple[float, int]:
    environment = os.environ | {
        "ROLLCALL_FAILURE_DESTINATION": "file:///nowhere",
        "PYTHONPYCACHEPREFIX": str(cache),
        "PYTHONDONTWRITEBYTECODE": "" if is_writing else "1",
        "PYTHONPATH": str(LAYER),
    }
    done = subprocess.run(  # noqa: S603 - a program of ours
        [sys.executable, "-c", _CHILD.format(code=code)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    milliseconds, modules = done.stdout.split()
    return float(milliseconds), int(modules)


def _leave_only_the_library(source: Path, target: Path) -> None:
    ours = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), str(CHECKOUT))

    def ignored(folder: str, names: list[str]) -> list[str]:
        inside = "/" + str(Path(folder).relative_to(source))
        return [name for name in names if str(Path(inside, name)) in ours]

    shutil.copytree(source, target, ignore=ignored)
