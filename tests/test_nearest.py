"""Known names by their likeness to one that is not known."""

from __future__ import annotations

import pytest

from rollcall.nearest import nearest, nearest_first

KNOWN = ("duration_seconds", "status", "started_at", "disposition")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("durationseconds", "duration_seconds"),
        ("Status", "status"),
        ("startedAt", "started_at"),
        ("dispo", "disposition"),
    ],
)
def test_the_nearest_name_is_the_one_that_was_meant(name: str, meant: str) -> None:
    assert nearest(name, KNOWN) == nearest_first(name, KNOWN)[0] == meant


def test_all_names_are_listed_once() -> None:
    assert sorted(nearest_first("x" * 1_000, KNOWN)) == sorted(KNOWN)


def test_equally_similar_names_stay_in_their_order() -> None:
    assert nearest_first("", KNOWN) == [*KNOWN]
