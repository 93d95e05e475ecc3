"""How many cases a property has that needs more or fewer than others."""

from __future__ import annotations

from hypothesis import settings

_WHOLE = settings.get_profile("rollcall").max_examples


def cases(number: int) -> settings:
    """So many cases; of them a quarter with the profile `fast`, as of the others."""
    return settings(max_examples=max(1, number * settings().max_examples // _WHOLE))
