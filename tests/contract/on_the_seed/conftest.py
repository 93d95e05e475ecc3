"""The functions on the seed, which this package shares and no other one sees."""

import pytest

from tests.sample_events.answering import seeded


@pytest.fixture(scope="package")
def functions(tmp_path_factory):
    """The functions of a seeded stack whose clock stands still; what writes runs after what reads."""
    with seeded(tmp_path_factory.mktemp("sample-events")) as running:
        yield running
