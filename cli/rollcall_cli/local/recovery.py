"""Make pages and rollups of a data folder exact again after its stack was killed.

The stream on disk survives a kill, and reading it from its start delivers pending records again. It
drops records after a day, so facts, pages and rollups are compared too, and repaired.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from rollcall_cli.console import notice
from rollcall_cli.deployment import deployment
from rollcall_cli.reconcile_command import summary

_REPORT_SECONDS = 5.0


def recover(environment: Mapping[str, str], drain: Callable[[float], bool]) -> None:
    """Replay the stream, then compare and repair every organisation; reported on stderr.

    `environment` names the tables; `drain` waits so many seconds for the stream. Nothing else may
    write meanwhile. Raises CommandError when the database fails.
    """
    notice("the last run was killed: replaying the stream, then reconciling")
    while not drain(_REPORT_SECONDS):
        notice("the stream is still being replayed")
    # With the emulator as the runtime, only its functions have this environment so far.
    os.environ.update(environment)
    with deployment() as bootstrap:
        for organisation in bootstrap.directory().organisations():
            if organisation.is_deleting:
                continue
            audit = bootstrap.reconcile()(
                organisation, is_repairing=True, restart=True, grace_seconds=0
            )
            notice(summary(organisation, audit))
