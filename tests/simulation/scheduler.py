"""Tasks that take turns at every input and output, in an order that one random number generator draws.

A task is a greenlet: ordinary code that runs until it asks the scheduler to pause. Nothing sleeps;
when every task waits, the clock moves on to the first that may go on.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from greenlet import getcurrent, greenlet

NEVER_MS = 2**62


class Killed(BaseException):
    """The process ended here, as by `kill -9`: nothing that it did not write is done."""


class Task:
    """One thread of execution: a client, an invocation, a poller, an operator."""

    def __init__(self, name: str, run: Callable[[], Any], scheduler: Scheduler) -> None:
        self.name = name
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_done = False
        self.is_killed = False
        self.wakes_at_ms = scheduler.now_ms
        self.waiters: list[Task] = []
        self.function: str | None = None  # whose process it is, if any
        self.skew_us = 0  # how far the clock of its process is ahead
        self.on_kept: Callable[[], None] = lambda: None  # a delivery is kept, perhaps
        self._run = run
        self.greenlet = greenlet(self._main, parent=scheduler.main)

    def _main(self) -> None:
        try:
            self.result = self._run()
        except Killed as killed:
            self.error = killed
        except Exception as error:  # noqa: BLE001 - the caller that waits for the task decides
            self.error = error
        self.is_done = True

    def kill(self) -> None:
        """Let the task end where it stands, at its next turn."""
        self.is_killed = True
        self.wakes_at_ms = 0


class Scheduler:
    """Runs tasks one at a time. `random` decides who goes on; the clock is in milliseconds."""

    def __init__(self, random: Random, now_ms: int) -> None:
        self.random = random
        self.now_ms = now_ms
        self.steps = 0
        self.tasks: list[Task] = []
        self.main = getcurrent()
        self.current: Task | None = None

    def spawn(self, name: str, run: Callable[[], Any]) -> Task:
        """Start a task; it runs when the scheduler picks it."""
        task = Task(name, run, self)
        self.tasks.append(task)
        return task

    def pause(self, milliseconds: int = 0) -> None:
        """Let others go on, and come back no earlier than in so many milliseconds."""
        task = self.current
        if task is None:  # outside of tasks there is no other task to wait for
            self.now_ms += milliseconds
            return
        task.wakes_at_ms = self.now_ms + milliseconds
        self.main.switch()
        if task.is_killed:
            raise Killed

    def join(self, task: Task, milliseconds: int = NEVER_MS) -> bool:
        """Wait until a task is done, or for so long; whether it is."""
        if not task.is_done:
            assert self.current is not None
            task.waiters.append(self.current)
            self.pause(milliseconds)
        return task.is_done

    def step(self) -> bool:
        """Let one task go on; False when there is none."""
        if not self.tasks:
            return False
        ready = [task for task in self.tasks if task.wakes_at_ms <= self.now_ms]
        if not ready:
            self.now_ms = min(task.wakes_at_ms for task in self.tasks)
            ready = [task for task in self.tasks if task.wakes_at_ms <= self.now_ms]
        task = ready[self.random.randrange(len(ready))] if len(ready) > 1 else ready[0]
        self.steps += 1
        self.current = task
        task.greenlet.switch()
        self.current = None
        if task.is_done:
            self.tasks.remove(task)
            for waiter in task.waiters:
                waiter.wakes_at_ms = min(waiter.wakes_at_ms, self.now_ms)
        return True
