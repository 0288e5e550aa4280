"""`--help` of every command: what takes no value shows none."""

import re

import pytest

from devicectl.cli import call


@pytest.mark.parametrize(
    "command",
    ["", "run", "sessions", "sessions list", "sessions show", "sessions export"],
    ids=lambda text: text or "-",
)
def test_help_and_flags_show_no_value(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert call([*command.split(), "--help"]) == 0
    said = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)  # where CI asks for colors
    assert re.search(r"--help +Show this message", said), said
    assert "<bool>" not in said
