"""Every key of both tables: built here, parsed here, and nowhere else.

A key is made of components, each followed by `#`. Inside a component `#` and the escape character
are escaped, so keys are injective: no id can forge another's key, and a prefix that ends with the
separator never matches a longer id. Only two characters are escaped, so that an id of 128
characters of any script stays inside DynamoDB's limits (2,048 bytes for a partition key, 1,024 for
a sort key).
"""

from __future__ import annotations

import functools
import hashlib
from typing import Final, NamedTuple

from rollcall.domain.measures import ALL, RollupKey

PK: Final = "PK"
SK: Final = "SK"
GSI1: Final = "GSI1"
GSI1PK: Final = "GSI1PK"
GSI1SK: Final = "GSI1SK"

ORGANISATION_SK: Final = "ORG"
TOKEN_PREFIX: Final = "TOKEN#"
HANDLE_PREFIX: Final = "HANDLE#"
ORGANISATIONS_GSI1PK: Final = "ORGS#"
FACT_SK_PREFIX: Final = "FACT#"
FACT_SK_END: Final = "FACT$"  # sorts after every fact's: `$` follows `#`
_DAY_SK_PREFIX: Final = "DAY#"

LAST: Final = "~"  # sorts after every bucket and every position

# What an item of the analytics table is.
PAGE: Final = "PAGE"
ROLLUP: Final = "ROLLUP"
OPEN: Final = "OPEN"


class Key(NamedTuple):
    """A primary key."""

    pk: str
    sk: str

    def attributes(self) -> dict[str, dict[str, str]]:
        """The key as DynamoDB takes it."""
        return {PK: {"S": self.pk}, SK: {"S": self.sk}}


class FactKey(NamedTuple):
    """What a fact's primary key says."""

    org_id: str
    type: str
    id: str


def escape(component: str) -> str:
    """A component in which `#` cannot occur."""
    return component.replace("~", "~~").replace("#", "~-")


def unescape(component: str) -> str:
    """The inverse of `escape`."""
    parts = component.split("~~")
    return "~".join(part.replace("~-", "#") for part in parts)


def org_prefix(org_id: str) -> str:
    """What every tenant key of an organisation begins with."""
    return f"ORG#{escape(org_id)}#"


def organisation(org_id: str) -> Key:
    """An organisation."""
    return Key(org_prefix(org_id), ORGANISATION_SK)


def audit(org_id: str) -> Key:
    """The last audit that was finished."""
    return Key(org_prefix(org_id), "AUDIT")


def audit_run(org_id: str) -> Key:
    """The audit that is under way."""
    return Key(org_prefix(org_id), "AUDIT#RUN")


def rebuild(org_id: str) -> Key:
    """The rebuild that is under way, or was the last."""
    return Key(org_prefix(org_id), "REBUILD")


def handle(org_handle: str) -> Key:
    """The claim of a handle by an organisation."""
    return Key(f"{HANDLE_PREFIX}{escape(org_handle)}", "HANDLE")


def token(token_id: str) -> Key:
    """A token, by the hash that is its id."""
    return Key(f"{TOKEN_PREFIX}{token_id}", "TOKEN")


def token_id_of(pk: str) -> str:
    """The token id in a token's partition key."""
    return pk.removeprefix(TOKEN_PREFIX)


def org_id_of(pk: str) -> str:
    """The organisation in a tenant's partition key."""
    return unescape(pk.split("#")[1])


def tokens_of(org_id: str) -> str:
    """The GSI1 partition that lists an organisation's tokens."""
    return f"{org_prefix(org_id)}TOKENS#"


def bucket_of(fact_id: str, buckets: int) -> int:
    """Which of an organisation's buckets holds a fact."""
    if buckets == 1:
        return 0
    digest = hashlib.blake2b(fact_id.encode(), digest_size=4, person=b"bucket").digest()
    return int.from_bytes(digest, "big") % buckets


def fact(org_id: str, record_type: str, fact_id: str, buckets: int) -> Key:
    """A fact."""
    partition = facts(org_id, record_type, bucket_of(fact_id, buckets))
    return Key(partition, f"{FACT_SK_PREFIX}{escape(fact_id)}")


def facts(org_id: str, record_type: str, bucket: int) -> str:
    """The partition of the facts of one type in one bucket."""
    return f"{org_prefix(org_id)}{record_type}#{bucket}#"


def parse_fact(pk: str, sk: str) -> FactKey:
    """What a fact's key says. Raises ValueError when it is not a fact's key."""
    parts = pk.split("#")
    if len(parts) != 5 or parts[0] != "ORG" or parts[4] or not parts[3].isdecimal():
        raise ValueError("the partition key is not a fact's")
    if not sk.startswith(FACT_SK_PREFIX) or "#" in sk.removeprefix(FACT_SK_PREFIX):
        raise ValueError("the sort key is not a fact's")
    components = (parts[1], sk.removeprefix(FACT_SK_PREFIX))
    org_id, fact_id = map(unescape, components)
    if (escape(org_id), escape(fact_id)) != components:
        raise ValueError("the key is not escaped as a fact's is")
    return FactKey(org_id, parts[2], fact_id)


def epoch_prefix(org_id: str, epoch: int) -> str:
    """What every page and rollup of an epoch begins with; its GSI1 partition too."""
    return f"{org_prefix(org_id)}E{epoch}#"


def ledger(org_id: str, epoch: int, record_type: str) -> str:
    """The partition of a ledger; the sort key of a page is its start position."""
    return f"{epoch_prefix(org_id, epoch)}LEDGER#{record_type}#"


@functools.lru_cache(maxsize=4_096)  # a batch names the same ones over and over
def rollup(org_id: str, epoch: int, key: RollupKey) -> Key:
    """A rollup, or its sibling with the open breakdowns."""
    kind = OPEN if key.is_open else ROLLUP
    scope = "".join(f"{escape(component)}#" for component in key.scope)
    partition = f"{epoch_prefix(org_id, epoch)}{kind}#{key.family}#{scope}"
    return Key(partition, bucket_sk(key.bucket))


def bucket_sk(bucket: str) -> str:
    """The sort key of the rollups of a bucket; of "", what those of all days begin with."""
    return ALL if bucket == ALL else f"{_DAY_SK_PREFIX}{bucket}"


def index_sort(kind: str, sk: str = "") -> str:
    """Where GSI1 lists a page or a rollup inside its epoch: by kind, then by sort key.

    So the rollups of one day, of whatever scope, lie side by side.
    """
    return f"{kind}#{sk}"


def parse_rollup(org_id: str, epoch: int, key: Key) -> RollupKey:
    """The inverse of `rollup`. Raises ValueError when it is not the key of one."""
    parts = key.pk.removeprefix(epoch_prefix(org_id, epoch)).split("#")
    if len(parts) < 4 or parts[0] not in (ROLLUP, OPEN) or parts[-1]:
        raise ValueError("the partition key is not a rollup's")
    bucket = ALL if key.sk == ALL else day_of_rollup(key.sk)
    found = RollupKey(parts[1], tuple(map(unescape, parts[2:-1])), bucket, parts[0] == OPEN)
    if rollup(org_id, epoch, found) != key:
        raise ValueError("the key is not written as a rollup's is")
    return found


def day_of_rollup(sk: str) -> str:
    """The day `YYYY-MM-DD` in the sort key of a day's rollup."""
    return sk.removeprefix(_DAY_SK_PREFIX)
