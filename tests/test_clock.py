"""The clock, in both of its units."""

from __future__ import annotations

import time

from rollcall import clock


def test_both_units_are_of_the_wall_clock() -> None:
    before = time.time_ns()
    micros, millis = clock.now_us(), clock.now_ms()
    after = time.time_ns()
    assert before // 1_000 <= micros <= after // 1_000
    assert before // 1_000_000 <= millis <= after // 1_000_000
