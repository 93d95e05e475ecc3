"""`rollcall rebuild`: rebuild organisations' pages and rollups from their facts."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress, TaskID

from rollcall_cli.buckets import check_buckets
from rollcall_cli.console import notice, print_result, progress_bar
from rollcall_cli.deployment import maintenance
from rollcall_cli.durations import duration_ms, shown
from rollcall_cli.errors import CommandError
from rollcall_cli.signals import stopping_on_ctrl_c

if TYPE_CHECKING:
    from rollcall.domain.organisations import Organisation
    from rollcall.maintenance.rebuild import Rebuild, RebuildTimeouts
    from rollcall.maintenance.rebuilds import RebuildRun

_MAX_PAUSE_SECONDS = 1.0


def rebuild(
    org: Annotated[
        str | None, typer.Option(metavar="HANDLE", help="The organisation to rebuild.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Rebuild every organisation.")] = False,
    outdated: Annotated[
        bool,
        typer.Option(
            "--outdated",
            help="Rebuild organisations of another contribution version, and unfinished rebuilds.",
        ),
    ] = False,
    grace: Annotated[
        str,
        typer.Option(
            metavar="DURATION",
            help="How long the old epoch is kept up to date for queries that read it; at least as"
            " long as gateways cache an authorizer's answer.",
        ),
    ] = "15m",
    settle: Annotated[
        str,
        typer.Option(
            metavar="DURATION",
            help="How long the old epoch is then kept; at least as long as a function may run.",
        ),
    ] = "15m",
    buckets: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Number of buckets of the new epoch, 1 to 64: ledgers that share no item, so that as"
            " many updaters write at once.  [default: as many as now]",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per organisation.")
    ] = False,
) -> None:
    """Rebuild pages and rollups from the facts as a new epoch, and replace the old one.

    Meanwhile records are accepted, and answers are exact and fresh. The same command resumes an
    interrupted rebuild.

    Exit status 0: done; 1: done, but damaged facts are excluded from all results; 2: failed; 130:
    interrupted.
    """
    if (org is not None) + everything + outdated != 1:
        raise CommandError("specify exactly one of --org, --all and --outdated")
    if buckets is not None and org is None:
        raise CommandError("--buckets needs --org: it is chosen for one organisation")
    if buckets is not None:
        check_buckets(buckets)
    grace_ms, settle_ms = duration_ms(grace, "--grace"), duration_ms(settle, "--settle")
    stop = threading.Event()
    with maintenance() as bootstrap, stopping_on_ctrl_c(stop), progress_bar() as bar:
        from rollcall import commands

        timeouts = commands.rebuild_timeouts(grace_ms, settle_ms)
        if timeouts.is_grace_raised:
            notice(
                f"--grace {grace} is shorter than gateways cache an authorizer's answer; using the"
                f" minimum of {shown(timeouts.authorizer_cache_ms)}"
            )
        service: Rebuild = commands.rebuild()
        if org is not None:
            chosen = [service.named(org)]
        else:
            chosen = service.all() if everything else service.outdated()
        work = _Work(bootstrap, service, timeouts, buckets, stop, bar, as_json)
        work.run(chosen)
    if work.failed:
        raise typer.Exit(2)
    if stop.is_set():
        notice("stopped; run the same command again to resume")
        raise typer.Exit(130)
    if work.damaged:
        raise typer.Exit(1)


@dataclass(slots=True)
class _Job:
    """One organisation's run, and the phase that was reported last."""

    organisation: Organisation
    run: RebuildRun
    task: TaskID
    phase: str = ""

    @property
    def handle(self) -> str:
        return self.organisation.handle


