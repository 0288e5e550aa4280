"""Refusals of the firmware: the code, the two values that disagree, and a sentence that fits the wire."""

import pytest

from firmware_sim.board.refusals import interlocked, not_kept, refusal
from firmware_sim.errors import NvmFileError
from protocols.language.enums import Code


def test_a_refusal_says_code_and_the_two_values_that_disagree() -> None:
    no = refusal(Code.E_RANGE, "too much", expected=3, actual=4)
    assert (no.code, no.interlock, no.expected, no.actual, no.sentence) == (Code.E_RANGE, 0, 3, 4, "too much")


def test_a_refusal_by_an_interlock_has_its_number_and_the_code_for_all_of_them() -> None:
    no = interlocked(8, "the cell is full", expected=48, actual=46)
    assert (no.code, no.interlock, no.expected, no.actual) == (Code.E_INTERLOCK, 8, 48, 46)


@pytest.mark.parametrize(
    ("text", "sentence"), [("a" * 130, "a" * 120), ("ä" * 61, "ä" * 60), ("one\ntwo", "one\\ntwo")]
)
def test_a_sentence_is_one_line_of_at_most_120_bytes(text: str, sentence: str) -> None:
    assert refusal(Code.E_STATE, text).sentence == sentence
    assert interlocked(1, text).sentence == sentence


def test_what_cannot_be_kept_is_refused_with_its_reason() -> None:
    no = not_kept(NvmFileError("/a/file", "no space left"))
    assert (no.code, no.interlock) == (Code.E_STORAGE, 0)
    assert no.sentence == "the memory takes no more (no space left): nothing was begun"
