"""Chromium for tests: Debian's package, without the requests that it makes by itself."""

from __future__ import annotations

import os
import shutil

import pytest

# As root, as CI runs, Chromium starts only without its sandbox.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """The path of Chromium. Skips the test without it, unless ROLLCALL_REQUIRE_CHROMIUM=1: a failure."""
    path = shutil.which("chromium")
    if path is not None:
        return path
    if os.environ.get("ROLLCALL_REQUIRE_CHROMIUM") == "1":
        pytest.fail("Chromium is required, and there is no `chromium` on PATH")
    pytest.skip("needs chromium")
