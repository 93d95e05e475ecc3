"""Save the progress of a command in a file, atomically, so that it can resume."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, TypeVar

from rollcall.storage.private_files import open_private

P = TypeVar("P")  # a dataclass


class Checkpoint(Generic[P]):
    """The progress file of one run; it is valid for the same identity only."""

    def __init__(self, path: Path, identity: str, progress: type[P]) -> None:
        self.path = path
        self._identity = identity
        self._progress = progress

    def load(self) -> P | None:
        """The progress of an earlier run; None if there is none."""
        try:
            stored = json.loads(self.path.read_text("utf-8"))
            if stored.pop("identity") != self._identity:
                return None
            return self._progress(**stored)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # not ours, or damaged: starting again changes nothing

    def save(self, progress: P) -> None:
        """Replace the file; a crash after this loses nothing that was acknowledged."""
        unfinished = self.path.with_name(self.path.name + ".new")
        content: dict[str, Any] = {"identity": self._identity, **asdict(progress)}  # type: ignore[call-overload]
        with open_private(unfinished, "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.path)

    def remove(self) -> None:
        """Delete the file, because the run is complete."""
        self.path.unlink(missing_ok=True)


def digest_of(*options: str) -> Any:
    """A digest of options, to which more can be added.

    It does not reveal a secret among the options, unless that can be guessed.
    """
    digest = hashlib.sha256()
    for option in options:
        digest.update(hashlib.sha256(option.encode("utf-8", "surrogateescape")).digest())
    return digest
