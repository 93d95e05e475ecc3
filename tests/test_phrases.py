"""Phrases of statuses are those of RFC 9110 on every version of Python."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from rollcall.phrases import phrase_of


@pytest.mark.parametrize(
    ("status", "phrase"),
    [(404, "Not Found"), (413, "Content Too Large"), (422, "Unprocessable Content")],
)
def test_the_phrase_of_a_status(status: int, phrase: str) -> None:
    assert phrase_of(status) == phrase


def test_every_status_has_a_phrase() -> None:
    assert all(phrase_of(status) for status in HTTPStatus)
