"""Engines with the template's tables, and the product's client on each: fixtures."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from rollcall.storage.client import dynamodb_client
from rollcall_cli.local.engines import Engine, start_engine
from rollcall_cli.local.tables import create_tables
from rollcall_cli.local.template import load_template
from rollcall_cli.local.template_model import Template
from tests.support.emulator.client import MemoryClient
from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.stack import ENGINES, chosen_engine, skip_without_dynamodb_local

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
MEMORY_CLIENT = "memory-client"
DYNAMODB_LOCAL = pytest.param("dynamodb-local", marks=pytest.mark.dynamodb_local)
# The engines of stacks, and the store that the simulator runs on.
CONTRACT_ENGINES = [MEMORY_CLIENT, *ENGINES]


class Engines:
    """Starts an engine once for all tests: a start takes more CPU than most modules do."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._running: dict[str, Engine] = {}

    def __call__(self, name: str) -> Engine:
        if name not in self._running:
            if name == "dynamodb-local":
                skip_without_dynamodb_local()
            logs = self._folders.mktemp("logs")
            self._running[name] = start_engine(name, 0, jar=None, log_folder=logs)
        return self._running[name]

    def stop(self, name: str) -> None:
        self._running.pop(name).close()

    def stop_all(self) -> None:
        for name in list(self._running):
            self.stop(name)


@pytest.fixture(scope="session")
def engine_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    engines = Engines(tmp_path_factory)
    yield engines
    engines.stop_all()


@pytest.fixture(scope="module")
def endpoint_of(engine_of: Engines) -> Iterator[Callable[[str], str]]:
    """The address of an engine, with the template's tables, empty when a module begins."""
    addresses: dict[str, str] = {}

    def address(name: str) -> str:
        if name not in addresses:
            addresses[name] = engine_of(name).url
            _empty_tables(addresses[name])
        return addresses[name]

    yield address
    # moto runs once per process, and tests of engines start their own.
    if "moto" in addresses:
        engine_of.stop("moto")


def _empty_tables(url: str) -> None:
    client = boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    for table in client.list_tables()["TableNames"]:
        client.delete_table(TableName=table)
    create_tables(client, _template())


@functools.cache
def _template() -> Template:
    return load_template(TEMPLATE)


@pytest.fixture
def client_of(
    endpoint_of: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Any]:
    """The product's own client on an engine, guarded as in production."""

    def make(name: str) -> Any:
        if name == MEMORY_CLIENT:
            return MemoryClient(MemoryDynamoDb())
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint_of(chosen_engine(name)))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
        return dynamodb_client(connections=16)

    return make


@pytest.fixture(params=CONTRACT_ENGINES)
def client(request: pytest.FixtureRequest, client_of: Callable[[str], Any]) -> Any:
    return client_of(request.param)
