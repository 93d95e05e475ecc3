"""Private files: only their owner may read them, whatever was there before."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from rollcall.storage.private_files import make_private_folders, open_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("before", [None, 0o644, 0o666])
def test_a_file_is_its_owners_alone_whatever_it_was(tmp_path: Path, before: int | None) -> None:
    path = tmp_path / "file"
    if before is not None:
        path.write_text("old")
        path.chmod(before)
    with open_private(path, "w") as file:
        assert mode(path) == 0o600  # before anything is in it
        file.write("é")
    assert path.read_bytes() == "é".encode()
    with open_private(path, "ab") as file:
        file.write(b"!")
    assert (path.read_text("utf-8"), mode(path)) == ("é!", 0o600)


def test_a_pipe_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o644)
    path.chmod(0o644)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open_private(path, "w") as file:
        file.write("x")
    assert (os.read(reader, 9), mode(path)) == (b"x", 0o644)
    os.close(reader)


def test_folders_below_the_root_are_private_and_an_existing_root_is_left(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    for folder in (root, root / "a"):
        folder.chmod(0o755)
    make_private_folders(root, root / "a" / "b")
    assert [mode(f) for f in (root, root / "a", root / "a" / "b")] == [0o755, 0o700, 0o700]
    new = tmp_path / "new" / "root"
    make_private_folders(new, new)
    assert mode(new) == 0o700


def test_a_folder_outside_of_the_root_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not in the subpath"):
        make_private_folders(tmp_path / "root", tmp_path / "other")
    assert not (tmp_path / "other").exists()
