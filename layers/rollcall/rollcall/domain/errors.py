"""Every error that Rollcall raises on purpose.

RollcallError
├── CorruptItem            a stored item breaks its own format
│   └── LastingConflict    a conflict that outlasted every retry: an item is missing or damaged
├── UnknownOrganisation    no organisation item, or one that is being deleted
├── UnknownContribution    an epoch has a contribution version that this release lacks
├── Conflict               another writer changed an item first; read again and recompute
│   └── UnclearConflict    another writer changed an item first, or a stored item is damaged
├── RefusedChange          a change would break a rule of the fact that results from it
├── Unavailable            the store stayed busy or failed through every retry
├── TransactionTooLarge    a transaction exceeds a limit of the store
│   └── PageTooLarge       a ledger page exceeds its size limit
├── ForeignKey             a request to the store names a key outside the current organisation
├── UncheckedStore         the SDK sends requests to the store without the tenancy check
├── InvalidOperation       an operator's command cannot be carried out
├── BrokenDestination      the failure destination cannot be read or written
├── QueryTooLarge          a query asks for more than one answer may read or hold
│   ├── TooManyRows        it needs too many ledger rows
│   ├── TooManyGroups      it has too many groups
│   ├── TooManyLabels      it meets too many different labels
│   ├── TooManyValues      it has too many different values to choose from
│   ├── TooManyNames       it needs too many names
│   └── AnswerTooLong      its answer has too many bytes
├── MalformedQuery         a query does not follow its dialect's format
├── RefusedQuery           a query of Rollcall's own has faults
└── BadValues              a query has values that break a rule
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple


class RollcallError(Exception):
    """Base of every error raised on purpose."""


class CorruptItem(RollcallError):
    """A stored item does not follow the format that this release writes and reads."""


class LastingConflict(CorruptItem):
    """An UnclearConflict that outlasted every retry: no writer caused it, but a damaged item."""


class UnknownOrganisation(RollcallError):
    """There is no such organisation, or it is being deleted."""


class UnknownContribution(RollcallError):
    """An epoch has a contribution version that this release does not have."""


class Conflict(RollcallError):
    """Another writer changed an item first and nothing was written: read again and recompute."""


class UnclearConflict(Conflict):
    """A conflict that a writer explains and a damaged item explains too; retries decide which."""


class RefusedChange(RollcallError):
    """A change would break a rule of the fact that results from it; `field` names the field."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Unavailable(RollcallError):
    """The store stayed busy or failed through every retry; the request may or may not be done."""


class TransactionTooLarge(RollcallError):
    """A transaction exceeds a limit of the store; one with fewer rows may fit."""


class PageTooLarge(TransactionTooLarge):
    """A ledger page exceeds its size limit."""


class ForeignKey(RollcallError):
    """A request to the store was refused: it names a key outside the current organisation."""


class UncheckedStore(RollcallError):
    """The SDK sends requests to the store without the tenancy check; nothing may be sent."""


class InvalidOperation(RollcallError):
    """An operator's command cannot be carried out; the message names the rule it breaks."""


class BrokenDestination(RollcallError):
    """The failure destination cannot be read or written; the message says why."""


class QueryTooLarge(RollcallError):
    """A query asks for more than one answer may read or hold; the message says how to narrow it."""


class TooManyRows(QueryTooLarge):
    """A query needs more ledger rows than one answer may read."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"This query needs more than {most:,} rows. Shorten its time range, or "
            "split it into several queries."
        )


MAX_GROUPS: Final = 100_000


class TooManyGroups(QueryTooLarge):
    """A query has more than `MAX_GROUPS` groups; the message says what to do."""

    def __init__(self) -> None:
        super().__init__(
            f"This query has more than {MAX_GROUPS:,} rows. Use fewer dimensions or longer time"
            " buckets, or add a filter."
        )


class TooManyLabels(QueryTooLarge):
    """The calls of a report have more different labels than one answer may list."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"The calls of this range have more than {most:,} different labels. Shorten the range, "
            "or split it into several queries."
        )


class TooManyValues(QueryTooLarge):
    """A list of values has more of them than one answer may choose from; the message says what to do."""

    def __init__(self) -> None:
        super().__init__(
            f"This range has more than {MAX_GROUPS:,} different values. Shorten the range."
        )


class TooManyNames(QueryTooLarge):
    """Too many values would have to be looked up to find some by their names."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"Among the {most:,} most frequent values of this range, fewer than `limit` have `q` in"
            " their value or name, and more are not looked up. Shorten the range, or lower `limit`."
        )


class AnswerTooLong(QueryTooLarge):
    """An answer has more bytes than one answer may have."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"The answer would have more than {most:,} bytes. Shorten the time range of the query, "
            "or ask for fewer rows at a time."
        )


class MalformedQuery(RollcallError):
    """A query does not follow its dialect's format; the message names the field and the rule."""


class Issue(NamedTuple):
    """One value that breaks a rule: its path in the body, and the rule."""

    path: tuple[str, ...]
    message: str


class BadValues(RollcallError):
    """A query is well-formed, but has values that break a rule; `issues` names each of them."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(f"{'.'.join(i.path)} {i.message}" for i in issues))
        self.issues = issues


class Fault(NamedTuple):
    """One fault of a query: the JSON pointer of its place (RFC 6901), and the rule it breaks.

    A query is malformed if it has another shape or names something unknown; else a value is out of
    its range.
    """

    pointer: str
    message: str
    is_malformed: bool


class RefusedQuery(RollcallError):
    """A query of Rollcall's own has faults; `faults` has all of them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'} {fault.message}" for fault in faults))
        self.faults = faults

    @property
    def status(self) -> int:
        """The HTTP status: 400 if anything is malformed, else 422."""
        return 400 if any(fault.is_malformed for fault in self.faults) else 422
