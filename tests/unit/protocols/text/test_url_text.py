"""URLs as text: what is shown of them, options and numbers."""

import pytest

from protocols.text.url_text import (
    MAX_OPTIONS,
    hide_urls,
    hide_users,
    parse_number,
    parse_whole,
    scheme_of,
    show_scheme,
    split_options,
)


@pytest.mark.parametrize(
    ("text", "scheme", "shown"),
    [
        ("mqtt://me:secret@host", "mqtt", "mqtt://..."),
        ("SIM+TCP://x", "sim+tcp", "sim+tcp://..."),
        ("oracle+cx_oracle://x", "oracle+cx_oracle", "oracle+cx_oracle://..."),
        ("me:secret@mqtt://host", "", "..."),
        ("://host", "", "..."),
        ("mqtt:/host", "", "..."),
        ("1x://host", "", "..."),
        (f"{'x' * 32}://host", "", "..."),
    ],
)
def test_a_scheme_is_all_that_is_shown(text: str, scheme: str, shown: str) -> None:
    assert (scheme_of(text), show_scheme(text)) == (scheme, shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("'mqtt://me:secret@host' is not a date", "'mqtt://...@host' is not a date"),
        ("mqtt:me:secret@host and x://you:other@there", "mqtt://...@host and x://...@there"),
        ("--trace: there is none", "--trace: there is none"),
        ("bench/me@host", "bench/me@host"),
    ],
)
def test_users_are_hidden(text: str, shown: str) -> None:
    assert hide_users(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("unexpected argument (mqtt://me:secret@host)", "unexpected argument (mqtt://..."),
        ("unexpected arguments: 'x' me:secret", "unexpected arguments: 'x' ..."),
        ("host?password=secret", "..."),
        ("//me.secret", "..."),
        ("no such option: --fly", "no such option: --fly"),
        ("", ""),
    ],
)
def test_a_word_that_may_be_a_url_ends_what_is_shown(text: str, shown: str) -> None:
    assert hide_urls(text) == shown


def test_options() -> None:
    assert split_options("") == []
    assert split_options("a=&b=c%20+%2B=d") == [("a", ""), ("b", "c ++=d")]
    assert len(split_options("&".join(["a=1"] * MAX_OPTIONS))) == MAX_OPTIONS
    for wrong in ("a", "=a", "a=1&", "&a=1", "&".join(["a=1"] * (MAX_OPTIONS + 1))):
        with pytest.raises(ValueError, match="not name=value&name=value"):
            split_options(wrong)


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1.0), ("-1.5e-3", -0.0015), ("+.5", 0.5), ("2.", 2.0), ("1e308", 1e308)]
)
def test_numbers(text: str, number: float) -> None:
    assert parse_number(text) == number


WRONG = ["", " 1", "1 ", "1\n", "1_0", "\uff11", "\u0661", "nan", "inf", "1e999", "0x1", "1,5", "1e1000", "."]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_number(text: str) -> None:
    assert parse_number(text) is None
    assert parse_whole(text) is None


def test_whole_numbers() -> None:
    assert (parse_whole("-7"), parse_whole("9" * 30)) == (-7, int("9" * 30))
    assert [parse_whole(text) for text in ("1.0", "1e3", "+1", "9" * 31)] == [None] * 4
