"""The stores that hooks need; `rollcall.storage` implements them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from rollcall.domain.facts import Change
from rollcall.domain.hooks import Hook, SealedSecret
from rollcall.ingest.ingest import Receipt


class Hooks(Protocol):
    """The hooks of all organisations (`rollcall.storage.hooks.HookStore`)."""

    def hook(self, key: str) -> Hook | None:
        """One hook, read consistently."""

    def count(self, key: str, outcome: str | None, at_ms: int | None) -> None:
        """Add a delivery to `recorded`, `ignored`, `refused` or `failed`, and set the last time.

        None leaves the counts or the time as they are. Raises Conflict if the hook is gone, and Unavailable.
        """


class ManagedHooks(Hooks, Protocol):
    """Hooks, with writing."""

    def create(self, hook: Hook) -> None:
        """Store a new hook. Raises Conflict when its key is taken."""

    def replace_secrets(self, read: Hook, secrets: Sequence[SealedSecret]) -> None:
        """Replace the secrets. Raises Conflict when they changed since the hook was read."""

    def hooks(self, org_id: str) -> Iterator[Hook]:
        """The hooks of an organisation; one that was just created may be missing."""

    def remove(self, hook: Hook) -> None:
        """Remove a hook and the states of its calls; no-op for what is gone."""


class States(Protocol):
    """The states of calls (`rollcall.storage.hook_states.HookStates`)."""

    def read(self, org_id: str, key: str, call_id: str) -> tuple[str | None, int]:
        """The state of a call and its version; (None, 0) if nothing is stored."""

    def write(
        self,
        org_id: str,
        key: str,
        call_id: str,
        text: str,
        version: int,
        open_since_ms: int | None,
    ) -> None:
        """Store a state in place of the version read; it is open since a time, or not at all.

        Raises Conflict if another version is stored by now.
        """

    def open_calls(self, org_id: str, key: str, before_ms: int) -> Iterator[str]:
        """The calls of a hook that are open since before a time, longest first.

        One that was just written may be missing, and one that just ended may still be listed.
        """


class Cipher(Protocol):
    """Encrypts secrets (`rollcall.storage.sealing`)."""

    def seal(self, text: str, key: str) -> bytes:
        """A text, encrypted for the hook with a key."""

    def open(self, sealed: bytes, key: str) -> str:
        """The inverse of `seal`. Raises CorruptItem for another hook's, and Unavailable."""


class Inbox(Protocol):
    """Keeps deliveries (`rollcall.storage.failures`)."""

    def keep(self, name: str, document: bytes) -> None:
        """Store a JSON document durably under a name. Raises BrokenDestination."""


class KeptDeliveries(Inbox, Protocol):
    """Deliveries that are kept, among other objects of the failure destination.

    Every operation may raise BrokenDestination.
    """

    def names(self, prefix: str) -> Iterator[str]:
        """The names of all objects that begin with a prefix, in no particular order."""

    def read(self, name: str) -> Mapping[str, Any] | None:
        """The JSON document under a name, or None. Raises CorruptItem if it is not a JSON object."""

    def remove(self, name: str) -> None:
        """Remove an object; no-op if it does not exist."""


class Writes(Protocol):
    """Writes records (`rollcall.ingest.ingest.Ingest`)."""

    def __call__(self, org_id: str, changes: Sequence[tuple[int, Change]]) -> Receipt: ...
