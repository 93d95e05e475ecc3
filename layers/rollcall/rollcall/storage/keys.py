"""Builds and parses every key of both tables; no other module does.

A key consists of components, each followed by `#`. Inside a component, `#` and the escape character
are escaped, so keys are injective: no id can forge the key of another, and a prefix that ends with
the separator never matches a longer id. Only two characters are escaped, so that an id of 128
characters of any script stays within DynamoDB's limits (2,048 bytes for a partition key, 1,024 for
a sort key).
"""

from __future__ import annotations

import functools
from typing import Final, NamedTuple

from rollcall.domain.epochs import Bucket, Epoch, share_of
from rollcall.domain.measures import ALL, RollupKey

PK: Final = "PK"
SK: Final = "SK"
GSI1: Final = "GSI1"
GSI1PK: Final = "GSI1PK"
GSI1SK: Final = "GSI1SK"

ORGANISATION_SK: Final = "ORG"
TOKEN_PREFIX: Final = "TOKEN#"
HANDLE_PREFIX: Final = "HANDLE#"
HOOK_PREFIX: Final = "HOOK#"
ORGANISATIONS_GSI1PK: Final = "ORGS#"
FACT_SK_PREFIX: Final = "FACT#"
FACT_SK_END: Final = "FACT$"  # sorts after every fact, because `$` follows `#`
DETAIL_SK_PREFIX: Final = "DETAIL#"
_DAY_SK_PREFIX: Final = "DAY#"

LAST: Final = "~"  # sorts after every bucket and every position

# The kinds of items in the analytics table.
PAGE: Final = "PAGE"
SEGMENT: Final = "SEGMENT"
IDENTITIES: Final = "IDENTITIES"
ROLLUP: Final = "ROLLUP"


class Key(NamedTuple):
    """A primary key."""

    pk: str
    sk: str

    def attributes(self) -> dict[str, dict[str, str]]:
        """The key as DynamoDB attributes."""
        return {PK: {"S": self.pk}, SK: {"S": self.sk}}


class FactKey(NamedTuple):
    """The parts of a fact's primary key."""

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
    """The prefix of every key of an organisation."""
    return f"ORG#{escape(org_id)}#"


def organisation(org_id: str) -> Key:
    """The key of an organisation."""
    return Key(org_prefix(org_id), ORGANISATION_SK)


def audit(org_id: str) -> Key:
    """The key of the last finished audit."""
    return Key(org_prefix(org_id), "AUDIT")


def audit_run(org_id: str) -> Key:
    """The key of the unfinished audit."""
    return Key(org_prefix(org_id), "AUDIT#RUN")


def rebuild(org_id: str) -> Key:
    """The key of the current or last rebuild."""
    return Key(org_prefix(org_id), "REBUILD")


def handle(org_handle: str) -> Key:
    """The key of the item that reserves a handle for an organisation."""
    return Key(f"{HANDLE_PREFIX}{escape(org_handle)}", "HANDLE")


def token(token_id: str) -> Key:
    """The key of a token, by its id, which is a hash."""
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


def hook(key: str) -> Key:
    """The key of a hook, by its own key, which is a hash."""
    return Key(f"{HOOK_PREFIX}{key}", "HOOK")


def hook_key_of(pk: str) -> str:
    """The hook's key in its partition key."""
    return pk.removeprefix(HOOK_PREFIX)


def hooks_of(org_id: str) -> str:
    """The GSI1 partition that lists an organisation's hooks."""
    return f"{org_prefix(org_id)}HOOKS#"


def hook_states(org_id: str) -> str:
    """The partition of the states of all calls that hooks report."""
    return f"{org_prefix(org_id)}HOOKSTATE#"


def hook_state(org_id: str, key: str, call_id: str) -> Key:
    """The key of the state of one call; those of one hook follow each other."""
    return Key(hook_states(org_id), f"{key}#{escape(call_id)}")


def open_calls(org_id: str, key: str) -> str:
    """The GSI1 partition that lists the calls of a hook that have no end yet."""
    return f"{org_prefix(org_id)}HOOKOPEN#{key}"


def open_since(time_ms: int) -> str:
    """The sort key there: the time of a call's last event, in order of the time."""
    return f"{max(time_ms, 0):015d}"


def call_of_hook_state(sk: str) -> str:
    """The call in the sort key of a state."""
    return unescape(sk.partition("#")[2])


def health() -> Key:
    """The key that a check of the records table reads; nothing is stored there."""
    return Key("HEALTH#", "HEALTH")


def fact(org_id: str, record_type: str, fact_id: str, buckets: int) -> Key:
    """The key of a fact."""
    partition = facts(org_id, record_type, share_of(fact_id, buckets))
    return Key(partition, f"{FACT_SK_PREFIX}{escape(fact_id)}")


def detail(fact_key: Key) -> Key:
    """The key of what is stored beside a fact, in the same partition."""
    return Key(fact_key.pk, DETAIL_SK_PREFIX + fact_key.sk.removeprefix(FACT_SK_PREFIX))


