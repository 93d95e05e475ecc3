"""One organisation per test on a stack of its own engine."""

import pytest

from tests.support import stack as stacks


def pytest_itemcollected(item):
    item.add_marker("e2e")


@pytest.fixture(
    scope="session",
    params=["moto", pytest.param("dynamodb-local", marks=pytest.mark.dynamodb_local)],
)
def stack(request):
    if request.param != "moto":
        stacks.skip_without_dynamodb_local()
    stack = stacks.start(request.param)
    yield stack
    stack.stop()


@pytest.fixture
def org(stack):
    return stack.new_organisation()
