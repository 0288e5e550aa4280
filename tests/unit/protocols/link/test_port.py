"""The port of an exchange: the sentence that a refusal may carry."""

import pytest

from protocols.link.port import SENTENCE_SIZE, BadReason, sentence


def test_a_sentence_of_120_bytes_is_whole_and_a_longer_one_is_cut() -> None:
    """docs/protocol.md, section 2: s120."""
    assert SENTENCE_SIZE == 120
    assert sentence("x" * 120) == "x" * 120
    assert sentence("x" * 121) == "x" * 120
    assert sentence("") == ""


@pytest.mark.parametrize("letter", ["\u00e4", "\u20ac", "\U0001f489"])
def test_a_sentence_is_cut_between_two_characters(letter: str) -> None:
    size = len(letter.encode())
    text = sentence("x" + letter * 120)
    assert text == "x" + letter * (119 // size)


@pytest.mark.parametrize("spoilt", ["a\nb", "a\0b", "a\x1b[2Jb", "a\rb", "a\u2028b", "a\ud800b"])
def test_what_a_peer_wrote_is_quoted_on_one_line_that_a_terminal_can_show(spoilt: str) -> None:
    text = sentence(spoilt)
    assert text.isprintable() and text.startswith("a") and text.endswith("b")
    text.encode()


def test_what_is_quoted_is_cut_after_it_was_made_printable() -> None:
    assert len(sentence("\0" * 120).encode()) <= 120


def test_the_reasons_are_in_the_order_in_which_a_receiver_looks_for_them() -> None:
    assert [reason.value for reason in BadReason] == ["oversize", "cobs", "short", "crc", "length"]
