"""Start a program that ends with this process, however this process ends.

The program has a process group of its own, so that Ctrl-C in a terminal reaches this process first,
which stops everything in order. If this process is killed, a watcher sees its pipe close.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

# `read` returns when this process closes the pipe or ends.
_WATCHER = 'read _; kill -KILL "-$0"'


class ChildProcess:
    """A running program and its watcher; `close` stops the program's whole group."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        output: int | IO[bytes],
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=pass_fds,
            start_new_session=True,
        )
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHER, str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def exit_status(self) -> int | None:
        """The program's exit status; None while it runs."""
        return self._process.poll()

    def close(self) -> None:
        """Stop the program, by SIGTERM and then SIGKILL, and wait until it has ended."""
        if self._process.poll() is None:
            self._signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self._process.wait(timeout=3)
        # Only now, and by a signal: if the watcher saw its pipe close, it would kill a group whose
        # number may belong to another program by now.
        self._watcher.kill()
        self._watcher.wait(timeout=3)
        assert self._watcher.stdin is not None
        self._watcher.stdin.close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.killpg(self._process.pid, number)
