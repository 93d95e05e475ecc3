"""Encrypts the secrets of hooks: with a KMS key, or with a key file on a developer's machine.

The key of the hook is authenticated with the secret, so that no hook can use another's.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import pathlib
import secrets
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from rollcall.domain.errors import CorruptItem, InvalidOperation, Unavailable
from rollcall.storage.private_files import create_private, make_private_folders, open_private

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 16
_TAG_BYTES: Final = 32
_CONTEXT: Final = "rollcall:hook"
_DAMAGED: Final = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})

_Value = TypeVar("_Value")


def cipher(key: str) -> FileCipher | KmsCipher:
    """The cipher of a key: `file:///…` for a key file, else the ARN or the id of a KMS key.

    Raises InvalidOperation if there is none.
    """
    url = urlsplit(key)
    if url.scheme == "file":
        return FileCipher(pathlib.Path(unquote(url.path)))
    if not key:
        raise InvalidOperation("ROLLCALL_HOOK_KEY is not set: there is no key for secrets of hooks")
    return KmsCipher(key)


class KmsCipher:
    """A KMS key. An execution environment decrypts each secret once."""

    def __init__(self, key_id: str, client: Any = None) -> None:
        self._key_id = key_id
        self._made = client
        self._opened = functools.lru_cache(maxsize=256)(self._open)

    def seal(self, text: str, key: str) -> bytes:
        request = {"Plaintext": text.encode(), "EncryptionContext": {_CONTEXT: key}}
        answer = _sent(lambda: self._client().encrypt(KeyId=self._key_id, **request))
        sealed: bytes = answer["CiphertextBlob"]
        return sealed

    def open(self, sealed: bytes, key: str) -> str:
        return self._opened(sealed, key)

    def _open(self, sealed: bytes, key: str) -> str:
        request = {"CiphertextBlob": sealed, "EncryptionContext": {_CONTEXT: key}}
        answer = _sent(lambda: self._client().decrypt(KeyId=self._key_id, **request))
        text: bytes = answer["Plaintext"]
        return text.decode()

    def _client(self) -> Any:
        if self._made is None:
            config = Config(
                connect_timeout=1,
                read_timeout=3,
                retries={"mode": "standard", "total_max_attempts": 3},
            )
            self._made = botocore.session.get_session().create_client("kms", config=config)
        return self._made


def _sent(request: Callable[[], _Value]) -> _Value:
    try:
        return request()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _DAMAGED:
            raise CorruptItem("a secret cannot be decrypted with the key of this stack") from error
        raise Unavailable(f"KMS: {code}") from error
    except BotoCoreError as error:
        raise Unavailable(f"KMS: {type(error).__name__}") from error


class FileCipher:
    """A key file that only its owner may read, made when it is first needed.

    Encrypt-then-MAC with SHAKE-256 as key stream and HMAC-SHA256: what the standard library has. AES
    would add a package of 4 MB to every function for a developer's machine alone.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path

    def seal(self, text: str, key: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        hidden = self._mixed(nonce, text.encode())
        return nonce + hidden + self._tag(nonce + hidden, key)

    def open(self, sealed: bytes, key: str) -> str:
        content, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(content, key)):
            raise CorruptItem(f"a secret cannot be decrypted with the key in {self._path}")
        return self._mixed(content[:_NONCE_BYTES], content[_NONCE_BYTES:]).decode()

    def _mixed(self, nonce: bytes, content: bytes) -> bytes:
        stream = hashlib.shake_256(self._key() + b"stream" + nonce).digest(len(content))
        return bytes(a ^ b for a, b in zip(content, stream, strict=True))

    def _tag(self, content: bytes, key: str) -> bytes:
        mac_key = hashlib.sha256(self._key() + b"mac").digest()
        return hmac.digest(mac_key, key.encode() + b"\0" + content, "sha256")

    def _key(self) -> bytes:
        try:
            if not self._path.exists():
                make_private_folders(self._path.parent, self._path.parent)
                with contextlib.suppress(FileExistsError):  # another process was first
                    create_private(self._path, secrets.token_bytes(_KEY_BYTES))
            with open_private(self._path, "rb") as file:
                content: bytes = file.read()
        except OSError as error:
            raise Unavailable(f"the key file {self._path}: {error.strerror}") from error
        if len(content) != _KEY_BYTES:
            raise CorruptItem(f"the key file {self._path} does not have {_KEY_BYTES} bytes")
        return content
