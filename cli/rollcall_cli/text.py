"""Text that may have been written by anybody, on a terminal."""

from __future__ import annotations

import json


def printable(text: str) -> str:
    """Text that cannot steer a terminal: as it is, or escaped as in JSON."""
    return text if text.isprintable() else json.dumps(text)


def escaped(line: str) -> str:
    """A line that cannot steer a terminal: characters that are not printable as Python escapes.

    Line breaks are among them, and so are bytes of a file name that are not UTF-8.
    """
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", "backslashreplace").decode("ascii")
        for character in line
    )
