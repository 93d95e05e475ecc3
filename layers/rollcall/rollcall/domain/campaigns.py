"""Campaigns, as questions name them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rollcall.domain.records import DIRECTIONS


@dataclass(frozen=True, slots=True)
class CampaignId:
    """A campaign: its id, and its direction; None means calls of either."""

    id: str
    direction: str | None

    @property
    def directions(self) -> Collection[str]:
        """The directions whose calls are meant."""
        return DIRECTIONS if self.direction is None else (self.direction,)
