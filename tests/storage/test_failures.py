"""Every failure destination keeps the same promises: the folder, the bucket, and the tests' fake."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from rollcall.domain.errors import BrokenDestination, CorruptItem
from rollcall.hooks.receive import RECORDING_SECONDS
from rollcall.ingest.update import Cause, Quarantined, Result
from rollcall.maintenance.failed_records import FailureKind
from rollcall.maintenance.ports import Failures
from rollcall.maintenance.redrive import Redrive, is_unfinished
from rollcall.storage import failures as storage
from rollcall.storage.failure_documents import failed_records
from rollcall.storage.failures import BucketFailures, FolderFailures, failures
from rollcall_cli.local.failure_destination import FailureFolder
from rollcall_cli.local.template import load_template
from tests.support.failures import FOLDER, MemoryFailures, given_up, poison

pytestmark = pytest.mark.engine


Put = Callable[[str, bytes], None]


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return botocore.session.get_session().create_client("s3")


@pytest.fixture
def bucket(s3: Any) -> Iterator[str]:
    s3.create_bucket(Bucket="failures")
    yield "failures"
    for entry in s3.list_objects_v2(Bucket="failures").get("Contents", []):
        s3.delete_object(Bucket="failures", Key=entry["Key"])
    s3.delete_bucket(Bucket="failures")


@pytest.fixture(params=["memory", "folder", "bucket", "prefix"])
def destination(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Failures, Put]:
    """A destination, and how another writer puts an object into it."""
    if request.param == "memory":
        memory = MemoryFailures()
        return memory, memory.objects.__setitem__
    if request.param == "folder":
        folder = tmp_path / "it's a % folder"
        folder.mkdir()

        def write(name: str, content: bytes) -> None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)

        return failures(folder.as_uri()), write
    s3 = request.getfixturevalue("s3")
    bucket = request.getfixturevalue("bucket")
    prefix = "some/where/" if request.param == "prefix" else ""
    s3.put_object(Bucket=bucket, Key="some/where else", Body=b"{}") if prefix else None

    def put(name: str, content: bytes) -> None:
        s3.put_object(Bucket=bucket, Key=prefix + name, Body=content)

    return failures(f"s3://{bucket}/{prefix}"), put


def test_an_object_is_put_read_and_removed(destination: tuple[Failures, Put]) -> None:
    kept, put = destination
    assert list(kept.names()) == []
    assert kept.read("quarantine/7.json") is None
    name = kept.put([poison(7)], "because")
    assert name == f"quarantine/{7:021d}.json"
    document = kept.read(name)
    assert document is not None
    assert (document["record"], document["reason"]) == (poison(7), "because")
    assert kept.put([poison(7)], "again") == name
    put(FOLDER + "-1", given_up([poison(8)]))
    assert sorted(kept.names()) == sorted([name, FOLDER + "-1"])
    kept.remove(name)
    kept.remove(name)  # gone already
    assert kept.read(name) is None
    assert list(kept.names()) == [FOLDER + "-1"]


def test_names_are_listed_by_what_they_begin_with(destination: tuple[Any, Put]) -> None:
    kept, put = destination
    for name in ("hooks/waiting/a/1.json", "hooks/waiting/b.json", "hooks/waiting.json", "hooks/a"):
        put(name, b"{}")
    expected = ["hooks/waiting/a/1.json", "hooks/waiting/b.json"]
    assert sorted(kept.names("hooks/waiting/")) == expected
    assert list(kept.names("hooks/none/")) == []
    assert len(list(kept.names())) == 4


def test_records_of_one_fault_share_an_object(destination: tuple[Failures, Put]) -> None:
    kept, _ = destination
    together = [poison(7), poison(9), poison(8)]
    name = kept.put(together, "because")
    assert name == kept.put(together, "again")
    others = [kept.put(some, "other") for some in ([poison(7)], together[:2], together[::-1])]
    assert len({name, *others}) == 4
    document = kept.read(name)
    assert document is not None
    failed = failed_records(document)
    assert (failed.kind, failed.reason) == (FailureKind.QUARANTINED, "again")
    assert list(failed.records) == together


def test_any_name_may_lie_there(destination: tuple[Failures, Put]) -> None:
    kept, put = destination
    names = ["ä ö/ü & <b> +%20.json", "notes.txt", "a/b/c/.unfinished", "~/x"]
    for name in names:
        put(name, b"{}")
    assert sorted(kept.names()) == sorted(names)
    for name in names:
        assert kept.read(name) == {}
        kept.remove(name)
    assert list(kept.names()) == []


def test_a_batch_makes_room_for_its_poison(destination: tuple[Failures, Put]) -> None:
    kept, put = destination
    put(FOLDER + "-1", given_up([poison(number) for number in range(3)]))

    def update(records: Sequence[Any]) -> Result:
        last = (len(records) - 1,)
        reason = "unknown record type"
        return Result(quarantined=[Quarantined(last, None, Cause.RECORD, reason, "")])

    redrive = Redrive(kept, failed_records, update, lambda _delivery: None)
    (name,) = redrive.names()
    replayed = redrive.replay(name)
    last = f"quarantine/{2:021d}.json"
    assert (replayed.settled, replayed.remaining) == (2, [(last, "unknown record type")])
    assert list(redrive.names()) == [last]
    failed = redrive.failed(last)
    assert failed is not None
    assert (failed.kind, list(failed.records)) == (FailureKind.QUARANTINED, [poison(2)])


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b'"text"', b"{"])
def test_what_is_damaged_is_said_to_be(destination: tuple[Failures, Put], content: bytes) -> None:
    kept, put = destination
    put("x.json", content)
    with pytest.raises(CorruptItem):
        kept.read("x.json")


# ------------------------------------------------------------------ buckets
def test_a_bucket_of_more_objects_than_an_answer_names(s3: Any, bucket: str) -> None:
    names = sorted(f"quarantine/{number}.json" for number in range(23))
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=b"{}")
    for size in (1, 5, 23, 1_000):
        assert list(BucketFailures(bucket, "", names_a_request=size).names()) == names
    removing = BucketFailures(bucket, "", names_a_request=3)
    for name in removing.names():  # what goes meanwhile costs no other its turn
        removing.remove(name)
    assert list(removing.names()) == []


def test_the_mark_of_an_empty_folder_is_no_object(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="quarantine/", Body=b"")
    s3.put_object(Bucket=bucket, Key="content/", Body=b"x")
    assert list(failures(f"s3://{bucket}").names()) == ["content/"]


def test_a_bucket_that_is_not_there(s3: Any) -> None:
    nowhere = failures("s3://nowhere")
    for act in (
        lambda: list(nowhere.names()),
        lambda: nowhere.read("x"),
        lambda: nowhere.put([poison(1)], "because"),
        lambda: nowhere.remove("x"),
    ):
        with pytest.raises(BrokenDestination, match="NoSuchBucket"):
            act()


def test_a_bucket_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, s3: Any) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(BrokenDestination, match="connect"):
        list(failures("s3://failures").names())


class Silent:
    """A server that accepts connections and never answers."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.accepted: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.accepted.append(self._socket.accept()[0])

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for connection in self.accepted:
            connection.close()


