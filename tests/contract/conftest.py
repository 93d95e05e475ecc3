"""What the contract shares: a stack per engine with two organisations that must never see each other."""

import pytest

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
