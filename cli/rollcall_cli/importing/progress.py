"""The progress of an import, and what identifies the file that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rollcall_cli.checkpoint import digest_of

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


def identity_of(path: Path, *options: str) -> str:
    """A digest of the file's size and samples of its content, and of the options."""
    digest = digest_of(*options)
    size = path.stat().st_size
    digest.update(str(size).encode())
    with path.open("rb") as file:
        for start in (0, size // 2, max(0, size - _SAMPLE_BYTES)):
            file.seek(start)
            digest.update(file.read(_SAMPLE_BYTES))
    return str(digest.hexdigest())
