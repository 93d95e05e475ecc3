"""The errors: the tree at the head of the module is the one that the classes form."""

from __future__ import annotations

import re

import pytest

from rollcall.domain import errors
from rollcall.domain.errors import (
    AnswerTooLong,
    BadValues,
    Fault,
    Issue,
    RefusedQuery,
    RollcallError,
    TooManyGroups,
    TooManyLabels,
    TooManyNames,
    TooManyRows,
    TooManyValues,
)


def documented() -> dict[str, str]:
    """The base of every error, by the tree in the module's docstring."""
    path: list[str] = []
    base_of = {}
    for indent, name in re.findall(r"^([│├└─ ]*)([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE):
        depth = len(indent) // 4
        path[depth:] = [name]
        if depth:
            base_of[name] = path[depth - 1]
    return base_of


def test_the_documented_tree_is_that_of_the_classes() -> None:
    defined = {
        name: each.__base__.__name__
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, RollcallError) and each is not RollcallError
    }
    listed = {name: base for name, base in documented().items() if base != "Every"}
    assert listed == defined


def test_too_many_rows_names_the_limit_and_what_to_do() -> None:
    assert str(TooManyRows(1_500_000)).startswith("This query needs more than 1,500,000 rows.")
    assert "Shorten its time range" in str(TooManyRows(1))


def test_bad_values_names_every_field_and_its_rule() -> None:
    issues = [Issue(("query", "from"), "must be a date"), Issue(("limit",), "must be at least 1")]
    error = BadValues(issues)
    assert str(error) == "query.from must be a date; limit must be at least 1"
    assert error.issues == issues


@pytest.mark.parametrize(
    ("error", "limit", "remedy"),
    [
        (TooManyGroups(), "100,000 rows", "Use fewer dimensions"),
        (TooManyLabels(5_000), "5,000 different labels", "Shorten the range"),
        (TooManyValues(), "100,000 different values", "Shorten the range"),
        (TooManyNames(2_000), "2,000 most frequent values", "lower `limit`"),
        (AnswerTooLong(6_000_000), "6,000,000 bytes", "ask for fewer rows"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else "",
)
def test_what_is_too_large_names_the_limit_and_what_to_do(
    error: RollcallError, limit: str, remedy: str
) -> None:
    assert limit in str(error)
    assert remedy in str(error)


def test_a_refused_query_names_every_fault() -> None:
    value, shape = Fault("/limit", "must be at most 9", False), Fault("", "must be an object", True)
    error = RefusedQuery([value, shape])
    assert str(error) == "/limit must be at most 9; / must be an object"
    assert (error.status, RefusedQuery([value]).status) == (400, 422)
