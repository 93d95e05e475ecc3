"""What each phase of a rebuild makes of an organisation's epochs. Pure.

Each transition may be applied twice: it gives back an organisation that already is as it leaves it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rollcall.domain import contributions
from rollcall.domain.errors import InvalidOperation, UnknownContribution
from rollcall.domain.organisations import Organisation
from rollcall.maintenance.rebuilds import Phase, RebuildRun


def entered(run: RebuildRun, organisation: Organisation) -> Organisation:
    """With the run's epoch written first, so that it is never behind once all facts are in it.

    What was given up before it was live is written no more: nobody can be reading it. What was live
    once stays written, but not where this release cannot write it.
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
    return _writing(organisation, (run.epoch, *kept), versions)


def switched(run: RebuildRun, organisation: Organisation) -> Organisation:
    """With the run's epoch live, and none written that this release cannot write."""
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
    """With no epoch written that is older than the run's; a later rebuild's is none of its concern."""
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
    )


def can_resume(stored: RebuildRun, organisation: Organisation) -> bool:
    """Whether a run that is not done can be brought to its end."""
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
    """Whether this release carries a contribution version."""
    try:
        contributions.contribution_function(version)
    except UnknownContribution:
        return False
    return True


def taken_over(organisation: Organisation) -> InvalidOperation:
    """The error of a run that finds another one in its place."""
    return InvalidOperation(
        f"another command has taken the rebuild of {organisation.handle} over; this one stopped"
    )
