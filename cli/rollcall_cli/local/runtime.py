"""Run the template's functions as Lambda does.

    Runtime          the protocol that the gateway and the pump use
    InProcessRuntime imports every handler into this process
    (rie.RieRuntime  runs every function in the Lambda Runtime Interface Emulator)

Events and answers are copied through JSON in both directions, so that a handler can receive and
return only what Lambda can pass on.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol

from rollcall_cli.console import notice
from rollcall_cli.errors import CommandError
from rollcall_cli.local.template_model import Function

_CLOSE_SECONDS = 5.0


class FunctionError(Exception):
    """The function raised, could not be loaded, or returned something that is not JSON."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message


class FunctionTimedOut(FunctionError):
    """The function exceeded its time limit; its writes may still be applied later."""

    def __init__(self, function: str, timeout_seconds: float) -> None:
        super().__init__("Sandbox.Timedout", f"{function} timed out after {timeout_seconds:g} s")


class Runtime(Protocol):
    """Runs functions; every method may be called from any thread."""

    def start(self, function: str, event: Mapping[str, Any]) -> Future[Any]:
        """Start one invocation; the future's result is the answer, or a FunctionError."""

    def close(self) -> None:
        """Stop the functions; invocations under way are abandoned."""


def invoke(
    runtime: Runtime, function: str, event: Mapping[str, Any], timeout_seconds: float
) -> Any:
    """Wait for one invocation. Raises FunctionError, and FunctionTimedOut, which abandons it."""
    try:
        return runtime.start(function, event).result(timeout_seconds)
    except TimeoutError as error:
        raise FunctionTimedOut(function, timeout_seconds) from error


@dataclass(slots=True)
class LambdaContext:
    """The second argument of a handler."""

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    deadline: float
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    log_group_name: str = "/local/rollcall"
    log_stream_name: str = "local"
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's time-out, never negative."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def answer_in_thread(answer: Callable[[], Any], name: str) -> Future[Any]:
    """Run `answer` in a new thread, which does not keep the process alive.

    A pool would not do: an invocation that hangs after its time-out must block neither the next one
    nor the end of the process.
    """
    future: Future[Any] = Future()

    def run() -> None:
        try:
            result = answer()
        except BaseException as error:  # passed on to the caller
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


class InProcessRuntime:
    """Imports each handler once, under a unique module name, and calls it in threads.

    All functions share the environment of this process, to which `environment` and the variables of
    all functions are added before the first import; `close` restores it. Handlers are imported when
    the runtime is created; a failed import is reported, and calls of that function then fail.
    """

    _instances = itertools.count()

    def __init__(self, functions: Mapping[str, Function], environment: Mapping[str, str]) -> None:
        self._functions = functions
        self._namespace = f"rollcall_local_{next(self._instances)}"
        self._handlers: dict[str, Callable[[Any, Any], Any]] = {}
        self._failures: dict[str, FunctionError] = {}
        self._is_closed = False
        self._under_way: set[Future[Any]] = set()
        self._replaced: dict[str, str | None] = {}
        self._modules: list[str] = []
        self._added_paths: list[str] = []
        try:
            for function in functions.values():
                self._add_layers(function)
                self._set_environment(function.environment)
            self._set_environment(environment)
            for name, function in functions.items():
                self._load(name, function)
        except BaseException:
            self.close()
            raise

    def start(self, function: str, event: Mapping[str, Any]) -> Future[Any]:
        """Call the handler in a new thread; calls of one function may overlap."""
        settings = self._functions[function]
        failure = self._failures.get(function)
        handler = self._handlers.get(function)
        payload = json.dumps(event)

        def call() -> Any:
            if handler is None:
                raise failure or FunctionError("Runtime.ImportModuleError", f"no {function}")
            context = LambdaContext(
                function_name=settings.name,
                invoked_function_arn=settings.arn,
                memory_limit_in_mb=str(settings.memory_mb),
                deadline=time.monotonic() + settings.timeout_seconds,
            )
            try:
                answer = handler(json.loads(payload), context)
            except Exception as error:
                # An authorizer raises "Unauthorized" to refuse a token; anything else is a fault.
                # After `close`, calls fail because their database has stopped.
                if str(error) != "Unauthorized" and not self._is_closed:
                    traceback.print_exc(file=sys.stderr)
                raise FunctionError(type(error).__name__, str(error)) from error
            try:
                return json.loads(json.dumps(answer))
            except (TypeError, ValueError) as error:
                raise FunctionError("Runtime.MarshalError", str(error)) from error

        future = answer_in_thread(call, f"lambda-{function}")
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return future

    def close(self) -> None:
        """Remove the handlers and restore the environment.

        Calls under way have a few seconds to end, while their database still runs; those that take
        longer are abandoned.
        """
        wait(tuple(self._under_way), timeout=_CLOSE_SECONDS)
        self._is_closed = True
        self._handlers.clear()
        for module in self._modules:
            sys.modules.pop(module, None)
        for path in self._added_paths:
            if path in sys.path:
                sys.path.remove(path)
        for name, value in self._replaced.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._replaced.clear()

    def _set_environment(self, variables: Mapping[str, str]) -> None:
        for name, value in variables.items():
            self._replaced.setdefault(name, os.environ.get(name))
            os.environ[name] = value

    def _add_layers(self, function: Function) -> None:
        # At the end: an installed package, such as an editable checkout, takes precedence.
        for folder in map(str, function.layer_folders):
            if folder not in sys.path:
                sys.path.append(folder)
                self._added_paths.append(folder)

    def _load(self, name: str, function: Function) -> None:
        module_name, _, attribute = function.handler.rpartition(".")
        path = function.folder / f"{module_name}.py"
        try:
            module = _import_file(path, f"{self._namespace}_{name}")
            self._modules.append(module.__name__)
            self._handlers[name] = getattr(module, attribute)
        except Exception as error:
            notice(f"{name} cannot be loaded, its calls will fail:")
            traceback.print_exc(file=sys.stderr)
            self._failures[name] = FunctionError("Runtime.ImportModuleError", str(error))


def _import_file(path: os.PathLike[str], name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CommandError(f"cannot import {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
