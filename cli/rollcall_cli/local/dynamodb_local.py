"""Find, start and stop AWS's DynamoDB Local, without telemetry.

DynamoDB Local has no option for the address it listens on: it listens on every interface, and accepts
any `Host`. Its answers allow no other origin, so browsers hide them from pages of other sites. It has
no protection against DNS rebinding, except a port that a page does not expect.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import urllib3

from rollcall_cli.errors import CommandError
from rollcall_cli.local.child_process import ChildProcess
from rollcall_cli.local.data_folder import DataFolder
from rollcall_cli.local.jar import Unavailable, cache_folder, fetch_jar, find_jar
from rollcall_cli.local.ports import HOST, bind

JAVA_NEEDED = 17

_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Installation:
    """A Java that is new enough, and the jar."""

    java: str
    java_version: int
    jar: Path


def locate(jar: Path | None = None, *, retry: bool = False) -> Installation:
    """Find Java and the jar, which is fetched if necessary. Raises Unavailable.

    With `retry`, it is fetched even if that failed within the last day.
    """
    java, version = _find_java()
    return Installation(java, version, find_jar(jar) or fetch_jar(retry=retry))


def _find_java() -> tuple[str, int]:
    remedy = f"install Java {JAVA_NEEDED} or newer (or set JAVA_HOME), or use --engine moto"
    home = os.environ.get("JAVA_HOME")
    candidate = str(Path(home) / "bin" / "java") if home else "java"
    java = shutil.which(candidate)
    if java is None:
        raise Unavailable("Java is not installed", remedy)
    try:
        printed = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{java} does not run ({error})", remedy) from error
    match = re.search(r'version "(\d+)', printed.stderr + printed.stdout)
    version = int(match.group(1)) if match else 0
    if version < JAVA_NEEDED:
        raise Unavailable(f"{java} is Java {version}, too old for DynamoDB Local", remedy)
    return java, version


# ------------------------------------------------------------------------------- process
def start(
    port: int, installation: Installation, log_folder: Path, data: DataFolder | None = None
) -> DynamoDbLocal:
    """Start it on a port (0: any free one) and wait until it answers."""
    # The port is free until Java takes it. If another program takes it first, Java ends with an error.
    with bind(port, "--dynamodb-port") as probe:
        chosen = probe.getsockname()[1]
    return DynamoDbLocal(chosen, installation, log_folder, data)


class DynamoDbLocal:
    """A running DynamoDB Local; its output goes to a file in `log_folder`.

    It keeps its tables and their streams in the data folder, or in memory without one.
    """

    def __init__(
        self,
        port: int,
        installation: Installation,
        log_folder: Path,
        data: DataFolder | None = None,
    ) -> None:
        self.url = f"http://{HOST}:{port}"
        self.log_path = log_folder / "dynamodb-local.log"
        jar = installation.jar
        # fmt: off
        command = [
            installation.java,
            # Starts a third faster; it does not run long enough to gain from the full compiler.
            "-XX:TieredStopAtLevel=1",
            f"-Djava.library.path={jar.parent / 'DynamoDBLocal_lib'}",
            "-jar", str(jar),
            *(["-inMemory"] if data is None else ["-dbPath", str(data.database)]),
            "-sharedDb", "-port", str(port),
        ]
        # fmt: on
        if _knows_telemetry_option(installation):
            command.append("-disableTelemetry")
        if data is not None:
            data.begin_use()
        with self.log_path.open("wb") as log:
            self._process = ChildProcess(
                command,
                cwd=log_folder,
                env=os.environ | {"DDB_LOCAL_TELEMETRY": "0"},
                output=log,
                pass_fds=() if data is None else (data.lock_descriptor,),
            )
        try:
            self._wait_until_it_answers(port)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop the process; tables in memory are lost."""
        self._process.close()

    def _wait_until_it_answers(self, port: int) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.exit_status is not None:
                printed = self.log_path.read_text("utf-8", "replace").strip().splitlines()
                reason = printed[-1] if printed else f"exit status {self._process.exit_status}"
                raise CommandError(f"DynamoDB Local ended at once: {reason} ({self.log_path})")
            if _answers(port):
                return
            time.sleep(0.05)
        raise CommandError(f"DynamoDB Local did not answer in {_START_SECONDS} s")


def _knows_telemetry_option(installation: Installation) -> bool:
    """Whether the jar has the option: the pinned one does; others end on an unknown option."""
    if cache_folder() in installation.jar.parents:
        return True
    printed = subprocess.run(
        [installation.java, "-jar", str(installation.jar), "-help"],
        cwd=installation.jar.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return "disableTelemetry" in printed.stdout + printed.stderr


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=0.2):
            pass
        # 400 for want of a signature: it is running.
        with urllib3.PoolManager(retries=False, timeout=2) as http:
            http.request("GET", f"http://{HOST}:{port}/")
    except (OSError, urllib3.exceptions.HTTPError):
        return False
    return True
