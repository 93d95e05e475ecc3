from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from rollcall_cli.local.http_server import HttpServer
from rollcall_cli.local.ports import bind
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


class Served:
    """Passes requests on to the application of the test that runs."""

    application: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.application(scope, receive, send)


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest) -> Iterator[tuple[Served, HttpServer]]:
    application = Served()
    allowed_hosts = getattr(request.module, "ALLOWED_HOSTS", ())
    server = HttpServer(application, bind(0, "--port"), allowed_hosts=allowed_hosts)
    try:
        yield application, server
    finally:
        server.close()


@pytest.fixture
def serve(served: tuple[Served, HttpServer]) -> Callable[[ASGIApp], str]:
    """Serves an application, and returns the URL.

    The tests of a module share the server, because one takes a tenth of a second to end. It allows
    the hosts that the module names in ALLOWED_HOSTS.
    """
    place, server = served

    def begin(application: ASGIApp) -> str:
        place.application = application
        return server.url

    return begin


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
