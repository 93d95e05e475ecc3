"""Organisations, their tokens, and the organisation that the running code works for.

A token is `rc_`, 30 random base-62 digits and 6 more that encode a CRC-32 of everything before
them, so that a mistyped token is refused without a read. Only the SHA-256 of a token is stored, and
it is the token's id: 30 digits are 178 bits of entropy, which needs no slow hash.

`tenant` sets the organisation whose keys the stores may access; `rollcall.storage.guard` refuses
all others.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from rollcall.domain.contributions import CURRENT_VERSION
from rollcall.domain.epochs import Epoch

SCOPES: Final = ("read", "ingest", "admin")
HANDLE_PATTERN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
TOKEN_ID_PATTERN: Final = re.compile(r"[0-9a-f]{64}")

_SEARCHED_SHARDS: Final = 16

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TOKEN: Final = re.compile(r"rc_[0-9A-Za-z]{36}")


@dataclass(frozen=True, slots=True)
class Organisation:
    """One tenant. `contributions` maps each written epoch to its contribution version.

    `buckets` is the number of shards of its facts, `live` the epoch that queries read, and
    `written` the epochs that facts are applied to. `bucket_counts` has the number of buckets of each
    written epoch that has several. `deleting_since_ms` is when a deletion began. A
    completed deletion leaves a marker, with an empty handle and name: it shows that records still
    in the stream belong to a deleted organisation.
    """

    id: str
    handle: str
    name: str
    created_at_ms: int
    buckets: int = 1
    live: int = 0
    written: tuple[int, ...] = (0,)
    contributions: Mapping[int, int] = field(default_factory=lambda: {0: CURRENT_VERSION})
    bucket_counts: Mapping[int, int] = field(default_factory=dict)
    is_deleting: bool = False
    deleting_since_ms: int | None = None

    def epoch(self, number: int) -> Epoch:
        """One of its epochs; one that is not written counts as having one bucket."""
        return Epoch(self.id, number, self.bucket_counts.get(number, 1))

    @property
    def is_deleted(self) -> bool:
        """Whether only the marker of a deleted organisation is left."""
        return self.is_deleting and not self.handle


@dataclass(frozen=True, slots=True)
class Token:
    """A stored token. `revoked_at_ms` may be in the future, so that a rotation can overlap.

    `last_used_ms` is the beginning of the hour of the last use that was recorded.
    """

    id: str
    org_id: str
    scopes: tuple[str, ...]
    created_at_ms: int
    expires_at_ms: int | None = None
    revoked_at_ms: int | None = None
    name: str | None = None
    last_used_ms: int | None = None

    def state(self, now_ms: int) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at_ms is not None and self.revoked_at_ms <= now_ms:
            return "revoked"
        if self.expires_at_ms is not None and self.expires_at_ms <= now_ms:
            return "expired"
        return "active"

    @property
    def ends_at_ms(self) -> int | None:
        """When it stops to be `active`, as far as is known now; None: never."""
        ends = [end for end in (self.expires_at_ms, self.revoked_at_ms) if end is not None]
        return min(ends, default=None)


def searched_shards(buckets: int) -> range:
    """The shards in which facts are looked for: those of an organisation, and at least some others.

    A fact that was copied by hand may be in the wrong one.
    """
    return range(max(buckets, _SEARCHED_SHARDS))


def new_token() -> str:
    """A new token, to be shown once and never stored."""
    body = "rc_" + "".join(secrets.choice(_DIGITS) for _ in range(30))
    return body + _check_digits(body)


def is_well_formed(token: str) -> bool:
    """Whether a token has the right form and check digits."""
    return _TOKEN.fullmatch(token) is not None and _check_digits(token[:33]) == token[33:]


def token_id(token: str) -> str:
    """The id of a token: its SHA-256, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def abbreviated(token_ids: Sequence[str]) -> list[str]:
    """Token ids, each cut to as many digits as tell all of them apart, and to 8 at the least."""
    distinct = len(set(token_ids))
    length = 8
    while len({token_id[:length] for token_id in token_ids}) < distinct:
        length += 1
    return [token_id[:length] for token_id in token_ids]


def _check_digits(body: str) -> str:
    crc = zlib.crc32(body.encode())
    digits = ""
    for _ in range(6):
        crc, digit = divmod(crc, 62)
        digits = _DIGITS[digit] + digits
    return digits


_current: ContextVar[str | None] = ContextVar("current_organisation", default=None)


@contextlib.contextmanager
def tenant(org_id: str) -> Iterator[None]:
    """A context in which requests to the stores may name the keys of one organisation only."""
    token = _current.set(org_id)
    try:
        yield
    finally:
        _current.reset(token)


def current_org_id() -> str | None:
    """The organisation of the innermost `tenant`; None outside any."""
    return _current.get()
