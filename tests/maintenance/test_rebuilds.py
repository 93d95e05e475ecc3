"""The state of a rebuild: its phases in their order, and what they say of the epoch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollcall.maintenance.rebuilds import Phase, RebuildRun

RUN = RebuildRun("run", Phase.ENTERING, 1, 1, 0, 1, 1_000)


@pytest.mark.parametrize("phase", Phase)
def test_a_run_is_done_in_its_last_phase_alone(phase: Phase) -> None:
    assert replace(RUN, phase=phase).is_done == (phase is list(Phase)[-1])


def test_a_run_is_live_from_its_switch_on() -> None:
    assert not RUN.is_live
    assert replace(RUN, switched_at_ms=0).is_live


def test_the_phases_follow_in_their_order() -> None:
    """A stored phase is read back by its name."""
    assert [phase.value for phase in Phase] == [
        "entering", "copying", "switching", "overlapping", "settling", "removing", "done",
    ]  # fmt: skip
    assert all(Phase(str(phase)) is phase for phase in Phase)
