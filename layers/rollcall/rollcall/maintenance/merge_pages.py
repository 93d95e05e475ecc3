"""Merges ledger pages at rest into segments, which queries read at less cost.

What a segment holds is exactly the rows of its pages, in one transaction with their removal and on
condition that none of them has changed, so no number changes, and readers and writers continue
meanwhile. It may be stopped at any point: what is merged is no longer listed as pages, and the next run
resumes with the others.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from rollcall.domain.epochs import Bucket
from rollcall.domain.errors import Conflict, CorruptItem, Unavailable
from rollcall.domain.organisations import Organisation, tenant
from rollcall.domain.records import RECORD_TYPES
from rollcall.ledger.positions import floor
from rollcall.ledger.runs import StoredPage, runs
from rollcall.ledger.segments import encode, joined
from rollcall.maintenance.ports import MergedPages, Organisations
from rollcall.retry import seconds_left

_MS_PER_HOUR: Final = 3_600_000
# With less time than this, no further transaction begins.
_MIN_SECONDS: Final = 5.0


@dataclass(slots=True)
class Merged:
    """What a run did for one organisation.

    `changed` are the runs of pages that were written meanwhile, and `is_finished` is whether all pages
    were visited. `error` is why it ended early, or what is wrong with a page that was left alone.
    """

    org_id: str
    segments: int = 0
    pages: int = 0
    changed: int = 0
    is_finished: bool = False
    error: Exception | None = None


class MergePages:
    """Merges the pages of organisations, as many as the time allows."""

    def __init__(
        self,
        organisations: Organisations,
        pages: MergedPages,
        now_ms: Callable[[], int],
        *,
        cold_after_hours: int,
        segment_bytes: int,
        shuffle: Callable[[list[Any]], None] = random.shuffle,
    ) -> None:
        self._organisations = organisations
        self._pages = pages
        self._now_ms = now_ms
        self._cold_after_ms = cold_after_hours * _MS_PER_HOUR
        self._segment_bytes = segment_bytes
        self._shuffle = shuffle

    def __call__(self) -> Iterator[Merged]:
        """Merge pages of every organisation, in another order each time, so that none waits always.

        Yields each when it ends; a failure of one does not prevent the others.
        """
        found = [each for each in self._organisations.organisations() if not each.is_deleting]
        self._shuffle(found)
        for organisation in found:
            if seconds_left() < _MIN_SECONDS:
                yield Merged(organisation.id)
                continue
            yield self.organisation(organisation)

    def organisation(self, organisation: Organisation, cold_after_ms: int | None = None) -> Merged:
        """Merge pages of the live epoch of one organisation; see `Merged` for errors.

        Pages are at rest when they have not changed for `cold_after_ms`; None: as long as always.
        """
        merged = Merged(organisation.id)
        if cold_after_ms is None:
            cold_after_ms = self._cold_after_ms
        at_rest_ms = self._now_ms() - cold_after_ms
        try:
            with tenant(organisation.id):
                merged.is_finished = all(
                    self._merge_type(bucket, record_type, found, at_rest_ms, merged)
                    for bucket in organisation.epoch(organisation.live).buckets
                    for record_type, found in self._pages.starts(bucket).items()
                )
        except Unavailable as error:
            if seconds_left() >= _MIN_SECONDS:
                merged.error = error
        except Exception as error:  # noqa: BLE001 - reported, and the caller raises at the end
            merged.error = error
        return merged

    def _merge_type(
        self,
        bucket: Bucket,
        record_type: str,
        starts: list[str],
        at_rest_ms: int,
        merged: Merged,
    ) -> bool:
        """Merge the pages of one record type; returns whether the time sufficed."""
        if RECORD_TYPES[record_type].time_column is not None:
            # What begins later is hardly at rest; the first such page ends the last run.
            late = [start for start in starts if start >= floor(max(0, at_rest_ms))]
            starts = [*(start for start in starts if start < floor(max(0, at_rest_ms))), *late[:1]]

        def damaged(error: CorruptItem) -> None:
            merged.error = error

        pages = self._pages.pages(bucket, record_type, starts, damaged)
        for run in runs(pages, at_rest_ms, self._segment_bytes):
            if seconds_left() < _MIN_SECONDS:
                return False
            self._merge(bucket, record_type, run, merged)
        return True

    def _merge(
        self, bucket: Bucket, record_type: str, run: list[StoredPage], merged: Merged
    ) -> None:
        pages = [each.page for each in run]
        try:
            segment = encode(pages[0].start, pages[-1].end, joined(record_type, pages))
            self._pages.merge(bucket, record_type, segment, run)
        except Conflict:
            merged.changed += 1
            return
        except CorruptItem as error:
            merged.error = error
            return
        merged.segments += 1
        merged.pages += len(run)
