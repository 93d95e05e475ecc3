"""Encryption of secrets: with a key file, and with a KMS key as botocore's stub answers."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from rollcall.domain.errors import CorruptItem, InvalidOperation, Unavailable
from rollcall.storage import sealing
from rollcall.storage.sealing import FileCipher, KmsCipher, cipher

SECRETS = ["s", "key_retell", "KEY:SECRET", "Schlüssel 🔑", "x" * 1_024]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "hook.key"


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_comes_back(path: Path, secret: str) -> None:
    sealed = FileCipher(path).seal(secret, "k1")
    assert FileCipher(path).open(sealed, "k1") == secret
    assert secret.encode() not in sealed or len(secret) == 1


def test_the_key_file_is_private(path: Path) -> None:
    FileCipher(path).seal("s", "k1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == 32


def test_a_key_file_that_others_may_read_becomes_private(path: Path) -> None:
    sealed = FileCipher(path).seal("s", "k1")
    path.chmod(0o644)
    assert FileCipher(path).open(sealed, "k1") == "s"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_file_that_another_process_makes_meanwhile_is_used(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(root: Path, folder: Path) -> None:
        monkeypatch.undo()
        FileCipher(path).seal("s", "k1")

    monkeypatch.setattr(sealing, "make_private_folders", overtaken)
    sealed = FileCipher(path).seal("secret", "k1")
    assert FileCipher(path).open(sealed, "k1") == "secret"
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_key_file_is_never_seen_unfinished(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        assert not path.exists()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="No space left"):
        FileCipher(path).seal("s", "k1")
    monkeypatch.undo()
    assert list(path.parent.iterdir()) == []
    assert FileCipher(path).open(FileCipher(path).seal("s", "k1"), "k1") == "s"


def test_no_two_encryptions_are_equal(path: Path) -> None:
    assert len({FileCipher(path).seal("secret", "k1") for _ in range(50)}) == 50


def test_another_hooks_secret_and_every_changed_byte_are_refused(
    path: Path, tmp_path: Path
) -> None:
    made = FileCipher(path)
    sealed = made.seal("secret", "k1")
    with pytest.raises(CorruptItem):
        made.open(sealed, "k2")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(CorruptItem):
            made.open(bytes(changed), "k1")
    for cut in (b"", sealed[:10], sealed[:-1]):
        with pytest.raises(CorruptItem):
            made.open(cut, "k1")
    with pytest.raises(CorruptItem):
        FileCipher(tmp_path / "other.key").open(sealed, "k1")


def test_a_key_file_that_is_none(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"short")
    with pytest.raises(CorruptItem, match="32 bytes"):
        FileCipher(path).seal("s", "k1")
    with pytest.raises(Unavailable, match="key file"):
        FileCipher(path / "below").seal("s", "k1")


def test_the_place_of_a_key(path: Path) -> None:
    assert isinstance(cipher(path.as_uri()), FileCipher)
    assert isinstance(cipher("arn:aws:kms:eu-central-1:123456789012:key/k"), KmsCipher)
    with pytest.raises(InvalidOperation, match="ROLLCALL_HOOK_KEY"):
        cipher("")


def kms() -> tuple[KmsCipher, Stubber]:
    client = botocore.session.get_session().create_client(
        "kms",
        region_name="eu-central-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    return KmsCipher("arn:key", client), Stubber(client)


def test_kms_binds_a_secret_to_its_hook_and_decrypts_it_once() -> None:
    made, stub = kms()
    context = {"rollcall:hook": "k1"}
    sent = {"KeyId": "arn:key", "Plaintext": b"secret", "EncryptionContext": context}
    stub.add_response("encrypt", {"CiphertextBlob": b"sealed"}, sent)
    sent = {"KeyId": "arn:key", "CiphertextBlob": b"sealed", "EncryptionContext": context}
    stub.add_response("decrypt", {"Plaintext": b"secret"}, sent)
    with stub:
        assert made.seal("secret", "k1") == b"sealed"
        assert [made.open(b"sealed", "k1") for _ in range(3)] == ["secret"] * 3
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("InvalidCiphertextException", CorruptItem),
        ("IncorrectKeyException", CorruptItem),
        ("ThrottlingException", Unavailable),
        ("AccessDeniedException", Unavailable),
    ],
)
def test_what_kms_refuses(code: str, error: type[Exception]) -> None:
    made, stub = kms()
    stub.add_client_error("decrypt", code)
    with stub, pytest.raises(error):
        made.open(b"sealed", "k1")


def test_kms_that_cannot_be_reached_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = kms()

    def unreachable(**_request: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://kms")

    monkeypatch.setattr(made._made, "decrypt", unreachable)
    with pytest.raises(Unavailable, match="KMS"):
        made.open(b"sealed", "k1")
