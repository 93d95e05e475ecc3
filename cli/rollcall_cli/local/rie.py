"""Run functions in the Lambda Runtime Interface Emulator, one process per function.

The emulator is part of the SAM CLI. It crashes on overlapping calls, so each one has a lock. It
answers an exception of a handler with HTTP 200 and `errorMessage`.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import urllib3

from rollcall_cli.errors import CommandError
from rollcall_cli.local.built_code import Code
from rollcall_cli.local.child_process import ChildProcess
from rollcall_cli.local.ports import HOST
from rollcall_cli.local.runtime import FunctionError, answer_in_thread
from rollcall_cli.local.template_model import Function

_START_SECONDS = 20
_STDERR = 2  # the descriptor, because sys.stderr may have been replaced
_ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_PATH = "/2015-03-31/functions/function/invocations"


def find_emulator(template_path: Path, given: Path | None = None) -> Path:
    """The emulator's binary: the given one, else that of the SAM CLI in `.venv-sam`."""
    if given is not None:
        if not given.is_file():
            raise CommandError(f"--rie: there is no file {given}")
        return given.resolve()
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    pattern = f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{architecture}"
    folder = template_path.parent / ".venv-sam"
    for path in sorted(folder.glob(pattern)):
        return path.resolve()
    raise CommandError(
        f"there is no Lambda Runtime Interface Emulator in {folder}; `make build` in a checkout"
        " installs the SAM CLI there, which includes it; or pass the path of aws-lambda-rie with"
        " --rie, or use --runtime inprocess"
    )


class RieRuntime:
    """Runs functions in emulators, which start with the first call; `close` stops them all."""

    def __init__(self, code: Code, environment: Mapping[str, str], emulator: Path) -> None:
        self._emulators = {
            name: _Emulated(function, code, environment, emulator)
            for name, function in code.functions.items()
        }

    def start(self, function: str, event: Mapping[str, Any]) -> Future[Any]:
        """Start one invocation; invocations of one function wait for each other."""
        payload = json.dumps(event).encode()
        emulated = self._emulators[function]
        return answer_in_thread(lambda: emulated.call(payload), f"lambda-{function}")

    def close(self) -> None:
        """Stop every emulator and its function."""
        for emulated in self._emulators.values():
            emulated.close()


class _Emulated:
    def __init__(
        self, function: Function, code: Code, environment: Mapping[str, str], emulator: Path
    ) -> None:
        self._function = function
        self._code = code
        self._environment = environment
        self._emulator = emulator
        self._one_call = threading.Lock()
        self._is_closed = False
        self._process: ChildProcess | None = None
        self._port = 0
        self._http = urllib3.PoolManager(retries=False)

    def call(self, payload: bytes) -> Any:
        with self._one_call:
            if self._is_closed:
                raise FunctionError("Runtime.Closed", "the local stack is stopping")
            if self._process is None or self._process.exit_status is not None:
                self._start()
            try:
                reply = self._http.request(
                    "POST",
                    f"http://{HOST}:{self._port}{_PATH}",
                    body=payload,
                    # The emulator enforces the function's time limit; this is for one that hangs.
                    timeout=urllib3.Timeout(connect=5, read=self._function.timeout_seconds + 15),
                )
            except urllib3.exceptions.HTTPError as error:
                self._stop()
                raise FunctionError("Runtime.ExitError", str(error)) from error
            text = reply.data.decode("utf-8", "replace")
            try:
                answer = json.loads(text)
            except ValueError as error:
                # It answers a time-out in plain text, and cannot be used afterwards.
                self._stop()
                raise FunctionError("Runtime.ExitError", text.strip()) from error
            if isinstance(answer, dict) and "errorMessage" in answer:
                raise FunctionError(answer.get("errorType", "Error"), answer["errorMessage"])
            if reply.status != 200:
                raise FunctionError("Runtime.ExitError", text)
            return answer

    def close(self) -> None:
        self._is_closed = True
        self._stop()

    def _start(self) -> None:
        function = self._function
        self._port, api_port = _free_ports(2)
        environment = {**os.environ, **function.environment, **self._environment}
        environment |= {
            "PYTHONPATH": os.pathsep.join(map(str, [function.folder, *function.layer_folders])),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout_seconds),
        }
        if self._code.is_built:
            # The build is deployed, so running it must not add files.
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        # fmt: off
        command = [
            str(self._emulator),
            "--runtime-interface-emulator-address", f"{HOST}:{self._port}",
            "--runtime-api-address", f"{HOST}:{api_port}",
            str(self._code.python), "-m", "awslambdaric", function.handler,
        ]
        # fmt: on
        self._process = ChildProcess(command, cwd=function.folder, env=environment, output=_STDERR)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                socket.create_connection((HOST, self._port), timeout=0.2).close()
                return
            except OSError:
                if self._process.exit_status is not None or time.monotonic() > deadline:
                    self._stop()
                    message = f"the emulator of {function.logical_id} did not start"
                    raise FunctionError("Runtime.ExitError", message) from None
                time.sleep(0.02)

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close()


def _free_ports(count: int) -> list[int]:
    # Bound at the same time, so that they differ.
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