def is_detail(key: Key) -> bool:
    """Whether a key of the partition of facts is that of a detail."""
    return key.sk.startswith(DETAIL_SK_PREFIX)


def facts(org_id: str, record_type: str, bucket: int) -> str:
    """The partition of the facts of one type in one bucket."""
    return f"{org_prefix(org_id)}{record_type}#{bucket}#"


def parse_fact(pk: str, sk: str) -> FactKey:
    """Parse a fact's key. Raises ValueError for any other key."""
    parts = pk.split("#")
    if len(parts) != 5 or parts[0] != "ORG" or parts[4] or not parts[3].isdecimal():
        raise ValueError("not the partition key of a fact")
    if not sk.startswith(FACT_SK_PREFIX) or "#" in sk.removeprefix(FACT_SK_PREFIX):
        raise ValueError("not the sort key of a fact")
    components = (parts[1], sk.removeprefix(FACT_SK_PREFIX))
    org_id, fact_id = map(unescape, components)
    if (escape(org_id), escape(fact_id)) != components:
        raise ValueError("the key is not escaped correctly")
    return FactKey(org_id, parts[2], fact_id)


def epoch_prefix(org_id: str, epoch: int) -> str:
    """The prefix of every page and rollup key of an epoch, and its GSI1 partition."""
    return f"{org_prefix(org_id)}E{epoch}#"


def bucket_prefix(bucket: Bucket) -> str:
    """The prefix of every page and rollup key of a bucket.

    That of an only bucket is the epoch's: one is what all epochs had before there were several.
    """
    return f"{index_partition(bucket)}{_bucket_part(bucket)}"


def index_partition(bucket: Bucket) -> str:
    """The GSI1 partition that lists the pages and rollups of a bucket, among those of its epoch."""
    return epoch_prefix(bucket.epoch.org_id, bucket.epoch.number)


def _bucket_part(bucket: Bucket) -> str:
    return "" if bucket.is_only else f"B{bucket.number}#"


def bucket_of(epoch: Epoch, pk: str) -> Bucket | None:
    """The bucket to which a partition key of the analytics table belongs; None if to none of the epoch."""
    found = (bucket for bucket in epoch.buckets if pk.startswith(bucket_prefix(bucket)))
    return next(found, None)


def ledger(bucket: Bucket, record_type: str) -> str:
    """The partition of a ledger; the sort key of a page or a segment is its start position."""
    return f"{bucket_prefix(bucket)}LEDGER#{record_type}#"


def identities(ledger_partition: str) -> str:
    """The partition of what readers of counts do not need of the segments of a ledger.

    The sort key of an item is the start position of its segment.
    """
    prefix, _, record_type = ledger_partition.rpartition("LEDGER#")
    return f"{prefix}{IDENTITIES}#{record_type}"


def ledger_of(identities_partition: str) -> str:
    """The inverse of `identities`."""
    prefix, _, record_type = identities_partition.rpartition(f"{IDENTITIES}#")
    return f"{prefix}LEDGER#{record_type}"


@functools.lru_cache(maxsize=4_096)  # a batch uses the same keys many times
def rollup(bucket: Bucket, key: RollupKey) -> Key:
    """The key of a rollup."""
    scope = "".join(f"{escape(component)}#" for component in key.scope)
    partition = f"{bucket_prefix(bucket)}{ROLLUP}#{key.family}#{scope}"
    return Key(partition, bucket_sk(key.bucket))


def bucket_sk(bucket: str) -> str:
    """The sort key of the rollups of a bucket; for "", the prefix of all days."""
    return ALL if bucket == ALL else f"{_DAY_SK_PREFIX}{bucket}"


def index_sort(bucket: Bucket, kind: str, sk: str = "") -> str:
    """The GSI1 sort key of a page or a rollup: its bucket if there are several, its kind, its sort key.

    The rollups of one day, of all rollup scopes, are therefore listed together.
    """
    return f"{_bucket_part(bucket)}{kind}#{sk}"


def parse_rollup(bucket: Bucket, key: Key) -> RollupKey:
    """The inverse of `rollup`. Raises ValueError for any other key."""
    parts = key.pk.removeprefix(bucket_prefix(bucket)).split("#")
    if len(parts) < 4 or parts[0] != ROLLUP or parts[-1]:
        raise ValueError("not the partition key of a rollup")
    time = ALL if key.sk == ALL else day_of_rollup(key.sk)
    found = RollupKey(parts[1], tuple(map(unescape, parts[2:-1])), time)
    if rollup(bucket, found) != key:
        raise ValueError("the key is not the canonical key of a rollup")
    return found


def day_of_rollup(sk: str) -> str:
    """The day `YYYY-MM-DD` in the sort key of a day's rollup."""
    return sk.removeprefix(_DAY_SK_PREFIX)
