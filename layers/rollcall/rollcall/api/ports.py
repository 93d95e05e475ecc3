"""The store that the API itself reads; `rollcall.storage` implements it."""

from __future__ import annotations

from typing import Protocol


class Handles(Protocol):
    """The handles of all organisations (`rollcall.storage.accounts.Directory`)."""

    def org_id_of_handle(self, handle: str) -> str | None:
        """The id of the organisation with this handle; None if there is none."""
