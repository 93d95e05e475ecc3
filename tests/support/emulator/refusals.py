"""How the emulator refuses requests: with DynamoDB's errors, or because it does not know them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


class Refusal(Exception):
    """An error that DynamoDB answers with; `answer` is the document that it sends."""

    def __init__(self, code: str, message: str, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.answer = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}
        self.answer |= members


class InvalidUpdate(Refusal):
    """An update expression that DynamoDB refuses for this item."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


def refuse_others(asked: Mapping[str, Any], known: Collection[str]) -> None:
    """Raises NotImplementedError on a parameter that the emulator does not read."""
    if unknown := asked.keys() - known:
        raise NotImplementedError(f"{sorted(unknown)}")
