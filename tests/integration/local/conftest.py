from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rollcall_cli.local.stack import LocalStack
from tests.support.project import write_project
from tests.support.stack import skip_without_dynamodb_local


@pytest.fixture(scope="module")
def template_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("project") / "project")


@pytest.fixture(
    scope="module",
    params=["moto", pytest.param("dynamodb-local", marks=pytest.mark.dynamodb_local)],
)
def stack(
    request: pytest.FixtureRequest, template_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalStack]:
    if request.param == "dynamodb-local":
        skip_without_dynamodb_local()
    with LocalStack(
        engine=request.param,
        port=0,
        dynamodb_port=0,
        template=template_path,
        state_dir=tmp_path_factory.mktemp("state"),
    ) as running:
        yield running
