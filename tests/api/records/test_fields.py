"""A label's colour is one CSS colour, and can be put into a page as it is."""

from __future__ import annotations

import pytest
import tinycss2
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from rollcall.api.records.fields import Color

COLOR = TypeAdapter(Color)
GOOD = [
    *("#fff", "#FFF8", "#9e9e9e", "#12345678", "red", "RED", "transparent", "currentcolor"),
    *("rgb(1,2,3)", "rgb(1 2 3/4)", "rgba(1, 2, 3, 50%)", "hsl(120deg 50% 50% / 50%)"),
    *("hwb(194 0% 0%)", "lab(50% 40 59.5)", "oklch(59.69% 0.156 49.77)", "oklab(.5 1e1 -.2)"),
    *("color(display-p3 1 0 0)", "rgb(none 1 2)", " red "),
]
BAD = [
    *("color()", "color( )", "color(", "rgb()", "rgb(1,2,3", "rgb(1,2,3))", "rgb((1),2,3)"),
    *("red/*</style><script>*/", "/**/red", "rgb(1,/*2*/2,3)", "red/*", "red-->", "<!--red"),
    *("r\\65 d", "\\72 ed", "red;", "red}", "red red", "red,blue", "url(x)", "var(--x)", "#ggg"),
    *(
        "#12",
        "#",
        "",
        " ",
        "re d",
        "red\n",
        "\tred",
        "red\0",
        "rеd",
        "none",
        "inherit",
        "expression(1)",
    ),
]
pieces = st.sampled_from(
    [*"#()/*\\;<>'\",. -+%1f\0\n", "red", "rgb(", "color(", "url(", "/*", "*/", "1,2,3", "</style>"]
)


@pytest.mark.parametrize("text", GOOD)
def test_good(text: str) -> None:
    assert COLOR.validate_python(text) == text


def refusal(text: str) -> str:
    """Why a text is refused; empty when it is accepted."""
    try:
        COLOR.validate_python(text)
    except ValidationError as error:
        return error.errors()[0]["msg"]
    return ""


@pytest.mark.parametrize("text", BAD)
def test_bad(text: str) -> None:
    assert refusal(text) == "Value error, must be one CSS colour"


@given(st.lists(pieces, max_size=8).map("".join) | st.text(max_size=20))
@example("red/*</style><script>*/")
def test_what_is_accepted_is_one_value_of_css(text: str) -> None:
    """By the tokens that a browser would see: nothing beside one hash, name or function."""
    if not refusal(text):
        tokens = [
            token
            for token in tinycss2.parse_component_value_list(text)
            if token.type != "whitespace"
        ]
        assert [token.type in ("hash", "ident", "function") for token in tokens] == [True]
        assert not set(text) & set("<>\\*;{}'\"\0\n")
        assert text.count("(") == text.count(")")
