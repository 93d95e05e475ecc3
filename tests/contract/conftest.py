"""One stack per engine and session, with two organisations that must never see each other.

`ROLLCALL_TEST_ENGINES` names the engines ("moto,dynamodb-local" unless it is set).
"""

import os

import pytest

from tests.support import stack as stacks

ENGINES = os.environ.get("ROLLCALL_TEST_ENGINES", "moto,dynamodb-local").split(",")


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(engine, marks=[pytest.mark.dynamodb_local] if engine != "moto" else [])
        for engine in ENGINES
    ],
)
def engine(request):
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
