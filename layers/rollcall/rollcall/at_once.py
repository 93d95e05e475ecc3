"""Makes several requests of one invocation at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, wait
from contextvars import copy_context
from functools import partial
from itertools import chain, islice
from typing import TypeVar

from rollcall.retry import MAX_REQUEST_SECONDS

T = TypeVar("T")


def at_once(executor: Executor, works: Sequence[Callable[[], T]]) -> list[T]:
    """The results of some works, in their order; a single one is done by the caller's own thread.

    No work may use the executor itself: if all of its threads waited for others, none would go on.
    Raises the error of the first of them that fails; when it is raised, none runs any more, unless it takes
    longer than a request.
    """
    if len(works) == 1:
        return [works[0]()]
    # The organisation and the time limit are context variables.
    futures = [executor.submit(copy_context().run, work) for work in works]
    try:
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()
        wait(futures, timeout=MAX_REQUEST_SECONDS)


def begun_at_once(executor: Executor, streams: Sequence[Iterator[T]]) -> list[Iterator[T]]:
    """The same iterators; the first element of each is read at once, any other when it is asked for.

    As in `at_once`, no iterator may use the executor itself.
    """
    if len(streams) == 1:
        return list(streams)
    firsts = at_once(executor, [partial(_first, stream) for stream in streams])
    return [chain(first, stream) for first, stream in zip(firsts, streams, strict=True)]


def _first(stream: Iterator[T]) -> list[T]:
    return list(islice(stream, 1))
