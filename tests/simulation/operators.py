"""Operators: they run the product's own commands in a simulated deployment.

A command is a process of its own: it may be killed or suspended at any of its requests, and its operator
starts it again until it is done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rollcall import bootstrap, commands, merging
from rollcall.domain.errors import Unavailable
from rollcall.maintenance.audits import Audit, Difference
from rollcall.maintenance.rebuild import RebuildTimeouts
from rollcall.maintenance.rebuilds import Phase, RebuildRun
from rollcall.maintenance.redrive import Redrive
from rollcall.storage.failure_documents import failed_records
from tests.simulation.event_source import FUNCTION as UPDATER
from tests.simulation.scheduler import Killed
from tests.simulation.world import NeverAtRest, World

# Whose processes the faults may kill, beside the functions'.
OPERATOR = "operator"
# Longer than any record takes: invocations are suspended for 700 s at a time, and tried again.
GRACE_SECONDS = 10_000
_MAX_RUNS = 60
_PATIENCE = RebuildTimeouts(
    grace_ms=900_000,
    settle_ms=120_000,
    authorizer_cache_ms=60_000,
    longest_answer_ms=29_000,
    chunk_facts=7,
)


def until_done(
    world: World,
    name: str,
    command: Callable[[], Any],
    is_pointless: Callable[[], bool] = lambda: False,
) -> Any:
    """What a command answers, started again whenever it was killed or gave up.

    Raises any other error that it ends with, and Unavailable when to go on `is_pointless`.
    """
    for _ in range(_MAX_RUNS):
        task = world.spawn(name, command)
        task.function = OPERATOR
        world.scheduler.join(task)
        match task.error:
            case None:
                return task.result
            case Killed():
                world.counts[f"{name} killed"] += 1
            case Unavailable() as error:
                world.counts[f"{name} gave up"] += 1
                if is_pointless():
                    raise error
            case error:
                raise error
        world.scheduler.pause(1_000)
    raise NeverAtRest(f"{name} is not finished after {_MAX_RUNS} runs: {task.error!r}")


def rebuild(world: World, org_id: str, buckets: int | None = None) -> RebuildRun:
    """`rollcall rebuild`, with `--buckets` if it is not None, to its end."""

    def command() -> RebuildRun:
        service = commands.rebuild.__wrapped__()
        run: RebuildRun = service.begin(org_id, buckets)
        while not run.is_done:
            run = service.go_on(org_id, run, _PATIENCE)
            if run.phase is Phase.SETTLING:
                _wait_for_writers(world)
            left_ms = service.due_ms(run, _PATIENCE) - world.clock_us() // 1_000
            world.scheduler.pause(max(left_ms + 1, 0))
        return run

    run: RebuildRun = until_done(world, "rebuild", command)
    world.counts["rebuilds"] += 1
    return run


def _wait_for_writers(world: World) -> None:
    """Wait for the writers that are at work now, as a user waits for as long as one may take."""
    for task in [task for task in world.scheduler.tasks if task.function == UPDATER]:
        world.scheduler.join(task)


def compare(
    world: World,
    org_id: str,
    report: Callable[[Difference], None],
    *,
    is_repairing: bool,
    grace_seconds: float = GRACE_SECONDS,
) -> Audit:
    """`rollcall reconcile`, to its end.

    Raises Conflict when another has taken the run over, and Unavailable when the organisation is
    being deleted.
    """

    def command() -> Audit:
        reconcile = bootstrap.reconcile.__wrapped__()
        audit: Audit = reconcile(
            world.organisation(org_id),
            is_repairing=is_repairing,
            report=report,
            grace_seconds=grace_seconds,
        )
        return audit

    def is_pointless() -> bool:
        return world.organisation(org_id).is_deleting

    audit: Audit = until_done(world, "reconcile", command, is_pointless)
    world.counts["audits"] += 1
    return audit


def merge(world: World, org_id: str) -> None:
    """Merge the pages of an organisation, to the end."""

    def command() -> None:
        merged = merging.merge_pages.__wrapped__().organisation(world.organisation(org_id))
        if merged.error is not None:
            raise merged.error

    until_done(world, "merge", command)
    world.counts["merges"] += 1


def redrive(world: World, prefix: str = "") -> None:
    """`rollcall redrive replay` of all whose names begin with a prefix, to its end."""

    def command() -> None:
        service = Redrive(
            world.failures,
            failed_records,
            commands._replay.__wrapped__(),
            bootstrap.receive_hook.__wrapped__().redeliver,
        )
        for name in list(service.names()):
            if name.startswith(prefix):
                world.counts[f"replayed of {prefix}"] += service.replay(name).settled

    until_done(world, "redrive", command)
    world.counts["redrives"] += 1
