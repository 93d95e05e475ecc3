"""Settings of every run."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Machines are shared and noisy: time decides nothing. A failure prints what replays it.
settings.register_profile(
    "rollcall",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("rollcall")
