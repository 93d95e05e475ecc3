"""Errors as HTTP answers: each has its status, and those of the gateway have its body."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest

from rollcall.api import errors
from rollcall.api.errors import ApiError, gateway_error

ERRORS = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, ApiError) and each is not ApiError
]


def test_every_error_has_a_status_of_its_own() -> None:
    statuses = [each.status for each in ERRORS]
    assert len(set(statuses)) == len(statuses) == 7
    assert all(400 <= status < 600 for status in statuses)


@pytest.mark.parametrize("error", ERRORS, ids=lambda each: each.__name__)
def test_the_documented_tree_has_every_error_and_its_status(error: type[ApiError]) -> None:
    (line,) = [
        line for line in (errors.__doc__ or "").splitlines() if f" {error.__name__} " in line
    ]
    assert f" {error.status}" in line
    assert ("gateway" in line) == error.speaks_for_gateway


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 504])
def test_the_body_of_the_gateway_names_the_status(status: int) -> None:
    response = gateway_error(status, "the detail")
    body = json.loads(response.body)
    phrase = "Content Too Large" if status == 413 else HTTPStatus(status).phrase
    assert response.status == body["status_code"] == status
    assert body == {
        "status_code": status, "message": phrase, "error": phrase, "detail": "the detail",
    }  # fmt: skip
