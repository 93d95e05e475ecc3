"""One stack per engine and session, with two organisations that must never see each other.

`ROLLCALL_TEST_ENGINES` names the engines ("moto,dynamodb-local" unless it is set); `one` is
DynamoDB Local where it can be found, and moto elsewhere.
"""

import os

import pytest

from tests.support import stack as stacks

ENGINES = os.environ.get("ROLLCALL_TEST_ENGINES", "moto,dynamodb-local").split(",")


def pytest_itemcollected(item):
    item.add_marker("contract")


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(name, marks=[pytest.mark.dynamodb_local] if name == "dynamodb-local" else [])
        for name in ENGINES
    ],
)
def engine(request):
    if request.param == "one":
        return stacks.one_engine()
    if request.param != "moto":
        stacks.skip_without_dynamodb_local()
    return request.param


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
