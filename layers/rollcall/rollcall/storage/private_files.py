"""Files and folders that only their owner may read: they hold personal data on shared machines."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import IO, Any, Final

_FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700


def open_private(path: Path, mode: str) -> IO[Any]:
    """Open a file with mode 0600, even if it existed with a wider mode; text files are UTF-8."""
    encoding = None if "b" in mode else "utf-8"
    file = open(path, mode, encoding=encoding, opener=_open)  # noqa: SIM115 - the caller closes it
    # The path may be a terminal or a pipe, whose mode must not change.
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        os.fchmod(file.fileno(), _FILE_MODE)
    return file


def create_private(path: Path, content: bytes) -> None:
    """Create a file with mode 0600, complete from the moment it exists.

    Its folder must exist. Raises FileExistsError if the file does.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open_private(unfinished, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(unfinished)
    finally:
        unfinished.unlink(missing_ok=True)


def _open(path: str, flags: int) -> int:
    return os.open(path, flags, _FILE_MODE)


def make_private_folders(root: Path, folder: Path) -> None:
    """Make `folder`, which is `root` or below it, with mode 0700.

    Existing folders below `root` get that mode too. An existing `root` keeps its mode, because
    others may use it.
    """
    root.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    for name in folder.relative_to(root).parts:
        root /= name
        root.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        root.chmod(_FOLDER_MODE)
