from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollcall_cli.local import dynamodb_local
from rollcall_cli.local.jar import Unavailable
from rollcall_cli.local.stack import LocalStack
from tests.support.project import write_project


@pytest.fixture(scope="module")
def template_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("project") / "project")


def require_dynamodb_local() -> None:
    """Skip, or fail where the environment says that DynamoDB Local must be there."""
    try:
        dynamodb_local.locate()
    except Unavailable as reason:
        if os.environ.get("ROLLCALL_REQUIRE_DYNAMODB_LOCAL") == "1":
            pytest.fail(f"DynamoDB Local is required here: {reason}")
        pytest.skip(f"DynamoDB Local: {reason}")


@pytest.fixture(
    scope="module",
    params=["moto", pytest.param("dynamodb-local", marks=pytest.mark.dynamodb_local)],
)
def stack(
    request: pytest.FixtureRequest, template_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalStack]:
    if request.param == "dynamodb-local":
        require_dynamodb_local()
    with LocalStack(
        engine=request.param,
        port=0,
        dynamodb_port=0,
        template=template_path,
        state_dir=tmp_path_factory.mktemp("state"),
    ) as running:
        yield running
