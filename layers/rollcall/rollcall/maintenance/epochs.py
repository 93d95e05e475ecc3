"""The transitions of an organisation's epochs in the phases of a rebuild. Pure.

Each transition is idempotent: applied a second time, it returns the organisation unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rollcall.domain import contributions
from rollcall.domain.errors import InvalidOperation, UnknownContribution
from rollcall.domain.organisations import Organisation
from rollcall.maintenance.rebuilds import Phase, RebuildRun


def entered(run: RebuildRun, organisation: Organisation) -> Organisation:
    """Add the run's epoch as the first written one, so that it is never behind once it is complete.

    Abandoned epochs that were never live are removed from the written ones: no reader uses them. An
    epoch that was once live stays written if this release can write it. Raises InvalidOperation when
    another run took over.
    """
    if run.epoch in organisation.written:
        if not is_written(run, organisation):
            raise taken_over(organisation)
        return organisation
    if organisation.live >= run.epoch:
        raise taken_over(organisation)
    kept = [
        epoch
        for epoch in organisation.written
        if epoch == organisation.live
        or (
            epoch < organisation.live and is_known_version(organisation.contributions.get(epoch, 0))
        )
    ]
    versions = {**organisation.contributions, run.epoch: run.version}
    counts = {**organisation.bucket_counts, run.epoch: run.buckets}
    return _writing(replace(organisation, bucket_counts=counts), (run.epoch, *kept), versions)


def switched(run: RebuildRun, organisation: Organisation) -> Organisation:
    """Make the run's epoch live, and keep writing only epochs that this release can write.

    Raises InvalidOperation when another run took over.
    """
    if organisation.live == run.epoch:
        return organisation
    if not is_written(run, organisation) or organisation.live > run.epoch:
        raise taken_over(organisation)
    kept = [
        epoch
        for epoch in organisation.written
        if epoch == run.epoch or is_known_version(organisation.contributions.get(epoch, 0))
    ]
    live = replace(organisation, live=run.epoch)
    return _writing(live, kept, organisation.contributions)


def dropped(run: RebuildRun, organisation: Organisation) -> Organisation:
    """Stop writing all epochs before the run's; later ones belong to later rebuilds.

    Raises InvalidOperation when another run took over.
    """
    if organisation.live < run.epoch:
        raise taken_over(organisation)
    kept = [epoch for epoch in organisation.written if epoch >= run.epoch]
    return _writing(organisation, kept, organisation.contributions)


def _writing(
    organisation: Organisation, written: Sequence[int], versions: Mapping[int, int]
) -> Organisation:
    return replace(
        organisation,
        written=tuple(written),
        contributions={epoch: versions[epoch] for epoch in written if epoch in versions},
        bucket_counts={
            epoch: count
            for epoch, count in organisation.bucket_counts.items()
            if epoch in written and count > 1
        },
    )


def can_resume(stored: RebuildRun, organisation: Organisation) -> bool:
    """Whether an unfinished run can be completed."""
    if stored.is_done:
        return False
    if organisation.live == stored.epoch:
        return True
    is_current = stored.version == contributions.CURRENT_VERSION
    match stored.phase:
        case Phase.ENTERING:
            is_open = stored.epoch not in organisation.written and organisation.live < stored.epoch
            return is_current and (is_open or is_written(stored, organisation))
        case Phase.COPYING | Phase.SWITCHING:
            return is_current and is_written(stored, organisation)
    return False


def is_written(run: RebuildRun, organisation: Organisation) -> bool:
    """Whether the run's epoch is written, with the run's contribution version."""
    version = organisation.contributions.get(run.epoch)
    return run.epoch in organisation.written and version == run.version


def is_known_version(version: int) -> bool:
    """Whether this release has a contribution version."""
    try:
        contributions.contribution_function(version)
    except UnknownContribution:
        return False
    return True


def taken_over(organisation: Organisation) -> InvalidOperation:
    """The error of a run that another command has taken over."""
    return InvalidOperation(
        f"another command has taken over the rebuild of {organisation.handle}; this one stopped"
    )
