"""Breeze's errors: a text, or a list of problems for a 422."""

from __future__ import annotations

import pytest

from rollcall.dialects.breeze.errors import error_body
from rollcall.domain.errors import Issue


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_the_detail_is_a_text(status: int) -> None:
    assert error_body(status, "the detail") == {"detail": "the detail"}


def test_a_422_names_every_value_and_its_rule() -> None:
    issues = [
        Issue(("filters", "date_from"), "must be a date"),
        Issue(("page",), "must be at least 1"),
    ]
    assert error_body(422, "unused", issues) == {
        "detail": [
            {"loc": ["filters", "date_from"], "msg": "must be a date", "type": "value_error"},
            {"loc": ["page"], "msg": "must be at least 1", "type": "value_error"},
        ]
    }


def test_a_422_without_values_is_about_too_many_rows() -> None:
    assert error_body(422, "too many") == {
        "detail": [{"loc": ["filters"], "msg": "too many", "type": "too_many_rows"}]
    }
