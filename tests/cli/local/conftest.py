from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rollcall_cli.local.stack import LocalStack
from rollcall_cli.local.template import load_template
from rollcall_cli.local.template_model import Template
from tests.support import stack as stacks
from tests.support.project import write_project


@pytest.fixture
def template_path(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project")


@pytest.fixture
def template(template_path: Path) -> Template:
    return load_template(template_path)


@pytest.fixture(scope="module")
def shared_template_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("project") / "project")


@pytest.fixture(scope="module", params=stacks.ENGINES)
def stack(
    request: pytest.FixtureRequest,
    shared_template_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LocalStack]:
    with LocalStack(
        engine=stacks.chosen_engine(request.param),
        port=0,
        dynamodb_port=0,
        template=shared_template_path,
        state_dir=tmp_path_factory.mktemp("state"),
    ) as running:
        yield running
