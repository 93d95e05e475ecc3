"""Lambda's event filter patterns, as far as they are known here."""

from __future__ import annotations

import pytest

from rollcall_cli.local.filters import EventFilter


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        ({"a": {"b": [{"prefix": "x#"}]}}, {"a": {"b": "x#1"}}, True),
        ({"a": {"b": [{"prefix": "x#"}]}}, {"a": {"b": "y#1"}}, False),
        ({"a": {"b": [{"prefix": "x#"}]}}, {"a": "x#1"}, False),
        ({"a": [{"prefix": "1"}]}, {"a": 12}, False),
        ({"a": ["x", "y"]}, {"a": "y"}, True),
        ({"a": ["x", "y"]}, {"a": "z"}, False),
        ({"a": [1]}, {"a": True}, False),
        ({"a": [None]}, {"a": None}, True),
        ({"a": [None]}, {}, False),
        ({"a": [{"exists": True}]}, {"a": None}, True),
        ({"a": [{"exists": True}]}, {}, False),
        ({"a": {"b": [{"exists": False}]}}, {"a": {}}, True),
        ({"a": {"b": [{"exists": False}]}}, {"a": {"b": 1}}, False),
        ({"a": ["x"], "b": ["y"]}, {"a": "x", "b": "y"}, True),
        ({"a": ["x"], "b": ["y"]}, {"a": "x"}, False),
    ],
)
def test_matching(pattern, event, expected):
    assert EventFilter([pattern]).matches(event) is expected


def test_patterns_are_alternatives_and_none_lets_everything_through():
    assert EventFilter([]).matches({})
    either = EventFilter([{"a": ["x"]}, {"b": ["y"]}])
    assert either.matches({"b": "y"})
    assert not either.matches({"b": "x"})


@pytest.mark.parametrize(
    "pattern",
    [
        {"a": [{"suffix": "x"}]},
        {"a": [{"prefix": 1}]},
        {"a": [{"exists": "yes"}]},
        {"a": [{"prefix": "x", "exists": True}]},
        {"a": []},
        {"a": "x"},
        "x",
    ],
)
def test_what_is_not_understood_is_refused(pattern):
    with pytest.raises(ValueError, match="filter pattern"):
        EventFilter([pattern])
