"""Checks and forgeries that the contract tests of every dialect share."""

import re
import zlib

from tests.support.stack import Response


def compact(body: bytes) -> bytes:
    """JSON without the blanks between tokens; keys and order as they came."""
    return re.sub(rb'("(?:[^"\\]|\\.)*")|\s+', lambda match: match.group(1) or b"", body)


def gateway_error(answer: Response, status: int, error: str) -> bool:
    """The one body that every dialect's client understands."""
    assert answer.status == status, answer.body
    assert list(answer.json) == ["status_code", "message", "error", "detail"]
    assert answer.json["status_code"] == status
    assert answer.json["error"] == error
    assert isinstance(answer.json["message"], str)
    assert answer.json["message"]
    assert isinstance(answer.json["detail"], str)
    assert (answer.header("Content-Type") or "").startswith("application/json")
    return True


def forged(token: str) -> str:
    """A token that was never given out, with a valid checksum."""
    digits = "0123456789"
    lower, upper = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

    def checksum(text: str, alphabet: str) -> str:
        number, out = zlib.crc32(text.encode()), ""
        for _ in range(6):
            number, digit = divmod(number, 62)
            out = alphabet[digit] + out
        return out

    for alphabet in (digits + upper + lower, digits + lower + upper, upper + lower + digits):
        for start in (0, 3):
            if checksum(token[start:33], alphabet) == token[33:]:
                body = token[:3] + token[3:33][::-1]
                return body + checksum(body[start:], alphabet)
    return token[:3] + token[3:33][::-1] + token[33:]


def malformed(answer: Response) -> bool:
    """The body as a whole was refused."""
    assert answer.status == 400, answer.body
    assert (answer.header("Content-Type") or "").split(";")[0] == "application/problem+json"
    assert answer.json["status"] == 400
    assert isinstance(answer.json["title"], str)
    return True