@dataclass(slots=True)
class _Work:
    """Rebuilds organisations side by side: while one waits, others continue."""

    bootstrap: ModuleType
    service: Rebuild
    timeouts: RebuildTimeouts
    buckets: int | None
    stop: threading.Event
    bar: Progress
    as_json: bool
    failed: int = 0
    damaged: int = 0
    jobs: list[_Job] = field(default_factory=list)

    def run(self, organisations: Sequence[Organisation]) -> None:
        """Rebuild them all; a failure of one does not stop the others."""
        for organisation in organisations:
            with self._reporting(organisation.handle):
                self.jobs.append(self._begin(organisation))
        while self.jobs and not self.stop.is_set():
            for job in list(self.jobs):
                if self.stop.is_set():
                    return
                if self._seconds_to_wait(job) <= 0:
                    self.jobs.remove(job)
                    with self._reporting(job.handle):
                        self._resume(job)
            self._wait()

    def _begin(self, organisation: Organisation) -> _Job:
        run = self.service.begin(organisation.id, self.buckets)
        total = None if self.bar.disable else self.service.expected_rows(organisation)
        task = self.bar.add_task(organisation.handle, total=total, completed=run.rows)
        job = _Job(organisation, run, task, run.phase)
        handle = organisation.handle
        if run.phase == "entering":
            parts = f", in {run.buckets} buckets" if run.buckets > 1 else ""
            notice(f"{handle}: rebuilding epoch {run.old_epoch} as epoch {run.epoch}{parts}")
        else:
            notice(f"{handle}: resuming epoch {run.epoch}, {run.phase}")
        if not self.service.is_old_epoch_written(run) and not run.is_live:
            notice(
                f"{handle}: epoch {run.old_epoch} has contribution version {run.old_version}, which"
                f" this release lacks: records wait in the stream until epoch {run.epoch} is live"
            )
        return job

    def _resume(self, job: _Job) -> None:
        from rollcall.maintenance.rebuild import ProgressObserver

        def show(run: RebuildRun) -> None:
            self.bar.update(job.task, completed=run.rows, description=f"{job.handle}: {run.phase}")
            if run.phase != job.phase:
                job.phase = run.phase
                self._report_phase(job.handle, run)

        def found_damaged(record_type: str, sort_key: str) -> None:
            notice(f"{job.handle}: damaged {record_type} {sort_key!r} is excluded from all results")

        observer = ProgressObserver(show, found_damaged, self.stop.is_set)
        job.run = self.service.go_on(job.organisation.id, job.run, self.timeouts, observer)
        if job.run.is_done:
            self.bar.remove_task(job.task)
            self.damaged += job.run.damaged
            self._print_summary(job.handle, job.run)
            if job.run.damaged:
                notice(
                    f"{job.handle}: damaged facts, excluded from all results: {job.run.damaged};"
                    " repair or remove them, and rebuild again"
                )
        else:
            self.jobs.append(job)

    def _report_phase(self, handle: str, run: RebuildRun) -> None:
        wait = shown(self.service.due_ms(run, self.timeouts) - self.bootstrap.now_ms())
        if run.phase == "overlapping":
            notice(
                f"{handle}: epoch {run.epoch} is live, with {run.facts:,} facts; epoch"
                f" {run.old_epoch} is kept for {wait}"
            )
        elif run.phase == "settling":
            notice(f"{handle}: epoch {run.old_epoch} is no longer written; it is removed in {wait}")

    def _print_summary(self, handle: str, run: RebuildRun) -> None:
        seconds = ((run.finished_at_ms or run.started_at_ms) - run.started_at_ms) / 1_000
        document: dict[str, Any] = {
            "organisation": handle,
            "facts": run.facts,
            "rows": run.rows,
            "damaged": run.damaged,
            "seconds": round(seconds, 1),
            "old_epoch": run.old_epoch,
            "new_epoch": run.epoch,
            "buckets": run.buckets,
            "old_contribution_version": run.old_version,
            "new_contribution_version": run.version,
        }
        line = (
            f"{handle}: {run.facts:,} facts, {run.rows:,} rows in {seconds:,.1f} s; epoch"
            f" {run.old_epoch} (contribution version {run.old_version}) replaced by epoch"
            f" {run.epoch} (version {run.version})"
        )
        print_result(document, [line], as_json=self.as_json)

    def _seconds_to_wait(self, job: _Job) -> float:
        due_ms = self.service.due_ms(job.run, self.timeouts)
        return float(due_ms - self.bootstrap.now_ms()) / 1_000

    def _wait(self) -> None:
        """Wait until one of them is due, or at most a second."""
        if not self.jobs:
            return
        for job in self.jobs:
            left = shown(int(self._seconds_to_wait(job) * 1_000))
            self.bar.update(job.task, description=f"{job.handle}: {job.run.phase}, {left} left")
        seconds = min(map(self._seconds_to_wait, self.jobs))
        if seconds > 0:
            pause(self.stop, min(seconds, _MAX_PAUSE_SECONDS))

    @contextlib.contextmanager
    def _reporting(self, handle: str) -> Iterator[None]:
        """Report why an organisation cannot be rebuilt now, and skip it."""
        from rollcall.domain.errors import RollcallError

        try:
            yield
        except RollcallError as error:
            self.failed += 1
            notice(f"{handle}: {error}")


def pause(stop: threading.Event, seconds: float) -> None:
    """Wait, unless `stop` is set meanwhile."""
    stop.wait(seconds)
