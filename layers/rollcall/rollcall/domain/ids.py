"""Ids, which are texts, also where a client sends them as integers."""

from __future__ import annotations


class IntegerId(str):
    """The text of an id that was sent as an integer. It equals the same text sent as a string."""

    __slots__ = ()


def id_as_sent(text: str) -> str | int:
    """An id as it was sent: an integer if it was sent as one."""
    return int(text) if isinstance(text, IntegerId) else text
