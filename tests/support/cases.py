"""How many cases a property has that needs more or fewer than others."""

from __future__ import annotations

from hypothesis import settings

_WHOLE = settings.get_profile("rollcall").max_examples


def cases(number: int) -> settings:
    """So many cases; with the profile `fast` the same share of them as of the others."""
    return settings(max_examples=max(1, number * settings().max_examples // _WHOLE))
