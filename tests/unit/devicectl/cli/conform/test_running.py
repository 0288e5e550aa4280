"""A run and a list of cases as a person sees them on a terminal of 80 columns."""

import sys

import pytest

from devicectl.cli.program import call
from protocols.text.notice import NOTICE
from tests.unit.devicectl.cli.terminal import Terminal

_SOME = ("--case", "frm.z*", "--case", "frm.*-halves")


def seen(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Terminal:
    """Run a command of the kit on a terminal that has both standard streams."""
    terminal = Terminal()
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    assert call(["conform", *arguments]) == 0
    return terminal


def test_a_run_shows_how_far_it_is_and_its_report_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    *shown, report = seen(monkeypatch, "device", "--device", "sim://?seed=3", *_SOME).text().split("\r\x1b[K")
    assert shown == ["", "0 of 2: frm.zeros", "1 of 2: frm.two-halves"]
    assert report.startswith(NOTICE) and "\n2 passed in " in report
    assert max(map(len, report.splitlines())) <= 80


def test_a_list_of_cases_breaks_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = seen(monkeypatch, "device", "--list", "--case", "harm.*").lines()
    assert max(map(len, listed)) <= 80
    assert "    lost in a stroke  needs motion, faults" in listed
    assert "needs motion   leave to move a device that is no simulator: --allow-motion" in listed
