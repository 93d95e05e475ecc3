"""What the contract shares: a stack per engine with two organisations that must never see each other,
and the functions on the seed.
"""

import pytest

from tests.sample_events.answering import seeded
from tests.support import stack as stacks


def pytest_itemcollected(item):
    item.add_marker("contract")
    # A marker of the test itself comes first.
    item.add_marker(pytest.mark.representatives(6))


@pytest.fixture(scope="session", params=stacks.ENGINES)
def engine(request):
    return stacks.chosen_engine(request.param)


@pytest.fixture(scope="session")
def stack(engine):
    stack = stacks.start(engine)
    yield stack
    stack.stop()


@pytest.fixture(scope="session")
def alice(stack):
    return stack.new_organisation("alice", "Alice & Söhne")


@pytest.fixture(scope="session")
def bob(stack):
    return stack.new_organisation("bob", "Bob Ltd")


@pytest.fixture(scope="session")
def functions(tmp_path_factory):
    """The functions of a seeded stack whose clock stands still; what writes runs after what reads."""
    with seeded(tmp_path_factory.mktemp("sample-events")) as running:
        yield running
