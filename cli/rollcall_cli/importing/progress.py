"""Save the progress of an import in a file beside the imported one, atomically."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from rollcall.storage.private_files import open_private

_SAMPLE_BYTES = 65_536


@dataclass(slots=True)
class Progress:
    """What has been acknowledged: the rows up to `offset`, and their results."""

    offset: int = 0
    lines: int = 0
    accepted: int = 0
    unchanged: int = 0
    stale: int = 0
    rejected: int = 0
    rejected_bytes: int = 0  # length of the file of rejected rows

    @property
    def records(self) -> int:
        """How many rows have been processed."""
        return self.accepted + self.unchanged + self.stale + self.rejected


class Checkpoint:
    """The progress file of one import; it is valid for the same file, target and options only."""

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self._identity = identity

    def load(self) -> Progress | None:
        """The progress of an earlier run of this import; None if there is none."""
        try:
            stored = json.loads(self.path.read_text("utf-8"))
            if stored.pop("identity") != self._identity:
                return None
            return Progress(**stored)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # not ours, or damaged: starting again changes nothing

    def save(self, progress: Progress) -> None:
        """Replace the file; a crash after this loses nothing that was acknowledged."""
        unfinished = self.path.with_name(self.path.name + ".new")
        content = {"identity": self._identity} | asdict(progress)
        with open_private(unfinished, "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.path)

    def remove(self) -> None:
        """Delete the file, because the import is complete."""
        self.path.unlink(missing_ok=True)


def identity_of(path: Path, *options: str) -> str:
    """A digest of the file's size and samples of its content, and of the options.

    It does not reveal a secret among the options, unless that can be guessed.
    """
    digest = hashlib.sha256()
    for option in options:
        digest.update(hashlib.sha256(option.encode("utf-8", "surrogateescape")).digest())
    size = path.stat().st_size
    digest.update(str(size).encode())
    with path.open("rb") as file:
        for start in (0, size // 2, max(0, size - _SAMPLE_BYTES)):
            file.seek(start)
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()
