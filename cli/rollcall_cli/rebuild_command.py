"""`rollcall rebuild`: make an organisation's analytics anew from its facts, without a pause."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress, TaskID

from rollcall_cli.console import notice, print_result, progress_bar
from rollcall_cli.deployment import maintenance
from rollcall_cli.durations import duration_ms, shown
from rollcall_cli.errors import CommandError
from rollcall_cli.signals import stopping_on_ctrl_c

if TYPE_CHECKING:
    from rollcall.domain.organisations import Organisation
    from rollcall.maintenance.rebuild import Rebuild, RebuildTimeouts
    from rollcall.maintenance.rebuilds import RebuildRun

_SECONDS_BETWEEN_LOOKS = 1.0


def rebuild(
    org: Annotated[
        str | None, typer.Option(metavar="HANDLE", help="The organisation to rebuild.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Rebuild every organisation.")] = False,
    outdated: Annotated[
        bool,
        typer.Option(
            "--outdated",
            help="Rebuild those whose figures another release made otherwise, or half rebuilt.",
        ),
    ] = False,
    grace: Annotated[
        str,
        typer.Option(
            help="How long the old figures are kept current for those who still read them; never"
            " less than gateways keep an authorizer's answer."
        ),
    ] = "15m",
    settle: Annotated[
        str,
        typer.Option(
            help="How long they then stay, as long as a function that writes them may run."
        ),
    ] = "15m",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each organisation.")
    ] = False,
) -> None:
    """Make pages and rollups anew from the facts, beside those that are read, and change over.

    Nothing stands still meanwhile: records come in, and answers are exact and fresh. Interrupted
    at any moment, the same command goes on where it stopped.

    Exit status 0: done; 1: done, but some facts are damaged and in no figure; 2: it could not be
    done; 130: interrupted.
    """
    if (org is not None) + everything + outdated != 1:
        raise CommandError("say which organisation with --org, or give --all or --outdated")
    grace_ms, settle_ms = duration_ms(grace, "--grace"), duration_ms(settle, "--settle")
    stop = threading.Event()
    with maintenance() as bootstrap, stopping_on_ctrl_c(stop), progress_bar() as bar:
        timeouts = bootstrap.rebuild_timeouts(grace_ms, settle_ms)
        if timeouts.is_grace_raised:
            notice(
                f"--grace {grace} is less than gateways keep an authorizer's answer;"
                f" {shown(timeouts.authorizer_cache_ms)} it is"
            )
        service: Rebuild = bootstrap.rebuild()
        if org is not None:
            chosen = [service.named(org)]
        else:
            chosen = service.all() if everything else service.outdated()
        work = _Work(bootstrap, service, timeouts, stop, bar, as_json)
        work.run(chosen)
    if work.failed:
        raise typer.Exit(2)
    if stop.is_set():
        notice("stopped; run the same command again to go on")
        raise typer.Exit(130)
    if work.damaged:
        raise typer.Exit(1)


@dataclass(slots=True)
class _Job:
    """One organisation's run, and what was told of it."""

    organisation: Organisation
    run: RebuildRun
    task: TaskID
    phase: str = ""

    @property
    def handle(self) -> str:
        return self.organisation.handle


@dataclass(slots=True)
class _Work:
    """Organisations that are rebuilt side by side: while one waits, another goes on."""

    bootstrap: ModuleType
    service: Rebuild
    timeouts: RebuildTimeouts
    stop: threading.Event
    bar: Progress
    as_json: bool
    failed: int = 0
    damaged: int = 0
    jobs: list[_Job] = field(default_factory=list)

    def run(self, organisations: Sequence[Organisation]) -> None:
        """Rebuild them all; what fails at one keeps no other from its rebuild."""
        for organisation in organisations:
            with self._telling(organisation.handle):
                self.jobs.append(self._begin(organisation))
        while self.jobs and not self.stop.is_set():
            for job in list(self.jobs):
                if self.stop.is_set():
                    return
                if self._seconds_to_wait(job) <= 0:
                    self.jobs.remove(job)
                    with self._telling(job.handle):
                        self._go_on(job)
            self._wait()

    def _begin(self, organisation: Organisation) -> _Job:
        run = self.service.begin(organisation.id)
        total = None if self.bar.disable else self.service.expected_rows(organisation)
        task = self.bar.add_task(organisation.handle, total=total, completed=run.rows)
        job = _Job(organisation, run, task, run.phase)
        handle = organisation.handle
        if run.phase == "entering":
            notice(f"{handle}: rebuilding epoch {run.old_epoch} as epoch {run.epoch}")
        else:
            notice(f"{handle}: going on with epoch {run.epoch}, {run.phase}")
        if not self.service.is_old_epoch_written(run) and not run.is_live:
            notice(
                f"{handle}: epoch {run.old_epoch} is of contribution version {run.old_version},"
                " which this release does not know: records wait in the stream until epoch"
                f" {run.epoch} is live"
            )
        return job

    def _go_on(self, job: _Job) -> None:
        from rollcall.maintenance.rebuild import ProgressObserver

        def show(run: RebuildRun) -> None:
            self.bar.update(job.task, completed=run.rows, description=f"{job.handle}: {run.phase}")
            if run.phase != job.phase:
                job.phase = run.phase
                self._tell_phase(job.handle, run)

        def found_damaged(record_type: str, sort_key: str) -> None:
            notice(f"{job.handle}: damaged {record_type} {sort_key!r}: it is in no figure")

        observer = ProgressObserver(show, found_damaged, self.stop.is_set)
        job.run = self.service.go_on(job.organisation.id, job.run, self.timeouts, observer)
        if job.run.is_done:
            self.bar.remove_task(job.task)
            self.damaged += job.run.damaged
            self._print_summary(job.handle, job.run)
            if job.run.damaged:
                notice(
                    f"{job.handle}: damaged facts, in no figure: {job.run.damaged}; repair or remove"
                    " them, and rebuild again"
                )
        else:
            self.jobs.append(job)

    def _tell_phase(self, handle: str, run: RebuildRun) -> None:
        wait = shown(self.service.due_ms(run, self.timeouts) - self.bootstrap.now_ms())
        if run.phase == "overlapping":
            notice(
                f"{handle}: epoch {run.epoch} is live, of {run.facts:,} facts; epoch"
                f" {run.old_epoch} is kept for {wait}"
            )
        elif run.phase == "settling":
            notice(f"{handle}: epoch {run.old_epoch} is written no more; it is removed in {wait}")

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
        """Wait until one of them is due, a second at most."""
        if not self.jobs:
            return
        for job in self.jobs:
            left = shown(int(self._seconds_to_wait(job) * 1_000))
            self.bar.update(job.task, description=f"{job.handle}: {job.run.phase}, {left} left")
        seconds = min(map(self._seconds_to_wait, self.jobs))
        if seconds > 0:
            pause(self.stop, min(seconds, _SECONDS_BETWEEN_LOOKS))

    @contextlib.contextmanager
    def _telling(self, handle: str) -> Iterator[None]:
        """Tell why an organisation cannot be rebuilt now, and leave it."""
        from rollcall.domain.errors import RollcallError

        try:
            yield
        except RollcallError as error:
            self.failed += 1
            notice(f"{handle}: {error}")


def pause(stop: threading.Event, seconds: float) -> None:
    """Let time pass, until somebody asks to stop."""
    stop.wait(seconds)
