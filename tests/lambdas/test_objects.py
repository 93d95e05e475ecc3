"""The object that an event of EventBridge announces."""

from __future__ import annotations

import pytest

from rollcall.lambdas.objects import created_object


def event(**changes: object) -> dict[str, object]:
    made = {"source": "aws.s3", "detail-type": "Object Created"}
    return {**made, "detail": {"object": {"key": "hooks/waiting/a.json"}}, **changes}


def test_a_created_object_is_named() -> None:
    assert created_object(event()) == "hooks/waiting/a.json"


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"detail": "garbage"},
        event(source="aws.events"),
        event(**{"detail-type": "Object Deleted"}),
    ],
)
def test_another_event_names_none(other: dict[str, object]) -> None:
    assert created_object(other) is None


def test_an_event_without_its_object_is_an_error() -> None:
    with pytest.raises(KeyError):
        created_object(event(detail={}))
