"""How far a run is: one line of a terminal, written over itself, and gone at the end."""

import io

import pytest

from devicectl.cli.conform.progress import Progress
from tests.unit.devicectl.cli.terminal import Terminal


def test_the_line_is_written_over_itself_and_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    terminal = Terminal()
    with Progress(terminal) as progress:
        progress.tell(0, 43, "frm.zeros")
        progress.tell(1, 43, "frm.behind-oversize-cut")
    assert terminal.text().split("\r\x1b[K") == ["", "0 of 43: frm.zeros", "1 of 43: frm.behind", ""]


def test_where_there_is_no_terminal_nothing_is_written() -> None:
    stream = io.StringIO()
    with Progress(stream) as progress:
        progress.tell(0, 43, "frm.zeros")
    assert stream.getvalue() == ""