def test_a_bucket_that_does_not_answer_is_asked_twice(
    monkeypatch: pytest.MonkeyPatch, s3: Any
) -> None:
    silent = Silent()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", silent.url)
    shorter = storage._CONFIG.merge(Config(read_timeout=0.05))
    monkeypatch.setattr(storage, "_CONFIG", shorter)
    try:
        with pytest.raises(BrokenDestination, match="timeout"):
            BucketFailures("failures", "").keep("hooks/x.json", b"{}")
    finally:
        silent.close()
    assert len(silent.accepted) == 2


def test_a_delivery_can_be_kept_in_the_time_that_is_left() -> None:
    """Also when the bucket does not answer: the function must still say so."""
    config = storage._CONFIG
    attempts = config.retries["total_max_attempts"]
    longest_pause_seconds = 1.0  # the standard mode: a random part of 1, 2, 4, …
    assert attempts == 2
    seconds = attempts * (config.connect_timeout + config.read_timeout) + longest_pause_seconds
    assert seconds <= storage.MAX_KEEPING_SECONDS
    template = load_template(Path(__file__).parents[2] / "template.yaml")
    function = template.functions["ReceiveHookFunction"]
    assert function.timeout_seconds > RECORDING_SECONDS + storage.MAX_KEEPING_SECONDS


