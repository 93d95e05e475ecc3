"""Read every page of a search into a spool, and record the progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rollcall_cli.checkpoint import Checkpoint
from rollcall_cli.exporting.spool import Spool

PAGE_CALLS = 500

# Sends the body of a search, and returns the answer.
Search = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(slots=True)
class Progress:
    """What the spool holds: `calls` calls in `length` bytes, up to `cursor`.

    `body` is the search, whose relative range stays that of the first run; `total` is how many
    calls it had then.
    """

    body: dict[str, Any]
    total: int
    calls: int = 0
    length: int = 0
    cursor: str | None = None
    is_complete: bool = False


def read_pages(
    search: Search,
    spool: Spool,
    *,
    progress: Progress,
    checkpoint: Checkpoint[Progress],
    wants_to_stop: Callable[[], bool],
    show: Callable[[Progress], None],
) -> bool:
    """Read every page; returns False if `wants_to_stop` ended it early.

    The checkpoint is saved after each page.
    """
    while not progress.is_complete:
        if wants_to_stop():
            return False
        body = {**progress.body, "order": "oldest", "limit": PAGE_CALLS}
        if progress.cursor is not None:
            body["cursor"] = progress.cursor
        page = search(body)
        progress.length = spool.add(page["calls"])
        progress.calls += len(page["calls"])
        progress.cursor = page["next"]
        progress.is_complete = progress.cursor is None
        checkpoint.save(progress)
        show(progress)
    return True
