"""The local stack as a context manager: engine, tables, functions, pump and gateway.

with LocalStack(engine="moto", port=0, dynamodb_port=0) as stack:
    ...  # stack.api_url, stack.dynamodb_url
    stack.drain()
"""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from rollcall.storage.private_files import make_private_folders
from rollcall_cli.console import notice
from rollcall_cli.errors import CommandError
from rollcall_cli.local.built_code import choose_code
from rollcall_cli.local.data_folder import DataFolder
from rollcall_cli.local.dynamodb_local import Installation
from rollcall_cli.local.engines import Engine, durable_installation, start_durable, start_engine
from rollcall_cli.local.failure_destination import FailureFolder
from rollcall_cli.local.gateway import DRAIN_SECONDS, Gateway
from rollcall_cli.local.http_server import HttpServer
from rollcall_cli.local.intrinsics import REGION
from rollcall_cli.local.ports import DEFAULT_PORT, bind, chosen_port
from rollcall_cli.local.project import find_template
from rollcall_cli.local.pump import Pump
from rollcall_cli.local.recovery import recover
from rollcall_cli.local.rie import RieRuntime, find_emulator
from rollcall_cli.local.runtime import InProcessRuntime, Runtime, invoke
from rollcall_cli.local.sample_hook import SampleHooks
from rollcall_cli.local.shard_reader import SENTINEL_KEY, Delivery
from rollcall_cli.local.stream_source import DynamoStream
from rollcall_cli.local.tables import create_tables, stream_arn
from rollcall_cli.local.template import load_template
from rollcall_cli.local.template_model import StreamMapping, Template
from rollcall_cli.local.try_out import TryOut

# How long a stop waits for the stream if the data is kept.
_SETTLE_SECONDS = 10.0


class _Durable(NamedTuple):
    """An engine that keeps its data, and the folder of the data."""

    installation: Installation
    folder: DataFolder


