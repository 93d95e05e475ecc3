"""Problem documents name the status and the phrase of HTTP."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, Problem, problem_body


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_problem_has_every_member_of_rfc_9457_that_it_declares(status: int) -> None:
    body = problem_body(status, "the detail")
    assert body == {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": "the detail",
    }
    assert body.keys() == Problem.__annotations__.keys()
    assert PROBLEM_TYPE == "application/problem+json"
