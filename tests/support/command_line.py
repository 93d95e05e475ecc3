"""`rollcall` in this process: a process of its own needs 0.4 seconds of CPU to start."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from subprocess import CompletedProcess
from unittest.mock import patch

import pytest

from rollcall.settings import Settings
from rollcall_cli.main import run
from tests.support.answering import wired


def run_command(
    *arguments: str, environment: Mapping[str, str], stdin: str = ""
) -> CompletedProcess[str]:
    """The exit status and the output of `rollcall`, with this environment and no other."""
    out, err = io.StringIO(), io.StringIO()
    with (
        wired(settings=Settings.from_environment(environment)),
        patch.dict(os.environ, environment, clear=True),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()))),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        run(list(arguments))
    status = ended.value.code
    assert isinstance(status, int)
    return CompletedProcess(arguments, status, out.getvalue(), err.getvalue())