class LocalStack:
    """Starts on entry and stops on exit; engine and runtime may start processes of their own.

    `engine` is `auto`, `moto`, `dynamodb-local` or an endpoint URL. A port of 0 is any free one;
    None is the default one, or any free one if that is in use. `allowed_hosts` are names by which
    containers reach the engine.
    `runtime` is `inprocess` or `rie`. `parameters` override the template's defaults, and
    `environment` the functions' variables; `clock` expires cached authorizations and one-time codes. Without a
    `state_dir`, logs and failed records go to a temporary folder, which is kept only if there are
    failed records. With a `data_dir`, tables, logs and failed records are kept; after a kill, the
    stack repairs pages and rollups before the API answers.
    Raises CommandError for every user error. If the engine is moto or the runtime `inprocess`, a
    process can run one stack at a time.
    """

    api_url: str
    dynamodb_url: str
    state_dir: Path

    def __init__(  # noqa: PLR0913 - by keyword, each with a default
        self,
        *,
        engine: str = "auto",
        port: int | None = None,
        dynamodb_port: int | None = None,
        allowed_hosts: Collection[str] = (),
        runtime: str = "inprocess",
        template: Path | None = None,
        state_dir: Path | None = None,
        data_dir: Path | None = None,
        jar: Path | None = None,
        emulator: Path | None = None,
        parameters: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if runtime not in ("inprocess", "rie"):
            raise CommandError(f"--runtime: {runtime} is neither inprocess nor rie")
        self._engine_choice = engine
        self._port = port
        self._dynamodb_port = dynamodb_port
        self._allowed_hosts = allowed_hosts
        self._runtime_choice = runtime
        self._template_path = template or find_template()
        self._given_state_dir = state_dir or data_dir
        self._data_dir = data_dir
        self._jar = jar
        self._emulator = emulator
        self._parameters = parameters
        self._environment = dict(environment or {})
        self._clock = clock
        self._pumps: list[Pump] = []
        self._is_settled = False
        self._running = ExitStack()

    # ---------------------------------------------------------------- while it runs
    @property
    def template(self) -> Template:
        """The template of the stack."""
        return self._template

    @property
    def records_table(self) -> str:
        """Name of the records table."""
        return self._template.table("RecordsTable").name

    @property
    def analytics_table(self) -> str:
        """Name of the analytics table."""
        return self._template.table("AnalyticsTable").name

    @property
    def failures_dir(self) -> Path:
        """The folder of failed records."""
        return self.state_dir / "failures"

    @property
    def hook_key(self) -> Path:
        """The file of the key that encrypts the secrets of hooks."""
        return self.state_dir / "hook.key"

    def drain(self, timeout_seconds: float = DRAIN_SECONDS) -> bool:
        """Wait until every record written before is in the rollups; False if not in time."""
        deadline = time.monotonic() + timeout_seconds
        return all(pump.drain(max(0.0, deadline - time.monotonic())) for pump in self._pumps)

    def offer(self, try_out: TryOut) -> None:
        """Let this machine try the organisation: its token, sample requests and sample hooks."""
        self._gateway.try_out = try_out
        self._gateway.sample_hooks = SampleHooks(self.api_url, try_out)

    def dashboard_url(self, token: str) -> str:
        """The dashboard's address with a one-time code, which its page exchanges for the token."""
        return f"{self.api_url}/#code={self._gateway.codes.issue(token)}"

    def client(self, service: str = "dynamodb") -> Any:
        """A boto3 client for the engine: `dynamodb` or `dynamodbstreams`."""
        return boto3.client(
            service,
            endpoint_url=self.dynamodb_url,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - every emulator takes anything
            config=Config(account_id_endpoint_mode="disabled", retries={"total_max_attempts": 3}),
        )

    def environment(self) -> dict[str, str]:
        """The environment in which another process works on the same tables and failed records."""
        return {
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb_url,
            "AWS_ENDPOINT_URL_DYNAMODBSTREAMS": self.dynamodb_url,
            # Otherwise botocore ≥ 1.44 puts the account into the host of dynamodbstreams calls.
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "ROLLCALL_RECORDS_TABLE": self.records_table,
            "ROLLCALL_ANALYTICS_TABLE": self.analytics_table,
            "ROLLCALL_FAILURE_DESTINATION": self.failures_dir.as_uri(),
            "ROLLCALL_HOOK_KEY": self.hook_key.as_uri(),
        }

    # ------------------------------------------------------------------------ lifetime
    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.close()

    def _start(self) -> None:
        _log_to_stderr()
        self._template = load_template(self._template_path, self._parameters)
        durable = self._open_data()
        self.state_dir = self._make_state_dir()
        # Before anything slow, so that a port in use is reported at once.
        listener = bind(chosen_port(self._port, DEFAULT_PORT, "--port"), "--port")
        self._running.callback(listener.close)
        engine = self._start_engine(durable)
        self._running.callback(engine.close)
        self.dynamodb_url = engine.url
        dynamodb = self.client()
        try:
            create_tables(dynamodb, self._template)
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"cannot create the tables at {engine.url}: {error}") from error
        if durable is not None:
            durable.folder.log_ahead()
        runtime = self._make_runtime()
        self._running.callback(runtime.close)
        for mapping in self._template.mappings:
            pump = self._make_pump(mapping, runtime, dynamodb)
            pump.start()
            self._pumps.append(pump)
            self._running.callback(pump.close)
        if durable is not None:
            if durable.folder.needs_check:
                recover(self.environment(), self.drain)
            self._running.callback(self._settle)
        self._gateway = Gateway(self._template, runtime, drain=self.drain, clock=self._clock)
        server = HttpServer(self._gateway, listener)
        self._running.callback(server.close)
        self.api_url = server.url

    def _open_data(self) -> _Durable | None:
        if self._data_dir is None:
            return None
        # First: a start without DynamoDB Local leaves no folder behind.
        installation = durable_installation(self._engine_choice, self._jar)
        folder = DataFolder(self._data_dir)
        self._running.callback(folder.close)
        self._running.callback(self._mark_settled, folder)
        return _Durable(installation, folder)

    def _start_engine(self, durable: _Durable | None) -> Engine:
        if durable is not None:
            return start_durable(
                durable.installation,
                self._dynamodb_port,
                log_folder=self.state_dir,
                data=durable.folder,
            )
        return start_engine(
            self._engine_choice,
            self._dynamodb_port,
            jar=self._jar,
            log_folder=self.state_dir,
            allowed_hosts=self._allowed_hosts,
        )

    def _mark_settled(self, data: DataFolder) -> None:
        if self._is_settled:
            data.mark_settled()

    def _settle(self) -> None:
        """Wait for the stream, after the last write and before the pumps stop."""
        try:
            self._is_settled = self.drain(_SETTLE_SECONDS)
        except (BotoCoreError, ClientError) as error:
            notice(f"the database does not answer: {error}")
        if not self._is_settled:
            notice("some records are not counted yet; the next start applies them")

    def _make_state_dir(self) -> Path:
        if self._given_state_dir is not None:
            try:
                make_private_folders(self._given_state_dir, self._given_state_dir)
            except OSError as error:
                raise CommandError(
                    f"--state-dir {self._given_state_dir}: {error.strerror}"
                ) from error
            return self._given_state_dir.resolve()
        folder = Path(tempfile.mkdtemp(prefix="rollcall-local-"))
        self._running.callback(_remove_unless_failures, folder)
        return folder

    def _make_runtime(self) -> Runtime:
        make_private_folders(self.state_dir, self.failures_dir)
        environment = self.environment() | self._environment
        if self._runtime_choice == "rie":
            emulator = find_emulator(self._template.path, self._emulator)
            code = choose_code(self._template, self._parameters)
            notice(f"runtime: every function in {emulator}")
            notice(f"code: {code.description}")
            return RieRuntime(code, environment, emulator)
        # The functions print metrics for CloudWatch; here, this command's output would hold them.
        environment |= {"POWERTOOLS_METRICS_DISABLED": "true"}
        return InProcessRuntime(self._template.functions, environment)

    def _make_pump(self, mapping: StreamMapping, runtime: Runtime, dynamodb: Any) -> Pump:
        function = self._template.functions[mapping.function]

        def call(event: Mapping[str, Any]) -> Any:
            return invoke(runtime, mapping.function, event, function.timeout_seconds)

        def write_sentinel(nonce: str) -> None:
            item = SENTINEL_KEY | {"nonce": {"S": nonce}}
            dynamodb.put_item(TableName=mapping.table.name, Item=item)

        delivery = Delivery(
            mapping=mapping,
            function_arn=function.arn,
            invoke=call,
            failures=FailureFolder(self.failures_dir),
            clock=time.monotonic,
            wall_clock=time.time,
        )
        source = DynamoStream(self.client("dynamodbstreams"), stream_arn(dynamodb, mapping.table))
        return Pump(source, delivery, write_sentinel)


def _remove_unless_failures(folder: Path) -> None:
    failures = folder / "failures"
    if failures.is_dir() and any(path.is_file() for path in failures.rglob("*")):
        notice(f"failed records are in {failures}")
        return
    shutil.rmtree(folder, ignore_errors=True)


def _log_to_stderr() -> None:
    logger = logging.getLogger("rollcall.local")
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("rollcall: %(message)s"))
        logger.addHandler(handler)
        logger.propagate = False
