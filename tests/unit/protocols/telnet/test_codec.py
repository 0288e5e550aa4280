"""Telnet's bytes: one table of what comes, run whole and byte by byte."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.telnet.codec import (
    BREAK,
    MAX_BODY,
    Command,
    Item,
    Negotiation,
    Subnegotiation,
    TelnetDecoder,
    Verb,
    escape,
    negotiate,
    subnegotiate,
)

LONG = b"x" * MAX_BODY
ROWS: list[tuple[bytes, list[Item]]] = [
    (b"", []),
    (b"abc", [b"abc"]),
    (b"\xff\xff", [b"\xff"]),
    (b"a\xff\xffb", [b"a\xffb"]),
    (b"\xff\xff\xff\xff", [b"\xff\xff"]),
    (b"a\xff\xfb\x2cb", [b"a", Negotiation(Verb.WILL, 44), b"b"]),
    (b"\xff\xfe\xff", [Negotiation(Verb.DONT, 255)]),
    (b"\xff\xf3", [Command(BREAK)]),
    (b"\xff\xfa\x2c\x01\xff\xffx\xff\xf0y", [Subnegotiation(44, b"\x01\xffx"), b"y"]),
    (b"\xff\xfa\x2c\xff\xf0", [Subnegotiation(44, b"")]),
    (b"\xff\xfa\xff\xf0z", [b"z"]),
    (b"\xff\xfa" + LONG + b"\xff\xf0y", [Subnegotiation(ord("x"), LONG[1:]), b"y"]),
    (b"\xff\xfa" + LONG + b"xx\xff\xf0y", [Subnegotiation(ord("x"), None), b"y"]),
    (b"\xff\xfa" + LONG + b"\xff\xff\xff\xf0y", [Subnegotiation(ord("x"), None), b"y"]),
    (b"\xff\xfaopen\xff\xfb\x00y", [Negotiation(Verb.WILL, 0), b"y"]),
    (b"\xff\xfaopen\xff\xfabc\xff\xf0", [Subnegotiation(ord("b"), b"c")]),
    (b"\xff\xfaopen\xff\xf3y", [Command(BREAK), b"y"]),
]


def joined(items: list[Item]) -> list[Item]:
    """Items with neighbouring data as one: where it was cut is nobody's matter."""
    found: list[Item] = []
    for is_data, run in groupby(items, lambda item: isinstance(item, bytes)):
        pieces = list(run)
        found += [b"".join(piece for piece in pieces if isinstance(piece, bytes))] if is_data else pieces
    return found


@pytest.mark.parametrize(("data", "items"), ROWS)
def test_what_comes_whole(data: bytes, items: list[Item]) -> None:
    assert TelnetDecoder().feed(data) == items


@pytest.mark.parametrize(("data", "items"), ROWS)
def test_what_comes_byte_by_byte(data: bytes, items: list[Item]) -> None:
    decoder = TelnetDecoder()
    assert joined([item for byte in data for item in decoder.feed(bytes([byte]))]) == items


@given(st.lists(st.binary(max_size=40) | st.binary(max_size=20).map(lambda tail: b"\xff" + tail + b"\xff")))
def test_any_bytes_arrive_unchanged_however_they_are_split(pieces: list[bytes]) -> None:
    decoder = TelnetDecoder()
    sent = escape(b"".join(pieces))
    size = len(pieces) + 1
    items = [item for at in range(0, len(sent), size) for item in decoder.feed(sent[at : at + size])]
    assert b"".join(item for item in items if isinstance(item, bytes)) == b"".join(pieces)
    assert all(isinstance(item, bytes) for item in items)


@given(st.lists(st.binary(max_size=9), max_size=20))
def test_bytes_that_nobody_escaped_never_raise_and_are_not_kept(pieces: list[bytes]) -> None:
    decoder = TelnetDecoder()
    for piece in pieces:
        for item in decoder.feed(piece):
            assert item != b""
    assert len(decoder._body) <= MAX_BODY


@given(st.integers(0, 254), st.binary(max_size=MAX_BODY - 1), st.sampled_from(Verb), st.integers(1, 9))
def test_what_is_made_is_understood(option: int, body: bytes, verb: Verb, size: int) -> None:
    decoder = TelnetDecoder()
    sent = subnegotiate(option, body) + negotiate(verb, option)
    items = [item for at in range(0, len(sent), size) for item in decoder.feed(sent[at : at + size])]
    assert items == [Subnegotiation(option, body), Negotiation(verb, option)]
