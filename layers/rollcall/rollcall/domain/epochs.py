"""Epochs: which edition of an organisation's analytics an answer is read from."""

from __future__ import annotations

from typing import NamedTuple


class Epoch(NamedTuple):
    """An organisation, and the number of the epoch that is live; one for the whole of an answer."""

    org_id: str
    number: int
