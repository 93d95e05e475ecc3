"""Every error Rollcall raises on purpose.

RollcallError
├── CorruptItem            a stored item breaks its own format
│   └── LastingConflict    a conflict that outlasted every retry: an item is missing or damaged
├── UnknownOrganisation    no organisation item, or one that is being deleted
├── UnknownContribution    an epoch was made with a contribution version this release lacks
├── Conflict               another writer came first; the work is to be done again
│   └── UnclearConflict    another writer came first, or a stored item is damaged
├── Unavailable            the store stayed busy or broken through every retry
├── TransactionTooLarge    what belongs together passes a limit of the store
│   └── PageTooLarge       a ledger page passes the hard ceiling of an item
├── ForeignKey             a request to the store names a key outside the current organisation
├── UncheckedStore         the SDK sends requests to the store without the tenancy check
├── InvalidOperation       an operator's command cannot be carried out
├── BrokenDestination      the failure destination cannot be read or written
├── TooManyRows            a query needs more ledger rows than one answer may read
├── MalformedQuery         a query breaks its format
└── BadValues              a query has values out of range
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class RollcallError(Exception):
    """Base of every error raised on purpose."""


class CorruptItem(RollcallError):
    """A stored item does not follow the format this release writes and reads."""


class LastingConflict(CorruptItem):
    """An UnclearConflict that outlasted every retry: no writer caused it, but a damaged item."""


class UnknownOrganisation(RollcallError):
    """There is no such organisation, or it is being deleted."""


class UnknownContribution(RollcallError):
    """An epoch was made with a contribution version that this release does not carry."""


class Conflict(RollcallError):
    """Another writer changed an item first: nothing was written, read again and recompute."""


class UnclearConflict(Conflict):
    """A conflict that a writer explains and a damaged item explains too; retries decide which."""


class Unavailable(RollcallError):
    """The store stayed busy or broken through every retry; what was asked may or may not be done."""


class TransactionTooLarge(RollcallError):
    """What must be written together passes a limit of the store; fewer rows at once may fit."""


class PageTooLarge(TransactionTooLarge):
    """A ledger page passes the hard ceiling of an item."""


class ForeignKey(RollcallError):
    """A request to the store was refused: it names a key outside the current organisation."""


class UncheckedStore(RollcallError):
    """The SDK sends requests to the store without the tenancy check; nothing may be sent."""


class InvalidOperation(RollcallError):
    """An operator's command cannot be carried out; the message names the rule it breaks."""


class BrokenDestination(RollcallError):
    """The failure destination cannot be read or written; the message says why."""


class TooManyRows(RollcallError):
    """A query needs more ledger rows than one answer may read; the message says how to narrow it."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"This query needs more than {most:,} rows. Shorten its range of time, or "
            "split it into several queries."
        )


class MalformedQuery(RollcallError):
    """A query breaks the format of its dialect; the message names the field and the rule."""


class Issue(NamedTuple):
    """One value that breaks a rule, and where it is."""

    path: tuple[str, ...]
    message: str


class BadValues(RollcallError):
    """A query is well-formed, but has values that break a rule."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(f"{'.'.join(i.path)} {i.message}" for i in issues))
        self.issues = issues
