"""Content negotiation: the most specific range decides, and nothing is sent that was refused."""

from __future__ import annotations

import pytest

from rollcall.api.errors import NotAcceptable
from rollcall.api.http import Caller, Request
from rollcall.api.negotiation import accepted_type
from rollcall.domain.epochs import Epoch
from rollcall.query.model import Reading

OFFERED = ("application/json", "text/csv")


def accepting(*values: str) -> Request:
    return Request(
        caller=Caller("org", "acme"),
        reading=Reading(Epoch("org", 0)),
        query={},
        body=b"",
        _path={},
        _headers={"accept": list(values)} if values else {},
    )


@pytest.mark.parametrize(
    ("values", "chosen"),
    [
        ((), "application/json"),
        (("",), "application/json"),
        (("*/*",), "application/json"),
        (("text/csv",), "text/csv"),
        (("TEXT/CSV; charset=utf-8",), "text/csv"),
        (("text/*",), "text/csv"),
        (("text/csv;q=0.5, application/json;q=0.4",), "text/csv"),
        (("text/csv;q=0.5", "application/json"), "application/json"),
        # A more specific range decides, even if it has less quality.
        (("*/*;q=0.9, application/json;q=0.1",), "text/csv"),
        (("text/html, */*;q=0.1",), "application/json"),
        (("application/json;q=0, */*",), "text/csv"),
    ],
)
def test_the_preferred_type_is_chosen(values: tuple[str, ...], chosen: str) -> None:
    assert accepted_type(accepting(*values), OFFERED) == chosen


@pytest.mark.parametrize(
    "value", ["text/html", "text/csv;q=0", "*/*;q=0", "image/*", "text/csv;q=x"]
)
def test_what_allows_none_of_the_types_is_refused(value: str) -> None:
    with pytest.raises(NotAcceptable, match="application/json or text/csv"):
        accepted_type(accepting(value), OFFERED)
