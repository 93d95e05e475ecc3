"""Choose the code that the emulator runs: the output of `make build`, or the source tree.

The build runs as on Lambda: in `.venv-lambda`, a Python of the functions' version with only the
libraries of Lambda's runtime, so that a library that is missing from the layer is missing here. The
source tree runs in the Python of this command, with its libraries.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rollcall_cli.errors import CommandError
from rollcall_cli.local.template import load_template
from rollcall_cli.local.template_model import Function, Template

# Beside the template, as SAM and `make build` leave them.
BUILT_TEMPLATE = Path(".aws-sam/build/template.yaml")
LAMBDA_PYTHON = Path(".venv-lambda/bin/python3.13")


@dataclass(frozen=True, slots=True)
class Code:
    """Functions by logical id, the Python that runs them, and a description of both."""

    functions: Mapping[str, Function]
    python: Path
    is_built: bool
    description: str


class _NotUsable(Exception):
    """The reason why the build is not used."""


def choose_code(template: Template, parameters: Mapping[str, str] | None = None) -> Code:
    """The build if it is complete, for this machine, and no older than any source file.

    Otherwise the source tree, and the description gives the reason. `parameters` are those of
    `template`. Removing a source file does not make the build stale. Raises CommandError if the
    source tree cannot be run either.
    """
    try:
        return _built(template, parameters)
    except _NotUsable as reason:
        return _sources(template, str(reason))


def _built(template: Template, parameters: Mapping[str, str] | None) -> Code:
    project = template.path.parent
    built = project / BUILT_TEMPLATE
    python = project / LAMBDA_PYTHON
    for needed in (built, python):
        if not needed.is_file():
            raise _NotUsable(f"there is no {needed.relative_to(project)}")
    built_at = built.stat().st_mtime_ns
    for source in _source_files(template):
        if source.stat().st_mtime_ns > built_at:
            raise _NotUsable(f"{os.path.relpath(source, project)} is newer than the build")
    functions = {
        name: replace(
            function, layer_folders=tuple(layer / "python" for layer in function.layer_folders)
        )
        for name, function in load_template(built, parameters).functions.items()
    }
    for folder in _folders(functions):
        if not folder.is_dir() or not folder.resolve().is_relative_to(built.parent):
            raise _NotUsable(f"{os.path.relpath(folder, project)} is not part of the build")
        _require_this_machine(folder)
    description = f"the build in {BUILT_TEMPLATE.parent}, with {LAMBDA_PYTHON}"
    return Code(functions, python, is_built=True, description=description)


def _folders(functions: Mapping[str, Function]) -> list[Path]:
    """The folders of functions and their layers, sorted."""
    return sorted({path for f in functions.values() for path in (f.folder, *f.layer_folders)})


def _require_this_machine(folder: Path) -> None:
    """Raise _NotUsable if a shared library in the folder is of another architecture."""
    for library in folder.rglob("*.so"):
        if "-linux-" in library.name and f"-{platform.machine()}-linux-" not in library.name:
            raise _NotUsable(f"it is for another machine than {platform.machine()}")


def _source_files(template: Template) -> Iterator[Path]:
    yield template.path
    for folder in _folders(template.functions):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                yield path


def _sources(template: Template, reason: str) -> Code:
    if importlib.util.find_spec("awslambdaric") is None:
        raise CommandError(
            f"--runtime rie: {reason}, and the source tree needs awslambdaric; run `make build`,"
            ' or install "rollcall-analytics[rie]"'
        )
    return Code(
        template.functions,
        Path(sys.executable),
        is_built=False,
        description=f"the source tree, with Python {platform.python_version()}; the build is not"
        f" used because {reason} (`make build`)",
    )
