"""Outcomes: what makes a run end badly, and what is counted."""

from devicectl.conformance.outcome import Timing, Word, count
from tests.unit.devicectl.conformance.made import outcomes


def test_a_broken_must_ends_a_run_badly_and_a_broken_should_does_not() -> None:
    assert [outcome.case.id for outcome in outcomes() if outcome.breaks] == ["frm.two"]
    passed = outcomes()[0]
    assert passed._replace(word=Word.MENDED).breaks


def test_each_word_is_counted() -> None:
    assert count(outcomes()) == {"passed": 1, "failed": 2, "skipped": 1, "known": 1, "mended": 0}


def test_the_margin_is_what_was_left() -> None:
    assert Timing("x", 12.5, 100.0).margin_ms == 87.5
    assert Timing("x", 120.0, 100.0).margin_ms == -20.0
