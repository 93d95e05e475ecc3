"""The stores that the write path needs; `rollcall.storage` implements them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from rollcall.domain.facts import Change, Fact, Outcome
from rollcall.domain.organisations import Organisation, Token


class Directory(Protocol):
    """Organisations and tokens (`rollcall.storage.accounts.Directory`)."""

    def organisation(self, org_id: str) -> Organisation | None:
        """One organisation, read consistently."""

    def token(self, token_id: str) -> Token | None:
        """One token, read consistently."""


class Tokens(Protocol):
    """Tokens, with writing (`rollcall.storage.accounts.Directory`)."""

    def record_use(self, token_id: str, hour_ms: int) -> None:
        """Store the hour in which a token was last used.

        Raises Conflict when that hour or a later one is stored, or the token is gone.
        """


class Facts(Protocol):
    """Facts, written under optimistic locking (`rollcall.storage.facts.FactStore`)."""

    def read(
        self, org_id: str, buckets: int, facts: Collection[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Fact]:
        """The stored facts among the given (type, id) pairs, read consistently."""

    def write(
        self, org_id: str, buckets: int, stored: Fact | None, change: Change
    ) -> tuple[Outcome, Fact | None]:
        """Resolve a change against the stored fact, and store it if it wins.

        Returns the outcome and the fact that is stored afterwards. Raises Unavailable, CorruptItem
        and RefusedChange.
        """


class Quarantine(Protocol):
    """Keeps records that no retry can apply."""

    def put(self, records: Sequence[Mapping[str, Any]], reason: str) -> str:
        """Store whole records durably as one object, and return its name.

        The same records always have the same name. Raises BrokenDestination when they cannot be
        stored.
        """
