"""The stores that use cases need; `rollcall.storage` implements them, tests may fake them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from rollcall.domain.facts import Change, Fact, Outcome
from rollcall.domain.measures import Measures, RollupKey
from rollcall.domain.metering import ReadMeter
from rollcall.domain.organisations import Organisation, Token


class Directory(Protocol):
    """Organisations, handles and tokens."""

    def organisation(self, org_id: str) -> Organisation | None:
        """One organisation, read consistently."""

    def org_id_of_handle(self, handle: str) -> str | None:
        """Whose handle it is."""

    def token(self, token_id: str) -> Token | None:
        """One token, read consistently."""


class Facts(Protocol):
    """Facts, written under optimistic locking."""

    def read(
        self, org_id: str, buckets: int, facts: Collection[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Fact]:
        """The stored facts among the given (type, id) pairs, read consistently."""

    def write(
        self, org_id: str, buckets: int, stored: Fact | None, change: Change
    ) -> tuple[Outcome, Fact | None]:
        """Judge a change and make it durable if it wins: the outcome, and what is stored now."""


class Rollups(Protocol):
    """Rollups, read only."""

    def read(
        self, org_id: str, epoch: int, wanted: Collection[RollupKey], meter: ReadMeter
    ) -> Mapping[RollupKey, Measures]:
        """The stored rollups among `wanted`."""


class Quarantine(Protocol):
    """Keeps what can never be applied."""

    def put(self, record: Mapping[str, Any], reason: str) -> None:
        """Keep the whole record durably. Raises when it could not be kept."""
