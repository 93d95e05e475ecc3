"""Wires the merging of pages, from the stores of `rollcall.bootstrap`."""

from __future__ import annotations

import functools

from rollcall import bootstrap
from rollcall.maintenance.merge_pages import MergePages
from rollcall.storage.merging import PageMerging


@functools.cache
def merge_pages() -> MergePages:
    """Merges pages at rest into segments."""
    return MergePages(
        bootstrap.directory(),
        PageMerging(bootstrap.dynamodb(), bootstrap.settings.analytics_table, bootstrap.Backoff()),
        bootstrap.now_ms,
        cold_after_hours=bootstrap.settings.cold_after_hours,
        segment_bytes=bootstrap.settings.segment_bytes,
    )
