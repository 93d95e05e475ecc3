"""The fewest elements of a list with which a check still fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Element = TypeVar("Element")


def shrunk(elements: list[Element], fails: Callable[[list[Element]], bool]) -> list[Element]:
    """A part of `elements`, in their order, that fails and of which no element can be left out.

    `elements` fails. Halves are left out first, then ever smaller parts, at last single elements.
    """
    size = len(elements)
    while size:
        start = 0
        while start < len(elements):
            rest = [*elements[:start], *elements[start + size :]]
            if fails(rest):
                elements = rest
            else:
                start += size
        size //= 2
    return elements
