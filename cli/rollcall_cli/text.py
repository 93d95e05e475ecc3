"""Text that may have been written by anybody, on a terminal."""

from __future__ import annotations

import json


def printable(text: str) -> str:
    """Text that cannot steer a terminal: as it is, or escaped as in JSON."""
    return text if text.isprintable() else json.dumps(text)
