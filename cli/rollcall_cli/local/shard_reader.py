"""Deliver the records of one shard to the function, in order and at least once.

A record leaves the reader in one of three ways: the filter drops it, an invocation with it succeeds,
or it is written completely to the failure destination.

Lambda's documentation does not cover these cases: here, a bisect and a partial success do not count
as retries, and a batch that reports its first record as failed is bisected like one that raised.
"""

from __future__ import annotations

import json
import logging
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollcall_cli.local.failure_destination import FailureFolder
from rollcall_cli.local.runtime import FunctionError
from rollcall_cli.local.stream_source import IteratorLost, RecordsTrimmed, ShardGone, StreamSource
from rollcall_cli.local.template_model import StreamMapping

MAX_EVENT_BYTES = 6 * 1024 * 1024
SENTINEL_KEY = {"PK": {"S": "LOCAL#"}, "SK": {"S": "DRAIN"}}

Invoke = Callable[[Mapping[str, Any]], Any]
_log = logging.getLogger("rollcall.local.pump")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the readers of a stream share: the function, the retries and the failure destination.

    `clock` is monotonic and `wall_clock` is the time of day, both in seconds; `jitter` returns a
    factor from 0 to 1. The back-off doubles from the first to the longest, times 0.5 to 1.
    """

    mapping: StreamMapping
    function_arn: str
    invoke: Invoke
    failures: FailureFolder
    clock: Callable[[], float]
    wall_clock: Callable[[], float]
    jitter: Callable[[], float] = random.random
    first_backoff_seconds: float = 0.1
    longest_backoff_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class _Held:
    index: int  # position among the records that this reader has read, from 1
    event: dict[str, Any]
    json_bytes: int

    @property
    def sequence_number(self) -> str:
        return str(self.event["dynamodb"]["SequenceNumber"])


@dataclass(slots=True)
class _Batch:
    records: Sequence[_Held]
    invocations: int = 0
    failed_attempts: int = 0  # limited by MaximumRetryAttempts
    failures_in_a_row: int = 0  # the back-off grows with it
    not_before: float = 0.0


class ShardReader:
    """Reads one shard from the trim horizon. Call `turn` until `is_finished`, from one thread."""

    def __init__(self, shard_id: str, source: StreamSource, delivery: Delivery) -> None:
        self.shard_id = shard_id
        self._source = source
        self._delivery = delivery
        self._mapping = delivery.mapping
        self._iterator: str | None = None
        self._last_sequence_number: str | None = None
        self._is_read_to_its_end = False
        self._read_index = 0
        self._buffer: deque[_Held] = deque()
        self._buffered_since = 0.0
        self._batches: deque[_Batch] = deque()
        self._sentinels: dict[str, int] = {}
        self._tip_seen_at = float("-inf")

    # ------------------------------------------------------------------ progress
    @property
    def is_finished(self) -> bool:
        """Whether the shard is closed and everything in it has left the reader."""
        return self._is_read_to_its_end and not self._buffer and not self._batches

    def has_passed(self, sentinel: str) -> bool:
        """Whether everything before that sentinel has left the reader."""
        index = self._sentinels.get(sentinel)
        return index is not None and self._handled_index() >= index

    def was_at_tip_since(self, moment: float) -> bool:
        """Whether a read begun after `moment` found nothing, with nothing left to deliver."""
        return self.is_finished or (
            self._tip_seen_at >= moment and not self._buffer and not self._batches
        )

    def _handled_index(self) -> int:
        if self._batches:
            return self._batches[0].records[0].index - 1
        if self._buffer:
            return self._buffer[0].index - 1
        return self._read_index

    # ------------------------------------------------------------------- one step
    def turn(self) -> bool:
        """Take the step that is due: deliver, read or cut a batch. Returns whether anything happened."""
        if self._batches:
            if self._delivery.clock() < self._batches[0].not_before:
                return False
            self._deliver(self._batches[0])
            return True
        found = self._read()
        return self._cut() or found

    def _read(self) -> bool:
        if self._is_read_to_its_end or len(self._buffer) >= self._mapping.batch_size:
            return False
        started = self._delivery.clock()
        try:
            if self._iterator is None:
                self._iterator = self._source.iterator(self.shard_id, self._last_sequence_number)
            page = self._source.read(self._iterator)
        except IteratorLost:
            self._iterator = None
            return True
        except RecordsTrimmed:
            return self._start_again_at_horizon(started)
        except ShardGone:
            _log.warning("shard %s is gone", self.shard_id)
            self._is_read_to_its_end = True
            return True
        for event in page.records:
            self._accept(event)
        self._iterator = page.next_iterator
        self._is_read_to_its_end = page.next_iterator is None
        if not page.records:
            self._tip_seen_at = started
        return bool(page.records)

    def _start_again_at_horizon(self, started: float) -> bool:
        has_lost_its_place = self._last_sequence_number is not None
        if has_lost_its_place:
            _log.error(
                "shard %s: the stream has dropped records that were not delivered", self.shard_id
            )
        else:
            # DynamoDB Local answers this at the horizon itself when all its records are older than
            # a day, until the next write.
            self._tip_seen_at = started
        self._iterator = self._last_sequence_number = None
        return has_lost_its_place

    def _accept(self, event: dict[str, Any]) -> None:
        self._read_index += 1
        change = event["dynamodb"]
        self._last_sequence_number = change["SequenceNumber"]
        if change["Keys"] == SENTINEL_KEY:
            nonce = change.get("NewImage", {}).get("nonce", {}).get("S")
            if nonce:
                self._sentinels[nonce] = self._read_index
            return
        if not self._mapping.event_filter.matches(event):
            return
        if not self._buffer:
            self._buffered_since = self._delivery.clock()
        self._buffer.append(_Held(self._read_index, event, len(json.dumps(event))))

    def _cut(self) -> bool:
        if not self._buffer:
            return False
        size = 0
        count = 0
        for held in self._buffer:
            if count == self._mapping.batch_size or size + held.json_bytes > MAX_EVENT_BYTES:
                break
            size += held.json_bytes + 2
            count += 1
        is_full = count == self._mapping.batch_size or count < len(self._buffer)
        waited = self._delivery.clock() - self._buffered_since
        is_awaited = any(index >= self._buffer[0].index for index in self._sentinels.values())
        is_due = waited >= self._mapping.window_seconds
        if not (is_full or is_due or is_awaited or self._is_read_to_its_end):
            return False
        records = [self._buffer.popleft() for _ in range(max(count, 1))]
        self._batches.append(_Batch(records))
        self._buffered_since = self._delivery.clock()
        return True

    # ------------------------------------------------------------------- delivery
    def _deliver(self, batch: _Batch) -> None:
        if self._discard_old(batch):
            return
        batch.invocations += 1
        try:
            answer = self._delivery.invoke({"Records": [held.event for held in batch.records]})
        except FunctionError as error:
            _log.warning("batch of %d failed: %s", len(batch.records), error)
            self._after_failure(batch, 0)
            return
        failed = self._first_failed(answer, batch)
        if failed is None:
            self._batches.popleft()
        else:
            _log.warning("batch of %d: failed from record %d on", len(batch.records), failed)
            self._after_failure(batch, failed)

    def _first_failed(self, answer: Any, batch: _Batch) -> int | None:
        """The index of the first record to deliver again; None if all of them succeeded."""
        if not self._mapping.reports_item_failures or answer is None or answer == {}:
            return None
        if not isinstance(answer, dict) or "batchItemFailures" not in answer:
            return 0
        failures = answer["batchItemFailures"]
        if not failures and isinstance(failures, list | None):
            return None
        if not isinstance(failures, list):
            return 0
        places = {held.sequence_number: place for place, held in enumerate(batch.records)}
        # Lambda treats an unknown identifier as a failure of the whole batch.
        return min(places.get(_identifier(failure), 0) for failure in failures)

    def _after_failure(self, batch: _Batch, failed: int) -> None:
        remaining = batch.records[failed:]
        self._batches.popleft()
        if failed > 0:
            self._retry_later(batch, [remaining])
        elif self._mapping.bisect_on_error and len(remaining) > 1:
            middle = len(remaining) // 2
            self._retry_later(batch, [remaining[:middle], remaining[middle:]])
        else:
            batch.failed_attempts += 1
            retries = self._mapping.maximum_retries
            if 0 <= retries < batch.failed_attempts:
                self._batches.appendleft(batch)  # stays until it is written
                self._discard(batch, len(remaining), "RetryAttemptsExhausted")
            else:
                self._retry_later(batch, [remaining])

    def _retry_later(self, batch: _Batch, parts: Sequence[Sequence[_Held]]) -> None:
        failures = batch.failures_in_a_row + 1
        delivery = self._delivery
        longest = min(
            delivery.longest_backoff_seconds,
            delivery.first_backoff_seconds * 2 ** min(failures - 1, 30),
        )
        not_before = delivery.clock() + longest * (0.5 + 0.5 * delivery.jitter())
        for part in reversed(parts):
            is_first = part is parts[0]
            self._batches.appendleft(
                _Batch(
                    part,
                    batch.invocations,
                    batch.failed_attempts,
                    failures,
                    not_before if is_first else 0.0,
                )
            )

    def _discard_old(self, batch: _Batch) -> bool:
        """Discard the records at the front that are too old; returns whether there were any."""
        longest = self._mapping.maximum_age_seconds
        if longest < 0:
            return False
        oldest_kept = self._delivery.wall_clock() - longest
        count = 0
        for held in batch.records:
            if (
                held.event["dynamodb"].get("ApproximateCreationDateTime", oldest_kept)
                >= oldest_kept
            ):
                break
            count += 1
        if count == 0:
            return False
        self._discard(batch, count, "RecordAgeExceeded")
        return True

    def _discard(self, batch: _Batch, count: int, condition: str) -> None:
        path = self._delivery.failures.put(
            [held.event for held in batch.records[:count]],
            shard_id=self.shard_id,
            function_arn=self._delivery.function_arn,
            condition=condition,
            invocations=batch.invocations,
            now=self._delivery.wall_clock(),
        )
        _log.error("discarded %d records (%s): %s", count, condition, path)
        self._batches.popleft()
        if count < len(batch.records):
            self._batches.appendleft(_Batch(batch.records[count:]))


def _identifier(failure: Any) -> str:
    """The sequence number that an entry of `batchItemFailures` names; empty without one."""
    identifier = failure.get("itemIdentifier") if isinstance(failure, dict) else None
    return identifier if isinstance(identifier, str) else ""
