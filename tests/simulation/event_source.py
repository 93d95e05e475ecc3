"""The event source mapping: shards into batches into invocations, with all that Lambda promises.

At least once, in order within a shard, one invocation at a time of each; a batch that fails comes
again whole, in halves, or from the record that was reported; what is discarded goes to the failure
destination. Nothing is skipped in silence.
"""

from __future__ import annotations

from collections import deque
from functools import partial

from tests.simulation.scheduler import NEVER_MS, Task
from tests.simulation.stream import Shard, StreamRecord
from tests.simulation.world import TIMEOUTS_MS, World

FUNCTION = "update_rollups"


class EventSource:
    """Polls every shard of a world's stream.

    A batch has at most `most_records`; one that failed `most_tries` times is discarded, as Lambda
    does with records that have grown too old.
    """

    def __init__(self, world: World, most_records: int = 10, most_tries: int = 10_000) -> None:
        self._world = world
        self._most_records = most_records
        self._most_tries = most_tries
        self._is_closing = False
        self.positions = [0] * len(world.stream.shards)
        self.pollers = [
            world.spawn(f"poller {shard.number}", partial(self._poll, shard))
            for shard in world.stream.shards
        ]
        world.stream.on_record = self._wake

    def close(self) -> None:
        """End when all is delivered; no writer is left."""
        self._is_closing = True
        for shard in self._world.stream.shards:
            self._wake(shard)

    def _wake(self, shard: Shard) -> None:
        """Have an idle poller look at its shard within a second."""
        poller, now_ms = self.pollers[shard.number], self._world.now_ms
        if poller.wakes_at_ms > now_ms + NEVER_MS // 2:
            poller.wakes_at_ms = now_ms + self._world.random.choice((100, 500, 1_000))

    @property
    def lag(self) -> int:
        """Records that were written and not yet delivered for good."""
        return sum(
            len(shard.records) - position
            for shard, position in zip(self._world.stream.shards, self.positions, strict=True)
        )

    def _poll(self, shard: Shard) -> None:
        world, random = self._world, self._world.random
        while True:
            if shard.trimmed > self.positions[shard.number]:
                world.counts["trimmed"] += shard.trimmed - self.positions[shard.number]
                self.positions[shard.number] = shard.trimmed
            start = self.positions[shard.number]
            if start == len(shard.records):
                if self._is_closing:
                    return
                world.scheduler.pause(NEVER_MS)
                continue
            # The batching window: more may come, or the batch is sent as it is.
            world.scheduler.pause(random.choice((0, 1_000, 3_000)))
            most = random.choice((random.randint(1, self._most_records), self._most_records))
            end = min(start + most, len(shard.records))
            self._deliver(shard, start, end)

    def _deliver(self, shard: Shard, start: int, end: int) -> None:
        """Apply records `start` up to `end`, or discard them; moves the shard's position."""
        world, random = self._world, self._world.random
        parts = deque([(start, end)])
        tries = 0
        while parts:
            first, last = parts.popleft()
            taken = self._invoke(shard.records[first:last])
            self.positions[shard.number] = first + taken
            if taken == last - first:
                tries = 0
                continue
            first += taken
            tries = tries + 1 if not taken else 1
            if tries >= self._most_tries:
                lost = [record for record in shard.records[first:last] if _passes_filter(record)]
                world.given_up.extend(lost)
                world.counts["given up"] += len(lost)
                self.positions[shard.number] = last
                tries = 0
                continue
            world.scheduler.pause(random.choice((1_000, 5_000, 15_000)))
            if random.random() < 0.3:
                return  # read again from the position: the batch is cut otherwise
            if last - first > 1 and not taken:
                middle = random.randint(first + 1, last - 1)
                parts.extendleft([(middle, last), (first, middle)])
            else:
                parts.appendleft((first, last))

    def _invoke(self, batch: list[StreamRecord]) -> int:
        """How many records from the front are done, as the answer says; 0 after an error."""
        world = self._world
        wanted = [record for record in batch if _passes_filter(record)]
        if not wanted:
            return len(batch)
        task = deliver(world, wanted)
        if not world.scheduler.join(task, TIMEOUTS_MS[FUNCTION]):
            world.counts["timed out"] += 1
            if world.random.random() < 0.5:
                task.kill()  # the other half finishes later
            return 0
        if task.error is not None:
            return 0
        failures = task.result["batchItemFailures"]
        if not failures:
            return len(batch)
        reported = {failure["itemIdentifier"] for failure in failures}
        places = [
            place
            for place, record in enumerate(batch)
            if record["dynamodb"]["SequenceNumber"] in reported
        ]
        # An identifier of no record in the batch makes the whole batch fail.
        return min(places) if len(places) == len(reported) else 0


def _passes_filter(record: StreamRecord) -> bool:
    return bool(record["dynamodb"]["Keys"]["SK"]["S"].startswith("FACT#"))


def deliver(world: World, records: list[StreamRecord]) -> Task:
    """Invoke the updater with records, whether or not they were delivered before."""
    again = sum(record["eventID"] in world.delivered for record in records)
    world.counts["deliveries"] += len(records)
    world.counts["redeliveries"] += again
    world.delivered.update(record["eventID"] for record in records)
    return world.invoke(FUNCTION, {"Records": records})


def replay(world: World, shard: Shard, start: int, end: int, times: int = 1) -> list[Task]:
    """Deliver old records of a shard again, several times at once: the replays race each other."""
    wanted = [record for record in shard.records[start:end] if _passes_filter(record)]
    return [deliver(world, wanted) for _ in range(times)] if wanted else []
