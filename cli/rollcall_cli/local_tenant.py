"""Prepare `rollcall local --org`: an organisation, and its token in a private file."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rollcall_cli.console import notice
from rollcall_cli.deployment import deployment
from rollcall_cli.errors import CommandError

if TYPE_CHECKING:
    from rollcall.maintenance.accounts import Administer

SCOPES = ("read", "ingest", "admin")


def prepare(handle: str, token_file: Path | None) -> str | None:
    """Create the organisation if it does not exist, and a token of it in the file.

    Works on the tables that the environment names, and reports on stderr. A valid token in the file
    is kept, an old one is replaced, and any other content is refused. Returns the token in the file,
    or None without a file. Raises CommandError.
    """
    kept = None if token_file is None else _token_in(token_file)
    with deployment() as bootstrap:
        admin = bootstrap.administer()
        if all(organisation.handle != handle for organisation in admin.organisations()):
            admin.create_organisation(handle, handle)
            notice(f"created the organisation {handle}")
        if token_file is None:
            return None
        if _is_valid(admin, handle, kept):
            notice(f"the token of {handle} in {token_file} is valid and is kept")
            return kept
        token: str = admin.issue_token(handle, SCOPES).text
    _write(token_file, token)
    notice(f"wrote a token of {handle} to {token_file}")
    return token


def _token_in(path: Path) -> str | None:
    """The token in the file; None without one. Raises CommandError for any other content."""
    from rollcall.domain.organisations import is_well_formed

    try:
        text = path.read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--token-file {path}: {error}") from error
    if text and not is_well_formed(text):
        raise CommandError(
            f"--token-file {path}: it contains something other than a token; name another file"
        )
    return text or None


def _is_valid(admin: Administer, handle: str, text: str | None) -> bool:
    if text is None:
        return False
    from rollcall.domain.organisations import token_id

    now_ms = time.time_ns() // 1_000_000
    return any(
        token.id == token_id(text)
        and token.state(now_ms) == "active"
        and set(SCOPES) <= {*token.scopes}
        for token in admin.tokens(handle)
    )


def _write(path: Path, text: str) -> None:
    """Replace the file as a whole; it is never readable by others (mkstemp uses mode 0600)."""
    try:
        descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(f"{text}\n")
            Path(unfinished).replace(path)
        except BaseException:
            Path(unfinished).unlink()
            raise
    except OSError as error:
        raise CommandError(f"--token-file {path}: {error.strerror}") from error
