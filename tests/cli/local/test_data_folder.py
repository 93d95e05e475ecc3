"""The folder of `--data-dir`: who may use it, when it needs a check, and which engine it needs."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from rollcall_cli.errors import CommandError
from rollcall_cli.local import data_folder
from rollcall_cli.local.data_folder import DataFolder
from rollcall_cli.local.stack import LocalStack

pytestmark = pytest.mark.engine


def used(folder: DataFolder) -> None:
    folder.begin_use()
    (folder.database / "shared-local-instance.db").touch()


def test_only_a_used_folder_that_was_not_settled_needs_a_check(tmp_path):
    folder = DataFolder(tmp_path / "data")
    assert not folder.needs_check
    used(folder)
    folder.close()

    after_a_kill = DataFolder(tmp_path / "data")
    assert after_a_kill.needs_check
    after_a_kill.mark_settled()
    after_a_kill.close()

    after_an_orderly_stop = DataFolder(tmp_path / "data")
    assert not after_an_orderly_stop.needs_check
    after_an_orderly_stop.close()

    after_a_start_without_a_database = DataFolder(tmp_path / "data")
    assert not after_a_start_without_a_database.needs_check
    used(after_a_start_without_a_database)
    after_a_start_without_a_database.close()

    assert DataFolder(tmp_path / "data").needs_check


def test_a_folder_has_one_stack_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(data_folder, "_LOCK_SECONDS", 0)
    folder = DataFolder(tmp_path)
    with pytest.raises(CommandError, match=r"--data-dir .*another rollcall local uses it"):
        DataFolder(tmp_path)
    folder.close()
    DataFolder(tmp_path).close()


def test_a_database_that_still_runs_holds_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(data_folder, "_LOCK_SECONDS", 0)
    folder = DataFolder(tmp_path)
    database = subprocess.Popen(["/bin/sleep", "300"], pass_fds=(folder.lock_descriptor,))
    folder.close()
    try:
        with pytest.raises(CommandError, match="another rollcall local uses it"):
            DataFolder(tmp_path)
    finally:
        database.kill()
        database.wait()
    DataFolder(tmp_path).close()


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match=r"--data-dir .*file: "):
        DataFolder(tmp_path / "file")


@pytest.mark.parametrize("engine", ["moto", "http://127.0.0.1:8000"])
def test_an_engine_that_keeps_nothing_there_is_refused(shared_template_path, tmp_path, engine):
    with pytest.raises(
        CommandError,
        match=f"--data-dir: {engine} stores nothing there; use --engine dynamodb-local",
    ):
        LocalStack(
            engine=engine, port=0, dynamodb_port=0, template=shared_template_path, data_dir=tmp_path
        ).__enter__()


def test_a_start_that_finds_its_port_in_use_leaves_the_folder_settled(
    shared_template_path, tmp_path
):
    folder = DataFolder(tmp_path)
    used(folder)
    folder.mark_settled()
    folder.close()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for ports in ({"port": port, "dynamodb_port": 0}, {"port": 0, "dynamodb_port": port}):
            with pytest.raises(CommandError, match=f"port {port} is in use|needs DynamoDB Local"):
                LocalStack(**ports, template=shared_template_path, data_dir=tmp_path).__enter__()
    assert not DataFolder(tmp_path).needs_check


def test_auto_does_not_fall_back_to_moto(shared_template_path, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(CommandError, match=r"needs DynamoDB Local.*Java is not installed"):
        LocalStack(
            port=0, dynamodb_port=0, template=shared_template_path, data_dir=tmp_path / "new"
        ).__enter__()
    assert not (tmp_path / "new").exists()


def test_the_refusal_is_one_line_and_leaves_no_folder(tmp_path):
    command = [sys.executable, "-m", "rollcall_cli.main", "local", "--engine", "moto"]
    folder = tmp_path / "new"
    done = subprocess.run(
        [*command, "--port", "0", "--data-dir", str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "rollcall: --data-dir: moto stores nothing there; use --engine dynamodb-local,"
        " or omit --data-dir\n"
    )
    assert not folder.exists()
