"""Random deliveries: each is recorded, ignored, kept or refused, and nothing else ever happens.

`python -m tests.long_run --of deliveries` sends a hundred thousand.
"""

from __future__ import annotations

import pytest

from tests.long_run import DELIVERIES, ask_many
from tests.support.answering import deployed
from tests.support.hook_agreement import NOW_MS

pytestmark = pytest.mark.property


@pytest.mark.slow
def test_random_deliveries_have_one_of_six_outcomes():
    with deployed(NOW_MS) as deployment:
        seen = ask_many(deployment, DELIVERIES, 7, datasets=10, queries=40)
    assert seen.total() == 400
    for outcome in ("taken", "ignored", "kept", "refused", "malformed"):
        assert seen["delivery", outcome] >= 5, seen
