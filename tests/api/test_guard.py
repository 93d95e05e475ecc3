"""The preconditions of a request, each refused with its own error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollcall.api import guard
from rollcall.api.errors import (
    ApiError,
    BadRequest,
    ContentTooLarge,
    Forbidden,
    NotFound,
    Unauthorized,
)
from rollcall.api.http import Caller, Request
from rollcall.domain.epochs import Epoch
from rollcall.query.model import CampaignId, Reading

READING = Reading(Epoch("org", 0))
CAMPAIGN = CampaignId("c", "inbound")


def request(
    headers: dict[str, list[str]] | None = None,
    query: dict[str, list[str]] | None = None,
    body: bytes = b"",
    ends_at_ms: int | None = None,
) -> Request:
    return Request(
        caller=Caller("org", "acme", ends_at_ms),
        reading=READING,
        query=query or {},
        body=body,
        _path={},
        _headers=headers or {},
    )


class Handles:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def org_id_of_handle(self, handle: str) -> str | None:
        self.asked.append(handle)
        return "other" if handle == "taken" else None


class Campaigns:
    def is_known(self, _reading: Reading, campaign: CampaignId) -> bool:
        return campaign == CAMPAIGN


def refused(check: Callable[[], Any]) -> tuple[type[ApiError], str] | None:
    try:
        check()
    except ApiError as error:
        return type(error), str(error)
    return None


def test_credentials_are_sent_once() -> None:
    def check(*values: str) -> Any:
        return refused(
            lambda: guard.refuse_repeated_credentials(request({"authorization": list(values)}))
        )

    assert check() is check("a") is None
    assert check("a", "a") == (Unauthorized, "The Authorization header is repeated.")


@pytest.mark.parametrize(
    ("ends_at_ms", "is_refused"), [(None, False), (11, False), (10, True), (9, True)]
)
def test_a_token_ends_at_its_millisecond(ends_at_ms: int | None, is_refused: bool) -> None:
    found = refused(lambda: guard.refuse_ended_credentials(request(ends_at_ms=ends_at_ms), 10))
    assert found == (
        (Unauthorized, "A valid token is required in the Authorization header.")
        if is_refused
        else None
    )


@pytest.mark.parametrize(
    ("values", "error"),
    [
        (["acme"], None),
        ([], (BadRequest, "Org-Handle header is required.")),
        ([""], (BadRequest, "Org-Handle header is required.")),
        (["acme", "acme"], (BadRequest, "Org-Handle header must be sent once.")),
        (["free"], (NotFound, "Organization not found.")),
        (["taken"], (Forbidden, "Invalid organization handle.")),
        (["x" * 3_000], (NotFound, "Organization not found.")),
        (["a b"], (NotFound, "Organization not found.")),
    ],
)
def test_the_handle_is_the_callers_own(values: list[str], error: Any) -> None:
    handles = Handles()
    assert (
        refused(lambda: guard.require_own_handle(request({"org-handle": values}), handles)) == error
    )
    assert set(handles.asked) <= {"free", "taken"}  # nothing that no key can hold


def test_the_checks_of_a_campaign_come_in_their_order() -> None:
    """The size of the body, the campaign, then the query parameters."""
    reports: Any = Campaigns()

    def check(campaign: CampaignId, **sent: Any) -> Any:
        return refused(lambda: guard.require_campaign(request(**sent), READING, reports, campaign))

    unknown, large = CampaignId("c", "outbound"), b"x" * (guard.MAX_QUERY_BYTES + 1)
    assert guard.require_campaign(request(), READING, reports, CAMPAIGN) == CAMPAIGN
    assert check(unknown, body=large, query={"a": ["1"]})[0] is ContentTooLarge
    assert check(unknown, query={"a": ["1"]}) == (NotFound, "Campaign not found.")
    assert check(CAMPAIGN, query={"a": ["1"]}) == (BadRequest, "Unknown query parameter 'a'.")


@pytest.mark.parametrize("limit", [0, 1, 100])
def test_a_body_may_have_its_limit(limit: int) -> None:
    assert refused(lambda: guard.limit_body(request(body=b"x" * limit), limit)) is None
    assert refused(lambda: guard.limit_body(request(body=b"x" * (limit + 1)), limit)) == (
        ContentTooLarge,
        f"The body must have at most {limit} bytes.",
    )


def test_a_parameter_is_sent_once_and_is_known() -> None:
    asked = request(query={"a": ["1"], "b": ["1", "2"], "x" * 99: []})
    assert (guard.single_value(asked, "a"), guard.single_value(asked, "c")) == ("1", None)
    assert refused(lambda: guard.single_value(asked, "b")) == (
        BadRequest,
        "Query parameter b must be sent once.",
    )
    assert refused(lambda: guard.refuse_others(asked, "a", "b", "x" * 99)) is None
    assert refused(lambda: guard.refuse_others(asked, "a", "b")) == (
        BadRequest,
        f"Unknown query parameter '{'x' * 64}'.",
    )
