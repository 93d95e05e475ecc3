"""Ctrl-C ends a command that waits, wherever the signal arrives."""

import subprocess
import sys

import pytest

# The signal arrives in a thread that is not the main one, so it does not interrupt the main one's wait.
PROGRAM = """
import signal, threading, time
from rollcall_cli.signals import Stopped, raise_on_signals, wait_until_stopped

def interrupt():
    time.sleep(0.2)  # the main thread waits by then, most likely
    signal.pthread_kill(threading.get_ident(), signal.{name})
    time.sleep(600)

raise_on_signals()
threading.Thread(target=interrupt, daemon=True).start()
try:
    wait_until_stopped()
except Stopped:
    print("stopped")
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_that_interrupts_no_wait_is_noticed(name):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(name=name)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped\n", "rollcall: stopping\n")
