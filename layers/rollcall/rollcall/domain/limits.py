"""What may be stored at most: the API refuses more, and a stored item with more is corrupt."""

from __future__ import annotations

import re
from typing import Final

MAX_ID_LENGTH: Final = 128
MAX_TEXT_LENGTH: Final = 256
MAX_INTEGER: Final = 10**15
MAX_AMOUNT: Final = 10**9
MAX_LABELS: Final = 32
MAX_PAYLOAD_KEYS: Final = 32
PAYLOAD_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
EVENT_TYPE: Final = re.compile(r"[a-z0-9_]{1,64}")
_NEGATIVE_INTEGER: Final = re.compile(rf"-[1-9][0-9]{{0,{MAX_ID_LENGTH - 1}}}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_id(text: str) -> str:
    """An id, or a reference to one, as text. Raises ValueError with the rule it breaks."""
    if not 1 <= len(text) <= MAX_ID_LENGTH:
        raise ValueError(f"must have 1 to {MAX_ID_LENGTH} characters")
    if _CONTROL.search(text):
        raise ValueError("must not hold control characters")
    return text


def is_id(text: str) -> bool:
    """Whether a text can be the id of anything stored: a sent text, or an integer's digits."""
    if _NEGATIVE_INTEGER.fullmatch(text):
        return True
    try:
        check_id(text)
    except ValueError:
        return False
    return True


def check_text(text: str) -> str:
    """A free text. Raises ValueError with the rule it breaks."""
    if len(text) > MAX_TEXT_LENGTH:
        raise ValueError(f"must have at most {MAX_TEXT_LENGTH} characters")
    return text
