from __future__ import annotations

from pathlib import Path

import pytest

from rollcall_cli.local.template import load_template
from rollcall_cli.local.template_model import Template
from tests.support.project import write_project


@pytest.fixture
def template_path(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project")


@pytest.fixture
def template(template_path: Path) -> Template:
    return load_template(template_path)
