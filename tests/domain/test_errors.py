"""The errors: the tree at the head of the module is the one that the classes form."""

from __future__ import annotations

import re

from rollcall.domain import errors
from rollcall.domain.errors import BadValues, Issue, RollcallError, TooManyRows


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
