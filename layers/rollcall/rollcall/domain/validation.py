"""Limits, checks and parsers for values in JSON: ids, strings, instants and payload values.

Parsers return the normalised form in which a value is stored and compared.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from rollcall.domain.decimals import canonical
from rollcall.domain.ids import IntegerId
from rollcall.domain.records import PayloadValue
from rollcall.domain.time.calendar import parse_instant

MAX_ID_LENGTH: Final = 128
MAX_TEXT_LENGTH: Final = 256
MAX_INTEGER: Final = 10**15
MAX_AMOUNT: Final = 10**9
MAX_LABELS: Final = 32
MAX_PAYLOAD_KEYS: Final = 32
MAX_SUMMARY_LENGTH: Final = 4_000
MAX_DETAIL_BYTES: Final = 65_536
PAYLOAD_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
EVENT_TYPE: Final = re.compile(r"[a-z0-9_]{1,64}")
_NEGATIVE_INTEGER: Final = re.compile(rf"-[1-9][0-9]{{0,{MAX_ID_LENGTH - 1}}}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_id(text: str) -> str:
    """Return an id, or a reference to one. Raises ValueError with the rule that was broken."""
    if not 1 <= len(text) <= MAX_ID_LENGTH:
        raise ValueError(f"must have 1 to {MAX_ID_LENGTH} characters")
    if _CONTROL.search(text):
        raise ValueError("must not contain control characters")
    return text


def is_id(text: str) -> bool:
    """Whether a string can be the id of a fact: a string that was sent, or an integer's digits."""
    if _NEGATIVE_INTEGER.fullmatch(text):
        return True
    try:
        check_id(text)
    except ValueError:
        return False
    return True


def check_text(text: str) -> str:
    """Return a free-form string. Raises ValueError with the rule that was broken."""
    if len(text) > MAX_TEXT_LENGTH:
        raise ValueError(f"must have at most {MAX_TEXT_LENGTH} characters")
    return text


def parse_instant_text(value: Any) -> int:
    """Milliseconds since 1970 UTC of an instant. Raises ValueError with the broken rule."""
    if not isinstance(value, str):
        raise ValueError("must be an RFC 3339 instant")
    return parse_instant(value)


def parse_id(value: Any) -> str:
    """An id, as a string: an `IntegerId` if it is an integer.

    Raises ValueError with the rule that was broken.

    The value is a string of 1 to 128 characters without control characters, or an integer of at
    most 128 digits.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        if len(str(abs(value))) > MAX_ID_LENGTH:
            raise ValueError(f"must be an integer of at most {MAX_ID_LENGTH} digits")
        return IntegerId(value)
    if not isinstance(value, str):
        raise ValueError("must be a string or an integer")
    return check_id(value)


def parse_payload_value(value: Any) -> PayloadValue:
    """A payload value in its stored form. Raises ValueError with the rule that was broken."""
    match value:
        case None | bool():
            return value
        case str():
            return check_text(value)
        case int() | Decimal():
            return parse_payload_number(value)
    raise ValueError("must be a string, a number, a boolean or null")


def parse_payload_number(value: int | Decimal) -> Decimal:
    """A payload number in its stored form. Raises ValueError beyond 38 digits or 10^±100."""
    number = Decimal(value)
    out_of_reach = ValueError("must be 0 or of a magnitude from 1e-100 to 1e100")
    if not number.is_finite() or (not number.is_zero() and abs(number.adjusted()) > 100):
        raise out_of_reach
    # Zeros at either end are not significant, however many there are.
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if len(digits) > 38:
        raise ValueError("must have at most 38 significant digits")
    exact = canonical(number)
    if exact.copy_abs() > Decimal("1e100"):  # abs() would round
        raise out_of_reach
    return exact
