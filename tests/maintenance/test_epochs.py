"""Transitions of epochs: idempotent, in order, and refused once another run has the organisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.contributions import CURRENT_VERSION
from rollcall.domain.errors import InvalidOperation
from rollcall.domain.organisations import Organisation
from rollcall.maintenance.epochs import (
    can_resume,
    dropped,
    entered,
    is_known_version,
    is_written,
    switched,
)
from rollcall.maintenance.rebuilds import Phase, RebuildRun

Transition = Callable[[RebuildRun, Organisation], Organisation]
RUN = RebuildRun("run", Phase.ENTERING, 5, CURRENT_VERSION, 2, CURRENT_VERSION, 0)
UNKNOWN = CURRENT_VERSION + 1


def organisation(live: int, written: tuple[int, ...], **versions: int) -> Organisation:
    contributions = {epoch: versions.get(f"v{epoch}", CURRENT_VERSION) for epoch in written}
    return Organisation(
        "org", "acme", "Acme", 0, live=live, written=written, contributions=contributions
    )


organisations = st.builds(
    lambda live, others, unknown: organisation(
        live,
        tuple(dict.fromkeys([live, *others])),
        **({f"v{unknown}": UNKNOWN} if unknown != live else {}),
    ),
    st.integers(0, 7),
    st.lists(st.integers(0, 8), max_size=3),
    st.integers(0, 8),
)
transitions = st.sampled_from([entered, switched, dropped])


@pytest.mark.property
@given(transitions, organisations)
def test_a_transition_is_idempotent_and_keeps_versions_and_epochs_together(
    transition: Transition, before: Organisation
) -> None:
    try:
        after = transition(RUN, before)
    except InvalidOperation:
        return
    assert transition(RUN, after) == after
    assert after.contributions.keys() == set(after.written)
    assert len(set(after.written)) == len(after.written)
    assert set(after.written) <= {*before.written, RUN.epoch}
    # Nothing else of an organisation changes.
    same = replace(
        before, live=after.live, written=after.written, contributions=after.contributions
    )
    assert after == same


@pytest.mark.property
@given(organisations)
def test_the_live_epoch_is_written_before_and_after(before: Organisation) -> None:
    """A reader never has an epoch that is not written."""
    now = before
    for transition in (entered, switched, dropped):
        try:
            now = transition(RUN, now)
        except InvalidOperation:
            return
        assert now.live in now.written
    assert now.live >= RUN.epoch
    assert min(now.written) >= RUN.epoch


def test_a_whole_rebuild_of_an_organisation() -> None:
    # Epoch 1 was live before; 3 was abandoned and never live.
    made = organisation(2, (2, 3, 1))
    entered_ = entered(RUN, made)
    assert (entered_.live, entered_.written) == (2, (5, 2, 1))
    switched_ = switched(RUN, entered_)
    assert (switched_.live, switched_.written) == (5, (5, 2, 1))
    assert (dropped(RUN, switched_).live, dropped(RUN, switched_).written) == (5, (5,))


def test_epochs_that_this_release_cannot_write_are_not_written_on() -> None:
    made = organisation(2, (2, 1), v1=UNKNOWN)
    assert entered(RUN, made).written == (5, 2)
    entered_ = replace(entered(RUN, made), contributions={5: CURRENT_VERSION, 2: UNKNOWN})
    assert switched(RUN, entered_).written == (5,)


@pytest.mark.parametrize(
    ("transition", "taken"),
    [
        (entered, organisation(6, (6,))),
        (entered, organisation(2, (5, 2), v5=UNKNOWN)),
        (switched, organisation(2, (2,))),
        (switched, organisation(6, (6, 5))),
        (dropped, organisation(2, (5, 2))),
    ],
)
def test_a_run_that_another_took_over_stops(transition: Transition, taken: Organisation) -> None:
    with pytest.raises(InvalidOperation, match="taken over the rebuild of acme; this one stopped"):
        transition(RUN, taken)


@pytest.mark.parametrize(
    ("phase", "stored", "can"),
    [
        (Phase.ENTERING, organisation(2, (2,)), True),
        (Phase.ENTERING, organisation(2, (5, 2)), True),
        (Phase.ENTERING, organisation(6, (6,)), False),
        (Phase.COPYING, organisation(2, (5, 2)), True),
        (Phase.COPYING, organisation(2, (2,)), False),
        (Phase.SWITCHING, organisation(2, (5, 2)), True),
        (Phase.SWITCHING, organisation(5, (5, 2)), True),
        (Phase.OVERLAPPING, organisation(2, (5, 2)), False),
        (Phase.REMOVING, organisation(5, (5,)), True),
        (Phase.DONE, organisation(5, (5,)), False),
    ],
)
def test_a_run_can_be_resumed_while_its_epoch_can_become_live_or_is(
    phase: Phase, stored: Organisation, can: bool
) -> None:
    assert can_resume(replace(RUN, phase=phase), stored) is can


def test_a_run_of_another_release_is_not_resumed_before_its_switch() -> None:
    old = replace(RUN, version=UNKNOWN, phase=Phase.COPYING)
    assert not can_resume(old, organisation(2, (5, 2), v5=UNKNOWN))
    assert can_resume(old, organisation(5, (5, 2), v5=UNKNOWN))


def test_versions_and_epochs_are_compared_together() -> None:
    assert is_written(RUN, organisation(2, (5, 2)))
    assert not is_written(RUN, organisation(2, (5, 2), v5=UNKNOWN))
    assert not is_written(RUN, organisation(2, (2,)))
    assert is_known_version(CURRENT_VERSION)
    assert not is_known_version(0)
    assert not is_known_version(UNKNOWN)
