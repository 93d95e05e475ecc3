"""Providers that call `POST /v1/hooks/…`, and what they know: what they sent, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from rollcall.hooks.maps import PROVIDERS
from tests.simulation.scheduler import Task
from tests.simulation.stored import FactName
from tests.simulation.world import RECORDS, TIMEOUTS_MS, World
from tests.support.hook_events import Sent, call_of, event_of
from tests.support.hook_oracle import Said
from tests.support.hook_requests import SentHook, new_hook

if TYPE_CHECKING:
    from tests.simulation.clients import Ledger

FUNCTION = "receive_hook"
# Where the bodies have parts that no log may show.
SPOKEN = "A talk about"
# Providers sign again what they send again later; no signature lives longer than 5 minutes.
_SIGNATURE_LIVES_MS = 200_000


@dataclass
class Delivery:
    """One request of a provider. `said` is None for one that can never be mapped."""

    hook: SentHook
    call: FactName
    body: bytes
    said: Said | None
    is_acknowledged: bool = False
    # Whether the answer says, or may say, that it is kept and not recorded.
    was_kept: bool = False


@dataclass
class Provider:
    """One provider's side of one hook: it delivers the events of calls until they are answered."""

    world: World
    ledger: Ledger
    hook: SentHook
    random: Random
    calls: int = 0
    tasks: list[Task] = field(default_factory=list)

    def begin_call(self) -> None:
        """Start a task per event of a new call: they overtake each other, and some come again."""
        self.calls += 1
        self.world.counts["hook calls"] += 1
        mark = self.world.marks[self.hook.org_id]
        call_id = f"{mark}{self.hook.provider} {self.calls}"
        for sent in call_of(self.hook.provider, self.random, call_id):
            said = partial(self._said, sent.body)
            self._begin(call_id, sent.body, said)
        if self.random.random() < 0.2:
            broken = b"CallStatus=completed" if self.hook.provider == "twilio" else b'{"event": '
            self._begin(call_id, broken, lambda _at_ms: None)

    def _said(self, body: bytes, at_ms: int) -> Said:
        event = event_of(self.hook.provider, Sent(body, at_ms))
        return Said(event.rank, event.time_ms, event.digest, event.values)

    def _begin(self, call_id: str, body: bytes, said: Any) -> None:
        name = f"{self.hook.provider} {call_id} {len(self.tasks)}"
        self.tasks.append(self.world.spawn(name, lambda: self._deliver(call_id, body, said)))

    def _deliver(self, call_id: str, body: bytes, said: Any) -> None:
        """Send one event until it is answered or given up, and then perhaps again, several at once."""
        world, random = self.world, self.random
        world.scheduler.pause(random.choice((0, 0, 500, 4_000, 20_000)))
        most_tries = random.choice((2, 30, 30))
        self._send(call_id, body, said, most_tries)
        for _ in range(random.choice((0, 0, 0, 1, 2))):
            world.counts["hook deliveries again"] += 1
            again = partial(self._send, call_id, body, said, 2)
            self.tasks.append(world.spawn(f"again {len(self.tasks)}", again))

    def _send(self, call_id: str, body: bytes, said: Any, most_tries: int) -> None:
        world, random = self.world, self.random
        call = FactName(self.hook.org_id, "call", call_id)
        signed_at_ms = 0
        for _ in range(most_tries):
            is_old = world.now_ms - signed_at_ms > _SIGNATURE_LIVES_MS
            if is_old or random.random() < 0.3:
                signed_at_ms = world.now_ms
            delivery = Delivery(self.hook, call, body, said(signed_at_ms))
            self.ledger.deliveries.append(delivery)
            task = world.invoke(FUNCTION, self.hook.event(body, signed_at_ms))
            task.on_kept = partial(setattr, delivery, "was_kept", True)
            if not world.scheduler.join(task, TIMEOUTS_MS[FUNCTION] + 1_000):
                if random.random() < 0.5:
                    task.kill()
            elif task.error is None and self._was_answered(delivery, task.result):
                return
            world.scheduler.pause(random.choice((10, 3_000, 10_000)))
        world.counts["providers that gave up"] += 1

    def _was_answered(self, delivery: Delivery, answer: dict[str, Any]) -> bool:
        """Whether the answer is 200. A signature that is too old by then is made again."""
        status = answer["statusCode"]
        if status in (401, 503):
            self.world.counts[f"hook deliveries answered {status}"] += 1
            return False
        if status != 200:
            self.ledger.problems.append(f"I5: status {status}: {answer['body'][:200]}")
        delivery.is_acknowledged = True
        self.world.counts["hook deliveries acknowledged"] += 1
        return True


def stored_hook(world: World, org_id: str, random: Random) -> SentHook:
    """A hook of an organisation, for one of the providers."""
    hook = new_hook(random, org_id, random.choice(PROVIDERS))
    world.store.put(RECORDS, hook.item(world.now_ms))
    world.secrets += [hook.secret, hook.id, SPOKEN]
    return hook
