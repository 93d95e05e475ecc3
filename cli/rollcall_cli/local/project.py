"""Where the project is: its template, and beside it functions, samples and documentation."""

from __future__ import annotations

from pathlib import Path

from rollcall_cli.errors import CommandError


def find_template(start: Path | None = None) -> Path:
    """template.yaml in the folder or the nearest one above it, else Rollcall's own.

    That is the one of its checkout, or the one in the wheel. Raises CommandError without any.
    """
    here = (start or Path.cwd()).resolve()
    package = Path(__file__).resolve().parents[1]
    for folder in (here, *here.parents, package.parents[1], package / "project"):
        if (folder / "template.yaml").is_file() and (folder / "functions").is_dir():
            return folder / "template.yaml"
    raise CommandError("there is no template.yaml here or above; pass its path with --template")
