"""moto's DynamoDB in this process, served on loopback, one request at a time.

Only the two APIs of DynamoDB are served: moto's own routes (`/moto-api/reset`) and open CORS would
let any web page read and delete the tables.

To roll a failed transaction back, moto 5.2 restores deep copies of whole tables, one for every item of
the transaction. This has two consequences:

- Overlapping requests would lose writes, so requests are serialised.
- The cost of a transaction grows with the table (26 items: 0.3 s on an empty table, 1 s on one of
  1,500 items). Here, tables are not copied; the items of the transaction, at most 100, are kept and
  restored if it fails. Its stream records are removed too, which moto would leave to readers.

moto also repeats two checks of a whole update expression for every nested part of it, so that 25 terms
cost 625 checks. Here they run once, for the whole expression, which implies the parts.

moto keeps its state per process: there is one engine at a time, and it starts empty.
"""

from __future__ import annotations

import copy
import re
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing.validators import ActionCountValidator, OverlappingPathsValidator
from moto.dynamodbstreams.models import dynamodbstreams_backends
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import ThreadedWSGIServer

from rollcall_cli.errors import CommandError
from rollcall_cli.local.browser_guard import WsgiGuard
from rollcall_cli.local.intrinsics import REGION
from rollcall_cli.local.ports import EVERY_INTERFACE, HOST, bind

_SIGNED_REGION = re.compile(r"(Credential=[^/,]*/[^/,]*/)[^/,]*/")
_SERVED_TARGET = re.compile(r"DynamoDB(Streams)?_20120810\.[A-Za-z]+")
_SERVED_SIGNATURE = re.compile(r"Credential=[^/,]*/[^/,]*/[^/,]*/dynamodb/aws4_request")
_one_engine = threading.Lock()


class MotoEngine:
    """A running moto server; `close` stops it and deletes its tables.

    `allowed_hosts` are names other than loopback that clients may send in `Host`. With them, it
    listens on every interface on Linux, where containers reach Docker's address of this machine.
    Docker Desktop forwards them to loopback.
    """

    def __init__(self, port: int, *, allowed_hosts: Collection[str] = ()) -> None:
        listen_on = EVERY_INTERFACE if allowed_hosts and sys.platform == "linux" else HOST
        if not _one_engine.acquire(blocking=False):
            raise CommandError("moto runs in this process already, and keeps one state per process")
        self._adaptations = ExitStack()
        try:
            _delete_tables()
            _adapt(self._adaptations)
            listener = bind(port, "--dynamodb-port", listen_on)
            application = _Serialised(DomainDispatcherApplication(create_backend_app))
            try:
                self._server = _Server(
                    listen_on,
                    listener.getsockname()[1],
                    WsgiGuard(_DynamoDbAlone(application), allowed_hosts),
                    handler=_QuietRequestHandler,
                    fd=listener.fileno(),
                )
            finally:
                listener.close()  # the server has a duplicate of it
        except BaseException:
            self._restore()
            raise
        self.url = f"http://{HOST}:{self._server.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="moto", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)
        self._restore()

    def _restore(self) -> None:
        self._adaptations.close()
        _delete_tables()
        _one_engine.release()


class _Server(ThreadedWSGIServer):
    """Ends without waiting for connections that clients keep open."""

    daemon_threads = True
    block_on_close = False


class _QuietRequestHandler(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: a line per request would hide other messages."""


class _DynamoDbAlone:
    """WSGI middleware: 404 for everything except signed calls of DynamoDB's APIs.

    moto chooses the service by the signature, and S3 without one.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        is_call = (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("POST", "/")
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        signature = environ.get("HTTP_AUTHORIZATION", "")
        if is_call and _SERVED_TARGET.fullmatch(target) and _SERVED_SIGNATURE.search(signature):
            return self._application(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "application/json")])
        return [b'{"message": "only signed calls of DynamoDB and DynamoDB Streams are served"}']


class _Serialised:
    """WSGI middleware: one request at a time, and the same tables for every region.

    moto separates tables by the region in the signature. DynamoDB Local, as it is started here, does
    not: a client must find the same tables in every AWS_REGION.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if "HTTP_AUTHORIZATION" in environ:
            environ["HTTP_AUTHORIZATION"] = _SIGNED_REGION.sub(
                rf"\g<1>{REGION}/", environ["HTTP_AUTHORIZATION"], count=1
            )
        with self._lock:
            return list(self._application(environ, start_response))


def _delete_tables() -> None:
    dynamodb_backends.reset()
    dynamodbstreams_backends.reset()


def _adapt(adaptations: ExitStack) -> None:
    """Make the changes that the module docstring names, until `adaptations` is closed."""
    undoing = _undoing(DynamoDBBackend.transact_write_items)
    adaptations.enter_context(patch.object(DynamoDBBackend, "transact_write_items", undoing))
    for validator in (ActionCountValidator, OverlappingPathsValidator):
        adaptations.enter_context(patch.object(validator, "traverse", _check_whole))


def _check_whole(validator: Any, expression: Any) -> Any:
    return validator.process(expression) or expression


def _undoing(
    copying: Callable[[DynamoDBBackend, list[dict[str, Any]]], None],
) -> Callable[[DynamoDBBackend, list[dict[str, Any]]], None]:
    """moto's transaction with an undo log instead of copies of whole tables."""

    def transact_write_items(
        backend: DynamoDBBackend, transact_items: list[dict[str, Any]]
    ) -> None:
        undo = [
            _restorer(backend.tables[operation["TableName"]], operation)
            for entry in transact_items
            for operation in entry.values()
            if operation.get("TableName") in backend.tables
        ]
        try:
            with _TablesNotCopied():
                copying(backend, transact_items)
        except BaseException:
            for restore in undo:
                restore()
            raise

    return transact_write_items


class _TablesNotCopied:
    """A context in which a deep copy of a table is the table itself. Requests are serialised."""

    def __enter__(self) -> None:
        Table.__deepcopy__ = lambda table, _memo: table  # type: ignore[attr-defined]

    def __exit__(self, *_: object) -> None:
        del Table.__deepcopy__  # type: ignore[attr-defined]


def _restorer(table: Table, operation: Mapping[str, Any]) -> Callable[[], None]:
    """A function that restores the current state of the item that the operation names."""
    attributes = operation.get("Key") or operation.get("Item") or {}
    names = [name for name in (table.hash_key_attr, table.range_key_attr) if name]
    stream_length = len(table.stream_shard.items) if table.stream_shard else 0
    if any(name not in attributes for name in names):
        return lambda: None  # moto refuses the transaction before it writes
    hash_key, *range_key = (DynamoType(attributes[name]) for name in names)
    partition = table.items.get(hash_key, {})
    before = copy.deepcopy(partition.get(range_key[0]) if range_key else partition or None)

    def restore() -> None:
        if table.stream_shard:
            del table.stream_shard.items[stream_length:]
        holder: dict[Any, Any] = table.items[hash_key] if range_key else table.items
        key = range_key[0] if range_key else hash_key
        if before is None:
            holder.pop(key, None)
        else:
            holder[key] = before

    return restore
