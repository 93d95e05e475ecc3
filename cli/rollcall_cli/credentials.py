"""Read the token that a command sends to the API."""

from __future__ import annotations

import getpass
import os
import re
import sys
from pathlib import Path

from rollcall_cli.errors import CommandError

VARIABLE = "ROLLCALL_TOKEN"

_TOKEN = re.compile(r"[!-~]{1,1024}")  # nothing else can be sent in a header


def read_token(given: str | None, file: Path | None) -> str:
    """The token from `--token` (`-`: standard input), `--token-file` or ROLLCALL_TOKEN.

    Raises CommandError when there is none, when both options are given, or when it is malformed.
    """
    if given is not None and file is not None:
        raise CommandError("pass --token or --token-file, not both")
    if file is not None:
        source, text = f"--token-file {file}", _content(file)
    elif given == "-":
        source, text = "--token -", _standard_input()
    elif given is not None:
        source, text = "--token", given
    else:
        source, text = VARIABLE, os.environ.get(VARIABLE, "")
        if not text:
            raise CommandError(
                f"there is no token; set {VARIABLE}, or pass --token-file FILE or --token -"
            )
    token = text.strip()
    if not _TOKEN.fullmatch(token):
        raise CommandError(f"{source} is not a token: it must be one word of printable ASCII")
    return token


def _content(file: Path) -> str:
    try:
        with file.open(encoding="ascii", errors="replace") as content:
            return content.read(4096)
    except OSError as error:
        raise CommandError(f"--token-file {file}: {error.strerror}") from error


def _standard_input() -> str:
    # On a terminal, the token is not echoed.
    return getpass.getpass("Token: ") if sys.stdin.isatty() else sys.stdin.read(4096)
