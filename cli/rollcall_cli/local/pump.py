"""Emulate Lambda's event source mapping: deliver a table's stream to a function, shard by shard.

A shard is read to its end before its children. The pump starts at the trim horizon and stores no
checkpoint, so a restart delivers records again: at least once, as Lambda does.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from rollcall_cli.local.shard_reader import Delivery, ShardReader
from rollcall_cli.local.stream_source import Shard, StreamSource

_LISTING_SECONDS = 2.0
# Lambda polls a stream four times a second. While someone waits for what was written, more often.
_IDLE_SECONDS = 0.25
_AWAITED_SECONDS = 0.02
_ERROR_SECONDS = 0.5
_log = logging.getLogger("rollcall.local.pump")


@dataclass(frozen=True, slots=True)
class Drain:
    """A wait until everything written before `since` has been delivered."""

    nonce: str
    since: float
    done: threading.Event = field(default_factory=threading.Event)


class Pump:
    """Delivers a stream. `start` runs it in a thread; tests call `turn` themselves.

    `write_sentinel` puts an item with the given nonce into the table (see SENTINEL_KEY): records
    of a shard are ordered, so everything written before the sentinel precedes it.
    """

    def __init__(
        self, source: StreamSource, delivery: Delivery, write_sentinel: Callable[[str], None]
    ) -> None:
        self._source = source
        self._delivery = delivery
        self._write_sentinel = write_sentinel
        self._shards: list[Shard] = []
        self._listed_at = float("-inf")
        self._readers: dict[str, ShardReader] = {}
        self._drains: list[Drain] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)

    # ---------------------------------------------------------------------- thread
    def start(self) -> None:
        """Start delivering in a thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop; an invocation under way is abandoned after two seconds."""
        self._is_stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            try:
                pause = 0.0 if self.turn() else self._pause()
            except Exception as error:
                # The engine may have stopped. No record is lost: those not delivered are held here
                # or read again.
                if not self._is_stopping.is_set():
                    _log.warning("the stream cannot be read: %s: %s", type(error).__name__, error)
                pause = _ERROR_SECONDS
            if pause:
                self._wake.wait(pause)
                self._wake.clear()

    def _pause(self) -> float:
        with self._lock:
            return _AWAITED_SECONDS if self._drains else _IDLE_SECONDS

    # -------------------------------------------------------------------- one step
    def turn(self) -> bool:
        """Take one step of every readable shard; returns whether anything happened."""
        self._list_shards()
        worked = False
        for shard in self._shards:
            reader = self._readers.get(shard.shard_id)
            if reader is None and self._is_ready(shard):
                reader = ShardReader(shard.shard_id, self._source, self._delivery)
                self._readers[shard.shard_id] = reader
            if reader is not None and not reader.is_finished:
                worked = reader.turn() or worked
        self._finish_drains()
        return worked

    def _list_shards(self) -> None:
        now = self._delivery.clock()
        with self._lock:
            is_awaited = any(self._listed_at < drain.since for drain in self._drains)
        if is_awaited or now - self._listed_at >= _LISTING_SECONDS:
            self._shards = self._source.shards()
            self._listed_at = now

    def _is_ready(self, shard: Shard) -> bool:
        listed = {other.shard_id for other in self._shards}
        if shard.parent_id is None or shard.parent_id not in listed:
            return True
        parent = self._readers.get(shard.parent_id)
        return parent is not None and parent.is_finished

    # ----------------------------------------------------------------------- drain
    def drain(self, timeout_seconds: float) -> bool:
        """Wait until the pump has delivered every record written before; False if not in time."""
        drain = self.begin_drain()
        try:
            return drain.done.wait(timeout_seconds)
        finally:
            with self._lock:
                if drain in self._drains:
                    self._drains.remove(drain)

    def begin_drain(self) -> Drain:
        """Write a sentinel; `done` of the result is set once everything before it is delivered."""
        drain = Drain(nonce=uuid.uuid4().hex, since=self._delivery.clock())
        self._write_sentinel(drain.nonce)
        with self._lock:
            self._drains.append(drain)
        self._wake.set()
        return drain

    def _finish_drains(self) -> None:
        with self._lock:
            waiting = list(self._drains)
        for drain in waiting:
            if self._is_past(drain):
                drain.done.set()
                with self._lock:
                    if drain in self._drains:
                        self._drains.remove(drain)

    def _is_past(self, drain: Drain) -> bool:
        if self._listed_at < drain.since:
            return False
        readers = [self._readers.get(shard.shard_id) for shard in self._shards]
        has_passed = any(reader and reader.has_passed(drain.nonce) for reader in readers)
        # The sentinel stands for its own shard and that shard's ancestors; any others must have been
        # read to their end since.
        return has_passed and all(
            reader is not None
            and (reader.has_passed(drain.nonce) or reader.was_at_tip_since(drain.since))
            for reader in readers
        )