@pytest.mark.parametrize("destination", ["folder", "bucket"], indirect=True)
def test_an_object_that_rollcall_did_not_write_is_not_read_into_memory(
    destination: tuple[Failures, Put], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, put = destination
    monkeypatch.setattr("rollcall.storage.failures._MAX_BYTES", 10)
    put("large", b'{"x": "0123456789"}')
    with pytest.raises(CorruptItem, match="19 bytes"):
        kept.read("large")


# ------------------------------------------------------------------ folders
@pytest.mark.parametrize("name", ["../secret.json", "a/../../secret.json", "/etc/hostname"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.json").write_text("{}")
    (tmp_path / "failures").mkdir()
    kept = FolderFailures(tmp_path / "failures")
    assert kept.read(name) is None
    kept.remove(name)
    assert (tmp_path / "secret.json").exists()


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokenDestination, match="No such file"):
        list(FolderFailures(tmp_path / "nowhere").names())
    with pytest.raises(BrokenDestination, match="file"):
        FolderFailures(tmp_path / "file").put([poison(1)], "because")


def test_a_put_that_fails_leaves_an_unfinished_name_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    kept = FolderFailures(tmp_path)
    with pytest.raises(BrokenDestination, match="No space left"):
        kept.put([poison(1)], "because")
    assert all(map(is_unfinished, kept.names()))


def test_the_local_stack_gives_up_in_the_same_shape(tmp_path: Path) -> None:
    records = [{**poison(n), "eventSourceARN": "arn:stream"} for n in range(3)]
    FailureFolder(tmp_path).put(
        records,
        shard_id="shardId-1",
        function_arn="arn:function",
        condition="RetryAttemptsExhausted",
        invocations=2,
        now=1_795_262_400.5,
    )
    kept = FolderFailures(tmp_path)
    (name,) = kept.names()
    assert name.startswith("aws/lambda/")
    assert "/shardId-1/2026/11/21/2026-11-21T12.00.00-" in name
    document = kept.read(name)
    assert document is not None
    assert json.loads(document["payload"])["Records"] == records
    assert document.keys() == json.loads(given_up(records)).keys()


@pytest.mark.parametrize(
    "where", ["", "s3://", "s3:///x", "file://host/x", "file://", "/tmp", "x:y"]
)
def test_what_is_no_destination(where: str) -> None:
    with pytest.raises(BrokenDestination, match="neither"):
        failures(where)


@pytest.mark.parametrize("existed", [False, True])
def test_failed_records_are_for_their_owner_alone(tmp_path: Path, existed: bool) -> None:
    """Files are 0600 and folders 0700; a folder that was named as the destination is left as it was."""
    root = tmp_path / "failures"
    if existed:
        kept_before = root / "quarantine"
        kept_before.mkdir(parents=True)
        (root / "aws").mkdir()
        for folder in (root, kept_before, root / "aws"):
            folder.chmod(0o755)
        unfinished = kept_before / f".{poison(1)['dynamodb']['SequenceNumber']}.json"
        unfinished.touch(0o644)
    records = [{**poison(1), "eventSourceARN": "arn:stream"}]
    FolderFailures(root).put([poison(1)], "because")
    FailureFolder(root).put(
        records,
        shard_id="shardId-1",
        function_arn="arn:function",
        condition="RetryAttemptsExhausted",
        invocations=2,
        now=1_795_262_400.5,
    )
    made = sorted(root.rglob("*"))
    assert sum(path.is_file() for path in made) == 2
    modes = {path: path.stat().st_mode & 0o777 for path in made}
    assert modes == {path: 0o600 if path.is_file() else 0o700 for path in made}
    assert root.stat().st_mode & 0o777 == (0o755 if existed else 0o700)
