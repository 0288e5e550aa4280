"""Markup: what a person wrote is shown, and never becomes a part of the page."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicectl.station.debrief.markup import Markup, element, joined, number, text

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    "</style><script>",
    "<!--",
    "]]>",
    "&lt;script&gt;",
    "{{7*7}}",
    "\u202egnp.exe",
    "\x00\x1b[31m\x7f",
    "javascript:alert(1)",
    "\ud800",
)
"""Names and notes that somebody could give."""
ALLOWED = re.compile(r'<p title="[^"<>]*">[^<>]*</p>')


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_text_stays_a_text(hostile: str) -> None:
    made = element("p", hostile, title=hostile)
    assert ALLOWED.fullmatch(made)
    made.encode()


@given(st.text())
def test_any_text_comes_out_as_it_went_in(value: str) -> None:
    made = element("p", value, title=value)
    assert ALLOWED.fullmatch(made)
    shown = html.unescape(made.partition(">")[2].rpartition("<")[0])
    assert [char for char in shown if char != "\ufffd"] == [
        char for char in value if char in shown and char != "\ufffd"
    ]


def test_what_steers_a_screen_or_the_direction_of_a_text_is_shown_as_unknown() -> None:
    assert text("a\x00b\x1bc\x7fd\u202ee\u2066f") == "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf"
    assert text("\u05d0\n\u20ac") == "\u05d0\n\u20ac"


def test_markup_is_put_in_as_it_is_and_text_beside_it_is_escaped() -> None:
    assert element("p", element("b", "1 < 2"), " & so") == "<p><b>1 &lt; 2</b> &amp; so</p>"
    assert joined(["<", Markup("<br/>")]) == "&lt;<br/>"
    assert text("a") == "a"


def test_attributes_have_no_underscore_and_none_is_left_out() -> None:
    made = element("line", class_="grid", aria_hidden="true", x1=1.0, y1=2, x2=1 / 3, id=None)
    assert made == '<line class="grid" aria-hidden="true" x1="1" y1="2" x2="0.33"/>'


def test_an_element_that_is_empty_has_an_end_unless_it_can_have_no_content() -> None:
    assert element("td") == "<td></td>"
    assert element("br") == "<br/>"


@pytest.mark.parametrize(
    ("value", "said"),
    [(1, "1"), (100, "100"), (2.0, "2"), (100.0, "100"), (1.256, "1.26"), (-0.001, "0"), (-1.5, "-1.5")],
)
def test_a_number_has_no_digit_that_says_nothing(value: float, said: str) -> None:
    assert number(value) == said
