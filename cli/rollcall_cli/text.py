"""Make text from outside safe to print on a terminal."""

from __future__ import annotations

import json


def printable(text: str) -> str:
    """The text if all of it is printable, else as a JSON string."""
    return text if text.isprintable() else json.dumps(text)


def escaped(line: str) -> str:
    """The line with Python escapes for all that is not printable.

    That includes line breaks, and bytes of a file name that are not UTF-8.
    """
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", "backslashreplace").decode("ascii")
        for character in line
    )
