"""Deletes unreferenced data: a whole epoch, or everything of an organisation.

Items are deleted in batches, each retried until DynamoDB has processed all of it. Items that GSI1
lists are deleted by their primary key. The index is behind the table, so a caller that must delete
everything repeats the removal until nothing is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, Final

from rollcall.domain.errors import Unavailable
from rollcall.domain.organisations import tenant
from rollcall.domain.records import RECORD_TYPES
from rollcall.retry import Backoff
from rollcall.storage import keys
from rollcall.storage.client import with_retries
from rollcall.storage.queries import index_keys, keys_under

_MAX_DELETES: Final = 25  # BatchWriteItem's own limit


class Purge:
    """Removes items of both tables, of one organisation at a time."""

    def __init__(
        self, client: Any, records_table: str, analytics_table: str, backoff: Backoff
    ) -> None:
        self._client = client
        self._records_table = records_table
        self._analytics_table = analytics_table
        self._backoff = backoff

    def remove_epoch(self, org_id: str, epoch: int) -> Iterator[int]:
        """Remove the pages and rollups of an epoch; yields the size of each batch.

        Raises Unavailable; what was removed stays removed.
        """
        partition = keys.epoch_prefix(org_id, epoch)
        with tenant(org_id):
            found = index_keys(self._client, self._analytics_table, self._backoff, partition)
            yield from map(len, self._remove(self._analytics_table, found))

    def remove_facts(self, org_id: str, buckets: int) -> Iterator[int]:
        """Remove every fact and its detail; yields how many facts each batch has.

        Raises Unavailable.
        """
        with tenant(org_id):
            for record_type in RECORD_TYPES:
                for bucket in range(buckets):
                    partition = keys.facts(org_id, record_type, bucket)
                    found = keys_under(self._client, self._records_table, self._backoff, partition)
                    for batch in self._remove(self._records_table, found):
                        yield sum(not keys.is_detail(key) for key in batch)

    def remove_tokens(self, org_id: str) -> Iterator[int]:
        """Remove every token; yields the size of each batch. Raises Unavailable."""
        with tenant(org_id):
            partition = keys.tokens_of(org_id)
            found = index_keys(self._client, self._records_table, self._backoff, partition)
            yield from map(len, self._remove(self._records_table, found))

    def remove_hooks(self, org_id: str) -> Iterator[int]:
        """Remove every hook and the states of its calls; yields the size of each batch.

        Raises Unavailable.
        """
        with tenant(org_id):
            partition = keys.hooks_of(org_id)
            found = index_keys(self._client, self._records_table, self._backoff, partition)
            yield from map(len, self._remove(self._records_table, found))
            states = keys.hook_states(org_id)
            found = keys_under(self._client, self._records_table, self._backoff, states)
            yield from map(len, self._remove(self._records_table, found))

    def remove_notes(self, org_id: str) -> Iterator[int]:
        """Remove the audits and rebuild state of an organisation, but not the organisation itself.

        Yields the size of each batch. Raises Unavailable.
        """
        kept = keys.organisation(org_id)
        with tenant(org_id):
            found = keys_under(self._client, self._records_table, self._backoff, kept.pk)
            notes = (key for key in found if key != kept)
            yield from map(len, self._remove(self._records_table, notes))

    def remove(self, org_id: str, wanted: Iterable[keys.Key]) -> int:
        """Remove items of the records table by key; returns the number of keys. Raises Unavailable."""
        with tenant(org_id):
            return sum(map(len, self._remove(self._records_table, wanted)))

    def _remove(self, table: str, wanted: Iterable[keys.Key]) -> Iterator[list[keys.Key]]:
        """Remove items in batches; yields the keys of each."""
        remaining = iter(wanted)
        while chunk := list(islice(remaining, _MAX_DELETES)):
            left = [{"DeleteRequest": {"Key": key.attributes()}} for key in chunk]
            attempts = self._backoff.attempts()
            while left:
                self._backoff.check()
                request = partial(self._client.batch_write_item, RequestItems={table: left})
                answer = with_retries(self._backoff, request)
                left = answer.get("UnprocessedItems", {}).get(table, [])
                if left:
                    attempts.failed(Unavailable("unprocessed deletes"))
            yield chunk
