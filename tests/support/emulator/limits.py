"""DynamoDB's limits, which a test may lower and a loader may raise."""

from __future__ import annotations

from dataclasses import dataclass

MAX_ITEM_BYTES = 400 * 1024


@dataclass(slots=True)
class Limits:
    """Lower ones cut answers small: a dataset of a few kilobytes takes every path that one of
    gigabytes would.

    A Query ends once it has read `answer_bytes`; a BatchGetItem leaves what is beyond `batch_keys`
    keys unprocessed.
    """

    answer_bytes: int = 1024 * 1024
    batch_keys: int = 100
    transaction_actions: int = 100
    transaction_bytes: int = 4 * 1024 * 1024
