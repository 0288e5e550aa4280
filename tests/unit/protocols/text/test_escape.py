"""What came from elsewhere steers no terminal and begins no line of its own."""

import json

import pytest

from protocols.text.escape import printable, printable_json

STEERING = [
    ("\x1b[2J", "\\x1b[2J"),
    ("\x9b31m", "\\x9b31m"),
    ("a\nb\r\t\0", "a\\nb\\r\\t\\x00"),
    ("\x7f", "\\x7f"),
    ("\u202eabc\u2066", "\\u202eabc\\u2066"),
    ("\u2028", "\\u2028"),
    ("\xa0\u3000", "\\xa0\\u3000"),
    ("\ud800", "\\ud800"),
    ("\U000e0001", "\\U000e0001"),
]


@pytest.mark.parametrize(("text", "shown"), STEERING)
def test_what_is_not_printable_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(f"x{text}y") == f"x{shown}y"


@pytest.mark.parametrize("text", ["", "plain text", "J\xfcrgen \u65e5\u672c \U0001f9ea", "back\\slash", "'\""])
def test_what_is_printable_stays(text: str) -> None:
    assert printable(text) == text == printable_json(text)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("text", [text for text, _ in STEERING])
def test_json_stays_json_of_the_same_value(text: str, indent: int | None) -> None:
    value = {"J\xfcrgen": [text, 1], text: None}
    shown = printable_json(json.dumps(value, ensure_ascii=False, indent=indent))
    assert json.loads(shown) == value and "J\xfcrgen" in shown
    assert all(line.isprintable() for line in shown.split("\n"))
    assert len(shown.split("\n")) == (1 if indent is None else 7)
